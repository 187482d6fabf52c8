/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See http_server.h. A connection goes FREE -> READING -> WRITING -> LINGERING -> CLOSING -> FREE.
 */
#include "ntsd/http_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESPONSE_HEAD_MAX = 512 };

enum state { FREE, READING, WRITING, LINGERING, CLOSING };

struct connection {
    struct http_server *server;
    enum state state;
    unsigned open_handles;
    bool peer_done;  /* its FIN was read */
    uint64_t number; /* in the order of their coming */
    uv_tcp_t tcp;
    uv_timer_t deadline;
    uv_write_t write;
    uv_shutdown_t shutdown;
    char *response; /* head and body; owned until written */
    size_t n;       /* octets of the request so far */
    uint8_t bytes[HTTP_HEAD_MAX];
};

struct http_server {
    struct http_server_options options;
    uv_loop_t *loop;
    uv_tcp_t listener;
    uint64_t taken; /* connections so far */
    bool waiting;   /* the listen queue has somebody for whom there was no connection */
    bool closing;
    uint8_t *body;      /* options.body_max octets, shared by all answers */
    uint8_t scrap[256]; /* where a peer's octets after its request go */
    struct connection connection[HTTP_CONNECTIONS_MAX];
};

static void take(struct http_server *server);

static void on_closed(uv_handle_t *handle)
{
    struct connection *c = handle->data;
    if (--c->open_handles > 0) {
        return;
    }
    free(c->response);
    c->response = NULL;
    c->state = FREE;
    if (c->server->waiting && !c->server->closing) {
        take(c->server);
    }
}

/* The one way out; safe to take twice. */
static void hang_up(struct connection *c)
{
    if (c->state == FREE || c->state == CLOSING) {
        return;
    }
    c->state = CLOSING;
    uv_close((uv_handle_t *)&c->tcp, on_closed);
    uv_close((uv_handle_t *)&c->deadline, on_closed);
}

/* For whom there is no more time: whose request is not whole by now counts as unfinished. */
static void give_up(struct connection *c)
{
    if (c->state == READING) {
        c->server->options.counts->verdict[HTTP_MORE]++;
    }
    hang_up(c);
}

static void on_deadline(uv_timer_t *timer)
{
    give_up(timer->data);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct connection *c = handle->data;
    (void)suggested;
    if (c->state == READING) {
        *buf = uv_buf_init((char *)c->bytes + c->n, (unsigned)(sizeof(c->bytes) - c->n));
    } else {
        *buf = uv_buf_init((char *)c->server->scrap, sizeof(c->server->scrap));
    }
}

/* Our end is closed; the peer's FIN, or the deadline, ends the rest. Closing at once could answer
 * octets still under way with a reset, which would take the response away from the peer. */
static void on_written(uv_write_t *write, int status)
{
    struct connection *c = write->data;
    if (c->state != WRITING) {
        return;
    }
    c->state = LINGERING;
    if (status != 0 || c->peer_done ||
        uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, NULL) != 0) {
        hang_up(c);
    }
}

static void respond(struct connection *c, unsigned code, struct span body, const char *type,
                    bool with_body)
{
    c->response = malloc(RESPONSE_HEAD_MAX + body.n);
    if (c->response == NULL) {
        hang_up(c);
        return;
    }
    int head =
        snprintf(c->response, RESPONSE_HEAD_MAX,
                 "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                 "Cache-Control: no-store\r\n%sConnection: close\r\n\r\n",
                 code, http_reason(code), type, body.n, code == 405 ? "Allow: GET, HEAD\r\n" : "");
    size_t n = head > 0 && head < RESPONSE_HEAD_MAX ? (size_t)head : 0;
    if (with_body && body.n > 0) {
        memcpy(c->response + n, body.p, body.n);
        n += body.n;
    }
    c->state = WRITING;
    c->write.data = c;
    uv_buf_t buf = uv_buf_init(c->response, (unsigned)n);
    if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &buf, 1, on_written) != 0) {
        hang_up(c);
    }
}

