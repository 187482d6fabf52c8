/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cookies: what was sealed opens, to the same keys, and nothing else opens. For the simulated year
 * see test_keyring_year.c.
 */
#include "common/keys/cookie.h"

#include "tests/unit/common/keys_sample.h"

#include <criterion/criterion.h>
#include <stdalign.h>
#include <stdlib.h>

enum { ROOM = 512, NONCE_COUNT = 20000 };

struct bench {
    uint64_t random;
    struct rng rng;
    struct keyring ring;
    struct cookie_ring cr;
};

/* A ring in the middle of its life: past keys, the issuing one and the next. */
static void bench_init(struct bench *b, const struct keydoc *doc, int64_t now_s)
{
    memset(b, 0, sizeof(*b));
    b->random = 99;
    rng_init_from(&b->rng, sample_fill, &b->random);
    keyring_derive(doc, now_s, SAMPLE_LIFETIME_S, &b->ring);
    cr_assert_eq(cookie_ring_prepare(&b->cr, &b->ring), NTS_OK);
}

static struct bench *bench(void)
{
    static struct bench b;
    struct keydoc doc = sample_doc();
    bench_init(&b, &doc, SAMPLE_BEGIN + 30 * SAMPLE_ROTATE_S);
    return &b;
}

static struct span seal(struct bench *b, const struct session_keys *keys, uint8_t *buf)
{
    struct wr out = wr_init(buf, ROOM);
    cr_assert_eq(cookie_seal(&b->cr, &b->rng, keys, &out), NTS_OK);
    cr_assert_eq(out.n, cookie_len(keys->alg));
    return wr_done(&out);
}

static bool keys_are_same(const struct session_keys *a, const struct session_keys *b)
{
    return a->alg == b->alg && a->c2s.len == b->c2s.len && a->s2c.len == b->s2c.len &&
           memcmp(a->c2s.bytes, b->c2s.bytes, a->c2s.len) == 0 &&
           memcmp(a->s2c.bytes, b->s2c.bytes, a->s2c.len) == 0;
}

static void expect_refused(const struct bench *b, struct span cookie, enum nts_err want)
{
    struct session_keys zero;
    struct session_keys keys;
    size_t slot = 77;
    memset(&zero, 0, sizeof(zero));
    memset(&keys, 0xa5, sizeof(keys));
    enum nts_err err = cookie_unseal(&b->cr, cookie, &keys, &slot);
    cr_assert_eq(err, want, "%s, not %s", nts_err_name(err), nts_err_name(want));
    cr_assert_eq(memcmp(&keys, &zero, sizeof(keys)), 0, "keys are wiped");
    cr_assert_eq(slot, 77);
}

Test(cookie, lengths_are_the_ones_of_the_manual)
{
    static const struct {
        uint16_t id;
        size_t len;
    } cases[] = {{AEAD_AES_SIV_CMAC_256, 100},
                 {AEAD_AES_SIV_CMAC_512, 164},
                 {AEAD_AES_128_GCM_SIV, 68},
                 {AEAD_AES_256_GCM_SIV, 100}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct aead *alg = aead_find(cases[i].id);
        cr_expect(alg != NULL || cases[i].id >= AEAD_AES_128_GCM_SIV);
        cr_expect(alg == NULL || cookie_len(alg) == cases[i].len);
        cr_expect_eq(cases[i].len % 4, 0);
        cr_expect_leq(cases[i].len, COOKIE_LEN_MAX);
    }
}

Test(cookie, opens_to_the_keys_that_were_sealed)
{
    struct bench *b = bench();
    size_t count;
    const struct aead *const *all = aead_all(&count);
    for (size_t i = 0; i < 50 * count; i++) {
        struct session_keys keys = sample_session(all[i % count], i);
        struct session_keys opened;
        uint8_t buf[ROOM];
        size_t slot;
        struct span cookie = seal(b, &keys, buf);
        cr_assert_eq(cookie_unseal(&b->cr, cookie, &opened, &slot), NTS_OK);
        cr_assert(keys_are_same(&keys, &opened));
        cr_assert_eq(slot, b->cr.issuing);
    }
}

