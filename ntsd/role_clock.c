/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `clock` process: samples the time source each second and publishes the clock. Shell module;
 * what follows from a sample is clock_system_model()'s.
 */
#include "ntsd/role.h"

#include "common/base/log.h"
#include "ntp/clock/clock_system.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { SAMPLE_MS = 1000 };

struct clock_role {
    struct board *board;
    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t term;
    struct clock_system_options options;
    bool has_sample;
    struct clock_system_sample sample;
    bool has_model;
    struct clock_model model;
    struct log_limit failures;
};

/* Once for each change of what clients are told; the numbers behind it are metrics. */
static void log_change(const struct clock_model *model)
{
    int64_t bound_us =
        clock_model_bound_ns(model, (struct mono_ns){.ns = model->anchor_raw_ns}) / 1000;
    enum log_level level = model->state == CLOCK_LOST ? LOG_LEVEL_WARN : LOG_LEVEL_INFO;
    log_event(level, "clock changed", "state", clock_state_name((enum clock_state)model->state),
              "stratum", log_fmt(LOG_BUF, "%u", (unsigned)model->stratum), "leap",
              log_fmt(LOG_BUF, "%u", (unsigned)model->leap), "error_bound_us",
              log_fmt(LOG_BUF, "%" PRId64, bound_us), NULL);
}

static void on_timer(uv_timer_t *timer)
{
    struct clock_role *role = timer->data;
    struct clock_system_sample sample;
    uint64_t suppressed = 0;
    if (clock_system_sample(&sample) != NTS_OK) {
        /* Nothing is published: the model grows old and is then not trusted any more. */
        const char *error = strerror(errno);
        if (log_limit_allows(&role->failures, mono_now(), &suppressed)) {
            log_event(LOG_LEVEL_ERROR, "kernel clock cannot be read", "error", error, NULL);
        }
        return;
    }
    struct clock_model model =
        clock_system_model(&role->options, &sample, role->has_sample ? &role->sample : NULL,
                           role->has_model ? &role->model : NULL);
    bool changed = !role->has_model || model.state != role->model.state ||
                   model.stratum != role->model.stratum || model.leap != role->model.leap;
    role->sample = sample;
    role->model = model;
    role->has_sample = true;
    role->has_model = true;
    board_write(role->board, &model);
    if (changed) {
        log_change(&model);
    }
}

static void on_term(uv_signal_t *handle, int signal)
{
    struct clock_role *role = handle->data;
    (void)signal;
    uv_close((uv_handle_t *)&role->timer, NULL);
    uv_close((uv_handle_t *)&role->term, NULL);
}

static bool open_loop(struct clock_role *role)
{
    if (uv_loop_init(&role->loop) != 0) {
        return false;
    }
    role->timer.data = role;
    role->term.data = role;
    return uv_timer_init(&role->loop, &role->timer) == 0 &&
           uv_signal_init(&role->loop, &role->term) == 0 &&
           uv_signal_start(&role->term, on_term, SIGTERM) == 0 &&
           uv_timer_start(&role->timer, on_timer, 0, SAMPLE_MS) == 0;
}

int role_clock_run(const struct role_context *context)
{
    const struct config *config = context->config;
    struct clock_role *role = calloc(1, sizeof(*role));
    if (role == NULL) {
        return 1;
    }
    role->board = context->board[BOARDS_CLOCK];
    role->failures = (struct log_limit){.interval_s = 60, .burst = 3};
    role->options = (struct clock_system_options){.trust_kernel = config->clock_system,
                                                  .local_stratum = (uint8_t)config->local_stratum,
                                                  .precision = clock_system_precision()};
    /* What a predecessor published: a clock that was lost stays lost, and is not "starting". */
    uint64_t generation = 0;
    role->has_model =
        board_read(role->board, &role->model, &generation) == NTS_OK && generation > 0;
    bool good = open_loop(role);
    if (good) {
        (void)uv_run(&role->loop, UV_RUN_DEFAULT);
    }
    free(role);
    return good ? 0 : 1;
}
