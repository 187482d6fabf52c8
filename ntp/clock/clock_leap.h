/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an announced leap second happens, on a time scale that, like NTP's and POSIX', has no room
 * for it: at the end of a month of UTC the line is stepped back before, or forward over, a second.
 * Core.
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_LEAP_H
#define NTSD_NTP_CLOCK_CLOCK_LEAP_H

#include "common/base/time.h"

struct clock_leap {
    int64_t due_wall_ns; /* the line jumps when it reaches this; 0: no leap second is announced */
    int64_t step_ns;
};

/* What an announcement (NTP_LEAP_INSERT or _DELETE; anything else: none) heard at `wall` means: the
 * last second of that month, RFC 5905 section 7.3, figure 9. */
struct clock_leap clock_leap_announced(uint8_t leap, struct wall_ns wall);

#endif
