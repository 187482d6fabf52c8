/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `keys` process: keeps the secret document and publishes the ring that follows from it.
 * Shell module.
 *
 * What is done to the document, and when a clock is good enough for it, is decided in key_upkeep.h.
 * A store that fails leaves the ring running and is tried again.
 */
#include "ntsd/role.h"

#include "common/base/board.h"
#include "common/base/log.h"
#include "common/base/secret.h"
#include "common/keys/keystore.h"
#include "ntsd/key_upkeep.h"
#include "ntsd/status_values.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct keys_role {
    const struct role_context *context;
    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t term;
    uv_signal_t reload;
    struct key_time time;
    struct keydoc doc;
    struct keyring ring; /* as published; count 0: nothing yet */
    int64_t next_change;
    bool unsaved; /* `doc` is newer than what the directory holds */
    bool save_failed;
    bool is_stale; /* `ring` was made from an older `doc` */
    bool is_jump_told;
    bool is_left_out_told;
    struct rng *rng;
    struct log_limit failures;
};

static struct key_moment now(struct keys_role *role)
{
    struct clock_model clock;
    uint64_t generation = 0;
    const struct board *board = role->context->board[BOARDS_CLOCK];
    struct mono_ns raw = mono_raw_now();
    struct mono_ns boot = boot_now();
    bool has = board_read(board, &clock, sizeof(clock), &generation) == NTS_OK && generation > 0;
    return key_time_at(&role->time, has ? &clock : NULL, raw, boot);
}

static void fail(struct keys_role *role, const char *event, const char *why)
{
    uint64_t suppressed = 0;
    if (log_limit_allows(&role->failures, mono_now(), &suppressed)) {
        log_event(LOG_LEVEL_ERROR, event, "reason", why, NULL);
    }
}

/* Once when it begins and once when it ends, not at each look. */
static void tell_jump(struct keys_role *role, struct key_moment moment)
{
    bool ignored = moment.ignored_s != 0;
    if (ignored && !role->is_jump_told) {
        log_event(LOG_LEVEL_WARN, "clock jumped, the keys follow when it has held for an hour",
                  "jump_s", log_fmt(LOG_BUF, "%" PRId64, moment.ignored_s), NULL);
    }
    if (moment.trusted && role->is_jump_told) {
        log_event(LOG_LEVEL_INFO, "keys follow the clock again", NULL);
    }
    role->is_jump_told = ignored || (role->is_jump_told && !moment.trusted);
}

static void tell_epoch(struct keys_role *role, const struct key_upkeep *done)
{
    if (done->err != NTS_OK) {
        fail(role, "secret document needs an epoch, the keys go on", done->fault.text);
    }
    switch (done->added) {
    case KEYPLAN_KEEP:
        return;
    case KEYPLAN_FIRST:
    case KEYPLAN_ROTATION:
    case KEYPLAN_USED_UP:
        log_event(LOG_LEVEL_INFO, "epoch added", "why",
                  done->added == KEYPLAN_USED_UP ? "periods used up" : "ntsrotate", NULL);
        return;
    case KEYPLAN_AHEAD:
        log_event(LOG_LEVEL_ERROR,
                  "secret document was made by a clock ahead, epoch added that begins now",
                  "effect", "cookies sealed with the old one are refused", NULL);
        return;
    }
}

static void save(struct keys_role *role)
{
    struct keystore_fault fault;
    bool saved = keystore_save(role->context->config->state_dir, &role->doc, &fault) == NTS_OK;
    if (!saved) {
        fail(role, "secret document not stored, the keys go on", fault.text);
    } else if (role->save_failed) {
        log_event(LOG_LEVEL_INFO, "secret document stored again", NULL);
    }
    role->unsaved = !saved;
    role->save_failed = !saved;
}

static void keep_up(struct keys_role *role, struct key_moment moment)
{
    struct key_upkeep done = key_upkeep_do(&role->doc, moment, &role->time.terms, role->rng);
    tell_epoch(role, &done);
    if (done.changed) {
        role->unsaved = true;
        role->is_stale = true;
    }
    if (role->unsaved) {
        save(role);
    }
}

static void tell_left_out(struct keys_role *role)
{
    bool left_out = role->ring.left_out > 0;
    if (left_out && !role->is_left_out_told) {
        log_event(LOG_LEVEL_WARN, "more keys than there is room for, the oldest are refused",
                  "left_out", log_fmt(LOG_BUF, "%" PRIu64, role->ring.left_out), NULL);
    }
    role->is_left_out_told = left_out;
}

