/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An epoch's place in time. See keyepoch.h.
 */
#include "common/keys/keyepoch.h"

#include "common/base/secret.h"
#include "common/crypto/kdf.h"

#include <assert.h>

static_assert(sizeof(((struct keydoc_epoch *)0)->chain) == KDF_HASH_LEN,
              "one HKDF block makes a chain value");

int64_t keyepoch_sat_add(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        return a < 0 ? INT64_MIN : INT64_MAX;
    }
    return sum;
}

int64_t keyepoch_sat_sub(int64_t a, int64_t b)
{
    int64_t diff;
    if (__builtin_sub_overflow(a, b, &diff)) {
        return a < 0 ? INT64_MIN : INT64_MAX;
    }
    return diff;
}

int64_t keyepoch_moment(int64_t now_s)
{
    return now_s == INT64_MAX ? INT64_MAX - 1 : now_s;
}

int64_t keyepoch_lifetime(int64_t lifetime_s)
{
    return lifetime_s < 0 ? 0 : lifetime_s;
}

size_t keyepoch_from(const struct keydoc *doc, size_t e)
{
    while (e < doc->count && doc->epoch[e].revoked) {
        e++;
    }
    return e;
}

int64_t keyepoch_end(const struct keydoc *doc, size_t e)
{
    size_t next = keyepoch_from(doc, e + 1);
    return next < doc->count ? doc->epoch[next].not_before : INT64_MAX;
}

uint32_t keyepoch_period_at(const struct keydoc_epoch *epoch, int64_t at)
{
    int64_t since = keyepoch_sat_sub(at, epoch->not_before);
    int64_t period = since < 0 ? 0 : since / epoch->rotate_s;
    return period > KEYDOC_INDEX_MAX ? KEYDOC_INDEX_MAX : (uint32_t)period;
}

uint32_t keyepoch_last_period(const struct keydoc *doc, size_t e)
{
    return keyepoch_period_at(&doc->epoch[e], keyepoch_sat_sub(keyepoch_end(doc, e), 1));
}

bool keyepoch_has_keys(const struct keydoc *doc, size_t e)
{
    return doc->epoch[e].index <= keyepoch_last_period(doc, e);
}

bool keyepoch_is_past(const struct keydoc *doc, size_t e, int64_t now_s, int64_t lifetime_s)
{
    return keyepoch_sat_add(keyepoch_end(doc, e), lifetime_s) <= now_s;
}

bool keyepoch_is_over(const struct keydoc *doc, size_t e, int64_t now_s, int64_t lifetime_s)
{
    return keyepoch_is_past(doc, e, now_s, lifetime_s) ||
           (!doc->epoch[e].revoked && !keyepoch_has_keys(doc, e));
}

/* Period i ends at not_before + (i + 1) rotate_s, which has to be later than now - lifetime. */
uint32_t keyepoch_first_alive(const struct keydoc_epoch *epoch, int64_t now_s, int64_t lifetime_s)
{
    uint32_t period = keyepoch_period_at(epoch, keyepoch_sat_sub(now_s, lifetime_s));
    return period > epoch->index ? period : epoch->index;
}

void keyepoch_ratchet(uint8_t chain[static KEYDOC_CHAIN_LEN])
{
    static const char label[] = "ntsd ratchet";
    uint8_t next[KEYDOC_CHAIN_LEN];
    hkdf_sha256(span_of(NULL, 0), span_of(chain, KEYDOC_CHAIN_LEN),
                span_of(label, sizeof(label) - 1), next, sizeof(next));
    memcpy(chain, next, sizeof(next));
    wipe(next, sizeof(next));
}

bool keyepoch_advance(struct keydoc_epoch *epoch, uint32_t to)
{
    bool moves = epoch->index < to;
    while (epoch->index < to) {
        keyepoch_ratchet(epoch->chain);
        epoch->index++;
    }
    return moves;
}
