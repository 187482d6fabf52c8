/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to the KE service. See ke_conn.h.
 *
 * Everything that happens becomes an event; ke_conn_event() asks the state machine and carries out
 * what it says, which may be the cause of the next event, until nothing more happens.
 */
#include "nts-ke/ke_conn.h"

#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void count(const struct ke_conn *conn, unsigned index)
{
    if (index < KE_COUNTERS) {
        stats_add(conn->env->stats, index, 1);
    }
}

static void set_option(struct ke_conn *conn, int option)
{
    int fd = -1;
    if (uv_fileno((uv_handle_t *)&conn->tcp, &fd) == 0) {
        const int on = 1;
        (void)setsockopt(fd, IPPROTO_TCP, option, &on, sizeof(on));
    }
}

/* --- Closing: the memory may be used again when both handles are closed. --- */

static void on_closed(uv_handle_t *handle)
{
    struct ke_conn *conn = handle->data;
    if (--conn->handles == 0) {
        ke_pump_wipe(&conn->pump);
        conn->env->released(conn->env->ctx, conn);
    }
}

static void close_handles(struct ke_conn *conn)
{
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
    uv_close((uv_handle_t *)&conn->deadline, on_closed);
}

/* --- Callbacks of the loop --- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct ke_conn *conn = handle->data;
    *buf = uv_buf_init((char *)conn->env->chunk, sizeof(conn->env->chunk));
}

static enum ke_event take_client(struct ke_conn *conn, const struct proxy2_header *header)
{
    count(conn, header->local ? KE_COUNT_PROXY_LOCAL : KE_COUNT_PROXY_FAULT_0);
    conn->awaits_header = false;
    enum ke_count verdict = header->has_source
                                ? conn->env->proxied(conn->env->ctx, conn, &header->source)
                                : KE_COUNT_ACCEPTED;
    if (verdict == KE_COUNT_ACCEPTED) {
        return KE_EVENT_NONE;
    }
    count(conn, verdict);
    return KE_EVENT_REFUSED;
}

/* The header is collected where the request will be. What came behind it goes the way of all input,
 * from a copy, because it will be written where it is read. */
static enum ke_event take_header(struct ke_conn *conn, struct span bytes)
{
    struct ke_pump *pump = &conn->pump;
    struct proxy2_header header;
    _Static_assert(PROXY2_HEADER_MAX + KE_PUMP_CHUNK_MAX <= KE_REQUEST_MAX, "there is room");
    memcpy(pump->bytes + pump->len, bytes.p, bytes.n);
    pump->len += bytes.n;
    switch (proxy2_parse(span_of(pump->bytes, pump->len), &header)) {
    case PROXY2_MORE:
        return KE_EVENT_NONE;
    case PROXY2_BAD:
        count(conn, KE_COUNT_PROXY_FAULT_0 + (unsigned)header.fault);
        return KE_EVENT_REFUSED;
    case PROXY2_DONE:
        break;
    }
    size_t rest = pump->len - header.len;
    memcpy(conn->env->chunk, pump->bytes + header.len, rest);
    pump->len = 0;
    enum ke_event event = take_client(conn, &header);
    return event != KE_EVENT_NONE || rest == 0
               ? event
               : ke_pump_feed(pump, conn->env->tls, span_of(conn->env->chunk, rest));
}

static enum ke_event take_input(struct ke_conn *conn, struct span bytes)
{
    if (conn->awaits_header) {
        return take_header(conn, bytes);
    }
    if (conn->state == KE_STATE_CLOSING) {
        return ke_pump_drain(&conn->pump, bytes);
    }
    /* Without it a client that sends its request apart from the end of its handshake waits for our
     * delayed acknowledgement, 40 ms. The kernel forgets the option at will, hence every time. */
    set_option(conn, TCP_QUICKACK);
    return ke_pump_feed(&conn->pump, conn->env->tls, bytes);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct ke_conn *conn = stream->data;
    if (n == UV_EOF) {
        bool cut = conn->state == KE_STATE_REQUEST;
        ke_conn_event(conn, cut ? ke_pump_end(&conn->pump) : KE_EVENT_PEER_CLOSED);
    } else if (n < 0) {
        ke_conn_event(conn, KE_EVENT_IO_ERROR);
    } else if (n > 0) {
        ke_conn_event(conn, take_input(conn, span_of(buf->base, (size_t)n)));
    }
}

