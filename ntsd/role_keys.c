/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `keys` process: keeps the secret document and publishes the ring that follows from it. Wires
 * what it does not do itself: the document of this host (key_own.h) or of a fleet (key_fleet.h),
 * the time keys live by (key_time.h), and the boards (key_publish.h). Shell module.
 */
#include "ntsd/role.h"

#include "common/base/board.h"
#include "common/base/log.h"
#include "common/base/secret.h"
#include "ntsd/key_fleet.h"
#include "ntsd/key_own.h"
#include "ntsd/key_publish.h"
#include "ntsd/key_source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <uv.h>

struct keys_role {
    const struct role_context *context;
    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t term;
    uv_signal_t reload;
    struct key_time time;
    struct keydoc doc; /* count 0: none yet */
    struct rng *rng;
    bool is_fleet; /* whose document: one of the next two is in use */
    struct key_fleet fleet;
    struct key_own own;
    struct key_publish publish;
    bool is_jump_told;
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

/* What is done with the document there is. `stale`: it is another one than before. */
static void work(struct keys_role *role, struct key_moment moment, bool stale)
{
    bool changed = role->is_fleet
                       ? key_fleet_keep_up(&role->fleet, &role->doc, moment)
                       : key_own_keep_up(&role->own, &role->doc, moment, &role->time.terms);
    key_publish_ring(&role->publish, &role->doc, moment, stale || changed);
    if (role->is_fleet) {
        key_fleet_seal(&role->fleet, &role->doc, moment);
    }
}

static void on_timer(uv_timer_t *timer);

static void look(struct keys_role *role, struct key_moment moment, bool stale)
{
    tell_jump(role, moment);
    if (role->doc.count > 0) {
        work(role, moment, stale);
    }
    key_publish_status(&role->publish, moment, role->own.save_failed, &role->fleet.status);
    uint64_t wait_ms = key_time_wait_ms(moment, role->publish.next_change);
    (void)uv_timer_start(&role->timer, on_timer, wait_ms, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct keys_role *role = timer->data;
    look(role, now(role), false);
}

/* The store is asked at once; a directory that failed is tried at once. */
static void on_reload(uv_signal_t *handle, int signal)
{
    struct keys_role *role = handle->data;
    (void)signal;
    look(role, now(role), false);
    if (role->is_fleet) {
        key_fetch_now(&role->fleet.fetch);
    }
}

/* Each epoch has its own rotation, and how long a clock has to hold depends on it. */
static void follow_rotation(struct keys_role *role, struct key_moment moment)
{
    if (role->doc.count > 0) {
        size_t issuing = keyring_place_at(&role->doc, moment.now_s).epoch;
        role->time.terms.rotate_s = role->doc.epoch[issuing].rotate_s;
    }
}

static void on_answered(void *ctx)
{
    struct keys_role *role = ctx;
    struct key_moment moment = now(role);
    bool changed = key_fleet_answer(&role->fleet, &role->doc, moment);
    follow_rotation(role, moment);
    look(role, moment, changed);
}

static void on_term(uv_signal_t *handle, int signal)
{
    struct keys_role *role = handle->data;
    (void)signal;
    uv_close((uv_handle_t *)&role->timer, NULL);
    uv_close((uv_handle_t *)&role->term, NULL);
    uv_close((uv_handle_t *)&role->reload, NULL);
    key_fleet_close(&role->fleet);
    uv_stop(&role->loop); /* nobody waits for a store that is being asked */
}

static bool open_document(struct keys_role *role)
{
    const struct role_context *context = role->context;
    role->rng = rng_new();
    if (role->rng == NULL) {
        log_event(LOG_LEVEL_ERROR, "out of memory", NULL);
        return false;
    }
    if (role->is_fleet) {
        const struct key_fleet_options options = {.context = context,
                                                  .loop = &role->loop,
                                                  .rng = role->rng,
                                                  .answered = on_answered,
                                                  .ctx = role};
        bool good = key_fleet_open(&role->fleet, &options, &role->doc);
        follow_rotation(role, now(role));
        return good;
    }
    key_own_init(&role->own, context->config->state_dir, role->rng);
    return key_own_load(&role->own, &role->time.terms, now(role).now_s,
                        board_generation(context->board[BOARDS_KEYS]) != 0, &role->doc);
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
    role->is_fleet = key_source_is_fleet(context->config);
    const struct key_terms terms = {.rotate_s = context->config->rotate_s,
                                    .lifetime_s = context->config->lifetime_s};
    key_time_init(&role->time, &terms, wall_now(), boot_now());
    key_publish_init(&role->publish, context);
    bool good = open_loop(role) && open_document(role);
    if (good) {
        look(role, now(role), true);
        (void)uv_run(&role->loop, UV_RUN_DEFAULT);
    }
    keydoc_wipe(&role->doc);
    keyring_wipe(&role->publish.ring);
    rng_free(role->rng);
    return good ? 0 : 1; /* a helper thread may still use what is left; it goes with the process */
}
