/* HTTP load: --connections kept connections, one request outstanding on each, every destination number new.
 *
 * With --path alone it posts the vendor's send-message body; with {to} in --path it is a GET and {to} becomes the
 * numbers joined by `+`. Closed loop by default; with --rate it starts that many requests a second, and latency is
 * counted from the moment a request was due, so a slow answer is not hidden by the requests it held back.
 * A 503 is tried again after --backoff-ms with new numbers and counted as refused. It ends after --requests answered
 * requests or --duration seconds and prints one JSON line. --log writes `number dueNs answeredNs status` lines. */
#define _GNU_SOURCE
#include "histogram.h"
#include "http.h"
#include "wire.h"

#include <stdarg.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 4096, GIVE_UP_AFTER = 200, OPENED_A_TURN = 4, STATUSES = 600 };

typedef enum { IDLE, BUSY, RESTING } State;

typedef struct {
    Watched watched; /* first: the loop hands back this address */
    State state;
    bool open;
    uint64_t due, rest_until, number;
    Buffer in, out;
} Connection;

typedef struct {
    uint64_t number, due, answered;
    int status;
} Record;

static struct {
    const char *host, *path, *key, *from, *text, *extra, *request_id, *log;
    long port, connections, destinations, requests, duration, rate, backoff_ms, type, unicode, patience;
    bool get;
} settings;

static struct {
    uint64_t accepted, refused, failed, broken, in_flight, issued, reconnects, first, last, last_accepted;
    uint64_t status[STATUSES];
    Histogram latency;
} counted;

static Connection connections[MOST_CONNECTIONS];
static Buffer body;
static uint64_t next_number, started, next_due;
static long resting, closed;
static Record *records;
static size_t record_count, record_room;
static bool complained;

/* ---- requests ---- */