static void read_on(struct ke_conn *conn)
{
    (void)uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read); /* again: no harm */
}

static void on_written(uv_write_t *write, int status)
{
    struct ke_conn *conn = write->data;
    conn->writing = false;
    if (status < 0) {
        ke_conn_event(conn, KE_EVENT_IO_ERROR);
        return;
    }
    ke_pump_sent(&conn->pump);
    if (conn->state != KE_STATE_RESPONSE) {
        read_on(conn);
    }
    ke_conn_event(conn, KE_EVENT_WRITTEN);
}

/* The loop's idea of the time is that of the beginning of its turn. */
static void arm(struct ke_conn *conn, uv_timer_cb callback, unsigned ms)
{
    uv_update_time(conn->env->loop);
    (void)uv_timer_start(&conn->deadline, callback, ms, 0);
}

static void on_deadline(uv_timer_t *timer)
{
    struct ke_conn *conn = timer->data;
    bool waiting = conn->state == KE_STATE_HANDSHAKE || conn->state == KE_STATE_REQUEST;
    if (waiting && !conn->overdue) { /* the loop runs timers before it reads sockets */
        conn->overdue = true;
        arm(conn, on_deadline, KE_CONN_LAST_LOOK_MS);
        return;
    }
    /* A peer that does not read what it has been sent cannot be told that its time is up. */
    ke_conn_event(conn, conn->writing ? KE_EVENT_IO_ERROR : KE_EVENT_DEADLINE);
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    (void)shutdown; /* a failure shows when reading */
    (void)status;
}

/* --- What the state machine orders. Each returns the event that follows, or NONE. --- */

/* WRITTEN when the kernel took everything at once, NONE when the rest is under way. */
static enum ke_event flush(struct ke_conn *conn)
{
    struct span output = ke_pump_output(&conn->pump);
    if (output.n == 0 || conn->writing) {
        return KE_EVENT_NONE;
    }
    uv_stream_t *stream = (uv_stream_t *)&conn->tcp;
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)output.p, (unsigned)output.n);
    int sent = uv_try_write(stream, &buf, 1);
    if (sent == (int)output.n) {
        ke_pump_sent(&conn->pump);
        return KE_EVENT_WRITTEN;
    }
    if (sent < 0 && sent != UV_EAGAIN) {
        return KE_EVENT_IO_ERROR;
    }
    size_t done = sent > 0 ? (size_t)sent : 0;
    buf = uv_buf_init(buf.base + done, (unsigned)(output.n - done));
    (void)uv_read_stop(stream);
    conn->writing = uv_write(&conn->write, stream, &buf, 1, on_written) == 0;
    return conn->writing ? KE_EVENT_NONE : KE_EVENT_IO_ERROR;
}

static enum ke_event advance(struct ke_conn *conn)
{
    enum ke_event event = KE_EVENT_NONE;
    switch (conn->state) {
    case KE_STATE_HANDSHAKE:
        event = ke_pump_handshake(&conn->pump);
        if (event == KE_EVENT_HANDSHAKE_DONE) {
            ke_device_admit(conn->pump.ssl, conn->env->stats);
        }
        break;
    case KE_STATE_REQUEST:
        event = ke_pump_request(&conn->pump, &conn->fault);
        break;
    case KE_STATE_CLOSING:
        return ke_pump_drain(&conn->pump, span_of(NULL, 0));
    case KE_STATE_RESPONSE:
    case KE_STATE_CLOSED:
        return KE_EVENT_NONE;
    }
    if (event == KE_EVENT_REQUEST_COMPLETE) {
        return event; /* what waits for the peer goes out with the response */
    }
    return flush(conn) == KE_EVENT_IO_ERROR ? KE_EVENT_IO_ERROR : event;
}

static enum ke_event respond(struct ke_conn *conn)
{
    uint8_t out[KE_RESPONSE_MAX];
    struct wr w = wr_init(out, sizeof(out));
    struct ke_pump *pump = &conn->pump;
    conn->issued = conn->fault == KE_REQUEST_OK
                       ? ke_issuer_answer(conn->env->issuer, pump->ssl, ke_pump_received(pump), &w)
                       : ke_issuer_refuse(conn->fault, &w);
    count(conn, KE_COUNT_REQUEST_FAULT_0 + (unsigned)conn->issued.fault);
    (void)uv_read_stop((uv_stream_t *)&conn->tcp);
    return ke_pump_respond(pump, wr_done(&w)) ? flush(conn) : KE_EVENT_TLS_FAILED;
}