/* The ring for now, unless the one that is out still is that one. */
static void derive(struct keys_role *role, struct key_moment moment)
{
    const struct config *config = role->context->config;
    bool current = role->ring.count > 0 && !role->is_stale && moment.now_s >= role->ring.made_at &&
                   moment.now_s < role->next_change;
    if (current) {
        return;
    }
    struct keyring ring;
    keyring_derive(&role->doc, moment.now_s, config->lifetime_s, &ring);
    uint32_t before = role->ring.count == 0 ? UINT32_MAX : role->ring.key[role->ring.issuing].id;
    role->ring = ring;
    wipe(&ring, sizeof(ring));
    role->is_stale = false;
    tell_left_out(role);
    role->next_change = keyring_next_change(&role->doc, moment.now_s, config->lifetime_s);
    board_write(role->context->board[BOARDS_KEYS], &role->ring, sizeof(role->ring));
    const struct keyring_key *issuing = &role->ring.key[role->ring.issuing];
    if (issuing->id != before) {
        log_event(LOG_LEVEL_INFO, "key issues", "id", log_fmt(LOG_BUF, "%06" PRIx32, issuing->id),
                  "keys", log_fmt(LOG_BUF, "%" PRIu32, role->ring.count), "next_change_s",
                  log_fmt(LOG_BUF, "%" PRId64, role->next_change - moment.now_s), NULL);
    }
}

static void publish_status(const struct keys_role *role, struct key_moment moment)
{
    const struct keyring *ring = &role->ring;
    struct key_status status = {.count = ring->count,
                                .made_at = ring->made_at,
                                .next_change = role->next_change,
                                .trusted = moment.trusted,
                                .save_failed = role->save_failed};
    if (ring->count > 0) {
        status.issuing_id = ring->key[ring->issuing].id;
        status.issues_until = ring->key[ring->issuing].issues_until;
        keyring_fingerprint(&ring->key[ring->issuing], status.fingerprint);
    }
    board_write(role->context->board[BOARDS_KEY_STATUS], &status, sizeof(status));
}

static void on_timer(uv_timer_t *timer);

static void tick(struct keys_role *role)
{
    struct key_moment moment = now(role);
    tell_jump(role, moment);
    keep_up(role, moment);
    derive(role, moment);
    publish_status(role, moment);
    uint64_t wait_ms = key_time_wait_ms(moment, role->next_change);
    (void)uv_timer_start(&role->timer, on_timer, wait_ms, 0);
}

static void on_timer(uv_timer_t *timer)
{
    tick(timer->data);
}

/* The provider `auto` has nothing to read again; a store that failed is tried at once. */
static void on_reload(uv_signal_t *handle, int signal)
{
    (void)signal;
    tick(handle->data);
}

static void on_term(uv_signal_t *handle, int signal)
{
    struct keys_role *role = handle->data;
    (void)signal;
    uv_close((uv_handle_t *)&role->timer, NULL);
    uv_close((uv_handle_t *)&role->term, NULL);
    uv_close((uv_handle_t *)&role->reload, NULL);
}

static bool open_store(struct keys_role *role)
{
    const struct config *config = role->context->config;
    struct keystore_fault fault = {{0}};
    role->rng = rng_new();
    if (role->rng == NULL) {
        log_event(LOG_LEVEL_ERROR, "out of memory", NULL);
        return false;
    }
    /* A ring on the board is in service, whoever of this role put it there: a secret made anew
     * would refuse its cookies. It stays while this process fails and is tried again. */
    const struct keystore_options options = {
        .dir = config->state_dir,
        .now_s = now(role).now_s,
        .rotate_s = config->rotate_s,
        .may_create = board_generation(role->context->board[BOARDS_KEYS]) == 0};
    enum nts_err err = keystore_open(&options, role->rng, &role->doc, &fault);
    if (err != NTS_OK) {
        log_event(LOG_LEVEL_ERROR, "no keys", "reason", fault.text, NULL);
    }
    return err == NTS_OK;
}

static bool open_loop(struct keys_role *role)
{
    if (uv_loop_init(&role->loop) != 0) {
        return false;
    }
    role->timer.data = role;
    role->term.data = role;
    role->reload.data = role;
    return uv_timer_init(&role->loop, &role->timer) == 0 &&
           uv_signal_init(&role->loop, &role->term) == 0 &&
           uv_signal_init(&role->loop, &role->reload) == 0 &&
           uv_signal_start(&role->term, on_term, SIGTERM) == 0 &&
           uv_signal_start(&role->reload, on_reload, SIGHUP) == 0;
}

int role_keys_run(const struct role_context *context)
{
    struct keys_role *role = calloc(1, sizeof(*role));
    if (role == NULL) {
        return 1;
    }
    role->context = context;
    role->failures = (struct log_limit){.interval_s = 60, .burst = 3};
    const struct key_terms terms = {.rotate_s = context->config->rotate_s,
                                    .lifetime_s = context->config->lifetime_s};
    key_time_init(&role->time, &terms, wall_now(), boot_now());
    bool good = open_loop(role) && open_store(role);
    if (good) {
        tick(role);
        (void)uv_run(&role->loop, UV_RUN_DEFAULT);
    }
    keydoc_wipe(&role->doc);
    keyring_wipe(&role->ring);
    rng_free(role->rng);
    free(role);
    return good ? 0 : 1;
}
