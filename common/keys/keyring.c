/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key ring as a function of (document, now). See keyring.h for the rules.
 *
 * All keys of a document form one sequence, ordered by the time they issue, and a `pos` is a place
 * in it. The issuing key is the first that has not stopped issuing, the oldest member the first
 * that has not expired. Everything else here is arithmetic that finds those two without walking,
 * saturating because `now` may be any number a broken clock comes up with.
 */
#include "common/keys/keyring.h"

#include "common/base/secret.h"
#include "common/crypto/kdf.h"
#include "common/keys/keyepoch.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct keyring) % 8 == 0, "boards carry words of eight octets");
static_assert(sizeof(((struct keyring_key *)0)->bytes) == KDF_HASH_LEN,
              "one HKDF block makes a key");

struct pos {
    size_t epoch;
    uint32_t period;
};

/* On its way through the members of a ring. */
struct member {
    struct pos at;
    struct pos issuing;
    bool is_ahead; /* behind the issuing key */
};

/* A chain value on its way along the sequence. */
struct walker {
    struct pos at;
    bool started;
    uint8_t chain[KEYDOC_CHAIN_LEN];
};

static int64_t pos_from(const struct keydoc *doc, struct pos pos)
{
    const struct keydoc_epoch *epoch = &doc->epoch[pos.epoch];
    return keyepoch_sat_add(epoch->not_before, (int64_t)pos.period * epoch->rotate_s);
}

static int64_t pos_until(const struct keydoc *doc, struct pos pos)
{
    int64_t end = keyepoch_end(doc, pos.epoch);
    if (pos.period >= KEYDOC_INDEX_MAX) {
        return end;
    }
    int64_t until = keyepoch_sat_add(pos_from(doc, pos), doc->epoch[pos.epoch].rotate_s);
    return until < end ? until : end;
}

/* The first key that has not stopped issuing. The last epoch never ends, so there is one. */
static struct pos pos_issuing(const struct keydoc *doc, int64_t now_s)
{
    size_t e = keyepoch_from(doc, 0);
    for (size_t next; (next = keyepoch_from(doc, e + 1)) < doc->count; e = next) {
        if (keyepoch_has_keys(doc, e) && keyepoch_end(doc, e) > now_s) {
            break;
        }
    }
    return (struct pos){.epoch = e, .period = keyepoch_first_alive(&doc->epoch[e], now_s, 0)};
}

static struct pos pos_oldest(const struct keydoc *doc, int64_t now_s, int64_t lifetime_s)
{
    size_t e = keyepoch_from(doc, 0);
    for (size_t next; (next = keyepoch_from(doc, e + 1)) < doc->count; e = next) {
        if (!keyepoch_is_over(doc, e, now_s, lifetime_s)) {
            break;
        }
    }
    return (struct pos){.epoch = e,
                        .period = keyepoch_first_alive(&doc->epoch[e], now_s, lifetime_s)};
}

static bool pos_next(const struct keydoc *doc, struct pos *pos)
{
    if (pos->period < keyepoch_last_period(doc, pos->epoch)) {
        pos->period++;
        return true;
    }
    size_t e = keyepoch_from(doc, pos->epoch + 1);
    while (e < doc->count && !keyepoch_has_keys(doc, e)) {
        e = keyepoch_from(doc, e + 1);
    }
    if (e < doc->count) {
        *pos = (struct pos){.epoch = e, .period = doc->epoch[e].index};
    }
    return e < doc->count;
}

static bool pos_is_same(struct pos a, struct pos b)
{
    return a.epoch == b.epoch && a.period == b.period;
}

/* False for a key whose period the end of its epoch cuts short. */
static bool pos_is_whole(const struct keydoc *doc, struct pos pos)
{
    int64_t length = keyepoch_sat_sub(pos_until(doc, pos), pos_from(doc, pos));
    return length >= doc->epoch[pos.epoch].rotate_s;
}

static void hkdf_label(const uint8_t secret[static KDF_HASH_LEN], const char *label, uint8_t *out,
                       size_t out_len)
{
    hkdf_sha256(span_of(NULL, 0), span_of(secret, KDF_HASH_LEN), span_of(label, strlen(label)), out,
                out_len);
}

/* Brings the walker's chain value to `to`, which is its place already or a later one. */
static void walk(struct walker *walker, const struct keydoc *doc, struct pos to)
{
    if (!walker->started || walker->at.epoch != to.epoch) {
        const struct keydoc_epoch *epoch = &doc->epoch[to.epoch];
        walker->started = true;
        walker->at = (struct pos){.epoch = to.epoch, .period = epoch->index};
        memcpy(walker->chain, epoch->chain, sizeof(walker->chain));
    }
    while (walker->at.period < to.period) {
        keyepoch_ratchet(walker->chain);
        walker->at.period++;
    }
}