static enum ke_event refuse_late(struct ke_conn *conn)
{
    conn->fault = KE_REQUEST_TIMEOUT;
    arm(conn, on_deadline, KE_CONN_GRACE_MS);
    return respond(conn);
}

static enum ke_event await_close(struct ke_conn *conn)
{
    count(conn, conn->issued.count);
    if (conn->issued.no_keys) {
        count(conn, KE_COUNT_NO_KEYS);
    }
    stats_duration(conn->env->stats, (uint64_t)(mono_now().ns - conn->accepted.ns));
    (void)uv_shutdown(&conn->shutdown, (uv_stream_t *)&conn->tcp, on_shutdown);
    read_on(conn);
    return advance(conn);
}

/* A refusal is worth telling: closing a socket with octets unread would reset the connection, and
 * the alert might never reach the client. What is still to come may do so all the same. */
static enum ke_count refuse_client(struct ke_conn *conn)
{
    int fd = -1;
    struct ke_conn_env *env = conn->env;
    enum ke_count refused = ke_device_refuse(conn->pump.ssl, conn->pump.refusal, &env->refusals);
    if (refused == KE_COUNTERS || uv_fileno((const uv_handle_t *)&conn->tcp, &fd) != 0) {
        return refused;
    }
    for (size_t i = 0; i < KE_PUMP_INPUT_MAX / sizeof(env->chunk); i++) {
        if (recv(fd, env->chunk, sizeof(env->chunk), MSG_DONTWAIT) <= 0) {
            break;
        }
    }
    return refused;
}

static void count_close(struct ke_conn *conn, enum ke_state before, enum ke_event event)
{
    enum ke_count refused = event == KE_EVENT_TLS_FAILED && before == KE_STATE_HANDSHAKE
                                ? refuse_client(conn)
                                : KE_COUNTERS;
    count(conn, refused != KE_COUNTERS ? refused : ke_count_of_close(before, event));
}

void ke_conn_event(struct ke_conn *conn, enum ke_event event)
{
    do {
        enum ke_state before = conn->state;
        struct ke_step step = ke_next(before, event);
        conn->state = step.state;
        switch (step.action) {
        case KE_DO_NOTHING:
            event = advance(conn);
            break;
        case KE_DO_RESPOND:
            event = respond(conn);
            break;
        case KE_DO_TIMEOUT_ERROR:
            event = refuse_late(conn);
            break;
        case KE_DO_AWAIT_CLOSE:
            event = await_close(conn);
            break;
        case KE_DO_CLOSE:
            count_close(conn, before, event);
            conn->env->closed(conn->env->ctx, conn);
            close_handles(conn);
            return;
        }
    } while (event != KE_EVENT_NONE);
}

bool ke_conn_waits_for_peer(const struct ke_conn *conn)
{
    int fd = -1;
    int unread = 0;
    if (conn->writing) {
        return true;
    }
    return uv_fileno((const uv_handle_t *)&conn->tcp, &fd) != 0 ||
           ioctl(fd, FIONREAD, &unread) != 0 || unread == 0;
}

void ke_conn_start(struct ke_conn *conn, struct ke_conn_env *env, int fd, bool proxy)
{
    conn->env = env;
    conn->awaits_header = proxy;
    conn->state = KE_STATE_HANDSHAKE;
    conn->overdue = false;
    conn->writing = false;
    conn->handles = 2;
    conn->accepted = mono_now();
    conn->fault = KE_REQUEST_OK;
    conn->tcp.data = conn;
    conn->deadline.data = conn;
    conn->write.data = conn;
    (void)uv_tcp_init(env->loop, &conn->tcp); /* neither fails: no socket is made here */
    (void)uv_timer_init(env->loop, &conn->deadline);
    if (uv_tcp_open(&conn->tcp, fd) != 0) {
        (void)close(fd);
        ke_conn_event(conn, KE_EVENT_IO_ERROR);
        return;
    }
    set_option(conn, TCP_NODELAY);
    set_option(conn, TCP_QUICKACK);
    arm(conn, on_deadline, env->timeout_ms);
    read_on(conn);
}
