/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading two clocks as if at once. Shell; see clock_pair.h.
 */
#include "ntp/clock/clock_pair.h"

enum { BRACKETS = 8 }; /* one undisturbed by an interrupt is nearly always among them */

/* The wall clock between two looks at the raw one: the truth is in the bracket. */
struct clock_pair clock_pair_read(void)
{
    struct clock_pair best = {.window_ns = INT64_MAX};
    for (int i = 0; i < BRACKETS; i++) {
        int64_t before = mono_raw_now().ns;
        int64_t wall = wall_now().ns;
        int64_t window = mono_raw_now().ns - before;
        if (window < best.window_ns) {
            best = (struct clock_pair){
                .raw_ns = before + window / 2, .wall_ns = wall, .window_ns = window};
        }
    }
    return best;
}
