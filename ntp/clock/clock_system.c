/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the kernel about its clock. Shell; see clock_system.h. Reads only: adjtimex is called with
 * no mode set, which needs no right.
 */
#include "ntp/clock/clock_system.h"

#include "ntp/clock/clock_pair.h"

#include <sys/timex.h>

enum {
    PRECISION_READS = 200, /* enough that one of them was not interrupted */
    PRECISION_MIN = -30,   /* below a nanosecond there is nothing to measure */
};

#define NS_PER_US INT64_C(1000)

static uint8_t leap_of(int kernel_state)
{
    if (kernel_state == TIME_INS) {
        return NTP_LEAP_INSERT;
    }
    return kernel_state == TIME_DEL ? NTP_LEAP_DELETE : NTP_LEAP_NONE;
}

NODISCARD enum nts_err clock_system_sample(struct clock_system_sample *sample)
{
    *sample = (struct clock_system_sample){0};
    struct timex tx = {.modes = 0};
    int state = adjtimex(&tx);
    if (state < 0) {
        return NTS_ESYSTEM;
    }
    struct clock_pair pair = clock_pair_read();
    sample->raw_ns = pair.raw_ns;
    sample->wall_ns = pair.wall_ns;
    sample->window_ns = pair.window_ns;
    sample->synchronised = (tx.status & STA_UNSYNC) == 0 && state != TIME_ERROR;
    sample->leap = leap_of(state);
    sample->max_error_ns = tx.maxerror * NS_PER_US;
    sample->est_error_ns = tx.esterror * NS_PER_US;
    sample->tai_offset_s = tx.tai;
    return NTS_OK;
}

int8_t clock_system_precision(void)
{
    int64_t smallest = NS_PER_S;
    int64_t last = wall_now().ns;
    for (int i = 0; i < PRECISION_READS; i++) {
        int64_t now = wall_now().ns;
        if (now > last && now - last < smallest) {
            smallest = now - last;
        }
        last = now;
    }
    /* The least power of two that is not finer than what was seen. */
    int8_t precision = 0;
    while (precision > PRECISION_MIN && smallest * 2 <= NS_PER_S) {
        smallest *= 2;
        precision--;
    }
    return precision;
}
