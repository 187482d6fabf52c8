/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random bytes: that a failing source never yields any, that what was handed out is gone from the
 * pool, and that no two processes hand out the same. getrandom() is this file's own, so that its
 * rare answers can be had: interrupted, short, refused.
 */
#include "common/crypto/rng.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the next calls of getrandom() answer; written by a test before it draws. */
static int interrupted; /* so many calls end with EINTR first */
static int refused;     /* an errno, or 0 */
static bool piecemeal;  /* a few octets at a time */

ssize_t getrandom(void *buf, size_t n, unsigned flags)
{
    if (interrupted > 0) {
        interrupted--;
        errno = EINTR;
        return -1;
    }
    if (refused != 0) {
        errno = refused;
        return -1;
    }
    size_t part = piecemeal && n > 7 ? 7 : n;
    return syscall(SYS_getrandom, buf, part, flags);
}

static bool is_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != 0) {
            return false;
        }
    }
    return true;
}

/* A source whose octets are never zero and count up, so that each can be told from all others. */
struct source {
    uint64_t made;
    uint64_t fails_after; /* octets; the call that would pass it fails half way */
};

static uint8_t octet(uint64_t i)
{
    return (uint8_t)(1 + i % 255);
}

static int source_fill(void *ctx, uint8_t *out, size_t n)
{
    struct source *source = ctx;
    for (size_t i = 0; i < n; i++) {
        if (source->made == source->fails_after) {
            return -1;
        }
        out[i] = octet(source->made++);
    }
    return 0;
}

Test(rng, each_octet_is_handed_out_once)
{
    static const size_t lengths[] = {1, 16, 0, 12, 4000, RNG_POOL_LEN, 3, 3 * RNG_POOL_LEN + 5, 1};
    static struct rng rng;
    static uint8_t all[5 * RNG_POOL_LEN];
    struct source source = {.fails_after = UINT64_MAX};
    rng_init_from(&rng, source_fill, &source);
    size_t n = 0;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        cr_assert_leq(n + lengths[i], sizeof(all));
        cr_assert_eq(rng_bytes(&rng, all + n, lengths[i]), NTS_OK);
        n += lengths[i];
    }
    /* As many of each value as the source has made, less those still in the pool. */
    uint64_t balance[256] = {0};
    for (uint64_t i = 0; i < source.made; i++) {
        balance[octet(i)]++;
    }
    for (size_t i = 0; i < rng.left; i++) {
        balance[rng.pool[i]]--;
    }
    for (size_t i = 0; i < n; i++) {
        balance[all[i]]--;
    }
    cr_assert(is_zero((const uint8_t *)balance, sizeof(balance)));
    cr_assert_eq(n + rng.left, source.made);
}

Test(rng, what_was_handed_out_is_wiped_from_the_pool)
{
    struct rng *rng = rng_new();
    cr_assert_not_null(rng);
    size_t drawn = 0;
    for (size_t n = 1; drawn + n < RNG_POOL_LEN; n += 13) {
        uint8_t out[1024];
        cr_assert_eq(rng_bytes(rng, out, n), NTS_OK);
        drawn += n;
        cr_assert_eq(rng->left, RNG_POOL_LEN - drawn);
        cr_assert(is_zero(rng->pool + rng->left, drawn), "after %zu octets", drawn);
        cr_assert(n < 16 || !is_zero(out, n));
        cr_assert(n < 16 || memmem(rng->pool, sizeof(rng->pool), out, n) == NULL);
    }
    rng_free(rng);
}

Test(rng, a_failing_source_hands_out_nothing)
{
    static struct rng rng;
    static uint8_t out[3 * RNG_POOL_LEN];
    for (unsigned pools = 0; pools < 3; pools++) {
        struct source source = {.fails_after = pools * RNG_POOL_LEN + 100};
        rng_init_from(&rng, source_fill, &source);
        memset(out, 0x5a, sizeof(out));
        cr_assert_eq(rng_bytes(&rng, out, sizeof(out)), NTS_ESYSTEM);
        cr_assert(is_zero(out, sizeof(out)), "not even what came before the failure");
        cr_assert_eq(rng.left, 0);
        cr_assert(is_zero(rng.pool, sizeof(rng.pool)), "the half-filled pool is not kept");
        cr_assert_eq(rng_bytes(&rng, out, 1), NTS_ESYSTEM, "and it stays so");
        cr_assert_eq(rng_bytes(&rng, out, 0), NTS_OK, "nothing can always be had");
        source.fails_after = UINT64_MAX;
        cr_assert_eq(rng_bytes(&rng, out, 16), NTS_OK, "until the source is back");
        cr_assert_not(is_zero(out, 16));
    }
}

Test(rng, what_is_left_is_still_good_when_the_source_fails)
{
    static struct rng rng;
    uint8_t out[32];
    struct source source = {.fails_after = RNG_POOL_LEN};
    rng_init_from(&rng, source_fill, &source);
    cr_assert_eq(rng_bytes(&rng, out, 16), NTS_OK);
    for (size_t drawn = 16; drawn + 16 <= RNG_POOL_LEN; drawn += 16) {
        cr_assert_eq(rng_bytes(&rng, out, 16), NTS_OK);
        cr_assert_not(is_zero(out, 16));
    }
    cr_assert_eq(rng_bytes(&rng, out, 16), NTS_ESYSTEM);
}

