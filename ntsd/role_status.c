/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `status` process: reads the boards (never the key board) and answers HTTP. Shell module.
 */
#include "ntsd/role.h"

#include "common/base/log.h"
#include "ntsd/http_server.h"
#include "ntsd/sockets.h"
#include "ntsd/status_page.h"

#include <stdlib.h>
#include <string.h>

struct status_role {
    const struct role_context *context;
    uv_loop_t loop;
    uv_signal_t term;
    struct http_server *server;
    struct http_counts counts;
    struct snapshot snapshot; /* of the request under work */
};

/* True when something was published; otherwise `value` is of no use. */
static bool read_board(const struct board *board, void *value, size_t size)
{
    uint64_t generation = 0;
    return board_read(board, value, size, &generation) == NTS_OK && generation > 0;
}

static void take_snapshot(struct status_role *role)
{
    const struct role_context *context = role->context;
    struct snapshot *s = &role->snapshot;
    memset(s, 0, sizeof(*s));
    s->ntp_wanted = context->config->ntp_port != 0;
    s->ke_wanted = context->config->ke_port != 0;
    if (!read_board(context->board[BOARDS_SUPERVISOR], &s->supervisor, sizeof(s->supervisor))) {
        memset(&s->supervisor, 0, sizeof(s->supervisor));
    }
    s->has_clock = read_board(context->board[BOARDS_CLOCK], &s->clock, sizeof(s->clock));
    s->has_report = read_board(context->board[BOARDS_CLOCK_REPORT], &s->report, sizeof(s->report));
    s->config = context->config;
    s->clock_stats = context->board[BOARDS_CLOCK_STATS];
    s->has_keys = read_board(context->board[BOARDS_KEY_STATUS], &s->keys, sizeof(s->keys));
    s->has_ke = read_board(context->board[BOARDS_KE_STATUS], &s->ke, sizeof(s->ke));
    s->raw = mono_raw_now();
    s->boot = boot_now();
    bool trusted = s->has_clock && clock_model_is_trusted(&s->clock, s->raw);
    struct wall_ns now = trusted ? clock_model_at(&s->clock, s->raw) : wall_now();
    s->now_s = now.ns / NS_PER_S;
    s->worker_count = context->worker_count;
    s->worker = context->board[BOARDS_NTP_STATS];
    s->http = &role->counts;
    s->ke_count = role_process_count(ROLE_KE, context->config);
    for (size_t i = 0; i < s->ke_count; i++) {
        const uint8_t *blocks = context->board[BOARDS_KE_STATS];
        s->ke_stats[i] = (const void *)(blocks + i * boards_ke_stats_stride());
    }
}

static unsigned answer(void *ctx, const struct http_request *request, struct wr *body,
                       const char **type)
{
    struct status_role *role = ctx;
    take_snapshot(role);
    return status_page_write(&role->snapshot, request->target, body, type);
}

static void on_term(uv_signal_t *handle, int signal)
{
    struct status_role *role = handle->data;
    (void)signal;
    http_server_close(role->server);
    uv_close((uv_handle_t *)&role->term, NULL);
}

static bool open_loop(struct status_role *role)
{
    if (uv_loop_init(&role->loop) != 0) {
        return false;
    }
    const struct http_server_options options = {.fd = role->context->sockets->http,
                                                .body_max = STATUS_PAGE_MAX,
                                                .answer = answer,
                                                .ctx = role,
                                                .counts = &role->counts};
    role->term.data = role;
    role->server = http_server_open(&role->loop, &options);
    return role->server != NULL && uv_signal_init(&role->loop, &role->term) == 0 &&
           uv_signal_start(&role->term, on_term, SIGTERM) == 0;
}

int role_status_run(const struct role_context *context)
{
    struct status_role *role = calloc(1, sizeof(*role));
    if (role == NULL) {
        return 1;
    }
    role->context = context;
    bool good = open_loop(role);
    if (good) {
        (void)uv_run(&role->loop, UV_RUN_DEFAULT);
        (void)uv_loop_close(&role->loop);
    } else {
        log_event(LOG_LEVEL_ERROR, "status service cannot start", NULL);
    }
    http_server_free(role->server);
    free(role);
    return good ? 0 : 1;
}
