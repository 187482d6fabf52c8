/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See clock_kernel.h.
 */
#include "ntsd/clock_kernel.h"

#include <errno.h>
#include <string.h>

static void say_bound(struct clock_kernel *kernel, enum nts_err err,
                      const struct clock_bound *bound)
{
    if (kernel->bound_said ? kernel->bound == err : err == NTS_ENOTFOUND) {
        return;
    }
    kernel->bound_said = true;
    kernel->bound = err;
    if (err == NTS_OK) {
        log_event(LOG_LEVEL_INFO, "ClockBound tells the clock's error", "file", CLOCK_BOUND_PATH,
                  NULL);
    } else if (err == NTS_ENOTFOUND) {
        log_event(LOG_LEVEL_INFO, "ClockBound is gone, the kernel tells", "file", CLOCK_BOUND_PATH,
                  NULL);
    } else if (err == NTS_ELIMIT) {
        log_event(LOG_LEVEL_WARN, "ClockBound refused: layout version not known", "file",
                  CLOCK_BOUND_PATH, "version", log_fmt(LOG_BUF, "%u", bound->version), "known",
                  log_fmt(LOG_BUF, "%d", CLOCK_BOUND_VERSION), NULL);
    } else {
        const char *error = err == NTS_ESYSTEM ? strerror(errno) : nts_err_name(err);
        log_event(LOG_LEVEL_WARN, "ClockBound refused", "file", CLOCK_BOUND_PATH, "error", error,
                  NULL);
    }
}

static void ask_clock_bound(struct clock_kernel *kernel, struct clock_system_sample *sample)
{
    struct clock_bound bound;
    enum nts_err err = clock_bound_read(CLOCK_BOUND_PATH, &bound);
    say_bound(kernel, err, &bound);
    if (err == NTS_OK) {
        clock_bound_apply(&bound, mono_now(), sample);
    }
}

bool clock_kernel_model(struct clock_kernel *kernel, const struct clock_model *before,
                        struct clock_model *model)
{
    struct clock_system_sample sample;
    uint64_t suppressed = 0;
    if (clock_system_sample(&sample) != NTS_OK) {
        const char *error = strerror(errno);
        if (log_limit_allows(&kernel->failures, mono_now(), &suppressed)) {
            log_event(LOG_LEVEL_ERROR, "kernel clock cannot be read", "error", error, NULL);
        }
        return false;
    }
    if (kernel->options.trust_kernel) {
        ask_clock_bound(kernel, &sample);
    }
    *model = clock_system_model(&kernel->options, &sample,
                                kernel->has_sample ? &kernel->sample : NULL, before);
    kernel->sample = sample;
    kernel->has_sample = true;
    return true;
}
