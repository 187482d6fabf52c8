/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a datagram. See ntp_worker.h.
 *
 *   recvmmsg -> answer_prepare (all of the batch) -> answer_finish (all of it) -> sendmmsg
 *
 * All that takes long is done for the whole batch before the first reply is stamped, so that no
 * reply waits, stamped, for another one's cookies.
 */
#include "ntp/ntp_worker.h"

#include "common/net/acl.h"
#include "ntp/clock/clock_model.h"
#include "ntp/ntp_batch.h"
#include "ntp/ntp_stamp.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

enum {
    BATCHES_PER_WAKEUP = 4, /* then the other sockets of the loop have their turn */
    BATCHES_AT_STOP = 64,   /* per socket: an unbroken flood must not keep us from stopping */
    LOOKS_MAX = 4,          /* at the clocks, until one was not disturbed by an interrupt */
};

#define LOOK_WINDOW_NS INT64_C(20000) /* an undisturbed look takes a fraction of it */

/* A datagram that is being answered. */
struct reply_state {
    size_t index; /* in the batch */
    enum ntp_verdict verdict;
    struct wall_ns received; /* on the served clock */
    struct pending pending;
};

/* The clock as this worker knows it. */
struct served_clock {
    uint64_t generation; /* of the board value; 0: nothing published yet */
    struct clock_model model;
};

struct ntp_worker {
    uv_loop_t loop;
    uv_async_t stop;
    uv_poll_t poll[NTP_SOCKETS_MAX];
    size_t poll_count;
    const struct ntp_service_options *service;
    const struct ntp_worker_options *own;
    struct rng *rng;
    struct served_clock clock;
    struct ntp_stamp_watch watch;
    struct answer_env env;
    struct cookie_ring ring;
    struct ratelimit limit;
    uint64_t forgotten; /* of `limit`, counted */
    void *limit_memory; /* NULL: nobody is limited */
    struct ntp_batch batch;
    struct reply_state reply[NTP_BATCH];
};

static void count(struct ntp_worker *worker, unsigned index, uint64_t n)
{
    stats_add(worker->own->stats, index, n);
}

static void refresh_clock(struct served_clock *clock, const struct board *board)
{
    if (board_generation(board) == clock->generation) {
        return;
    }
    struct served_clock newest;
    if (board_read(board, &newest.model, sizeof(newest.model), &newest.generation) == NTS_OK &&
        newest.generation != 0) {
        *clock = newest;
    }
}

/* Before anything is published there is only the kernel's clock; the header then says leap 3. */
static struct wall_ns served_now(const struct served_clock *clock)
{
    if (clock->generation == 0) {
        return wall_now();
    }
    return clock_model_at(&clock->model, mono_raw_now());
}

/* Both clocks of the kernel at one moment. Not clock_pair_read(), which takes the best of many:
 * this is done for every batch, and one look is nearly always good enough. */
static struct clock_pair look_at_clocks(void)
{
    struct clock_pair best = {.window_ns = INT64_MAX};
    for (int i = 0; i < LOOKS_MAX && best.window_ns > LOOK_WINDOW_NS; i++) {
        int64_t before = mono_raw_now().ns;
        int64_t wall = wall_now().ns;
        int64_t window = mono_raw_now().ns - before;
        if (window < best.window_ns) {
            best = (struct clock_pair){
                .raw_ns = before + window / 2, .wall_ns = wall, .window_ns = window};
        }
    }
    return best;
}

static struct ntp_stamp_moment moment_of(struct ntp_worker *worker, const struct clock_pair *look)
{
    const struct served_clock *clock = &worker->clock;
    struct ntp_stamp_moment now = {
        .real = {.ns = look->wall_ns},
        .served = {.ns = look->wall_ns},
        .believed = ntp_stamp_look(&worker->watch, look),
    };
    if (clock->generation != 0) {
        now.served = clock_model_at(&clock->model, (struct mono_ns){.ns = look->raw_ns});
    }
    return now;
}

/* Once per batch, after it was read: the newest ring and clock, and what the header will say. */
static struct ntp_stamp_moment refresh(struct ntp_worker *worker)
{
    /* On failure the worker goes on with the ring it has. */
    enum nts_err kept = cookie_ring_refresh(&worker->ring, worker->service->key_board);
    (void)kept;
    refresh_clock(&worker->clock, worker->service->clock_board);
    struct clock_pair look = look_at_clocks();
    worker->env.now = mono_now();
    worker->env.clock =
        clock_model_fields(&worker->clock.model, (struct mono_ns){.ns = look.raw_ns});
    return moment_of(worker, &look);
}

