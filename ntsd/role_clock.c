/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `clock` process: publishes the clock each second and after each measurement, out of the
 * configured sources or of the kernel's clock, and says when what clients are told changes. Shell
 * module; what follows from a measurement is clock_discipline.h's and clock_system_model()'s.
 */
#include "ntsd/role.h"

#include "common/base/log.h"
#include "ntsd/clock_kernel.h"
#include "ntsd/clock_sources.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <uv.h>

enum { SAMPLE_MS = 1000 };

struct clock_role {
    const struct role_context *context;
    struct board *board;
    struct stats *stats;
    uv_loop_t loop;
    uv_timer_t timer;
    uv_timer_t due; /* for what cannot wait for the next second */
    uv_timer_cb on_timer;
    uv_signal_t term;
    struct clock_kernel kernel;
    struct clock_sources *sources; /* NULL: the kernel's clock is the source */
    bool has_model;
    struct clock_model model; /* as published */
    struct log_limit changes;
};

/* Once for each change of what clients are told; the numbers behind it are metrics. */
static void log_change(struct clock_role *role, const struct clock_update *update)
{
    const struct clock_model *model = &role->model;
    uint64_t suppressed = 0;
    if (!log_limit_allows(&role->changes, mono_now(), &suppressed)) {
        return;
    }
    int64_t bound_us =
        clock_model_bound_ns(model, (struct mono_ns){.ns = model->anchor_raw_ns}) / 1000;
    bool bad = model->state == CLOCK_LOST || model->state == CLOCK_HOLDOVER;
    log_event(bad ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "clock changed", "state",
              clock_state_name((enum clock_state)model->state), "reason",
              clock_reason_name(update->reason), "source",
              role->sources == NULL ? "kernel" : clock_sources_followed(role->sources), "stratum",
              log_fmt(LOG_BUF, "%u", (unsigned)model->stratum), "leap",
              log_fmt(LOG_BUF, "%u", (unsigned)model->leap), "error_bound_us",
              bound_us < INT64_MAX / 1000 ? log_fmt(LOG_BUF, "%" PRId64, bound_us) : "unknown",
              "step_us", log_fmt(LOG_BUF, "%" PRId64, update->step_ns / 1000), "suppressed",
              log_fmt(LOG_BUF, "%" PRIu64, suppressed), NULL);
}

/* Publishes; a change is one line and one metric. */
static void publish(struct clock_role *role, const struct clock_model *model,
                    const struct clock_update *update)
{
    bool entered = !role->has_model || model->state != role->model.state;
    bool changed = entered || update->step_ns != 0 || model->stratum != role->model.stratum ||
                   model->leap != role->model.leap;
    role->model = *model;
    role->has_model = true;
    board_write(role->board, model, sizeof(*model));
    if (entered) {
        stats_add(role->stats, CLOCK_COUNT_ENTERED_0 + (unsigned)model->state, 1);
    }
    if (update->reason != CLOCK_REASON_NONE) {
        stats_add(role->stats, CLOCK_COUNT_REASON_0 + (unsigned)update->reason, 1);
    }
    if (changed) {
        log_change(role, update);
    }
}

/* `local stratum`: what is left of the sources' line, or the kernel's when there was none yet. */
static void vouch(struct clock_role *role, struct clock_model *model)
{
    struct clock_model kernel;
    if (role->kernel.options.local_stratum == 0 || model->state == CLOCK_SYNCHRONISED ||
        model->state == CLOCK_HOLDOVER) {
        return;
    }
    if (model->state == CLOCK_LOST) {
        *model = clock_local_model(&role->kernel.options, model);
    } else if (clock_kernel_model(&role->kernel, role->has_model ? &role->model : NULL, &kernel)) {
        *model = kernel;
    }
}

static void update_kernel(struct clock_role *role)
{
    const struct clock_update update = {.reason = CLOCK_REASON_NONE};
    struct clock_model model;
    /* When the kernel cannot be asked, nothing is published: the model grows old and is then not
     * trusted any more. */
    if (clock_kernel_model(&role->kernel, role->has_model ? &role->model : NULL, &model)) {
        publish(role, &model, &update);
    }
}

