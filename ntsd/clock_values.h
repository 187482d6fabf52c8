/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the clock process keeps in shared memory beside the clock itself: what it has to remember
 * when it is started again, and its counters. (What it reports of its sources is clock_report.h's.)
 */
#ifndef NTSD_NTSD_CLOCK_VALUES_H
#define NTSD_NTSD_CLOCK_VALUES_H

#include "common/base/stats.h"
#include "ntp/clock/clock_discipline.h"
#include "ntp/clock/ntp_poll.h"

/* Read by its writer alone. */
struct clock_memory {
    struct ntp_poll_memory source[CLOCK_SOURCES_MAX];
};
_Static_assert(sizeof(struct clock_memory) % 8 == 0, "board values are whole words");

/* Counters of the process: block 0 of BOARDS_CLOCK_STATS. Those of source i are in block i + 1;
 * their meaning is ntp_source.h's or phc_source.h's. */
enum clock_count {
    CLOCK_COUNT_ENTERED_0, /* + enum clock_state: how often the state was entered */
    CLOCK_COUNT_REASON_0 = CLOCK_COUNT_ENTERED_0 + CLOCK_LOST + 1, /* + enum clock_reason */
    CLOCK_COUNT_NOT_KEPT = CLOCK_COUNT_REASON_0 + CLOCK_REASONS, /* clock_store.h: failed writes */
    CLOCK_COUNTERS
};
_Static_assert((int)CLOCK_COUNTERS <= (int)STATS_COUNTERS, "a stats block holds them all");

enum { CLOCK_STATS_BLOCKS = 1 + CLOCK_SOURCES_MAX };

#endif
