/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See http_request.h.
 */
#include "ntsd/http_request.h"

#include <strings.h>

const char *http_verdict_name(enum http_verdict verdict)
{
    static const char *const names[HTTP_VERDICTS] = {
        [HTTP_GOOD] = "answered",          [HTTP_MORE] = "timeout",
        [HTTP_BAD] = "malformed",          [HTTP_BAD_METHOD] = "bad_method",
        [HTTP_BAD_TARGET] = "target_long", [HTTP_BAD_VERSION] = "bad_version",
        [HTTP_TOO_LONG] = "head_long",
    };
    return verdict < HTTP_VERDICTS ? names[verdict] : "unknown";
}

unsigned http_verdict_code(enum http_verdict verdict)
{
    switch (verdict) {
    case HTTP_GOOD:
        return 200;
    case HTTP_BAD:
        return 400;
    case HTTP_BAD_METHOD:
        return 405;
    case HTTP_BAD_TARGET:
        return 414;
    case HTTP_BAD_VERSION:
        return 505;
    case HTTP_TOO_LONG:
        return 431;
    case HTTP_MORE:
    case HTTP_VERDICTS:
        break;
    }
    return 0;
}

const char *http_reason(unsigned code)
{
    switch (code) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 414:
        return "URI Too Long";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Internal Server Error";
    }
}

/* RFC 9110 §5.6.2 */
static bool is_token(struct span s)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == 0 || memchr(marks, c, sizeof(marks) - 1) == NULL)) {
            return false;
        }
    }
    return s.n > 0;
}

/* The next line without its CRLF; false when there is none. A bare CR or LF is no line end: lenient
 * ones are how two parsers come to see two different requests. */
static bool take_line(struct rd *r, struct span *line)
{
    const uint8_t *end = r->left == 0 ? NULL : memchr(r->p, '\n', r->left);
    if (end == NULL) {
        return false;
    }
    *line = rd_span(r, (size_t)(end - r->p) + 1);
    line->n--;
    return true;
}

static bool strip_cr(struct span *line)
{
    if (line->n == 0 || line->p[line->n - 1] != '\r') {
        return false;
    }
    line->n--;
    return line->n == 0 || memchr(line->p, '\r', line->n) == NULL;
}

/* The word up to the next blank, which is skipped. */
static struct span take_word(struct rd *r)
{
    const uint8_t *blank = r->left == 0 ? NULL : memchr(r->p, ' ', r->left);
    if (blank == NULL) {
        return rd_rest(r);
    }
    struct span word = rd_span(r, (size_t)(blank - r->p));
    rd_skip(r, 1);
    return word;
}

static bool is_target(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f) {
            return false;
        }
    }
    return s.n > 0 && s.p[0] == '/';
}

static enum http_verdict parse_request_line(struct span line, struct http_request *request,
                                            bool *needs_host)
{
    struct rd r = rd_init(line);
    struct span method = take_word(&r);
    struct span target = take_word(&r);
    struct span version = rd_rest(&r);
    if (!is_token(method) || !is_target(target) || version.n != 8 ||
        memcmp(version.p, "HTTP/", 5) != 0) {
        return HTTP_BAD;
    }
    *needs_host = span_is(version, "HTTP/1.1", 8);
    if (!*needs_host && !span_is(version, "HTTP/1.0", 8)) {
        return HTTP_BAD_VERSION;
    }
    request->head = span_is(method, "HEAD", 4);
    if (!request->head && !span_is(method, "GET", 3)) {
        return HTTP_BAD_METHOD;
    }
    if (target.n > HTTP_TARGET_MAX) {
        return HTTP_BAD_TARGET;
    }
    const uint8_t *query = memchr(target.p, '?', target.n);
    target.n = query == NULL ? target.n : (size_t)(query - target.p);
    request->target = target;
    return HTTP_GOOD;
}

/* `name: value`, RFC 9112 §5: no blank before the colon, no continuation lines, no controls. */
static bool is_field(struct span line, bool *is_host)
{
    const uint8_t *colon = memchr(line.p, ':', line.n);
    if (colon == NULL) {
        return false;
    }
    struct span name = span_of(line.p, (size_t)(colon - line.p));
    for (size_t i = name.n + 1; i < line.n; i++) {
        if ((line.p[i] < ' ' && line.p[i] != '\t') || line.p[i] == 0x7f) {
            return false;
        }
    }
    *is_host = name.n == 4 && strncasecmp((const char *)name.p, "host", 4) == 0;
    return is_token(name);
}

static enum http_verdict parse_head(struct rd *r, struct http_request *request)
{
    struct span line;
    bool needs_host = false;
    size_t hosts = 0;
    if (!take_line(r, &line)) {
        return HTTP_MORE;
    }
    enum http_verdict verdict =
        strip_cr(&line) ? parse_request_line(line, request, &needs_host) : HTTP_BAD;
    if (verdict == HTTP_BAD) {
        return HTTP_BAD; /* not HTTP: its head may never end */
    }
    /* Any other refusal waits for the end of the head: the client reads when it has written. */
    for (size_t fields = 0; take_line(r, &line); fields++) {
        bool is_host = false;
        if (!strip_cr(&line)) {
            return HTTP_BAD;
        }
        if (line.n == 0) {
            /* RFC 9112 §3.2: exactly one Host in HTTP/1.1. What follows the head is not read. */
            bool bad_host = hosts > 1 || (needs_host && hosts == 0);
            return verdict == HTTP_GOOD && bad_host ? HTTP_BAD : verdict;
        }
        if (fields == HTTP_FIELDS_MAX) {
            return HTTP_TOO_LONG;
        }
        if (!is_field(line, &is_host)) {
            return HTTP_BAD;
        }
        hosts += is_host ? 1 : 0;
    }
    return HTTP_MORE;
}

enum http_verdict http_request_parse(struct span bytes, struct http_request *request)
{
    struct rd r = rd_init(bytes);
    if (r.left > HTTP_HEAD_MAX) {
        r.left = HTTP_HEAD_MAX;
    }
    *request = (struct http_request){0};
    enum http_verdict verdict = parse_head(&r, request);
    if (verdict == HTTP_MORE && bytes.n >= HTTP_HEAD_MAX) {
        verdict = HTTP_TOO_LONG;
    }
    if (verdict != HTTP_GOOD) {
        *request = (struct http_request){0};
    }
    return verdict;
}
