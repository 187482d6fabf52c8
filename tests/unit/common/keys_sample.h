/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents, random bytes and session keys that are the same in every run. Test code.
 */
#ifndef NTSD_TESTS_UNIT_COMMON_KEYS_SAMPLE_H
#define NTSD_TESTS_UNIT_COMMON_KEYS_SAMPLE_H

#include "common/crypto/rng.h"
#include "common/keys/keyring.h"
#include "common/keys/session.h"

#include <criterion/criterion.h>

enum { SAMPLE_ROTATE_S = 86400, SAMPLE_LIFETIME_S = 691200 };
#define SAMPLE_BEGIN INT64_C(1767225600) /* 2026-01-01T00:00:00Z */

/* A counter stretched by a multiplicative hash: no two calls alike, every run the same. */
static inline uint64_t sample_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* A source of bytes for rng_init_from(); `ctx` is a uint64_t. */
static inline int sample_fill(void *ctx, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t)sample_random(ctx);
    }
    return 0;
}

static inline struct keydoc_epoch sample_epoch(uint8_t id, int64_t not_before, uint32_t rotate_s)
{
    struct keydoc_epoch epoch = {.id = id, .not_before = not_before, .rotate_s = rotate_s};
    uint64_t state = id;
    (void)sample_fill(&state, epoch.chain, sizeof(epoch.chain));
    return epoch;
}

static inline struct keydoc sample_doc(void)
{
    struct keydoc doc = {.count = 1};
    doc.epoch[0] = sample_epoch(1, SAMPLE_BEGIN, SAMPLE_ROTATE_S);
    return doc;
}

/* Three epochs: the second cuts the first one's sixth period short, the third rotates faster. */
static inline struct keydoc sample_doc_of_three(void)
{
    struct keydoc doc = {.count = 3};
    doc.epoch[0] = sample_epoch(1, SAMPLE_BEGIN, SAMPLE_ROTATE_S);
    doc.epoch[1] = sample_epoch(2, SAMPLE_BEGIN + 5 * SAMPLE_ROTATE_S + 7, SAMPLE_ROTATE_S);
    doc.epoch[2] = sample_epoch(7, SAMPLE_BEGIN + 12 * SAMPLE_ROTATE_S, SAMPLE_ROTATE_S / 2);
    return doc;
}

static inline bool sample_docs_are_same(const struct keydoc *a, const struct keydoc *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        const struct keydoc_epoch *x = &a->epoch[i];
        const struct keydoc_epoch *y = &b->epoch[i];
        same = x->id == y->id && x->not_before == y->not_before && x->rotate_s == y->rotate_s &&
               x->index == y->index && x->revoked == y->revoked &&
               memcmp(x->chain, y->chain, sizeof(x->chain)) == 0;
    }
    return same;
}

/* What the ring sees of a document. */
static inline struct keydoc sample_without_revoked(const struct keydoc *doc)
{
    struct keydoc valid = {.count = 0};
    for (size_t i = 0; i < doc->count; i++) {
        if (!doc->epoch[i].revoked) {
            valid.epoch[valid.count++] = doc->epoch[i];
        }
    }
    return valid;
}

/* Same members, same issuing key: all but the moment it was made at. */
static inline bool sample_rings_are_same(const struct keyring *a, const struct keyring *b)
{
    return a->count == b->count && a->issuing == b->issuing &&
           memcmp(a->key, b->key, sizeof(a->key)) == 0;
}

static inline struct session_keys sample_session(const struct aead *alg, uint64_t seed)
{
    struct session_keys keys = {.alg = alg};
    uint64_t state = seed;
    keys.c2s.len = alg->key_len;
    keys.s2c.len = alg->key_len;
    (void)sample_fill(&state, keys.c2s.bytes, alg->key_len);
    (void)sample_fill(&state, keys.s2c.bytes, alg->key_len);
    return keys;
}

#endif
