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

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct keyring) % 8 == 0, "boards carry words of eight octets");
static_assert(sizeof(((struct keyring_key *)0)->bytes) == KDF_HASH_LEN &&
                  sizeof(((struct keydoc_epoch *)0)->chain) == KDF_HASH_LEN,
              "one HKDF block makes a key or a chain value");

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

static int64_t sat_add(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        return a < 0 ? INT64_MIN : INT64_MAX;
    }
    return sum;
}

static int64_t sat_sub(int64_t a, int64_t b)
{
    int64_t diff;
    if (__builtin_sub_overflow(a, b, &diff)) {
        return a < 0 ? INT64_MIN : INT64_MAX;
    }
    return diff;
}

/* INT64_MAX means never, so no moment may be it. */
static int64_t moment(int64_t now_s)
{
    return now_s == INT64_MAX ? INT64_MAX - 1 : now_s;
}

static int64_t not_negative(int64_t lifetime_s)
{
    return lifetime_s < 0 ? 0 : lifetime_s;
}

/* The moment the epoch stops issuing. */
static int64_t epoch_end(const struct keydoc *doc, size_t e)
{
    return e + 1 < doc->count ? doc->epoch[e + 1].not_before : INT64_MAX;
}

/* The period that holds `at`, by the epoch's own grid: from 0 to KEYDOC_INDEX_MAX. */
static uint32_t period_at(const struct keydoc_epoch *epoch, int64_t at)
{
    int64_t since = sat_sub(at, epoch->not_before);
    int64_t period = since < 0 ? 0 : since / epoch->rotate_s;
    return period > KEYDOC_INDEX_MAX ? KEYDOC_INDEX_MAX : (uint32_t)period;
}

static uint32_t last_period(const struct keydoc *doc, size_t e)
{
    return period_at(&doc->epoch[e], sat_sub(epoch_end(doc, e), 1));
}

/* False when the chain value held belongs to a time after the epoch's end. */
static bool epoch_has_keys(const struct keydoc *doc, size_t e)
{
    return doc->epoch[e].index <= last_period(doc, e);
}

static int64_t pos_from(const struct keydoc *doc, struct pos pos)
{
    const struct keydoc_epoch *epoch = &doc->epoch[pos.epoch];
    return sat_add(epoch->not_before, (int64_t)pos.period * epoch->rotate_s);
}