static void judge(struct connection *c)
{
    static const char plain[] = "text/plain; charset=utf-8";
    struct http_server *server = c->server;
    struct http_request request;
    enum http_verdict verdict = http_request_parse(span_of(c->bytes, c->n), &request);
    if (verdict == HTTP_MORE) {
        return;
    }
    server->options.counts->verdict[verdict]++;
    unsigned code = http_verdict_code(verdict);
    const char *type = plain;
    struct wr body = wr_init(server->body, server->options.body_max);
    if (verdict == HTTP_GOOD) {
        code = server->options.answer(server->options.ctx, &request, &body, &type);
    }
    if (body.bad) {
        code = 500;
    }
    if (verdict != HTTP_GOOD || body.bad) {
        body = wr_init(server->body, server->options.body_max);
        wr_bytes(&body, span_of(http_reason(code), strlen(http_reason(code))));
        wr_u8(&body, '\n');
    }
    respond(c, code, wr_done(&body), type, !request.head);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct connection *c = stream->data;
    (void)buf;
    if (n < 0) { /* the peer is done or gone; with its answer under way it may still read */
        if (c->state == WRITING) {
            c->peer_done = true;
            (void)uv_read_stop(stream);
        } else {
            hang_up(c);
        }
        return;
    }
    if (c->state == READING) {
        c->n += (size_t)n;
        judge(c);
    }
}

static struct connection *find_free(struct http_server *server)
{
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        if (server->connection[i].state == FREE) {
            return &server->connection[i];
        }
    }
    return NULL;
}

/* The connection that has been asking for the longest; NULL: all are being answered or closed. */
static struct connection *find_slowest(struct http_server *server)
{
    struct connection *slowest = NULL;
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        struct connection *c = &server->connection[i];
        if (c->state == READING && (slowest == NULL || c->number < slowest->number)) {
            slowest = c;
        }
    }
    return slowest;
}

/* Peers that hold their connection and say nothing must not keep a health check waiting: the one
 * that was silent for the longest makes room, and on_closed() takes the newcomer. */
static void make_room(struct http_server *server)
{
    struct connection *slowest = find_slowest(server);
    if (slowest != NULL) {
        give_up(slowest);
    }
}

static void take(struct http_server *server)
{
    struct connection *c = find_free(server);
    server->waiting = c == NULL;
    if (c == NULL) {
        make_room(server);
        return;
    }
    c->server = server;
    c->number = server->taken++;
    c->state = READING;
    c->n = 0;
    c->peer_done = false;
    c->open_handles = 2;
    (void)uv_tcp_init(server->loop, &c->tcp); /* neither can fail without a flag of ours */
    (void)uv_timer_init(server->loop, &c->deadline);
    c->tcp.data = c;
    c->deadline.data = c;
    if (uv_accept((uv_stream_t *)&server->listener, (uv_stream_t *)&c->tcp) != 0 ||
        uv_timer_start(&c->deadline, on_deadline, HTTP_TIMEOUT_MS, 0) != 0 ||
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0) {
        hang_up(c);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct http_server *server = listener->data;
    if (status == 0) {
        take(server);
        return;
    }
    /* No descriptor or no memory: the queue stays readable, so somebody has to give one back. */
    make_room(server);
}

struct http_server *http_server_open(uv_loop_t *loop, const struct http_server_options *options)
{
    struct http_server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        return NULL;
    }
    server->options = *options;
    server->loop = loop;
    server->body = malloc(options->body_max);
    if (server->body == NULL || uv_tcp_init(loop, &server->listener) != 0) {
        http_server_free(server);
        return NULL;
    }
    server->listener.data = server;
    if (uv_tcp_open(&server->listener, options->fd) != 0 ||
        uv_listen((uv_stream_t *)&server->listener, HTTP_CONNECTIONS_MAX, on_connection) != 0) {
        uv_close((uv_handle_t *)&server->listener, NULL);
        (void)uv_run(loop, UV_RUN_NOWAIT);
        http_server_free(server);
        return NULL;
    }
    return server;
}

void http_server_close(struct http_server *server)
{
    if (server->closing) {
        return;
    }
    server->closing = true;
    uv_close((uv_handle_t *)&server->listener, NULL);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        hang_up(&server->connection[i]);
    }
}

void http_server_free(struct http_server *server)
{
    if (server != NULL) {
        free(server->body);
        free(server);
    }
}
