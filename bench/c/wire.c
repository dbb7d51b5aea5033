#define _GNU_SOURCE
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_CHUNK = 256 * 1024, EVENTS_A_TURN = 256, NUMBER_SPACE = 1000000000 };

void die(const char *what) {
    fprintf(stderr, "%s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(2);
}

/* ---- bytes ---- */

void buffer_reserve(Buffer *buffer, size_t more) {
    if (buffer->start == buffer->end) buffer->start = buffer->end = 0;
    if (buffer->room - buffer->end >= more) return;
    size_t length = buffer_length(buffer);
    if (buffer->start) {
        memmove(buffer->bytes, buffer->bytes + buffer->start, length);
        buffer->start = 0;
        buffer->end = length;
    }
    if (buffer->room - buffer->end >= more) return;
    size_t room = buffer->room ? buffer->room : 4096;
    while (room - length < more) room *= 2;
    buffer->bytes = realloc(buffer->bytes, room);
    if (!buffer->bytes) die("out of memory");
    buffer->room = room;
}

void buffer_append(Buffer *buffer, const void *bytes, size_t length) {
    buffer_reserve(buffer, length);
    memcpy(buffer->bytes + buffer->end, bytes, length);
    buffer->end += length;
}

void buffer_consume(Buffer *buffer, size_t length) { buffer->start += length; }

void buffer_free(Buffer *buffer) {
    free(buffer->bytes);
    memset(buffer, 0, sizeof *buffer);
}

/* ---- sockets and the loop ---- */

static int loop_fd = -1;
static volatile sig_atomic_t stopped;

static void on_stop(int signal_number) {
    (void)signal_number;
    stopped = 1;
}

void loop_open(void) {
    struct sigaction action = {.sa_handler = on_stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    loop_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop_fd < 0) die("epoll_create1");
}

bool loop_stopped(void) { return stopped; }

void loop_add(Watched *watched, uint32_t interest) {
    struct epoll_event event = {.events = interest, .data.ptr = watched};
    watched->interest = interest;
    if (epoll_ctl(loop_fd, EPOLL_CTL_ADD, watched->fd, &event)) die("epoll_ctl add");
}

void loop_change(Watched *watched, uint32_t interest) {
    if (watched->interest == interest) return;
    struct epoll_event event = {.events = interest, .data.ptr = watched};
    watched->interest = interest;
    if (epoll_ctl(loop_fd, EPOLL_CTL_MOD, watched->fd, &event)) die("epoll_ctl mod");
}

void loop_remove(Watched *watched) { epoll_ctl(loop_fd, EPOLL_CTL_DEL, watched->fd, NULL); }

void loop_turn(int timeout_ms) {
    struct epoll_event events[EVENTS_A_TURN];
    int count = epoll_wait(loop_fd, events, EVENTS_A_TURN, timeout_ms);
    if (count < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < count; i++) {
        Watched *watched = events[i].data.ptr;
        watched->ready(watched, events[i].events);
    }
}

static struct sockaddr_in address_of(const char *host, int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    errno = 0;
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) die("the host must be an IPv4 address");
    return address;
}

static void no_delay(int fd) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int bind_to(const char *host, int port, int *bound_port) {
    struct sockaddr_in address = address_of(host, port);
    socklen_t length = sizeof address;
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) die("socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    no_delay(fd); /* accepted connections inherit it */
    if (bind(fd, (struct sockaddr *)&address, sizeof address)) die("bind");
    if (getsockname(fd, (struct sockaddr *)&address, &length)) die("getsockname");
    *bound_port = ntohs(address.sin_port);
    return fd;
}

void socket_listen(int fd) {
    if (listen(fd, 1024)) die("listen");
}

int connect_to(const char *host, int port) {
    struct sockaddr_in address = address_of(host, port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) die("socket");
    no_delay(fd);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

IoResult socket_fill(int fd, Buffer *buffer) {
    buffer_reserve(buffer, READ_CHUNK);
    ssize_t got = recv(fd, buffer->bytes + buffer->end, READ_CHUNK, 0);
    if (got > 0) {
        buffer->end += (size_t)got;
        return IO_OK;
    }
    return got < 0 && (errno == EAGAIN || errno == EINTR) ? IO_OK : IO_CLOSED;
}

IoResult socket_drain(int fd, Buffer *buffer) {
    while (buffer_length(buffer)) {
        ssize_t sent = send(fd, buffer_head(buffer), buffer_length(buffer), MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN || errno == EINTR ? IO_OK : IO_CLOSED;
        buffer_consume(buffer, (size_t)sent);
    }
    return IO_OK;
}

uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- numbers seen: one bit a number, pages appear as they are touched ---- */

static uint8_t *seen;

bool numbers_add(uint64_t number) {
    if (!seen) {
        seen = mmap(NULL, NUMBER_SPACE / 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (seen == MAP_FAILED) die("mmap");
    }
    uint64_t at = number % NUMBER_SPACE;
    uint8_t bit = (uint8_t)(1u << (at & 7));
    bool fresh = !(seen[at >> 3] & bit);
    seen[at >> 3] |= bit;
    return fresh;
}

void numbers_clear(void) {
    if (seen && madvise(seen, NUMBER_SPACE / 8, MADV_DONTNEED)) die("madvise");
}

/* ---- control port ---- */

static ControlAnswer control_answer;

static void control_ready(Watched *self, uint32_t events) {
    (void)events;
    struct timeval patience = {.tv_sec = 1};
    char command[128];
    size_t length = 0;
    int fd = accept4(self->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (length < sizeof command - 1) {
        ssize_t got = recv(fd, command + length, sizeof command - 1 - length, 0);
        if (got <= 0) break;
        length += (size_t)got;
        if (memchr(command, '\n', length)) break;
    }
    command[length] = 0;
    command[strcspn(command, "\r\n")] = 0;
    FILE *out = fdopen(fd, "w");
    if (!out) die("fdopen");
    control_answer(command, out);
    fclose(out);
}

int control_open(const char *host, int port, ControlAnswer answer) {
    static Watched control;
    int bound;
    control_answer = answer;
    control.fd = bind_to(host, port, &bound);
    socket_listen(control.fd);
    control.ready = control_ready;
    loop_add(&control, EPOLLIN);
    return bound;
}

/* ---- options: --name value ---- */

const char *option(int argc, char **argv, const char *name, const char *fallback) {
    for (int i = 1; i + 1 < argc; i += 2)
        if (!strcmp(argv[i], name)) return argv[i + 1];
    return fallback;
}

long option_number(int argc, char **argv, const char *name, long fallback) {
    const char *text = option(argc, argv, name, NULL);
    char *end;
    if (!text) return fallback;
    long value = strtol(text, &end, 10);
    errno = 0;
    if (*end || end == text) die(name);
    return value;
}

void options_check(int argc, char **argv, const char *const *known) {
    for (int i = 1; i < argc; i += 2) {
        const char *const *name = known;
        while (*name && strcmp(*name, argv[i])) name++;
        if (*name && i + 1 < argc) continue;
        fprintf(stderr, "%s: %s %s\nknown options, each with a value:", argv[0],
                *name ? "no value for" : "unknown option", argv[i]);
        for (name = known; *name; name++) fprintf(stderr, " %s", *name);
        fputc('\n', stderr);
        exit(2);
    }
}