static int64_t pos_until(const struct keydoc *doc, struct pos pos)
{
    int64_t end = epoch_end(doc, pos.epoch);
    if (pos.period >= KEYDOC_INDEX_MAX) {
        return end;
    }
    int64_t until = sat_add(pos_from(doc, pos), doc->epoch[pos.epoch].rotate_s);
    return until < end ? until : end;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* The first key that has not stopped issuing. The last epoch never ends, so there is one. */
static struct pos pos_issuing(const struct keydoc *doc, int64_t now_s)
{
    size_t e = 0;
    while (e + 1 < doc->count && (!epoch_has_keys(doc, e) || epoch_end(doc, e) <= now_s)) {
        e++;
    }
    uint32_t period = period_at(&doc->epoch[e], now_s);
    return (struct pos){.epoch = e, .period = max_u32(period, doc->epoch[e].index)};
}

/* True when no key of the epoch is accepted any more, and never again will be. */
static bool epoch_is_over(const struct keydoc *doc, size_t e, int64_t now_s, int64_t lifetime_s)
{
    return !epoch_has_keys(doc, e) || sat_add(epoch_end(doc, e), lifetime_s) <= now_s;
}

/*
 * The first period of an epoch that is not over whose key has not expired. Period i ends at
 * not_before + (i + 1) rotate_s, which has to be later than now - lifetime.
 */
static uint32_t first_alive(const struct keydoc_epoch *epoch, int64_t now_s, int64_t lifetime_s)
{
    return max_u32(period_at(epoch, sat_sub(now_s, lifetime_s)), epoch->index);
}

static struct pos pos_oldest(const struct keydoc *doc, int64_t now_s, int64_t lifetime_s)
{
    size_t e = 0;
    while (e + 1 < doc->count && epoch_is_over(doc, e, now_s, lifetime_s)) {
        e++;
    }
    return (struct pos){.epoch = e, .period = first_alive(&doc->epoch[e], now_s, lifetime_s)};
}

static bool pos_next(const struct keydoc *doc, struct pos *pos)
{
    if (pos->period < last_period(doc, pos->epoch)) {
        pos->period++;
        return true;
    }
    for (size_t e = pos->epoch + 1; e < doc->count; e++) {
        if (epoch_has_keys(doc, e)) {
            *pos = (struct pos){.epoch = e, .period = doc->epoch[e].index};
            return true;
        }
    }
    return false;
}

static bool pos_is_same(struct pos a, struct pos b)
{
    return a.epoch == b.epoch && a.period == b.period;
}

/* False for a key whose period the end of its epoch cuts short. */
static bool pos_is_whole(const struct keydoc *doc, struct pos pos)
{
    int64_t length = sat_sub(pos_until(doc, pos), pos_from(doc, pos));
    return length >= doc->epoch[pos.epoch].rotate_s;
}

static void hkdf_label(const uint8_t secret[static KDF_HASH_LEN], const char *label, uint8_t *out,
                       size_t out_len)
{
    hkdf_sha256(span_of(NULL, 0), span_of(secret, KDF_HASH_LEN), span_of(label, strlen(label)), out,
                out_len);
}

static void ratchet(uint8_t chain[static KEYDOC_CHAIN_LEN])
{
    uint8_t next[KEYDOC_CHAIN_LEN];
    hkdf_label(chain, "ntsd ratchet", next, sizeof(next));
    memcpy(chain, next, sizeof(next));
    wipe(next, sizeof(next));
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
        ratchet(walker->chain);
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
    int64_t now = moment(now_s);
    struct member member = {.at = pos_oldest(doc, now, not_negative(lifetime_s)),
                            .issuing = pos_issuing(doc, now)};
    keyring_wipe(ring);
    ring->made_at = now_s;
    ring->left_out = member_skip(doc, &member);
    ring_fill(ring, doc, member);
}

struct keyring_place keyring_place_at(const struct keydoc *doc, int64_t now_s)
{
    struct pos pos = pos_issuing(doc, moment(now_s));
    return (struct keyring_place){.epoch = pos.epoch, .issues_from = pos_from(doc, pos)};
}

int64_t keyring_next_change(const struct keydoc *doc, int64_t now_s, int64_t lifetime_s)
{
    int64_t now = moment(now_s);
    int64_t lifetime = not_negative(lifetime_s);
    int64_t rotates = pos_until(doc, pos_issuing(doc, now));
    int64_t expires = sat_add(pos_until(doc, pos_oldest(doc, now, lifetime)), lifetime);
    return rotates < expires ? rotates : expires;
}

static void drop_oldest_epoch(struct keydoc *doc)
{
    doc->count--;
    memmove(&doc->epoch[0], &doc->epoch[1], doc->count * sizeof(doc->epoch[0]));
    wipe(&doc->epoch[doc->count], sizeof(doc->epoch[0]));
}

static bool epoch_advance(struct keydoc_epoch *epoch, uint32_t to)
{
    bool moves = epoch->index < to;
    while (epoch->index < to) {
        ratchet(epoch->chain);
        epoch->index++;
    }
    return moves;
}

bool keydoc_advance(struct keydoc *doc, int64_t now_s, int64_t lifetime_s)
{
    int64_t now = moment(now_s);
    int64_t lifetime = not_negative(lifetime_s);
    bool changed = false;
    /* Only from the front: an epoch in the middle also says when the one before it ends. */
    while (doc->count > 1 && epoch_is_over(doc, 0, now, lifetime)) {
        drop_oldest_epoch(doc);
        changed = true;
    }
    for (size_t e = 0; e < doc->count; e++) {
        if (!epoch_is_over(doc, e, now, lifetime)) {
            changed |= epoch_advance(&doc->epoch[e], first_alive(&doc->epoch[e], now, lifetime));
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
