/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the file that Amazon's ClockBound daemon shares, where there is one. Shell module; what is
 * in it is clock_bound.h's.
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_BOUND_SHM_H
#define NTSD_NTP_CLOCK_CLOCK_BOUND_SHM_H

#include "ntp/clock/clock_bound.h"

#define CLOCK_BOUND_PATH "/run/clockbound/shm0" /* where layout 2 is found; 3 is beside it */

/*
 * A whole value, read until two looks agree. NTS_ENOTFOUND: no file, or nothing in it yet.
 * NTS_ELIMIT: a layout we do not know, `bound->version`. NTS_EFORMAT, NTS_ESHORT: not ClockBound's.
 * NTS_ESYSTEM: errno.
 */
NODISCARD enum nts_err clock_bound_read(const char *path, struct clock_bound *bound);

#endif