Test(rng, the_kernel_may_interrupt_or_deliver_in_pieces)
{
    struct rng *rng = rng_new();
    cr_assert_not_null(rng);
    interrupted = 5;
    piecemeal = true;
    uint8_t out[64] = {0};
    cr_assert_eq(rng_bytes(rng, out, sizeof(out)), NTS_OK);
    cr_assert_eq(interrupted, 0);
    for (size_t i = 0; i + 16 <= sizeof(rng->pool) && i + 16 <= rng->left; i += 16) {
        cr_assert_not(is_zero(rng->pool + i, 16), "the whole pool was filled");
    }
    rng_free(rng);
}

Test(rng, a_kernel_that_refuses_is_an_error)
{
    static const int errors[] = {ENOSYS, EAGAIN, EFAULT, EPERM};
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        struct rng *rng = rng_new();
        cr_assert_not_null(rng);
        refused = errors[i];
        uint8_t out[16];
        memset(out, 0x5a, sizeof(out));
        cr_assert_eq(rng_bytes(rng, out, sizeof(out)), NTS_ESYSTEM);
        cr_assert(is_zero(out, sizeof(out)));
        refused = 0;
        cr_assert_eq(rng_bytes(rng, out, sizeof(out)), NTS_OK);
        rng_free(rng);
    }
    rng_free(NULL);
}

static void join(pid_t pid)
{
    int status = 0;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void *shared(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(p, MAP_FAILED);
    return p;
}

Test(rng, a_child_starts_with_an_empty_pool)
{
    enum { LEN = 256 };
    uint8_t *theirs = shared(LEN);
    struct rng *rng = rng_new();
    cr_assert_not_null(rng);
    uint8_t ours[LEN];
    cr_assert_eq(rng_bytes(rng, ours, 1), NTS_OK); /* the pool is full now */
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        bool empty = rng->left == 0 && is_zero(rng->pool, sizeof(rng->pool));
        _exit(empty && rng_bytes(rng, theirs, LEN) == NTS_OK ? 0 : 1);
    }
    join(pid);
    cr_assert_eq(rng_bytes(rng, ours, LEN), NTS_OK);
    cr_assert_neq(memcmp(ours, theirs, LEN), 0);
    cr_assert_not(is_zero(theirs, LEN));
    rng_free(rng);
    cr_assert_eq(munmap(theirs, LEN), 0);
}

struct nonce {
    uint8_t octet[16];
};

static int nonce_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct nonce));
}

static bool draw(struct rng *rng, struct nonce *to, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rng_bytes(rng, to[i].octet, sizeof(to[i].octet)) != NTS_OK) {
            return false;
        }
    }
    return true;
}

Test(rng, a_million_nonces_of_three_processes_are_unique, .timeout = 120)
{
    enum { PROCESSES = 3, EACH = 333334, COUNT = PROCESSES * EACH };
    struct nonce *nonces = shared(COUNT * sizeof(*nonces));
    struct rng *rng = rng_new();
    cr_assert_not_null(rng);
    uint8_t warm[40];
    cr_assert_eq(rng_bytes(rng, warm, sizeof(warm)), NTS_OK);
    pid_t pid[PROCESSES - 1];
    for (size_t i = 0; i < PROCESSES - 1; i++) {
        pid[i] = fork();
        cr_assert_geq(pid[i], 0);
        if (pid[i] == 0) {
            _exit(draw(rng, nonces + (i + 1) * EACH, EACH) ? 0 : 1);
        }
    }
    cr_assert(draw(rng, nonces, EACH));
    for (size_t i = 0; i < PROCESSES - 1; i++) {
        join(pid[i]);
    }
    qsort(nonces, COUNT, sizeof(*nonces), nonce_order);
    for (size_t i = 1; i < COUNT; i++) {
        cr_assert_neq(nonce_order(&nonces[i - 1], &nonces[i]), 0, "nonce %zu came twice", i);
    }
    rng_free(rng);
    cr_assert_eq(munmap(nonces, COUNT * sizeof(*nonces)), 0);
}

Test(rng, octets_are_spread_evenly)
{
    enum { LEN = 1 << 20 };
    static uint8_t octets[LEN];
    struct rng *rng = rng_new();
    cr_assert_not_null(rng);
    cr_assert_eq(rng_bytes(rng, octets, LEN), NTS_OK);
    double seen[256] = {0};
    for (size_t i = 0; i < LEN; i++) {
        seen[octets[i]]++;
    }
    double expected = LEN / 256.0;
    double chi = 0;
    for (size_t i = 0; i < 256; i++) {
        chi += (seen[i] - expected) * (seen[i] - expected) / expected;
    }
    /* 255 degrees of freedom: mean 255, deviation 22.6. Six deviations are one chance in 1e8. */
    cr_assert(chi > 120 && chi < 400, "chi square %f", chi);
    rng_free(rng);
}
