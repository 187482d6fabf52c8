/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel clock as the source of the served one (`clock system`, `local stratum`): asks the
 * kernel, and ClockBound where its file is, and makes the next model. Shell module.
 */
#ifndef NTSD_NTSD_CLOCK_KERNEL_H
#define NTSD_NTSD_CLOCK_KERNEL_H

#include "common/base/log.h"
#include "ntp/clock/clock_bound_shm.h"
#include "ntp/clock/clock_system.h"

/* Zero but for `options` at first. */
struct clock_kernel {
    struct clock_system_options options;
    bool has_sample;
    struct clock_system_sample sample;
    enum nts_err bound; /* what ClockBound's file was last time: each change is one log line */
    bool bound_said;
    struct log_limit failures;
};

/* The model for this moment. False: the kernel cannot be asked, nothing is known. `before` NULL or
 * what was published last. */
bool clock_kernel_model(struct clock_kernel *kernel, const struct clock_model *before,
                        struct clock_model *model);

#endif
