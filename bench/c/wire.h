/* What the three tools share: growable byte buffers, non-blocking sockets, an epoll loop, the clock,
 * a set of phone numbers and the control port. Single-threaded, libc only, Linux only (epoll). */
#ifndef LOA_BENCH_WIRE_H
#define LOA_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- bytes ---- */

typedef struct {
    uint8_t *bytes;
    size_t start, end, room; /* live bytes are [start, end) */
} Buffer;

void buffer_reserve(Buffer *buffer, size_t more);
void buffer_append(Buffer *buffer, const void *bytes, size_t length);
void buffer_consume(Buffer *buffer, size_t length);
void buffer_free(Buffer *buffer);
static inline size_t buffer_length(const Buffer *buffer) { return buffer->end - buffer->start; }
static inline uint8_t *buffer_head(const Buffer *buffer) { return buffer->bytes + buffer->start; }

/* ---- sockets and the loop ---- */

typedef struct Watched Watched;
struct Watched {
    int fd;
    uint32_t interest;
    void (*ready)(Watched *self, uint32_t events);
};

typedef enum { IO_OK, IO_CLOSED } IoResult;

void loop_open(void);
void loop_add(Watched *watched, uint32_t interest);
void loop_change(Watched *watched, uint32_t interest);
void loop_remove(Watched *watched);
void loop_turn(int timeout_ms);
bool loop_stopped(void); /* true after SIGTERM or SIGINT */

int bind_to(const char *host, int port, int *bound_port); /* connections are refused before socket_listen */
void socket_listen(int fd);
int connect_to(const char *host, int port);
IoResult socket_fill(int fd, Buffer *buffer);  /* read what is there now */
IoResult socket_drain(int fd, Buffer *buffer); /* write what goes now */

/* ---- clock ---- */

uint64_t now_ns(void); /* CLOCK_MONOTONIC: comparable between processes of one machine */

/* ---- numbers seen ---- */

bool numbers_add(uint64_t number); /* true when it is new; looks at the last nine digits */
void numbers_clear(void);

/* ---- control port: one line in, an answer out, connection closed ---- */

typedef void (*ControlAnswer)(const char *command, FILE *out);
int control_open(const char *host, int port, ControlAnswer answer);

/* ---- options ---- */

void die(const char *what) __attribute__((noreturn));
const char *option(int argc, char **argv, const char *name, const char *fallback);
long option_number(int argc, char **argv, const char *name, long fallback);
void options_check(int argc, char **argv, const char *const *known);

#endif
