/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool of random bytes. See rng.h.
 */
#include "common/crypto/rng.h"

#include "common/base/secret.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

enum { PAGE_LEN = 4096 };

/*
 * One page of its own, so that what the kernel empties in a child is the pool and nothing else. An
 * emptied pool reads as fill = NULL and left = 0: it asks the kernel before it hands out a byte.
 */
static_assert(sizeof(struct rng) <= PAGE_LEN, "the pool and its head fit one page");

static int fill_from_kernel(uint8_t *out, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = getrandom(out + done, n - done, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return -1;
        }
        done += (size_t)got;
    }
    return 0;
}

/* A source that fails half way leaves the pool empty: what it did write is not used. */
static int refill(struct rng *rng)
{
    int rc = rng->fill != NULL ? rng->fill(rng->ctx, rng->pool, sizeof(rng->pool))
                               : fill_from_kernel(rng->pool, sizeof(rng->pool));
    if (rc != 0) {
        wipe(rng->pool, sizeof(rng->pool));
        return -1;
    }
    rng->left = sizeof(rng->pool);
    return 0;
}

struct rng *rng_new(void)
{
    void *page = mmap(NULL, PAGE_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        return NULL;
    }
    /* A kernel that cannot empty the page in a child gets no pool: two processes would share it. */
    if (madvise(page, PAGE_LEN, MADV_WIPEONFORK) != 0) {
        (void)munmap(page, PAGE_LEN);
        return NULL;
    }
    (void)madvise(page, PAGE_LEN, MADV_DONTDUMP); /* a core dump need not hold nonces to come */
    return page;
}

void rng_free(struct rng *rng)
{
    if (rng != NULL) {
        wipe(rng, PAGE_LEN);
        (void)munmap(rng, PAGE_LEN);
    }
}

void rng_init_from(struct rng *rng, int (*fill)(void *, uint8_t *, size_t), void *ctx)
{
    memset(rng, 0, sizeof(*rng));
    rng->fill = fill;
    rng->ctx = ctx;
}

NODISCARD enum nts_err rng_bytes(struct rng *rng, uint8_t *out, size_t n)
{
    size_t done = 0;
    while (done < n) {
        if (rng->left == 0 && refill(rng) != 0) {
            wipe(out, n);
            return NTS_ESYSTEM;
        }
        size_t part = n - done < rng->left ? n - done : rng->left;
        uint8_t *from = rng->pool + rng->left - part;
        memcpy(out + done, from, part);
        wipe(from, part);
        rng->left -= part;
        done += part;
    }
    return NTS_OK;
}