static void update_sources(struct clock_role *role)
{
    struct clock_model model;
    struct clock_update update = clock_sources_update(role->sources, &model);
    vouch(role, &model);
    publish(role, &model, &update);
    if (update.due_raw_ns != 0) {
        int64_t wait = update.due_raw_ns - mono_raw_now().ns;
        uv_update_time(&role->loop);
        (void)uv_timer_start(&role->due, role->on_timer,
                             wait > 0 ? (uint64_t)(wait / NS_PER_MS) + 1 : 1, 0);
    }
}

static void update(struct clock_role *role)
{
    if (role->sources == NULL) {
        update_kernel(role);
    } else {
        update_sources(role);
    }
}

static void on_timer(uv_timer_t *timer)
{
    update(timer->data);
}

static void on_measured(void *ctx)
{
    update(ctx);
}

static void on_term(uv_signal_t *handle, int signal)
{
    struct clock_role *role = handle->data;
    (void)signal;
    uv_close((uv_handle_t *)&role->timer, NULL);
    uv_close((uv_handle_t *)&role->due, NULL);
    uv_close((uv_handle_t *)&role->term, NULL);
    if (role->sources != NULL) {
        clock_sources_close(role->sources);
    }
    uv_stop(&role->loop); /* nobody waits for a name server or a key establishment */
}

static bool open_sources(struct clock_role *role)
{
    const struct role_context *context = role->context;
    const struct clock_sources_options options = {
        .loop = &role->loop,
        .config = context->config,
        .precision = role->kernel.options.precision,
        .report = context->board[BOARDS_CLOCK_REPORT],
        .memory = context->board[BOARDS_CLOCK_MEMORY],
        .stats = context->board[BOARDS_CLOCK_STATS],
        /* One that stood on the operator's word says nothing about the sources. */
        .before = role->has_model && !clock_model_is_local(&role->model) ? &role->model : NULL,
        .first = !role->has_model,
        .ctx = role,
        .measured = on_measured,
    };
    role->sources = clock_sources_open(&options);
    return role->sources != NULL;
}

static bool open_loop(struct clock_role *role)
{
    if (uv_loop_init(&role->loop) != 0) {
        return false;
    }
    role->on_timer = on_timer;
    role->timer.data = role;
    role->due.data = role;
    role->term.data = role;
    return uv_timer_init(&role->loop, &role->timer) == 0 &&
           uv_timer_init(&role->loop, &role->due) == 0 &&
           uv_signal_init(&role->loop, &role->term) == 0 &&
           uv_signal_start(&role->term, on_term, SIGTERM) == 0 &&
           uv_timer_start(&role->timer, on_timer, 0, SAMPLE_MS) == 0 &&
           (role->context->config->source_count == 0 || open_sources(role));
}

int role_clock_run(const struct role_context *context)
{
    const struct config *config = context->config;
    struct clock_role *role = calloc(1, sizeof(*role));
    if (role == NULL) {
        return 1;
    }
    role->context = context;
    role->board = context->board[BOARDS_CLOCK];
    role->stats = context->board[BOARDS_CLOCK_STATS];
    role->changes = (struct log_limit){.interval_s = 10, .burst = 30};
    role->kernel.failures = (struct log_limit){.interval_s = 60, .burst = 3};
    role->kernel.options =
        (struct clock_system_options){.trust_kernel = config->clock_system,
                                      .local_stratum = (uint8_t)config->local_stratum,
                                      .precision = clock_system_precision()};
    /* What a predecessor published: a clock that was lost stays lost, and is not "starting". */
    uint64_t generation = 0;
    role->has_model =
        board_read(role->board, &role->model, sizeof(role->model), &generation) == NTS_OK &&
        generation > 0;
    if (!open_loop(role)) {
        log_event(LOG_LEVEL_ERROR, "clock process cannot start", NULL);
        return 1;
    }
    (void)uv_run(&role->loop, UV_RUN_DEFAULT);
    return 0; /* helper threads may still use what is left; it goes with the process */
}
