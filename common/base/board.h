/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A board: a value of fixed size in shared memory with one writer and any number of readers in
 * other threads or processes. Readers never block and never see half a value.
 *
 * Two slots and a generation number. The writer fills the slot that is not current and then
 * publishes it by raising the generation; a reader copies the current slot and accepts the copy
 * only if the generation has not moved meanwhile. A writer that is killed in the middle of a write
 * leaves the current slot whole, and its successor goes on from there. This is why it is not the
 * single-slot sequence counter: that one would lock readers out for ever.
 *
 *   | generation (u64, 0: nothing yet) | slot 0: words | slot 1: words |
 *
 * Zeroed memory is an empty board. The size of the value is an argument of every call and not
 * stored: a writer that was taken over must not be able to tell its readers how much to copy.
 *
 * All words are C11 atomics, so there is no data race in the language's sense. No allocation.
 */
#ifndef NTSD_COMMON_BASE_BOARD_H
#define NTSD_COMMON_BASE_BOARD_H

#include "common/base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct board {
    _Atomic uint64_t generation;
    _Atomic uint64_t slots[];
};

/* Bytes of memory, aligned to 8, that a board for a value of `size` octets takes. */
size_t board_footprint(size_t size);

/* Publishes a value of `size` octets. It must be aligned to 8 and its size a multiple of 8
 * (static_assert both where the type is declared). One writer at a time. */
void board_write(struct board *board, const void *value, size_t size);

/* The number of the newest value; 0 while nothing was published. Cheap: one load. */
static inline uint64_t board_generation(const struct board *board)
{
    return atomic_load_explicit(&board->generation, memory_order_acquire);
}

/*
 * Copies the newest value to `value` and returns its generation, which is 0 (and `value` untouched)
 * while nothing was published. Any thread. Bounded: a writer that overtakes the reader again and
 * again makes it give up after 64 tries with NTS_ELIMIT, `value` then holding nothing of use.
 */
NODISCARD enum nts_err board_read(const struct board *board, void *value, size_t size,
                                  uint64_t *generation);

#endif
