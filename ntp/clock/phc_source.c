/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See phc_source.h.
 */
#include "ntp/clock/phc_source.h"

#include "common/base/log.h"
#include "ntp/clock/clock_system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { READS_MOST = 5 }; /* more hardly ever find a shorter window */

struct phc_source {
    struct phc_source_options options;
    uv_timer_t timer;
    struct phc_device device;
    bool said; /* that it is up, or that it is down: each change is one line */
    bool up;
    bool has_bound; /* it has published one */
    bool said_no_bound;
};

static uint64_t interval_ms(int8_t poll)
{
    return poll < 0 ? 1000U >> -poll : UINT64_C(1000) << poll;
}

static unsigned reads_at_once(int8_t poll)
{
    uint64_t budget = PHC_READS_PER_SECOND * interval_ms(poll) / 1000;
    if (budget < 1) {
        return 1;
    }
    return budget < READS_MOST ? (unsigned)budget : READS_MOST;
}

static void say(struct phc_source *source, bool up, const char *reason)
{
    if (source->said && source->up == up) {
        return;
    }
    source->said = true;
    source->up = up;
    if (up) {
        log_event(LOG_LEVEL_INFO, "hardware clock is up", "device", source->options.path, "method",
                  phc_method_name(source->device.method), NULL);
    } else {
        log_event(LOG_LEVEL_WARN, "hardware clock is down", "device", source->options.path,
                  "reason", reason, NULL);
    }
}

static void down(struct phc_source *source, enum phc_count why, const char *reason)
{
    stats_add(source->options.stats, why, 1);
    say(source, false, reason);
    source->options.events.miss(source->options.events.ctx, source->options.index);
}

/* False: it has one, but not now. */
static bool read_bound(struct phc_source *source, int64_t *bound_ns)
{
    *bound_ns = 0;
    enum nts_err err = phc_error_bound(&source->device, bound_ns);
    if (err == NTS_OK) {
        source->has_bound = true;
        return true;
    }
    if (err != NTS_ENOTFOUND || source->has_bound) {
        return false;
    }
    if (!source->said_no_bound) {
        source->said_no_bound = true;
        log_event(LOG_LEVEL_WARN, "hardware clock publishes no error bound: taken for exact",
                  "device", source->options.path, NULL);
    }
    return true;
}

static bool is_open(struct phc_source *source)
{
    if (source->device.fd >= 0 || phc_open(&source->device, source->options.path) == NTS_OK) {
        return true;
    }
    const char *reason = errno == EACCES
                             ? "not readable by the daemon's user: mend with chown or a udev rule"
                             : strerror(errno);
    down(source, PHC_COUNT_NO_DEVICE, reason);
    return false;
}

static void measure(struct phc_source *source)
{
    struct phc_window window;
    struct clock_sample sample;
    struct clock_pair before = clock_pair_read();
    enum nts_err err = phc_read(&source->device, reads_at_once(source->options.poll), &window);
    struct clock_pair after = clock_pair_read();
    if (err != NTS_OK) {
        const char *reason = err == NTS_ESYSTEM ? strerror(errno) : "no reading in its answer";
        down(source, err == NTS_ESYSTEM ? PHC_COUNT_FAILED : PHC_COUNT_SENSELESS, reason);
        phc_close(&source->device); /* it may be another one behind the path by now */
        return;
    }
    struct clock_system_sample kernel = {0};
    if (clock_system_sample(&kernel) != NTS_OK) {
        kernel.leap = NTP_LEAP_NONE;
    }
    struct phc_facts facts = {.offset_ns = source->options.offset_ns, .leap = kernel.leap};
    if (!read_bound(source, &facts.error_bound_ns)) {
        down(source, PHC_COUNT_NO_BOUND, "its error bound cannot be read");
        return;
    }
    if (!phc_window_sample(&window, &before, &after, &facts, &sample)) {
        stats_add(source->options.stats, PHC_COUNT_STEPPED, 1);
        source->options.events.miss(source->options.events.ctx, source->options.index);
        return;
    }
    stats_add(source->options.stats, PHC_COUNT_READ, 1);
    say(source, true, NULL);
    source->options.events.sample(source->options.events.ctx, source->options.index, &sample);
}

static void on_timer(uv_timer_t *timer)
{
    struct phc_source *source = timer->data;
    if (is_open(source)) {
        measure(source);
    }
}

struct phc_source *phc_source_open(const struct phc_source_options *options)
{
    struct phc_source *source = calloc(1, sizeof(*source));
    if (source == NULL) {
        return NULL;
    }
    source->options = *options;
    source->device.fd = -1;
    source->device.call = options->call;
    source->device.ctx = options->call_ctx;
    (void)uv_timer_init(options->loop, &source->timer); /* cannot fail */
    source->timer.data = source;
    (void)uv_timer_start(&source->timer, on_timer, 0, interval_ms(options->poll));
    return source;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void phc_source_close(struct phc_source *source)
{
    if (source == NULL || uv_is_closing((uv_handle_t *)&source->timer)) {
        return;
    }
    phc_close(&source->device);
    uv_close((uv_handle_t *)&source->timer, on_closed);
}

const char *phc_count_name(unsigned index)
{
    static const char *const names[PHC_COUNTERS] = {"read",      "no_device", "failed",
                                                    "senseless", "no_bound",  "stepped"};
    return index < PHC_COUNTERS ? names[index] : NULL;
}
