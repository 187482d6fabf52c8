/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two kinds of time whose types do not mix: wall time (nanoseconds since 1970, UTC) for protocol
 * fields and key epochs, monotonic time for intervals. The functions ask the operating system and
 * belong in shells only; core functions take times as arguments. Thread-safe.
 */
#ifndef NTSD_COMMON_BASE_TIME_H
#define NTSD_COMMON_BASE_TIME_H

#include <stdint.h>

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

struct wall_ns {
    int64_t ns;
};

struct mono_ns {
    int64_t ns;
};

struct wall_ns wall_now(void);     /* CLOCK_REALTIME */
struct mono_ns mono_now(void);     /* CLOCK_MONOTONIC: timers, deadlines */
struct mono_ns mono_raw_now(void); /* CLOCK_MONOTONIC_RAW: what the served clock rides on */
struct mono_ns boot_now(void);     /* CLOCK_BOOTTIME: goes on while the machine is suspended */

#endif
