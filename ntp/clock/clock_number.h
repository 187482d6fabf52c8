/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the doubles of the fit back to whole nanoseconds, without a value that has no conversion.
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_NUMBER_H
#define NTSD_NTP_CLOCK_CLOCK_NUMBER_H

#include <stdint.h>

/* Rounded; held to +- 146 years, and not a number is that, too: nothing is known then. */
static inline int64_t clock_number_ns(double ns)
{
    const double limit = 4611686018427387904.0; /* 2^62 */
    if (!(ns < limit)) {
        return INT64_C(1) << 62;
    }
    if (ns <= -limit) {
        return -(INT64_C(1) << 62);
    }
    return (int64_t)(ns < 0.0 ? ns - 0.5 : ns + 0.5);
}

#endif
