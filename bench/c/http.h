/* Reading HTTP/1.1 messages that carry a Content-Length; chunked bodies are refused, not misread. */
#ifndef LOA_BENCH_HTTP_H
#define LOA_BENCH_HTTP_H

#define _GNU_SOURCE
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef enum { HTTP_PARTIAL, HTTP_WHOLE, HTTP_BROKEN } HttpState;

typedef struct {
    const char *line; /* request or status line, not terminated by NUL */
    size_t line_length, head_length, body_length;
    bool close;
} HttpMessage;

static inline void http_header(HttpMessage *message, const char *at, size_t length, HttpState *state) {
    if (length > 15 && !strncasecmp(at, "content-length:", 15)) message->body_length = strtoul(at + 15, NULL, 10);
    else if (length > 18 && !strncasecmp(at, "transfer-encoding:", 18)) *state = HTTP_BROKEN;
    else if (length > 11 && !strncasecmp(at, "connection:", 11)) message->close = memmem(at, length, "close", 5) != NULL;
}

/* Looks at what has arrived; HTTP_WHOLE when head and body are there. */
static inline HttpState http_read(const uint8_t *bytes, size_t length, HttpMessage *message) {
    const char *text = (const char *)bytes, *stop = memmem(bytes, length, "\r\n\r\n", 4);
    HttpState state = HTTP_WHOLE;
    if (!stop) return length > 64 * 1024 ? HTTP_BROKEN : HTTP_PARTIAL;
    *message = (HttpMessage){.line = text, .head_length = (size_t)(stop - text) + 4};
    const char *line_end = memmem(text, message->head_length, "\r\n", 2);
    message->line_length = (size_t)(line_end - text);
    while (line_end < stop) {
        const char *at = line_end + 2;
        line_end = memmem(at, (size_t)(stop + 2 - at), "\r\n", 2);
        http_header(message, at, (size_t)(line_end - at), &state);
    }
    if (state == HTTP_BROKEN) return state;
    return length >= message->head_length + message->body_length ? HTTP_WHOLE : HTTP_PARTIAL;
}

#endif
