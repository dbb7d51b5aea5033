/* A fast SMSC: answers every submit_sm at once, sends a receipt for each that asks for one, and counts.
 *
 * Never more than --window receipts are unanswered on one link, so it cannot flood the gateway.
 * A receipt goes back over the link that brought the message, or over another link of the same system_id
 * that may receive. Numbers that start with --watch are kept with the time they arrived.
 * With --open 0 connections are refused until the control command `open`: an SMSC that is away.
 * Control commands: stats, reset, open, watch. The same JSON is printed when it is stopped. */
#define _GNU_SOURCE
#include "smpp.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ADDRESS_ROOM = 21, NAME_ROOM = 17, READS_PAUSE_ABOVE = 4 << 20 };

typedef struct {
    uint64_t id;
    char destination[ADDRESS_ROOM], source[ADDRESS_ROOM];
} Receipt;

typedef struct {
    Receipt *items;
    size_t head, count, room;
} Queue;

typedef struct Link Link;
struct Link {
    Watched watched; /* first: the loop hands back this address */
    Link *next;
    Buffer in, out;
    Queue owed;
    uint32_t role, sequence;
    long unanswered;
    char name[NAME_ROOM];
};

typedef struct {
    uint64_t number, at_ns;
} Arrival;

static struct {
    bool receipts;
    long window;
    const char *watch;
} settings;

static struct {
    uint64_t transceivers, transmitters, receivers, submits, distinct, malformed, enquiries;
    uint64_t receipts_sent, receipts_acked, receipts_refused, receipts_lost;
    uint64_t first_submit, last_submit, last_ack;
} counted;

static Link *links;
static Queue homeless; /* receipts of links that are gone or may not receive; any link of the account takes them */
static uint64_t next_id = 1;
static Arrival *arrivals;
static size_t arrival_count, arrival_room;

/* ---- receipts owed ---- */

static void queue_push(Queue *queue, const Receipt *receipt) {
    if (queue->count == queue->room) {
        size_t room = queue->room ? queue->room * 2 : 1024;
        Receipt *items = malloc(room * sizeof *items);
        if (!items) die("out of memory");
        for (size_t i = 0; i < queue->count; i++) items[i] = queue->items[(queue->head + i) % queue->room];
        free(queue->items);
        queue->items = items;
        queue->head = 0;
        queue->room = room;
    }
    queue->items[(queue->head + queue->count++) % queue->room] = *receipt;
}

static bool queue_pop(Queue *queue, Receipt *receipt) {
    if (!queue->count) return false;
    *receipt = queue->items[queue->head];
    queue->head = (queue->head + 1) % queue->room;
    queue->count--;
    return true;
}

static bool may_receive(const Link *link) {
    return link->role == BIND_TRANSCEIVER || link->role == BIND_RECEIVER;
}

static const char *receipt_date(void) {
    static time_t known;
    static char text[16];
    time_t now = time(NULL);
    if (now != known) {
        struct tm parts;
        known = now;
        gmtime_r(&now, &parts);
        strftime(text, sizeof text, "%y%m%d%H%M", &parts);
    }
    return text;
}

static void receipt_send(Link *link, const Receipt *receipt) {
    uint8_t body[512];
    char text[256];
    uint8_t *at = body;
    int length = snprintf(text, sizeof text,
                          "id:%010llu sub:001 dlvrd:001 submit date:%s done date:%s stat:DELIVRD err:000 text:bench",
                          (unsigned long long)receipt->id, receipt_date(), receipt_date());
    *at++ = 0; /* service_type */
    *at++ = 1;
    *at++ = 1;
    at = (uint8_t *)stpcpy((char *)at, receipt->destination) + 1;
    *at++ = 5;
    *at++ = 0;
    at = (uint8_t *)stpcpy((char *)at, receipt->source) + 1;
    *at++ = 4;                /* esm_class: a receipt */
    memset(at, 0, 8), at += 8; /* protocol, priority, two times, registered, replace, data coding, default message */
    *at++ = (uint8_t)length;
    memcpy(at, text, (size_t)length);
    at += length;
    link->sequence = link->sequence % 0x7FFFFFFF + 1;
    pdu_append(&link->out, DELIVER_SM, STATUS_OK, link->sequence, body, (size_t)(at - body));
    link->unanswered++;
    counted.receipts_sent++;
}

static void receipts_pump(Link *link) {
    Receipt receipt;
    if (!may_receive(link)) return;
    while (link->unanswered < settings.window && (queue_pop(&link->owed, &receipt) || queue_pop(&homeless, &receipt)))
        receipt_send(link, &receipt);
}

/* ---- requests ---- */

