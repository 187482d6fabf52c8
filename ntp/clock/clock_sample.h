/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One measurement of a time source, whatever its kind: an NTP exchange or a reading of a hardware
 * clock. It says what the source's clock showed at one moment of CLOCK_MONOTONIC_RAW, so that a
 * step of the host's wall clock has no part in it. Plain data.
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_SAMPLE_H
#define NTSD_NTP_CLOCK_CLOCK_SAMPLE_H

#include <stdint.h>

enum { CLOCK_SOURCES_MAX = 16 };

struct clock_sample {
    int64_t raw_ns;             /* CLOCK_MONOTONIC_RAW: the middle of the exchange */
    int64_t wall_ns;            /* the source's time at that moment, since 1970 */
    int64_t delay_ns;           /* round trip less the server's residence, or width of the reading:
                                   asymmetry can hide an error of half of it */
    int64_t root_delay_ns;      /* what the source says of its own way to the reference */
    int64_t root_dispersion_ns; /* ... and of its own error; of a PHC: its error bound */
    uint32_t reference_id;      /* what our replies name when this source is followed */
    uint8_t stratum;            /* of the source: 0 for a hardware reference clock */
    uint8_t leap;               /* NTP_LEAP_NONE, _INSERT, _DELETE */
};

#endif
