/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random bytes: getrandom(2) in bulk, each byte wiped from the pool as it is handed out.
 *
 * The pool lives in memory the kernel empties in a child after fork (MADV_WIPEONFORK), so parent
 * and child can never hand out the same bytes; an empty pool refills itself. A pool belongs to one
 * thread. Nothing is ever handed out when the kernel does not deliver: rng_bytes() fails, and the
 * caller drops the packet or the connection.
 */
#ifndef NTSD_COMMON_CRYPTO_RNG_H
#define NTSD_COMMON_CRYPTO_RNG_H

#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { RNG_POOL_LEN = 4096 - 32 };

/* `fill` is NULL for the kernel, or a test's own source of bytes (returns 0, or -1 to fail). */
struct rng {
    int (*fill)(void *ctx, uint8_t *out, size_t n);
    void *ctx;
    size_t left;
    uint8_t pool[RNG_POOL_LEN];
};

/* A pool of one page, empty, wiped on fork and left out of core dumps. NULL: out of memory, or a
 * kernel that cannot wipe on fork (Linux before 4.14). Released by rng_free(). */
struct rng *rng_new(void);
void rng_free(struct rng *rng);

/* A pool in the caller's memory that is fed by `fill`: for tests and simulations. */
void rng_init_from(struct rng *rng, int (*fill)(void *, uint8_t *, size_t), void *ctx);

/* `n` random bytes. NTS_ESYSTEM: the source failed; `out` is then zeroed. */
NODISCARD enum nts_err rng_bytes(struct rng *rng, uint8_t *out, size_t n);

#endif