static void prepare(struct ntp_worker *worker, const struct ntp_stamp_moment *now,
                    struct reply_state *state)
{
    struct ntp_arrival arrival = ntp_batch_arrival(&worker->batch, state->index);
    if (arrival.group) {
        state->verdict = NTP_DROP_GROUP;
        return;
    }
    if (arrival.truncated) {
        state->verdict = NTP_DROP_LONG;
        return;
    }
    if (arrival.source_port == 0) {
        state->verdict = NTP_DROP_PORT;
        return;
    }
    if (worker->service->acl != NULL && !acl_allows(worker->service->acl, arrival.source)) {
        state->verdict = NTP_DROP_DENIED;
        return;
    }
    if (worker->env.limit != NULL) {
        worker->env.address = ratelimit_key_of_address(worker->env.limit, arrival.source);
    }
    const struct wall_ns *stamp = arrival.stamped ? &arrival.stamp : NULL;
    bool believed = ntp_stamp_received(now, stamp, &state->received);
    count(worker, NTP_COUNT_NO_STAMP, believed ? 0 : 1);
    state->verdict = answer_prepare(
        &worker->env, worker->rng, arrival.request, ntp_time_from_wall(state->received),
        ntp_batch_reply_buffer(&worker->batch, state->index), &state->pending);
}

static void count_answer(struct ntp_worker *worker, const struct reply_state *state)
{
    bool time = state->verdict == NTP_ANSWER_PLAIN || state->verdict == NTP_ANSWER_NTS;
    if (time && worker->env.clock.leap == NTP_LEAP_UNKNOWN) {
        count(worker, NTP_COUNT_UNSYNCHRONISED, 1);
    }
    if (state->verdict == NTP_ANSWER_NTS) {
        count(worker, NTP_COUNT_COOKIES, state->pending.cookie_count);
        count(worker, ntp_count_of_age(state->pending.key_slot, worker->ring.issuing), 1);
    }
}

static void finish(struct ntp_worker *worker, struct reply_state *state)
{
    if (!ntp_verdict_is_answer(state->verdict)) {
        return;
    }
    struct wall_ns leaves = ntp_stamp_transmit(served_now(&worker->clock), state->received);
    struct span reply = answer_finish(&state->pending, ntp_time_from_wall(leaves));
    if (reply.n == 0) {
        state->verdict = NTP_DROP_INTERNAL;
        return;
    }
    ntp_batch_queue(&worker->batch, state->index, reply.n);
    count_answer(worker, state);
    stats_duration(worker->own->stats, (uint64_t)(leaves.ns - state->received.ns));
}

/* What the table of limits has given up since the batch before. */
static void count_forgotten(struct ntp_worker *worker)
{
    count(worker, NTP_COUNT_FORGOTTEN, worker->limit.forgotten - worker->forgotten);
    worker->forgotten = worker->limit.forgotten;
}

/* One batch from `fd`; true when more may wait. */
static bool serve_batch(struct ntp_worker *worker, int fd)
{
    enum nts_err err = ntp_batch_receive(&worker->batch, fd);
    if (err != NTS_OK) {
        count(worker, NTP_COUNT_RECEIVE_FAILED, err == NTS_ESYSTEM ? 1 : 0);
        return false;
    }
    size_t n = worker->batch.received;
    struct ntp_stamp_moment now = refresh(worker);
    for (size_t i = 0; i < n; i++) {
        worker->reply[i].index = i;
        prepare(worker, &now, &worker->reply[i]);
    }
    for (size_t i = 0; i < n; i++) {
        finish(worker, &worker->reply[i]);
    }
    size_t failed;
    size_t sent = ntp_batch_send(&worker->batch, fd, &failed);
    for (size_t i = 0; i < n; i++) {
        count(worker, worker->reply[i].verdict, 1);
    }
    count(worker, NTP_COUNT_RECEIVED, n);
    count(worker, NTP_COUNT_SENT, sent);
    count(worker, NTP_COUNT_SEND_FAILED, failed);
    count_forgotten(worker);
    return n == NTP_BATCH;
}

static void serve(struct ntp_worker *worker, int fd, int batches)
{
    for (int i = 0; i < batches && serve_batch(worker, fd); i++) {
    }
}

