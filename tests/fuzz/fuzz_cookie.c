/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: cookies. The first octet chooses what the rest is:
 *
 *   even  a cookie as a stranger would send it. If it opens, sealing the keys again with its nonce
 *         under the key it names gives the same octets: nothing opens but an exact seal.
 *   odd   a valid cookie (algorithm, key and length from the next octets) and a list of edits to
 *         it. Edited into something else it does not open; unharmed it opens to its keys.
 */
#include "common/keys/cookie.h"

#include <stdlib.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum { ROOM = 512 };

/* The nonce a test wants, from a source of randomness. */
static int fill_with_nonce(void *ctx, uint8_t *out, size_t n)
{
    const uint8_t *nonce = ctx;
    for (size_t i = 0; i < n; i++) {
        out[i] = nonce[i % COOKIE_NONCE_LEN];
    }
    return 0;
}

/* One ring for all runs; written by the first. */
static struct cookie_ring *ring(void)
{
    static struct cookie_ring cr;
    if (cr.count > 0) {
        return &cr;
    }
    struct keydoc doc = {.count = 2};
    doc.epoch[0] = (struct keydoc_epoch){.id = 1, .not_before = 0, .rotate_s = 100};
    doc.epoch[1] = (struct keydoc_epoch){.id = 2, .not_before = 450, .rotate_s = 100};
    memset(doc.epoch[1].chain, 2, KEYDOC_CHAIN_LEN);
    struct keyring made;
    keyring_derive(&doc, 500, 300, &made);
    CHECK(cookie_ring_prepare(&cr, &made) == NTS_OK);
    CHECK(cr.count > 3);
    return &cr;
}

static struct span seal(struct cookie_ring *cr, const struct session_keys *keys, size_t slot,
                        uint8_t nonce[static COOKIE_NONCE_LEN], uint8_t buf[static ROOM])
{
    static struct rng rng;
    struct wr out = wr_init(buf, ROOM);
    size_t issuing = cr->issuing;
    rng_init_from(&rng, fill_with_nonce, nonce);
    cr->issuing = slot;
    CHECK(cookie_seal(cr, &rng, keys, &out) == NTS_OK);
    cr->issuing = issuing;
    CHECK(out.n == cookie_len(keys->alg));
    return wr_done(&out);
}

static void unseal_stranger(struct cookie_ring *cr, struct span cookie)
{
    struct session_keys keys;
    size_t slot;
    if (cookie_unseal(cr, cookie, &keys, &slot) != NTS_OK) {
        CHECK(keys.alg == NULL && keys.c2s.len == 0 && keys.s2c.len == 0);
        return;
    }
    uint8_t nonce[COOKIE_NONCE_LEN];
    uint8_t again[ROOM];
    CHECK(slot < cr->count && cookie.n == cookie_len(keys.alg));
    memcpy(nonce, cookie.p + COOKIE_HEAD_LEN, sizeof(nonce));
    struct span sealed = seal(cr, &keys, slot, nonce, again);
    CHECK(span_is(cookie, sealed.p, sealed.n));
}

static struct session_keys keys_of(uint8_t choice, uint8_t fill)
{
    size_t count;
    const struct aead *const *all = aead_all(&count);
    struct session_keys keys = {.alg = all[choice % count]};
    keys.c2s.len = keys.alg->key_len;
    keys.s2c.len = keys.alg->key_len;
    memset(keys.c2s.bytes, fill, keys.c2s.len);
    memset(keys.s2c.bytes, fill ^ 0xff, keys.s2c.len);
    return keys;
}

/* | algorithm | key | length, 0: as it is | fill | then edits: | place | octet to xor | ... */
static void unseal_edited(struct cookie_ring *cr, struct rd in)
{
    uint8_t original[ROOM] = {0};
    uint8_t edited[ROOM];
    uint8_t algorithm = rd_u8(&in);
    size_t want_slot = rd_u8(&in) % cr->count;
    size_t len = rd_u8(&in);
    struct session_keys want = keys_of(algorithm, rd_u8(&in));
    uint8_t nonce[COOKIE_NONCE_LEN] = {1};
    struct span cookie = seal(cr, &want, want_slot, nonce, original);
    memcpy(edited, original, sizeof(edited));
    while (in.left >= 2) {
        size_t place = rd_u8(&in);
        edited[place] ^= rd_u8(&in);
    }
    len = len == 0 ? cookie.n : len;
    struct session_keys got;
    size_t slot;
    bool opens = cookie_unseal(cr, span_of(edited, len), &got, &slot) == NTS_OK;
    CHECK(opens == span_is(cookie, edited, len));
    CHECK(!opens || (slot == want_slot && got.alg == want.alg &&
                     memcmp(&got.c2s, &want.c2s, sizeof(got.c2s)) == 0 &&
                     memcmp(&got.s2c, &want.s2c, sizeof(got.s2c)) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd in = rd_init(span_of(data, size));
    bool edits = (rd_u8(&in) & 1) != 0;
    if (in.bad) {
        return 0;
    }
    if (edits) {
        unseal_edited(ring(), in);
    } else {
        unseal_stranger(ring(), rd_rest(&in));
    }
    return 0;
}
