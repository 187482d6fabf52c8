/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP/1.1 server on a listening socket: one request, one response, then the connection is
 * closed. Shell module on a libuv loop; one thread.
 *
 * A fixed pool of connections; when it is full the one that has been asking for the longest makes
 * room. Two seconds for everything, from accept to close.
 */
#ifndef NTSD_NTSD_HTTP_SERVER_H
#define NTSD_NTSD_HTTP_SERVER_H

#include "ntsd/http_request.h"

#include <uv.h>

enum { HTTP_CONNECTIONS_MAX = 64, HTTP_TIMEOUT_MS = 2000 };

struct http_server_options {
    int fd; /* bound and listening; owned by the server from http_server_open() on */
    size_t body_max;
    /* Writes the page for a request, returns its status code, sets the media type. */
    unsigned (*answer)(void *ctx, const struct http_request *request, struct wr *body,
                       const char **type);
    void *ctx;
    struct http_counts *counts; /* the caller's */
};

struct http_server;

/* NULL: out of memory, or the socket is none. */
struct http_server *http_server_open(uv_loop_t *loop, const struct http_server_options *options);

/* Closes everything; the memory goes with http_server_free(), once the loop has run out. */
void http_server_close(struct http_server *server);
void http_server_free(struct http_server *server);

#endif
