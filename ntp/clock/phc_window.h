/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what the kernel says about a PTP hardware clock (linux/ptp_clock.h) to one measurement: of
 * several readings the one with the shortest window, because the truth lies somewhere in a window.
 * Core.
 */
#ifndef NTSD_NTP_CLOCK_PHC_WINDOW_H
#define NTSD_NTP_CLOCK_PHC_WINDOW_H

#include "ntp/clock/clock_pair.h"
#include "ntp/clock/clock_sample.h"

#include <linux/ptp_clock.h>
#include <stdbool.h>

/* The hardware clock between two looks at a clock of the system. */
struct phc_window {
    int64_t phc_ns;
    int64_t system_ns; /* middle of the window */
    int64_t width_ns;
    bool raw; /* system_ns is CLOCK_MONOTONIC_RAW, otherwise CLOCK_REALTIME */
};

/* Each false when there is no reading, or none whose two looks are in order. */
bool phc_window_precise(const struct ptp_sys_offset_precise *said, struct phc_window *window);
bool phc_window_extended(const struct ptp_sys_offset_extended *said, struct phc_window *window);
bool phc_window_basic(const struct ptp_sys_offset *said, struct phc_window *window);

/* What is known about the device beside its reading. */
struct phc_facts {
    int64_t offset_ns;      /* configured; added to what the device shows */
    int64_t error_bound_ns; /* the device's own, `phc_error_bound` */
    uint8_t leap;           /* what the kernel announces: the device knows nothing of leaps */
};

/*
 * The measurement. `before` and `after` are pair readings around it. False: the system's clock was
 * stepped in between, so that nothing follows from the reading.
 */
bool phc_window_sample(const struct phc_window *window, const struct clock_pair *before,
                       const struct clock_pair *after, const struct phc_facts *facts,
                       struct clock_sample *sample);

/* RFC 5905 §7.3: at stratum 1 the reference id is a name. */
#define PHC_REFERENCE_ID UINT32_C(0x50484300) /* "PHC" */

#endif