static void watch_arrival(const char *destination, uint64_t number, uint64_t now) {
    if (!settings.watch[0] || strncmp(destination, settings.watch, strlen(settings.watch))) return;
    if (arrival_count == arrival_room) {
        arrival_room = arrival_room ? arrival_room * 2 : 4096;
        arrivals = realloc(arrivals, arrival_room * sizeof *arrivals);
        if (!arrivals) die("out of memory");
    }
    arrivals[arrival_count++] = (Arrival){number, now};
}

static void on_submit(Link *link, Reader *body, uint32_t sequence) {
    char scratch[32], answer[16];
    Receipt receipt = {.id = 0};
    read_text(body, scratch, sizeof scratch);
    read_byte(body), read_byte(body);
    read_text(body, receipt.source, sizeof receipt.source);
    read_byte(body), read_byte(body);
    read_text(body, receipt.destination, sizeof receipt.destination);
    read_byte(body), read_byte(body), read_byte(body);
    read_text(body, scratch, sizeof scratch);
    read_text(body, scratch, sizeof scratch);
    bool wanted = read_byte(body) & 1;
    read_byte(body), read_byte(body), read_byte(body);
    uint8_t text_length = read_byte(body);
    if (body->bad || body->end - body->at < text_length) {
        counted.malformed++;
        pdu_append(&link->out, SUBMIT_SM | RESPONSE, STATUS_BAD_LENGTH, sequence, NULL, 0);
        return;
    }
    uint64_t now = now_ns(), number = strtoull(receipt.destination, NULL, 10);
    counted.submits++;
    counted.distinct += numbers_add(number);
    if (!counted.first_submit) counted.first_submit = now;
    counted.last_submit = now;
    watch_arrival(receipt.destination, number, now);
    receipt.id = next_id++;
    int length = snprintf(answer, sizeof answer, "%010llu", (unsigned long long)receipt.id);
    pdu_append(&link->out, SUBMIT_SM | RESPONSE, STATUS_OK, sequence, answer, (size_t)length + 1);
    if (settings.receipts && wanted) queue_push(may_receive(link) ? &link->owed : &homeless, &receipt);
}

static void on_bind(Link *link, Reader *body, uint32_t command, uint32_t sequence) {
    static const char name[] = "bench";
    if (link->role) {
        pdu_append(&link->out, command | RESPONSE, STATUS_BAD_BIND_STATUS, sequence, NULL, 0);
        return;
    }
    link->role = command;
    read_text(body, link->name, sizeof link->name);
    counted.transceivers += command == BIND_TRANSCEIVER;
    counted.transmitters += command == BIND_TRANSMITTER;
    counted.receivers += command == BIND_RECEIVER;
    pdu_append(&link->out, command | RESPONSE, STATUS_OK, sequence, name, sizeof name);
}

static void on_receipt_answer(Link *link, uint32_t status) {
    link->unanswered--;
    if (status == STATUS_OK) counted.receipts_acked++;
    else counted.receipts_refused++;
    counted.last_ack = now_ns();
}

/* Answers one PDU; false when the link is to be closed after what is written has gone. */
static bool on_pdu(Link *link, const uint8_t *pdu, uint32_t length) {
    uint32_t command = get32(pdu + 4), status = get32(pdu + 8), sequence = get32(pdu + 12);
    Reader body = {pdu + HEADER, pdu + length, false};
    switch (command) {
    case SUBMIT_SM: on_submit(link, &body, sequence); return true;
    case DELIVER_SM | RESPONSE: on_receipt_answer(link, status); return true;
    case BIND_RECEIVER:
    case BIND_TRANSMITTER:
    case BIND_TRANSCEIVER: on_bind(link, &body, command, sequence); return true;
    case ENQUIRE_LINK:
        counted.enquiries++;
        pdu_append(&link->out, ENQUIRE_LINK | RESPONSE, STATUS_OK, sequence, NULL, 0);
        return true;
    case UNBIND: pdu_append(&link->out, UNBIND | RESPONSE, STATUS_OK, sequence, NULL, 0); return false;
    default:
        if (!(command & RESPONSE)) pdu_append(&link->out, GENERIC_NACK, STATUS_BAD_COMMAND, sequence, NULL, 0);
        return true;
    }
}

/* ---- links ---- */

static void link_close(Link *link) {
    Receipt receipt;
    Link **at = &links;
    while (*at != link) at = &(*at)->next;
    *at = link->next;
    while (queue_pop(&link->owed, &receipt)) queue_push(&homeless, &receipt);
    counted.receipts_lost += (uint64_t)link->unanswered;
    loop_remove(&link->watched);
    close(link->watched.fd);
    buffer_free(&link->in);
    buffer_free(&link->out);
    free(link->owed.items);
    free(link);
}

static bool link_read(Link *link) {
    if (socket_fill(link->watched.fd, &link->in) == IO_CLOSED) return false;
    while (buffer_length(&link->in) >= HEADER) {
        uint32_t length = get32(buffer_head(&link->in));
        if (length < HEADER || length > LONGEST_PDU) return false;
        if (buffer_length(&link->in) < length) break;
        if (!on_pdu(link, buffer_head(&link->in), length)) {
            socket_drain(link->watched.fd, &link->out);
            return false;
        }
        buffer_consume(&link->in, length);
    }
    return true;
}

