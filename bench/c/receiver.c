/* A fast callback receiver: answers every request with 200 at once over kept connections, and counts.
 *
 * The destination is read from `"msisdn":"…"` of a body or `to=…` of a query, the status from `"status":…` or
 * `status=…`, so that lost, repeated and unexpected callbacks show.
 * Control commands: stats, reset. The same JSON is printed when it is stopped. */
#define _GNU_SOURCE
#include "http.h"
#include "wire.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STATUS_LOWEST = -8, STATUS_COUNT = 48 };

typedef struct {
    Watched watched; /* first: the loop hands back this address */
    Buffer in, out;
} Caller;

static struct {
    uint64_t connections, callbacks, distinct, unnamed, broken, first, last;
    uint64_t by_status[STATUS_COUNT], other_status;
} counted;

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";
static const char refusal[] = "HTTP/1.1 411 Length Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/* The number after `name`, past quotes, colons and spaces; false when there is none. */
static bool number_after(const char *text, size_t length, const char *name, long long *number) {
    const char *end = text + length, *at = memmem(text, length, name, strlen(name));
    char digits[24];
    size_t count = 0;
    if (!at) return false;
    at += strlen(name);
    while (at < end && (*at == '"' || *at == ':' || *at == ' ' || *at == '+')) at++;
    while (at < end && count < sizeof digits - 1 && (*at == '-' || (*at >= '0' && *at <= '9'))) digits[count++] = *at++;
    digits[count] = 0;
    *number = strtoll(digits, NULL, 10);
    return count > 0;
}

static void count_callback(const HttpMessage *message) {
    const char *body = message->line + message->head_length;
    long long number, status;
    uint64_t now = now_ns();
    counted.callbacks++;
    if (!counted.first) counted.first = now;
    counted.last = now;
    if (number_after(body, message->body_length, "\"msisdn\"", &number) ||
        number_after(message->line, message->line_length, "to=", &number))
        counted.distinct += numbers_add((uint64_t)number);
    else counted.unnamed++;
    if (!number_after(body, message->body_length, "\"status\"", &status) &&
        !number_after(message->line, message->line_length, "status=", &status))
        counted.other_status++;
    else if (status < STATUS_LOWEST || status >= STATUS_LOWEST + STATUS_COUNT) counted.other_status++;
    else counted.by_status[status - STATUS_LOWEST]++;
}

static void caller_close(Caller *caller) {
    loop_remove(&caller->watched);
    close(caller->watched.fd);
    buffer_free(&caller->in);
    buffer_free(&caller->out);
    free(caller);
}

/* Answers every whole request that has arrived; false when the connection is to be closed. */
static bool caller_read(Caller *caller) {
    HttpMessage message;
    if (socket_fill(caller->watched.fd, &caller->in) == IO_CLOSED) return false;
    while (buffer_length(&caller->in)) {
        HttpState state = http_read(buffer_head(&caller->in), buffer_length(&caller->in), &message);
        if (state == HTTP_PARTIAL) break;
        if (state == HTTP_BROKEN) {
            counted.broken++;
            buffer_append(&caller->out, refusal, sizeof refusal - 1);
            socket_drain(caller->watched.fd, &caller->out);
            return false;
        }
        count_callback(&message);
        buffer_append(&caller->out, answer, sizeof answer - 1);
        buffer_consume(&caller->in, message.head_length + message.body_length);
        if (!message.close) continue;
        socket_drain(caller->watched.fd, &caller->out);
        return false;
    }
    return true;
}

static void caller_ready(Watched *self, uint32_t events) {
    Caller *caller = (Caller *)self;
    bool open = !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || caller_read(caller);
    if (!open || socket_drain(caller->watched.fd, &caller->out) == IO_CLOSED) {
        caller_close(caller);
        return;
    }
    loop_change(&caller->watched, buffer_length(&caller->out) ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void on_connection(Watched *self, uint32_t events) {
    (void)events;
    int fd;
    while ((fd = accept4(self->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        Caller *caller = calloc(1, sizeof *caller);
        if (!caller) die("out of memory");
        caller->watched = (Watched){.fd = fd, .ready = caller_ready};
        counted.connections++;
        loop_add(&caller->watched, EPOLLIN);
    }
}

static void stats_print(FILE *out) {
#define U(value) (unsigned long long)(value)
    const char *comma = "";
    fprintf(out,
            "{\"connections\":%llu,\"callbacks\":%llu,\"distinct\":%llu,\"repeats\":%llu,\"unnamed\":%llu,"
            "\"broken\":%llu,\"firstNs\":%llu,\"lastNs\":%llu,\"statuses\":{",
            U(counted.connections), U(counted.callbacks), U(counted.distinct),
            U(counted.callbacks - counted.distinct - counted.unnamed), U(counted.unnamed), U(counted.broken),
            U(counted.first), U(counted.last));
    for (int i = 0; i < STATUS_COUNT; i++) {
        if (!counted.by_status[i]) continue;
        fprintf(out, "%s\"%d\":%llu", comma, i + STATUS_LOWEST, U(counted.by_status[i]));
        comma = ",";
    }
    fprintf(out, "},\"otherStatus\":%llu}\n", U(counted.other_status));
}

static void on_command(const char *command, FILE *out) {
    if (!strcmp(command, "reset")) {
        memset(&counted, 0, sizeof counted);
        numbers_clear();
    }
    stats_print(out);
}

int main(int argc, char **argv) {
    static const char *const known[] = {"--host", "--port", "--control", NULL};
    static Watched door = {.ready = on_connection};
    int port, control;
    options_check(argc, argv, known);
    const char *host = option(argc, argv, "--host", "127.0.0.1");
    loop_open();
    door.fd = bind_to(host, (int)option_number(argc, argv, "--port", 0), &port);
    socket_listen(door.fd);
    loop_add(&door, EPOLLIN);
    control = control_open(host, (int)option_number(argc, argv, "--control", 0), on_command);
    printf("{\"port\":%d,\"control\":%d}\n", port, control);
    fflush(stdout);
    while (!loop_stopped()) loop_turn(500);
    stats_print(stdout);
    return 0;
}
