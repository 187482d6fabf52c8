/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many of the connections held come from the same place. Core; one thread.
 *
 * A place is an opaque key that the caller makes of an address or of its network, with a hash
 * nobody outside can compute: an open-addressed table, whose size is twice the number of places
 * there can be at once.
 */
#ifndef NTSD_NTS_KE_KE_CROWD_H
#define NTSD_NTS_KE_KE_CROWD_H

#include <stddef.h>
#include <stdint.h>

struct ke_crowd_cell {
    uint64_t place;
    uint64_t count; /* 0: the cell is free */
};

struct ke_crowd {
    struct ke_crowd_cell *cell;
    size_t mask;
};

/* How many cells a crowd of at most `places` places takes: a power of two. */
size_t ke_crowd_cells(size_t places);

/* `cell`: the caller's memory, zeroed, `cells` of them. */
void ke_crowd_init(struct ke_crowd *crowd, struct ke_crowd_cell *cell, size_t cells);

/* One more, and one less: each enter is followed by one leave of the same place. */
void ke_crowd_enter(struct ke_crowd *crowd, uint64_t place);
void ke_crowd_leave(struct ke_crowd *crowd, uint64_t place);

uint64_t ke_crowd_count(const struct ke_crowd *crowd, uint64_t place);

#endif