static bool link_write(Link *link) {
    receipts_pump(link);
    if (socket_drain(link->watched.fd, &link->out) == IO_CLOSED) return false;
    uint32_t interest = buffer_length(&link->out) ? EPOLLOUT : 0;
    if (buffer_length(&link->out) < READS_PAUSE_ABOVE) interest |= EPOLLIN;
    loop_change(&link->watched, interest);
    return true;
}

static void link_ready(Watched *self, uint32_t events) {
    Link *link = (Link *)self;
    bool open = !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || link_read(link);
    if (!open || !link_write(link)) link_close(link);
}

static void on_connection(Watched *self, uint32_t events) {
    (void)events;
    int fd;
    while ((fd = accept4(self->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        Link *link = calloc(1, sizeof *link);
        if (!link) die("out of memory");
        link->watched = (Watched){.fd = fd, .ready = link_ready};
        link->next = links;
        links = link;
        loop_add(&link->watched, EPOLLIN);
    }
}

/* Receipts without a home wait for any link that may receive: nothing else wakes an idle one. */
static void homeless_pump(void) {
    Link *link = links;
    while (link && homeless.count) {
        Link *next = link->next;
        if (may_receive(link) && link->unanswered < settings.window && !link_write(link)) link_close(link);
        link = next;
    }
}

static Watched door = {.fd = -1, .ready = on_connection};

static void door_open(void) {
    socket_listen(door.fd);
    if (!door.interest) loop_add(&door, EPOLLIN);
}

/* ---- control ---- */

static void stats_print(FILE *out) {
    uint64_t open = 0, bound = 0, owed = homeless.count, unanswered = 0;
    for (Link *link = links; link; link = link->next) {
        open++;
        bound += link->role != 0;
        owed += link->owed.count;
        unanswered += (uint64_t)link->unanswered;
    }
#define U(value) (unsigned long long)(value)
    fprintf(out,
            "{\"links\":%llu,\"bound\":%llu,\"transceivers\":%llu,\"transmitters\":%llu,\"receivers\":%llu,"
            "\"submits\":%llu,\"distinct\":%llu,\"duplicates\":%llu,\"malformed\":%llu,\"enquiries\":%llu,",
            U(open), U(bound), U(counted.transceivers), U(counted.transmitters), U(counted.receivers),
            U(counted.submits), U(counted.distinct), U(counted.submits - counted.distinct), U(counted.malformed),
            U(counted.enquiries));
    fprintf(out,
            "\"receiptsSent\":%llu,\"receiptsAcked\":%llu,\"receiptsRefused\":%llu,\"receiptsLost\":%llu,"
            "\"receiptsOwed\":%llu,\"receiptsUnanswered\":%llu,\"firstSubmitNs\":%llu,\"lastSubmitNs\":%llu,"
            "\"lastAckNs\":%llu}\n",
            U(counted.receipts_sent), U(counted.receipts_acked), U(counted.receipts_refused), U(counted.receipts_lost),
            U(owed), U(unanswered), U(counted.first_submit), U(counted.last_submit), U(counted.last_ack));
}

static void on_command(const char *command, FILE *out) {
    if (!strcmp(command, "watch")) {
        for (size_t i = 0; i < arrival_count; i++)
            fprintf(out, "%llu %llu\n", U(arrivals[i].number), U(arrivals[i].at_ns));
        return;
    }
    if (!strcmp(command, "open")) door_open();
    if (!strcmp(command, "reset")) {
        memset(&counted, 0, sizeof counted);
        arrival_count = 0;
        numbers_clear();
    }
    stats_print(out);
}

int main(int argc, char **argv) {
    static const char *const known[] = {"--host", "--port", "--control", "--receipts", "--window", "--watch", "--open",
                                        NULL};
    int port, control;
    options_check(argc, argv, known);
    const char *host = option(argc, argv, "--host", "127.0.0.1");
    settings.receipts = option_number(argc, argv, "--receipts", 1) != 0;
    settings.window = option_number(argc, argv, "--window", 100);
    settings.watch = option(argc, argv, "--watch", "");
    loop_open();
    door.fd = bind_to(host, (int)option_number(argc, argv, "--port", 0), &port);
    if (option_number(argc, argv, "--open", 1)) door_open();
    control = control_open(host, (int)option_number(argc, argv, "--control", 0), on_command);
    printf("{\"port\":%d,\"control\":%d}\n", port, control);
    fflush(stdout);
    while (!loop_stopped()) {
        loop_turn(homeless.count ? 20 : 500);
        homeless_pump();
    }
    stats_print(stdout);
    return 0;
}