Test(cookie, the_head_is_the_one_of_the_manual)
{
    struct bench *b = bench();
    struct session_keys keys = sample_session(aead_find(AEAD_AES_SIV_CMAC_256), 1);
    uint8_t buf[ROOM];
    struct span cookie = seal(b, &keys, buf);
    static const uint8_t head[] = {1 << 5 | 15, 1, 0, 30}; /* epoch 1, period 30 */
    cr_expect(span_is(span_of(cookie.p, COOKIE_HEAD_LEN), head, sizeof(head)));
}

Test(cookie, every_key_of_the_ring_opens_its_own)
{
    struct bench *b = bench();
    struct session_keys keys = sample_session(aead_find(AEAD_AES_SIV_CMAC_256), 1);
    cr_assert_geq(b->cr.count, 10);
    for (size_t i = 0; i < b->cr.count; i++) {
        struct session_keys opened;
        uint8_t buf[ROOM];
        size_t slot;
        b->cr.issuing = i;
        struct span cookie = seal(b, &keys, buf);
        cr_assert_eq(cookie_unseal(&b->cr, cookie, &opened, &slot), NTS_OK);
        cr_assert_eq(slot, i);
    }
}

Test(cookie, every_flipped_bit_is_found)
{
    struct bench *b = bench();
    size_t count;
    const struct aead *const *all = aead_all(&count);
    for (size_t a = 0; a < count; a++) {
        struct session_keys keys = sample_session(all[a], a);
        uint8_t buf[ROOM];
        struct span cookie = seal(b, &keys, buf);
        for (size_t bit = 0; bit < 8 * cookie.n; bit++) {
            struct session_keys opened;
            size_t slot;
            buf[bit / 8] ^= (uint8_t)(1U << bit % 8);
            enum nts_err err = cookie_unseal(&b->cr, cookie, &opened, &slot);
            bool in_head = bit < 8 * COOKIE_HEAD_LEN;
            cr_assert_neq(err, NTS_OK, "bit %zu", bit);
            cr_assert(in_head || err == NTS_EAUTH);
            buf[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
    }
}

Test(cookie, every_other_length_is_refused)
{
    struct bench *b = bench();
    size_t count;
    const struct aead *const *all = aead_all(&count);
    for (size_t a = 0; a < count; a++) {
        struct session_keys keys = sample_session(all[a], a);
        uint8_t buf[ROOM] = {0};
        struct span cookie = seal(b, &keys, buf);
        for (size_t len = 0; len <= 300; len++) {
            /* A block of exactly that length, so that a sanitizer sees a read beyond it. */
            uint8_t *exact = malloc(len);
            cr_assert(exact != NULL || len == 0);
            memcpy(exact, buf, len);
            if (len != cookie.n) {
                expect_refused(b, span_of(exact, len), NTS_EFORMAT);
            }
            free(exact);
        }
    }
    expect_refused(b, span_of(NULL, 0), NTS_EFORMAT);
}

Test(cookie, other_versions_and_algorithms_are_refused)
{
    struct bench *b = bench();
    struct session_keys keys = sample_session(aead_find(AEAD_AES_SIV_CMAC_256), 1);
    uint8_t buf[ROOM] = {0};
    struct span cookie = seal(b, &keys, buf);
    for (unsigned first = 0; first <= UINT8_MAX; first++) {
        const struct aead *alg = aead_find((uint16_t)(first & 0x1f));
        bool fits = first >> 5 == COOKIE_VERSION && alg != NULL && cookie_len(alg) == cookie.n;
        if (first == (1 << 5 | AEAD_AES_SIV_CMAC_256)) {
            continue;
        }
        buf[0] = (uint8_t)first;
        expect_refused(b, cookie, fits ? NTS_EAUTH : NTS_EFORMAT);
    }
}

Test(cookie, of_an_expired_key_or_of_another_fleet)
{
    struct bench *b = bench();
    static struct bench later;
    static struct bench stranger;
    struct keydoc doc = sample_doc();
    struct session_keys keys = sample_session(aead_find(AEAD_AES_SIV_CMAC_256), 1);
    uint8_t buf[ROOM];
    struct span cookie = seal(b, &keys, buf);
    bench_init(&later, &doc, SAMPLE_BEGIN + 40 * SAMPLE_ROTATE_S);
    expect_refused(&later, cookie, NTS_ENOTFOUND);

    doc.epoch[0].chain[0] ^= 1; /* another secret under the same id */
    bench_init(&stranger, &doc, SAMPLE_BEGIN + 30 * SAMPLE_ROTATE_S);
    expect_refused(&stranger, cookie, NTS_EAUTH);
    doc.epoch[0].id = 9;
    bench_init(&stranger, &doc, SAMPLE_BEGIN + 30 * SAMPLE_ROTATE_S);
    expect_refused(&stranger, cookie, NTS_ENOTFOUND);
}

/* Lesson: two bugs elsewhere took a forged tag. Nothing sealed by nobody opens. */
Test(cookie, a_made_up_tag_is_refused)
{
    struct bench *b = bench();
    struct session_keys keys = sample_session(aead_find(AEAD_AES_SIV_CMAC_256), 1);
    uint8_t buf[ROOM];
    struct span cookie = seal(b, &keys, buf);
    for (unsigned fill = 0; fill <= UINT8_MAX; fill++) {
        memset(buf + COOKIE_HEAD_LEN, (int)fill, cookie.n - COOKIE_HEAD_LEN);
        expect_refused(b, cookie, NTS_EAUTH);
    }
}

static int compare_nonces(const void *a, const void *b)
{
    return memcmp(a, b, COOKIE_NONCE_LEN);
}

Test(cookie, no_nonce_comes_twice)
{
    struct bench *b = bench();
    struct session_keys keys = sample_session(aead_find(AEAD_AES_SIV_CMAC_256), 1);
    uint8_t(*nonces)[COOKIE_NONCE_LEN] = calloc(NONCE_COUNT, COOKIE_NONCE_LEN);
    struct rng *rng = rng_new();
    cr_assert(nonces != NULL && rng != NULL);
    for (size_t i = 0; i < NONCE_COUNT; i++) {
        uint8_t buf[ROOM];
        struct wr out = wr_init(buf, sizeof(buf));
        cr_assert_eq(cookie_seal(&b->cr, rng, &keys, &out), NTS_OK);
        memcpy(nonces[i], buf + COOKIE_HEAD_LEN, COOKIE_NONCE_LEN);
    }
    qsort(nonces, NONCE_COUNT, COOKIE_NONCE_LEN, compare_nonces);
    for (size_t i = 1; i < NONCE_COUNT; i++) {
        cr_assert_neq(memcmp(nonces[i - 1], nonces[i], COOKIE_NONCE_LEN), 0);
    }
    rng_free(rng);
    free(nonces);
}

static int fill_fails(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    memset(out, 0, n);
    return -1;
}

Test(cookie, sealing_tells_what_it_lacks)
{
    struct bench *b = bench();
    struct session_keys keys = sample_session(aead_find(AEAD_AES_SIV_CMAC_256), 1);
    uint8_t buf[ROOM];
    for (size_t cap = 0; cap < cookie_len(keys.alg); cap++) {
        struct wr out = wr_init(buf, cap);
        cr_assert_eq(cookie_seal(&b->cr, &b->rng, &keys, &out), NTS_ESPACE);
        cr_assert(out.bad);
    }
    struct wr bad = {.start = buf, .cap = sizeof(buf), .bad = true};
    cr_expect_eq(cookie_seal(&b->cr, &b->rng, &keys, &bad), NTS_ESPACE);

    struct wr out = wr_init(buf, sizeof(buf));
    struct rng broken;
    rng_init_from(&broken, fill_fails, NULL);
    cr_expect_eq(cookie_seal(&b->cr, &broken, &keys, &out), NTS_ESYSTEM);
    cr_expect(out.bad && wr_done(&out).n == 0);

    out = wr_init(buf, sizeof(buf));
    cookie_ring_wipe(&b->cr);
    cr_expect_eq(cookie_seal(&b->cr, &b->rng, &keys, &out), NTS_ENOTFOUND);
    cr_expect(out.bad);
}

Test(cookie, appends_behind_what_is_there)
{
    struct bench *b = bench();
    struct session_keys keys = sample_session(aead_find(AEAD_AES_SIV_CMAC_512), 1);
    struct session_keys opened;
    size_t slot;
    uint8_t buf[ROOM];
    struct wr out = wr_init(buf, sizeof(buf));
    wr_u32(&out, 0x01020304);
    cr_assert_eq(cookie_seal(&b->cr, &b->rng, &keys, &out), NTS_OK);
    cr_assert_eq(out.n, 4 + cookie_len(keys.alg));
    cr_expect(span_is(span_of(buf, 4), "\1\2\3\4", 4));
    cr_expect_eq(cookie_unseal(&b->cr, span_of(buf + 4, out.n - 4), &opened, &slot), NTS_OK);
}

Test(cookie, a_ring_that_cannot_be_is_refused_and_the_old_one_kept)
{
    struct bench *b = bench();
    size_t count = b->cr.count;
    b->ring.issuing = b->ring.count;
    cr_expect_eq(cookie_ring_prepare(&b->cr, &b->ring), NTS_EFORMAT);
    b->ring.count = KEYRING_MAX + 1;
    b->ring.issuing = 0;
    cr_expect_eq(cookie_ring_prepare(&b->cr, &b->ring), NTS_EFORMAT);
    cr_expect_eq(b->cr.count, count);
    b->ring.count = 0;
    cr_expect_eq(cookie_ring_prepare(&b->cr, &b->ring), NTS_OK);
    cr_expect_eq(b->cr.count, 0);
}

Test(cookie, the_board_brings_new_rings)
{
    struct bench *b = bench();
    static alignas(8) uint8_t memory[sizeof(struct board) + 2 * sizeof(struct keyring)];
    struct board *board = (struct board *)memory;
    cr_assert_leq(board_footprint(sizeof(struct keyring)), sizeof(memory));
    cookie_ring_wipe(&b->cr);
    cr_assert_eq(cookie_ring_refresh(&b->cr, board), NTS_OK);
    cr_expect(b->cr.generation == 0 && b->cr.count == 0);

    board_write(board, &b->ring, sizeof(b->ring));
    cr_assert_eq(cookie_ring_refresh(&b->cr, board), NTS_OK);
    cr_expect(b->cr.generation == 1 && b->cr.count == b->ring.count);

    struct session_keys keys = sample_session(aead_find(AEAD_AES_SIV_CMAC_256), 1);
    uint8_t buf[ROOM];
    struct span cookie = seal(b, &keys, buf);
    struct keydoc doc = sample_doc();
    keyring_derive(&doc, SAMPLE_BEGIN + 50 * SAMPLE_ROTATE_S, 0, &b->ring);
    board_write(board, &b->ring, sizeof(b->ring));
    cr_assert_eq(cookie_ring_refresh(&b->cr, board), NTS_OK);
    cr_expect(b->cr.generation == 2 && b->cr.count == 2);
    expect_refused(b, cookie, NTS_ENOTFOUND);

    b->ring.count = UINT32_MAX;
    board_write(board, &b->ring, sizeof(b->ring));
    cr_assert_eq(cookie_ring_refresh(&b->cr, board), NTS_EFORMAT);
    cr_expect(b->cr.generation == 2 && b->cr.count == 2);
}
