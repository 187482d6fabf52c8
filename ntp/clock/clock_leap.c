/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leap seconds. See clock_leap.h.
 */
#include "ntp/clock/clock_leap.h"

#include "ntp/ntp_proto.h"
#include "ntp/saturate.h"

#include <stdbool.h>

#define DAY_S INT64_C(86400)

static int64_t days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month] + (month == 1 && leap_year ? 1 : 0);
}

/* Counted up from 1970, a few thousand months at most, while a leap second is announced. */
static int64_t month_end_wall_ns(struct wall_ns wall)
{
    int64_t today = wall.ns < 0 ? 0 : wall.ns / (DAY_S * NS_PER_S);
    int64_t end = 0;
    for (int month = 0; end <= today; month++) {
        end += days_in_month(1970 + month / 12, month % 12);
    }
    return sat_mul(end, DAY_S * NS_PER_S);
}

struct clock_leap clock_leap_announced(uint8_t leap, struct wall_ns wall)
{
    if (leap == NTP_LEAP_INSERT) { /* 23:59:60 is said as 23:59:59 once more */
        return (struct clock_leap){.due_wall_ns = month_end_wall_ns(wall), .step_ns = -NS_PER_S};
    }
    if (leap == NTP_LEAP_DELETE) { /* after 23:59:58 comes 0:00:00 */
        return (struct clock_leap){.due_wall_ns = sat_sub(month_end_wall_ns(wall), NS_PER_S),
                                   .step_ns = NS_PER_S};
    }
    return (struct clock_leap){0};
}
