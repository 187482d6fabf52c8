/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doubles that have no whole number, and those that have.
 */
#include "ntp/clock/clock_number.h"

#include <criterion/criterion.h>
#include <math.h>

Test(clock_number, of_every_double)
{
    static const struct {
        double ns;
        int64_t want;
    } cases[] = {
        {0.0, 0},
        {-0.0, 0},
        {0.49, 0},
        {0.5, 1},
        {-0.5, -1},
        {-0.49, 0},
        {1e9 + 0.25, 1000000000},
        {-1e9 - 0.75, -1000000001},
        {4611686018427387000.0, INT64_C(4611686018427386880)}, /* the next double below 2^62 */
        {4611686018427387904.0, INT64_C(1) << 62},
        {-4611686018427387904.0, -(INT64_C(1) << 62)},
        {1e300, INT64_C(1) << 62},
        {-1e300, -(INT64_C(1) << 62)},
        {INFINITY, INT64_C(1) << 62},
        {-INFINITY, -(INT64_C(1) << 62)},
        {NAN, INT64_C(1) << 62},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(clock_number_ns(cases[i].ns), cases[i].want, "%g", cases[i].ns);
    }
}
