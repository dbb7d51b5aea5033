/* The little of SMPP 3.4 that a fast SMSC needs: the header, a bounded reader and a writer into a Buffer. */
#ifndef LOA_BENCH_SMPP_H
#define LOA_BENCH_SMPP_H

#include "wire.h"

#include <string.h>

enum {
    GENERIC_NACK = 0x80000000u,
    BIND_RECEIVER = 0x01,
    BIND_TRANSMITTER = 0x02,
    SUBMIT_SM = 0x04,
    DELIVER_SM = 0x05,
    UNBIND = 0x06,
    BIND_TRANSCEIVER = 0x09,
    ENQUIRE_LINK = 0x15,
    RESPONSE = 0x80000000u,
    HEADER = 16,
    LONGEST_PDU = 65536 + 1024,
    STATUS_OK = 0,
    STATUS_BAD_LENGTH = 0x02,
    STATUS_BAD_COMMAND = 0x03,
    STATUS_BAD_BIND_STATUS = 0x04,
};

static inline uint32_t get32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void put32(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

typedef struct {
    const uint8_t *at, *end;
    bool bad;
} Reader;

static inline uint8_t read_byte(Reader *reader) {
    if (reader->at >= reader->end) {
        reader->bad = true;
        return 0;
    }
    return *reader->at++;
}

/* Copies a C-octet string into `into` (cut to room) and steps over it; an unterminated one is bad. */
static inline void read_text(Reader *reader, char *into, size_t room) {
    const uint8_t *zero = memchr(reader->at, 0, (size_t)(reader->end - reader->at));
    if (!zero) {
        reader->bad = true;
        reader->at = reader->end;
        into[0] = 0;
        return;
    }
    size_t length = (size_t)(zero - reader->at);
    if (length >= room) length = room - 1;
    memcpy(into, reader->at, length);
    into[length] = 0;
    reader->at = zero + 1;
}

static inline void pdu_append(Buffer *out, uint32_t command, uint32_t status, uint32_t sequence, const void *body,
                              size_t length) {
    uint8_t header[HEADER];
    put32(header, (uint32_t)(HEADER + length));
    put32(header + 4, command);
    put32(header + 8, status);
    put32(header + 12, sequence);
    buffer_append(out, header, HEADER);
    if (length) buffer_append(out, body, length);
}

#endif
