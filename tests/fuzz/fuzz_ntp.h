/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets of the packet path share: a session, a ring and random bytes that are the
 * same in every run, and a wrapper that puts fuzzed octets into a packet that verifies. A fuzzer
 * that never gets past the authenticator tests nothing.
 *
 *   | how (1) | padding (1) | flip (2) | extra length (1) | plain length (1) | extra | plain | tail
 */
#ifndef NTSD_TESTS_FUZZ_FUZZ_NTP_H
#define NTSD_TESTS_FUZZ_FUZZ_NTP_H

#include "common/keys/cookie.h"
#include "ntp/ntp_auth.h"
#include "ntp/ntp_packet.h"

#include <stdlib.h>

enum { FUZZ_PACKET_MAX = 4096, FUZZ_UID = 0xa1 };

#define FUZZ_TRANSMIT UINT64_C(0x0123456789abcdef)

static inline void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static inline int fuzz_fill(void *ctx, uint8_t *out, size_t n)
{
    uint64_t *state = ctx;
    for (size_t i = 0; i < n; i++) {
        *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
        out[i] = (uint8_t)(*state >> 56);
    }
    return 0;
}

static inline struct session_keys fuzz_session(const struct aead *alg, uint64_t seed)
{
    struct session_keys keys = {.alg = alg};
    keys.c2s.len = alg->key_len;
    keys.s2c.len = alg->key_len;
    (void)fuzz_fill(&seed, keys.c2s.bytes, alg->key_len);
    (void)fuzz_fill(&seed, keys.s2c.bytes, alg->key_len);
    return keys;
}

static inline void fuzz_ring(struct cookie_ring *ring, uint64_t seed)
{
    struct keyring keyring = {.count = 3, .issuing = 1};
    for (uint32_t i = 0; i < keyring.count; i++) {
        keyring.key[i].id = 0x10000 + i;
        (void)fuzz_fill(&seed, keyring.key[i].bytes, KEYRING_KEY_LEN);
    }
    check(cookie_ring_prepare(ring, &keyring) == NTS_OK);
}

/* The parts of the picture above; spans borrow the input. */
struct fuzz_plan {
    uint8_t how;
    size_t padding;    /* additional, in the authenticator */
    uint16_t flip;     /* 0: nothing is damaged */
    struct span extra; /* raw octets before the authenticator */
    struct span plain; /* what the authenticator encrypts */
    struct span tail;  /* raw octets after it */
};

static inline struct fuzz_plan fuzz_plan_read(struct span input)
{
    struct rd r = rd_init(input);
    struct fuzz_plan plan = {.how = rd_u8(&r)};
    plan.padding = rd_u8(&r) % 32U * 4U;
    plan.flip = rd_u16(&r);
    size_t extra = rd_u8(&r);
    size_t plain = rd_u8(&r);
    plan.extra = rd_span(&r, extra < r.left ? extra : r.left);
    plan.plain = rd_span(&r, plain < r.left ? plain : r.left);
    plan.tail = rd_rest(&r);
    return plan;
}

/* The octet a flip hits: of what is authenticated, or of the tag. */
static inline size_t fuzz_flip_at(const struct fuzz_plan *plan, size_t ad_len, size_t tag_at)
{
    size_t at = plan->flip / 8U % (ad_len + AEAD_TAG_LEN);
    return at < ad_len ? at : tag_at + at - ad_len;
}

/* Appends extra, a valid authenticator over all of it and the tail; then flips one bit if the plan
 * says so. The ciphertext of an AEAD here begins or ends with its tag: all of it is authenticated.
 */
static inline void fuzz_seal(const struct fuzz_plan *plan, const struct aead *alg,
                             const struct secret_key *secret, struct wr *w)
{
    wr_bytes(w, plan->extra);
    size_t ad_len = w->n;
    const uint8_t nonce[AEAD_NONCE_LEN] = {9};
    struct aead_key key;
    check(aead_key_init(&key, alg, secret_key_span(secret)) == NTS_OK);
    check(ntp_auth_seal(&key, span_of(nonce, alg->nonce_len), plan->plain, w) == NTS_OK);
    wr_zero(w, plan->padding);
    struct wr len = wr_init(w->start + ad_len + 2, 2);
    wr_u16(&len, (uint16_t)(w->n - ad_len));
    wr_bytes(w, plan->tail);
    check(!w->bad);
    if (plan->flip != 0) {
        size_t tag_at = ad_len + 8 + ntp_ef_padded(alg->nonce_len);
        w->start[fuzz_flip_at(plan, ad_len, tag_at)] ^= (uint8_t)(1U << plan->flip % 8U);
    }
}

/* Written a second time on purpose: what RFC 8915 §5.5 allows inside a ciphertext. */
static inline bool fuzz_plain_is_sound(struct span plain)
{
    size_t at = 0;
    while (at < plain.n) {
        if (plain.n - at < 4) {
            return false;
        }
        size_t len = (size_t)plain.p[at + 2] << 8 | plain.p[at + 3];
        if (len < 4 || len % 4 != 0 || len > plain.n - at) {
            return false;
        }
        at += len;
    }
    return true;
}

#endif
