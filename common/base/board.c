/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two-slot boards. See board.h for the picture.
 *
 * Ordering. Writer of generation g+1: words of slot (g+1)&1 with release, then generation g+1 with
 * release. A reader that saw generation g copies slot g&1, which is written again only for g+2,
 * that is after g+1 was published. If any of its acquire loads returned a word of g+2, that load
 * synchronised with the release store and the publication of g+1 happened before; so the second
 * look at the generation cannot return g any more and the copy is thrown away.
 */
#include "common/base/board.h"

#include <string.h>

enum { READ_TRIES = 64 };

static size_t words_of(size_t size)
{
    return (size + 7) / 8;
}

size_t board_footprint(size_t size)
{
    return sizeof(struct board) + 2 * 8 * words_of(size);
}

void board_write(struct board *board, const void *value, size_t size)
{
    size_t words = words_of(size);
    const uint64_t *from = value;
    uint64_t next = atomic_load_explicit(&board->generation, memory_order_relaxed) + 1;
    _Atomic uint64_t *slot = board->slots + (next & 1) * words;
    for (size_t i = 0; i < words; i++) {
        atomic_store_explicit(&slot[i], from[i], memory_order_release);
    }
    atomic_store_explicit(&board->generation, next, memory_order_release);
}

NODISCARD enum nts_err board_read(const struct board *board, void *value, size_t size,
                                  uint64_t *generation)
{
    size_t words = words_of(size);
    uint64_t *to = value;
    for (int i = 0; i < READ_TRIES; i++) {
        uint64_t before = atomic_load_explicit(&board->generation, memory_order_acquire);
        if (before == 0) {
            *generation = 0;
            return NTS_OK;
        }
        const _Atomic uint64_t *slot = board->slots + (before & 1) * words;
        for (size_t w = 0; w < words; w++) {
            to[w] = atomic_load_explicit(&slot[w], memory_order_acquire);
        }
        if (atomic_load_explicit(&board->generation, memory_order_acquire) == before) {
            *generation = before;
            return NTS_OK;
        }
    }
    *generation = 0;
    return NTS_ELIMIT;
}