static void ring_add(struct keyring *ring, const struct keydoc *doc, const struct walker *walker)
{
    struct keyring_key *key = &ring->key[ring->count++];
    key->id = (uint32_t)doc->epoch[walker->at.epoch].id << 16 | walker->at.period;
    key->issues_from = pos_from(doc, walker->at);
    key->issues_until = pos_until(doc, walker->at);
    hkdf_label(walker->chain, "ntsd cookie", key->bytes, sizeof(key->bytes));
}

/* On to the issuing key, and from there to the first whole one after it. */
static bool member_next(const struct keydoc *doc, struct member *member)
{
    if (member->is_ahead && pos_is_whole(doc, member->at)) {
        return false;
    }
    member->is_ahead = member->is_ahead || pos_is_same(member->at, member->issuing);
    return pos_next(doc, &member->at);
}

/* Leaves out the oldest ones for which there is no room. The issuing key is never among them: each
 * key between it and the last one is the short end of another epoch. */
static uint64_t member_skip(const struct keydoc *doc, struct member *member)
{
    static_assert(KEYDOC_EPOCHS_MAX + 2 <= KEYRING_MAX, "room from the issuing key to the last");
    uint64_t count = 1;
    for (struct member m = *member; member_next(doc, &m);) {
        count++;
    }
    uint64_t left_out = count > KEYRING_MAX ? count - KEYRING_MAX : 0;
    for (uint64_t i = 0; i < left_out; i++) {
        (void)member_next(doc, member);
    }
    return left_out;
}

static void ring_fill(struct keyring *ring, const struct keydoc *doc, struct member member)
{
    struct walker walker = {.started = false};
    do {
        if (pos_is_same(member.at, member.issuing)) {
            ring->issuing = ring->count;
        }
        walk(&walker, doc, member.at);
        ring_add(ring, doc, &walker);
    } while (member_next(doc, &member));
    wipe(&walker, sizeof(walker));
}

bool keyring_fits(uint32_t rotate_s, int64_t lifetime_s)
{
    /* Whole periods: those that ended within the lifetime, the issuing and the next one. Beside
     * them each end of an epoch may leave one that is cut short. */
    const int64_t others = 2 + (KEYDOC_EPOCHS_MAX - 1);
    int64_t past_max = (KEYRING_MAX - others) * (int64_t)rotate_s;
    return lifetime_s <= past_max;
}

void keyring_derive(const struct keydoc *doc, int64_t now_s, int64_t lifetime_s,
                    struct keyring *ring)
{
    int64_t now = keyepoch_moment(now_s);
    struct member member = {.at = pos_oldest(doc, now, keyepoch_lifetime(lifetime_s)),
                            .issuing = pos_issuing(doc, now)};
    keyring_wipe(ring);
    ring->made_at = now_s;
    ring->left_out = member_skip(doc, &member);
    ring_fill(ring, doc, member);
}

struct keyring_place keyring_place_at(const struct keydoc *doc, int64_t now_s)
{
    struct pos pos = pos_issuing(doc, keyepoch_moment(now_s));
    return (struct keyring_place){.epoch = pos.epoch, .issues_from = pos_from(doc, pos)};
}

int64_t keyring_next_change(const struct keydoc *doc, int64_t now_s, int64_t lifetime_s)
{
    int64_t now = keyepoch_moment(now_s);
    int64_t lifetime = keyepoch_lifetime(lifetime_s);
    int64_t rotates = pos_until(doc, pos_issuing(doc, now));
    int64_t expires = keyepoch_sat_add(pos_until(doc, pos_oldest(doc, now, lifetime)), lifetime);
    return rotates < expires ? rotates : expires;
}

static void drop_oldest_epoch(struct keydoc *doc)
{
    doc->count--;
    memmove(&doc->epoch[0], &doc->epoch[1], doc->count * sizeof(doc->epoch[0]));
    wipe(&doc->epoch[doc->count], sizeof(doc->epoch[0]));
}

bool keydoc_advance(struct keydoc *doc, int64_t now_s, int64_t lifetime_s)
{
    int64_t now = keyepoch_moment(now_s);
    int64_t lifetime = keyepoch_lifetime(lifetime_s);
    bool changed = false;
    /* Only from the front: an epoch in the middle also says when the one before it ends. One that
     * is not revoked stays, because the last of those is never over. */
    while (doc->count > 1 && keyepoch_is_over(doc, 0, now, lifetime)) {
        drop_oldest_epoch(doc);
        changed = true;
    }
    for (size_t e = 0; e < doc->count; e++) {
        if (!keyepoch_is_over(doc, e, now, lifetime)) {
            uint32_t first = keyepoch_first_alive(&doc->epoch[e], now, lifetime);
            changed |= keyepoch_advance(&doc->epoch[e], first);
        }
    }
    return changed;
}

void keyring_fingerprint(const struct keyring_key *key, uint8_t out[static KEYRING_FINGERPRINT_LEN])
{
    hkdf_label(key->bytes, "ntsd fingerprint", out, KEYRING_FINGERPRINT_LEN);
}

void keyring_wipe(struct keyring *ring)
{
    wipe(ring, sizeof(*ring));
}
