/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts by place. See ke_crowd.h. Linear probing; a cell that becomes free is filled from behind,
 * so there are no gaps to be walked over later.
 */
#include "nts-ke/ke_crowd.h"

size_t ke_crowd_cells(size_t places)
{
    size_t cells = 8;
    while (cells < 2 * places) {
        cells *= 2;
    }
    return cells;
}

void ke_crowd_init(struct ke_crowd *crowd, struct ke_crowd_cell *cell, size_t cells)
{
    *crowd = (struct ke_crowd){.cell = cell, .mask = cells - 1};
}

/* The cell of the place, or the free one where it would be. */
static size_t find(const struct ke_crowd *crowd, uint64_t place)
{
    size_t i = (size_t)place & crowd->mask;
    while (crowd->cell[i].count > 0 && crowd->cell[i].place != place) {
        i = (i + 1) & crowd->mask;
    }
    return i;
}

void ke_crowd_enter(struct ke_crowd *crowd, uint64_t place)
{
    struct ke_crowd_cell *cell = &crowd->cell[find(crowd, place)];
    cell->place = place;
    cell->count++;
}

void ke_crowd_leave(struct ke_crowd *crowd, uint64_t place)
{
    size_t gap = find(crowd, place);
    if (crowd->cell[gap].count == 0 || --crowd->cell[gap].count > 0) {
        return;
    }
    for (size_t i = (gap + 1) & crowd->mask; crowd->cell[i].count > 0; i = (i + 1) & crowd->mask) {
        size_t home = (size_t)crowd->cell[i].place & crowd->mask;
        if (((i - home) & crowd->mask) >= ((i - gap) & crowd->mask)) {
            crowd->cell[gap] = crowd->cell[i];
            crowd->cell[i].count = 0;
            gap = i;
        }
    }
}

uint64_t ke_crowd_count(const struct ke_crowd *crowd, uint64_t place)
{
    return crowd->cell[find(crowd, place)].count;
}
