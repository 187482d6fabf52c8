/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting by place, against a plain list that does the same.
 */
#include "nts-ke/ke_crowd.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { PLACES = 40, STEPS = 200000 };

static uint64_t state = 7;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

Test(ke_crowd, has_twice_the_room_it_needs)
{
    static const size_t want[] = {0, 1, 4, 5, 1000, 100000};
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        size_t cells = ke_crowd_cells(want[i]);
        cr_expect_geq(cells, 2 * want[i]);
        cr_expect_eq(cells & (cells - 1), 0);
        cr_expect_geq(cells, 8);
    }
}

Test(ke_crowd, counts_like_a_list_does)
{
    struct ke_crowd_cell cell[128] = {{0}};
    uint64_t place[PLACES];
    uint64_t count[PLACES] = {0};
    uint64_t total = 0;
    struct ke_crowd crowd;
    cr_assert_eq(ke_crowd_cells(PLACES), 128);
    ke_crowd_init(&crowd, cell, 128);
    for (size_t i = 0; i < PLACES; i++) {
        /* Three for each of neighbouring cells up to the end of the table and across it, so that
         * probes run into each other. */
        place[i] = 0xfffffff6U + i / 3 + (i % 3) * 128;
    }
    for (int step = 0; step < STEPS; step++) {
        size_t i = draw() % PLACES;
        if (draw() % 2 == 0 && count[i] < 5) {
            ke_crowd_enter(&crowd, place[i]);
            count[i]++;
            total++;
        } else if (count[i] > 0) {
            ke_crowd_leave(&crowd, place[i]);
            count[i]--;
            total--;
        }
        size_t look = draw() % PLACES;
        cr_assert_eq(ke_crowd_count(&crowd, place[look]), count[look], "step %d", step);
    }
    uint64_t kept = 0;
    for (size_t i = 0; i < 128; i++) {
        kept += cell[i].count;
    }
    cr_assert_eq(kept, total);
}

Test(ke_crowd, nobody_leaves_who_has_not_come)
{
    struct ke_crowd_cell cell[8] = {{0}};
    struct ke_crowd crowd;
    ke_crowd_init(&crowd, cell, 8);
    ke_crowd_leave(&crowd, 5);
    cr_expect_eq(ke_crowd_count(&crowd, 5), 0);
    ke_crowd_enter(&crowd, 5);
    cr_expect_eq(ke_crowd_count(&crowd, 5), 1);
    cr_expect_eq(ke_crowd_count(&crowd, 13), 0, "the same cell, another place");
}
