/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See key_fetch.h.
 */
#include "ntsd/key_fetch.h"

#include "common/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* In the helper thread: touches the answer and nothing else. */
static void run(uv_work_t *work)
{
    struct key_fetch *fetch = work->data;
    fetch->outcome = provider_fetch(fetch->provider, &fetch->text, &fetch->fault);
}

static void on_over(uv_work_t *work, int status)
{
    struct key_fetch *fetch = work->data;
    (void)status;
    fetch->is_running = false;
    if (!fetch->is_closed) {
        fetch->answered(fetch->ctx);
    }
    provider_text_wipe(&fetch->text);
    if (fetch->is_wanted) {
        key_fetch_now(fetch);
    }
}

void key_fetch_now(struct key_fetch *fetch)
{
    fetch->is_wanted = fetch->is_running;
    if (fetch->is_running || fetch->is_closed) {
        return;
    }
    (void)uv_timer_stop(&fetch->timer);
    fetch->is_running = uv_queue_work(fetch->loop, &fetch->work, run, on_over) == 0;
}

static void on_timer(uv_timer_t *timer)
{
    key_fetch_now(timer->data);
}

static void on_changed(void *ctx)
{
    key_fetch_now(ctx);
}

void key_fetch_after(struct key_fetch *fetch, uint64_t wait_ms)
{
    if (!fetch->is_closed) {
        uv_update_time(fetch->loop);
        (void)uv_timer_start(&fetch->timer, on_timer, wait_ms, 0);
    }
}

/* Without a watch it is read each minute all the same. */
static void watch_file(struct key_fetch *fetch, const char *path)
{
    enum nts_err err = cert_watch_open(&fetch->watch, fetch->loop, &path, 1, on_changed, fetch);
    if (err != NTS_OK) {
        log_event(LOG_LEVEL_WARN, "secret document is not watched, only read each minute", "file",
                  path, "error", strerror(errno), NULL);
    }
}

NODISCARD enum nts_err key_fetch_open(struct key_fetch *fetch, uv_loop_t *loop,
                                      const struct provider_options *options,
                                      void (*answered)(void *ctx), void *ctx)
{
    fetch->loop = loop;
    fetch->answered = answered;
    fetch->ctx = ctx;
    fetch->work.data = fetch;
    fetch->timer.data = fetch;
    fetch->provider = provider_new(options, &fetch->fault);
    if (fetch->provider == NULL) {
        return NTS_EINTERNAL;
    }
    (void)uv_timer_init(loop, &fetch->timer); /* cannot fail */
    if (options->kind == PROVIDER_FILE) {
        watch_file(fetch, options->source);
    }
    return NTS_OK;
}

void key_fetch_close(struct key_fetch *fetch)
{
    if (fetch->is_closed || fetch->provider == NULL) {
        return;
    }
    fetch->is_closed = true;
    fetch->is_wanted = false;
    uv_close((uv_handle_t *)&fetch->timer, NULL);
    cert_watch_close(&fetch->watch);
}