static void append_text(Buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append_text(Buffer *buffer, const char *format, ...) {
    va_list values;
    buffer_reserve(buffer, 4096);
    va_start(values, format);
    int length = vsnprintf((char *)buffer->bytes + buffer->end, 4096, format, values);
    va_end(values);
    if (length < 0 || length >= 4096) die("an option is too long");
    buffer->end += (size_t)length;
}

static void append_numbers(Buffer *buffer, const char *quote, char separator) {
    char text[32];
    for (long i = 0; i < settings.destinations; i++) {
        int length = snprintf(text, sizeof text, "%s%s%llu%s", i ? (char[]){separator, 0} : "", quote,
                              (unsigned long long)next_number++, quote);
        buffer_append(buffer, text, (size_t)length);
    }
}

static void append_get(Buffer *out) {
    const char *place = strstr(settings.path, "{to}");
    append_text(out, "GET %.*s", (int)(place - settings.path), settings.path);
    append_numbers(out, "", '+');
    append_text(out, "%s HTTP/1.1\r\nHost: %s:%ld\r\n\r\n", place + 4, settings.host, settings.port);
}

static void append_post(Buffer *out) {
    body.start = body.end = 0;
    append_text(&body, "{\"destinations\":[");
    append_numbers(&body, "\"", ',');
    append_text(&body, "],\"from\":\"%s\",\"text\":\"%s\",", settings.from, settings.text);
    if (settings.request_id[0])
        append_text(&body, "\"requestId\":\"%s-%llu\",", settings.request_id, (unsigned long long)counted.issued);
    append_text(&body, "\"useUnicode\":%ld,\"type\":%ld%s%s}", settings.unicode, settings.type,
                settings.extra[0] ? "," : "", settings.extra);
    append_text(out, "POST %s HTTP/1.1\r\nHost: %s:%ld\r\nAPI-KEY: %s\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n\r\n",
                settings.path, settings.host, settings.port, settings.key, buffer_length(&body));
    buffer_append(out, buffer_head(&body), buffer_length(&body));
}

static bool may_issue(uint64_t now) {
    uint64_t done = counted.accepted + counted.failed + counted.broken + counted.in_flight;
    if (loop_stopped()) return false;
    if (settings.requests && done >= (uint64_t)settings.requests) return false;
    return !settings.duration || now - started < (uint64_t)settings.duration * 1000000000u;
}

static void connection_drop(Connection *connection, bool count_as_broken);

static void issue(Connection *connection, uint64_t due) {
    connection->state = BUSY;
    connection->due = due;
    connection->number = next_number;
    if (settings.get) append_get(&connection->out);
    else append_post(&connection->out);
    counted.issued++;
    counted.in_flight++;
    if (!counted.first) counted.first = now_ns();
    if (socket_drain(connection->watched.fd, &connection->out) == IO_CLOSED) {
        connection_drop(connection, true);
        return;
    }
    loop_change(&connection->watched, buffer_length(&connection->out) ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void issue_if_due(Connection *connection, uint64_t now) {
    if (!connection->open || connection->state == BUSY || !may_issue(now)) return;
    if (connection->state == RESTING) {
        if (now < connection->rest_until) return;
        connection->state = IDLE;
        resting--;
    }
    if (!settings.rate) {
        issue(connection, now);
        return;
    }
    if (now < next_due) return;
    uint64_t due = next_due;
    next_due += 1000000000u / (uint64_t)settings.rate;
    issue(connection, due);
}

/* ---- answers ---- */

static void remember(const Connection *connection, uint64_t now, int status) {
    if (!settings.log[0]) return;
    if (record_count == record_room) {
        record_room = record_room ? record_room * 2 : 4096;
        records = realloc(records, record_room * sizeof *records);
        if (!records) die("out of memory");
    }
    records[record_count++] = (Record){connection->number, connection->due, now, status};
}

static void complain(const HttpMessage *message) {
    if (complained) return;
    complained = true;
    size_t shown = message->head_length + message->body_length;
    fprintf(stderr, "first answer that is neither 2xx nor 503: %.*s\n", (int)(shown < 600 ? shown : 600), message->line);
}

static void on_answer(Connection *connection, const HttpMessage *message) {
    uint64_t now = now_ns();
    int status = message->line_length > 12 ? atoi(message->line + 9) : 0;
    connection->state = IDLE;
    counted.in_flight--;
    counted.last = now;
    counted.status[status > 0 && status < STATUSES ? status : 0]++;
    remember(connection, now, status);
    if (status == 503) {
        counted.refused++;
        connection->state = RESTING;
        connection->rest_until = now + (uint64_t)settings.backoff_ms * 1000000u;
        resting++;
    } else if (status >= 200 && status < 300) {
        counted.accepted++;
        counted.last_accepted = now;
        histogram_add(&counted.latency, (now - connection->due) / 1000);
    } else {
        counted.failed++;
        complain(message);
    }
}

static bool connection_read(Connection *connection) {
    HttpMessage message;
    if (socket_fill(connection->watched.fd, &connection->in) == IO_CLOSED) return false;
    while (buffer_length(&connection->in)) {
        HttpState state = http_read(buffer_head(&connection->in), buffer_length(&connection->in), &message);
        if (state == HTTP_PARTIAL) return true;
        if (state == HTTP_BROKEN || connection->state != BUSY) return false;
        on_answer(connection, &message);
        buffer_consume(&connection->in, message.head_length + message.body_length);
        if (message.close) return false;
    }
    return true;
}

/* ---- connections ---- */

static void connection_ready(Watched *self, uint32_t events);

static void connection_open(Connection *connection) {
    connection->watched = (Watched){.fd = connect_to(settings.host, (int)settings.port), .ready = connection_ready};
    connection->open = connection->watched.fd >= 0;
    if (connection->open) loop_add(&connection->watched, EPOLLIN);
}

static void connection_drop(Connection *connection, bool count_as_broken) {
    loop_remove(&connection->watched);
    close(connection->watched.fd);
    buffer_free(&connection->in);
    buffer_free(&connection->out);
    connection->open = false;
    if (connection->state == BUSY) {
        connection->state = IDLE;
        counted.in_flight--;
        counted.broken += count_as_broken;
    }
    counted.reconnects++;
}

static void connection_ready(Watched *self, uint32_t events) {
    Connection *connection = (Connection *)self;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && !connection_read(connection)) {
        connection_drop(connection, true);
        return;
    }
    if (socket_drain(self->fd, &connection->out) == IO_CLOSED) {
        connection_drop(connection, true);
        return;
    }
    issue_if_due(connection, now_ns());
    if (connection->open)
        loop_change(self, buffer_length(&connection->out) ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* ---- the run ---- */

/* Opens a few connections a turn: a burst of them overflows a short listen backlog and waits a second for SYN. */
static void wake_idle(uint64_t now) {
    int opened = 0;
    closed = 0;
    for (long i = 0; i < settings.connections; i++) {
        if (!connections[i].open && opened++ < OPENED_A_TURN) connection_open(&connections[i]);
        closed += !connections[i].open;
        issue_if_due(&connections[i], now);
    }
}

static int turn_limit(uint64_t now) {
    if (settings.rate) return next_due > now ? (int)((next_due - now) / 1000000u) : 0;
    return closed ? 1 : resting ? 5 : 50;
}

static bool hopeless(uint64_t now) {
    uint64_t latest = counted.last > started ? counted.last : started;
    bool silent = counted.in_flight && now - latest > (uint64_t)settings.patience * 1000000000u;
    return silent || (!counted.accepted && counted.failed + counted.broken + counted.reconnects > GIVE_UP_AFTER);
}

static void run(void) {
    started = next_due = now_ns();
    uint64_t last_wake = 0;
    while (!loop_stopped()) {
        uint64_t now = now_ns();
        if (settings.rate || resting || now - last_wake > (closed ? 1000000u : 20000000u)) {
            wake_idle(now);
            last_wake = now;
        }
        if ((!counted.in_flight && !may_issue(now)) || hopeless(now)) return;
        loop_turn(turn_limit(now_ns()));
    }
}

static void log_write(void) {
    FILE *out = fopen(settings.log, "w");
    if (!out) die(settings.log);
    for (size_t i = 0; i < record_count; i++)
        fprintf(out, "%llu %llu %llu %d\n", (unsigned long long)records[i].number, (unsigned long long)records[i].due,
                (unsigned long long)records[i].answered, records[i].status);
    fclose(out);
}

static void report(void) {
#define U(value) (unsigned long long)(value)
    const char *comma = "";
    double seconds = counted.last_accepted > counted.first ? (double)(counted.last_accepted - counted.first) / 1e9 : 0;
    double rate = seconds > 0 ? (double)counted.accepted / seconds : 0;
    printf("{\"accepted\":%llu,\"messages\":%llu,\"refused\":%llu,\"failed\":%llu,\"broken\":%llu,\"unanswered\":%llu,"
           "\"reconnects\":%llu,\"connections\":%ld,\"destinations\":%ld,\"firstNs\":%llu,\"lastNs\":%llu,"
           "\"nextNumber\":%llu,\"seconds\":%.6f,\"requestsPerSecond\":%.1f,\"messagesPerSecond\":%.1f,\"statuses\":{",
           U(counted.accepted), U(counted.accepted * (uint64_t)settings.destinations), U(counted.refused),
           U(counted.failed), U(counted.broken), U(counted.in_flight), U(counted.reconnects), settings.connections,
           settings.destinations, U(counted.first), U(counted.last_accepted), U(next_number), seconds, rate,
           rate * (double)settings.destinations);
    for (int i = 0; i < STATUSES; i++) {
        if (!counted.status[i]) continue;
        printf("%s\"%d\":%llu", comma, i, U(counted.status[i]));
        comma = ",";
    }
    printf("},\"latencyUs\":");
    histogram_print(&counted.latency, stdout);
    printf("}\n");
}

static void settings_read(int argc, char **argv) {
    static const char *const known[] = {"--host", "--port", "--path", "--key", "--from", "--text", "--extra",
                                        "--request-id", "--log", "--connections", "--destinations", "--requests",
                                        "--duration", "--rate", "--backoff-ms", "--type", "--unicode",
                                        "--first-number", "--patience", NULL};
    options_check(argc, argv, known);
    settings.host = option(argc, argv, "--host", "127.0.0.1");
    settings.path = option(argc, argv, "--path", "/api/vendor/v1/sms/send-message");
    settings.key = option(argc, argv, "--key", "");
    settings.from = option(argc, argv, "--from", "LOA");
    settings.text = option(argc, argv, "--text", "Your parcel arrives today between two and four.");
    settings.extra = option(argc, argv, "--extra", "");
    settings.request_id = option(argc, argv, "--request-id", "");
    settings.log = option(argc, argv, "--log", "");
    settings.port = option_number(argc, argv, "--port", 0);
    settings.connections = option_number(argc, argv, "--connections", 32);
    settings.destinations = option_number(argc, argv, "--destinations", 1);
    settings.requests = option_number(argc, argv, "--requests", 0);
    settings.duration = option_number(argc, argv, "--duration", 0);
    settings.rate = option_number(argc, argv, "--rate", 0);
    settings.backoff_ms = option_number(argc, argv, "--backoff-ms", 50);
    settings.type = option_number(argc, argv, "--type", 0);
    settings.unicode = option_number(argc, argv, "--unicode", 0);
    settings.patience = option_number(argc, argv, "--patience", 30);
    next_number = (uint64_t)option_number(argc, argv, "--first-number", 84900000000);
    settings.get = strstr(settings.path, "{to}") != NULL;
}

int main(int argc, char **argv) {
    settings_read(argc, argv);
    if (settings.connections < 1 || settings.connections > MOST_CONNECTIONS) die("--connections must be 1 to 4096");
    if (!settings.port) die("--port is needed");
    if (!settings.requests && !settings.duration) die("--requests or --duration is needed");
    loop_open();
    run();
    if (settings.log[0]) log_write();
    report();
    return counted.accepted && !counted.failed && !counted.broken && !counted.in_flight ? 0 : 1;
}