static int socket_of(const struct ntp_worker *worker, const uv_poll_t *poll)
{
    return worker->own->socket[poll - worker->poll];
}

/* libuv gives a socket up when it reports an error; taking the error makes it usable again. */
static void take_error(struct ntp_worker *worker, int fd)
{
    int error;
    socklen_t len = sizeof(error);
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    count(worker, NTP_COUNT_RECEIVE_FAILED, 1);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct ntp_worker *worker = poll->data;
    int fd = socket_of(worker, poll);
    if (status < 0) {
        take_error(worker, fd);
        (void)uv_poll_start(poll, UV_READABLE, on_readable);
        return;
    }
    serve(worker, fd, BATCHES_PER_WAKEUP);
}

static void close_handles(struct ntp_worker *worker)
{
    for (size_t i = 0; i < worker->poll_count; i++) {
        if (!uv_is_closing((uv_handle_t *)&worker->poll[i])) {
            uv_close((uv_handle_t *)&worker->poll[i], NULL);
        }
    }
    if (!uv_is_closing((uv_handle_t *)&worker->stop)) {
        uv_close((uv_handle_t *)&worker->stop, NULL);
    }
}

static void on_stop(uv_async_t *stop)
{
    struct ntp_worker *worker = stop->data;
    for (size_t i = 0; i < worker->poll_count; i++) {
        serve(worker, socket_of(worker, &worker->poll[i]), BATCHES_AT_STOP);
    }
    close_handles(worker);
}

static int open_poll(struct ntp_worker *worker, size_t i)
{
    uv_poll_t *poll = &worker->poll[i];
    int err = uv_poll_init(&worker->loop, poll, worker->own->socket[i]);
    if (err != 0) {
        return err;
    }
    worker->poll_count++;
    poll->data = worker;
    return uv_poll_start(poll, UV_READABLE, on_readable);
}

/* The loop and its handles. On failure everything opened is closed again. */
static int open_loop(struct ntp_worker *worker)
{
    int err = uv_loop_init(&worker->loop);
    if (err != 0) {
        return err;
    }
    err = uv_async_init(&worker->loop, &worker->stop, on_stop);
    if (err != 0) {
        (void)uv_loop_close(&worker->loop);
        return err;
    }
    worker->stop.data = worker;
    for (size_t i = 0; err == 0 && i < worker->own->socket_count; i++) {
        err = open_poll(worker, i);
    }
    if (err != 0) {
        close_handles(worker);
        (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
        (void)uv_loop_close(&worker->loop);
    }
    return err;
}

/* A table for this worker alone: workers share nothing, and a client whose source port changes may
 * have its share from each of them. */
static bool open_limit(struct ntp_worker *worker)
{
    if (worker->service->limit == NULL) {
        return true;
    }
    struct ratelimit_options options = *worker->service->limit;
    size_t size = ratelimit_size(RATELIMIT_CLIENTS);
    worker->limit_memory = malloc(size);
    bool good = worker->limit_memory != NULL &&
                rng_bytes(worker->rng, options.hash_key, sizeof(options.hash_key)) == NTS_OK &&
                ratelimit_init(&worker->limit, &options, worker->limit_memory, size) == NTS_OK;
    wipe(&options, sizeof(options));
    worker->env.limit = good ? &worker->limit : NULL;
    return good;
}

struct ntp_worker *ntp_worker_new(const struct ntp_service_options *service, size_t index)
{
    struct ntp_worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) {
        return NULL;
    }
    worker->service = service;
    worker->own = &service->worker[index];
    worker->env = (struct answer_env){.ring = &worker->ring, .nts_only = service->nts_only};
    worker->rng = rng_new();
    struct clock_pair look = look_at_clocks();
    (void)ntp_stamp_look(&worker->watch, &look); /* what the first batch is compared with */
    int err = worker->rng == NULL || !open_limit(worker) ? UV_ENOMEM : open_loop(worker);
    if (err != 0) {
        free(worker->limit_memory);
        rng_free(worker->rng);
        free(worker);
        errno = -err;
        return NULL;
    }
    return worker;
}

void ntp_worker_run(struct ntp_worker *worker)
{
    (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
}

void ntp_worker_stop(struct ntp_worker *worker)
{
    (void)uv_async_send(&worker->stop);
}

void ntp_worker_free(struct ntp_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    close_handles(worker);
    (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&worker->loop);
    cookie_ring_wipe(&worker->ring);
    free(worker->limit_memory);
    rng_free(worker->rng);
    free(worker);
}
