/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of an HTTP/1.1 request (RFC 9112), as much of it as three read-only pages need: method,
 * target and version are understood, header fields are checked in form and otherwise ignored. Core;
 * nothing is kept, `target` points into the input.
 *
 * Written here because what the distribution has (http-parser) is no longer maintained, and a
 * parser without bodies, chunks, upgrades and persistent connections is this small.
 */
#ifndef NTSD_NTSD_HTTP_REQUEST_H
#define NTSD_NTSD_HTTP_REQUEST_H

#include "common/base/cursor.h"

enum { HTTP_HEAD_MAX = 4096, HTTP_TARGET_MAX = 256, HTTP_FIELDS_MAX = 64 };

enum http_verdict {
    HTTP_GOOD,
    HTTP_MORE,        /* the head is not complete yet */
    HTTP_BAD,         /* 400: not HTTP, or a header field out of form, or Host missing or twice */
    HTTP_BAD_METHOD,  /* 405: neither GET nor HEAD */
    HTTP_BAD_TARGET,  /* 414: target too long */
    HTTP_BAD_VERSION, /* 505 */
    HTTP_TOO_LONG,    /* 431: no end within HTTP_HEAD_MAX, or too many fields */
    HTTP_VERDICTS
};

struct http_request {
    bool head;          /* HEAD: no body in the answer */
    struct span target; /* path without query, begins with '/' */
};

/* Judges all octets received so far. `request` is zeroed unless HTTP_GOOD. */
enum http_verdict http_request_parse(struct span bytes, struct http_request *request);

/* What a server has made of its requests, by verdict; HTTP_MORE: the deadline came first. */
struct http_counts {
    uint64_t verdict[HTTP_VERDICTS];
};
const char *http_verdict_name(enum http_verdict verdict); /* snake_case, for counters */

/* The status code that answers a verdict; 200 for HTTP_GOOD, 0 for HTTP_MORE. */
unsigned http_verdict_code(enum http_verdict verdict);
const char *http_reason(unsigned code);

#endif
