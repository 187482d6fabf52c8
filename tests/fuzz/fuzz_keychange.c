/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target: the rule of succession. The input makes a document and alters copies of it into the
 * one held and the one offered. Whatever they are, the verdict keeps its word: a document that may
 * follow computes every key that is accepted or has yet to issue, unless it was withdrawn, and
 * gives back nothing that was withdrawn; SAME makes the same ring.
 */
#include "common/keys/keychange.h"
#include "common/keys/keyepoch.h"
#include "common/keys/keyring.h"

#include <stdlib.h>

#define BEGIN INT64_C(1767225600)

/* Long periods, few of them: a run has to stay short, and the ratchet takes a step a period. */
enum {
    EPOCHS_MAX = 6,
    INDEX_MAX = 32,
    ROTATE_MIN_S = 6 * 3600,
    DAY_S = 86400,
    NOW_MAX_MIN = 17280
};

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct terms {
    int64_t now_s;
    int64_t lifetime_s;
};

/* | index, highest bit: revoked | rotate, in minutes above the least (2) | minutes to the next (2)
 * | */
static struct keydoc read_doc(struct rd *in)
{
    struct keydoc doc = {.count = 1 + rd_u8(in) % EPOCHS_MAX};
    int64_t at = BEGIN;
    bool any_left = false;
    for (size_t e = 0; e < doc.count; e++) {
        struct keydoc_epoch *epoch = &doc.epoch[e];
        uint8_t index = rd_u8(in);
        epoch->id = (uint8_t)(e + 1);
        epoch->index = index % INDEX_MAX;
        epoch->revoked = (index & 0x80) != 0;
        epoch->rotate_s = ROTATE_MIN_S + 60U * rd_u16(in);
        epoch->not_before = at;
        memset(epoch->chain, (int)e, sizeof(epoch->chain));
        at += 1 + INT64_C(60) * rd_u16(in);
        any_left |= !epoch->revoked;
    }
    doc.epoch[0].revoked &= any_left;
    return doc;
}

static void take_out(struct keydoc *doc, size_t e)
{
    doc->count--;
    memmove(&doc->epoch[e], &doc->epoch[e + 1], (doc->count - e) * sizeof(doc->epoch[0]));
}

/* One alteration: | what | which | how much | */
static void alter(struct keydoc *doc, struct rd *in, const struct terms *terms)
{
    uint8_t what = rd_u8(in);
    size_t e = rd_u8(in) % doc->count;
    uint8_t much = rd_u8(in);
    struct keydoc_epoch *epoch = &doc->epoch[e];
    switch (what % 7) {
    case 0:
        if (doc->count > 1) {
            take_out(doc, e);
        }
        return;
    case 1:
        epoch->revoked = !epoch->revoked;
        return;
    case 2:
        (void)keydoc_advance(doc, terms->now_s + much * 600, terms->lifetime_s);
        return;
    case 3:
        (void)keyepoch_advance(epoch, epoch->index + much % 8);
        return;
    case 4:
        epoch->chain[much % KEYDOC_CHAIN_LEN] ^= 0x10;
        return;
    case 5:
        epoch->rotate_s += much;
        return;
    default:
        if (doc->count < EPOCHS_MAX) {
            int64_t after = doc->epoch[doc->count - 1].not_before + 1 + much * 900;
            doc->epoch[doc->count] = (struct keydoc_epoch){
                .id = keydoc_free_id(doc, (uint8_t)e), .not_before = after, .rotate_s = DAY_S};
            doc->count++;
        }
    }
}

/* In order as they were, so only a document of revoked epochs alone would not be read. */
static bool is_document(const struct keydoc *doc)
{
    return keyepoch_from(doc, 0) < doc->count;
}

static const struct keydoc_epoch *find(const struct keydoc *doc, uint32_t key_id)
{
    for (size_t e = 0; e < doc->count; e++) {
        if (doc->epoch[e].id == key_id >> 16) {
            return &doc->epoch[e];
        }
    }
    return NULL;
}

/* The key can be had from the epoch of its name, or that one is withdrawn. */
static bool knows(const struct keydoc *doc, const struct keyring_key *key)
{
    const struct keydoc_epoch *epoch = find(doc, key->id);
    if (epoch == NULL || epoch->revoked) {
        return epoch != NULL;
    }
    struct keydoc alone = {.count = 1, .epoch = {*epoch}};
    struct keyring ring;
    keyring_derive(&alone, key->issues_from, 0, &ring);
    return ring.key[ring.issuing].id == key->id &&
           memcmp(ring.key[ring.issuing].bytes, key->bytes, KEYRING_KEY_LEN) == 0;
}

static bool knows_all(const struct keydoc *doc, const struct keyring *ring)
{
    for (uint32_t i = 0; i < ring->count; i++) {
        if (!knows(doc, &ring->key[i])) {
            return false;
        }
    }
    return true;
}

/* What `held` opens now, and what each of its epochs to come begins with. */
static bool loses_nothing(const struct keydoc *held, const struct keydoc *offered,
                          const struct terms *terms)
{
    struct keyring ring;
    keyring_derive(held, terms->now_s, terms->lifetime_s, &ring);
    bool all = knows_all(offered, &ring);
    for (size_t e = 0; all && e < held->count; e++) {
        int64_t then = held->epoch[e].not_before;
        if (then > terms->now_s && !held->epoch[e].revoked) {
            keyring_derive(held, then, 0, &ring);
            all = knows_all(offered, &ring);
        }
    }
    return all;
}

/* Those that are past are not known to every host any more. */
static void check_withdrawals(const struct keydoc *held, const struct keydoc *offered,
                              const struct terms *terms)
{
    struct keyring ring;
    keyring_derive(offered, terms->now_s, terms->lifetime_s, &ring);
    for (size_t e = 0; e < held->count; e++) {
        bool past = keyepoch_is_past(held, e, terms->now_s, terms->lifetime_s);
        for (uint32_t i = 0; i < ring.count; i++) {
            bool its = ring.key[i].id >> 16 == held->epoch[e].id;
            CHECK(!its || !held->epoch[e].revoked || past);
        }
    }
}

static void check_same_ring(const struct keydoc *held, const struct keydoc *offered,
                            const struct terms *terms)
{
    for (int64_t days = 0; days < 9; days += 2) {
        struct keyring a;
        struct keyring b;
        keyring_derive(held, terms->now_s + days * DAY_S, terms->lifetime_s, &a);
        keyring_derive(offered, terms->now_s + days * DAY_S, terms->lifetime_s, &b);
        CHECK(memcmp(&a, &b, sizeof(a)) == 0);
    }
}

static enum keychange judge(const struct keydoc *held, const struct keydoc *offered,
                            const struct terms *terms)
{
    struct keydoc_fault fault;
    enum keychange change = keychange_judge(held, offered, terms->now_s, terms->lifetime_s, &fault);
    CHECK(change < KEYCHANGES && memchr(fault.text, '\0', sizeof(fault.text)) != NULL);
    CHECK((fault.text[0] == '\0') == (change <= KEYCHANGE_NEWER));
    CHECK(strlen(fault.text) + 1 < sizeof(fault.text)); /* nothing was cut off */
    return change;
}

static void check_verdict(const struct keydoc *held, const struct keydoc *offered,
                          const struct terms *terms)
{
    enum keychange change = judge(held, offered, terms);
    if (change <= KEYCHANGE_NEWER) {
        CHECK(loses_nothing(held, offered, terms));
        check_withdrawals(held, offered, terms);
    }
    if (change == KEYCHANGE_SAME) {
        check_same_ring(held, offered, terms);
    }
    if (change == KEYCHANGE_FORGOTTEN) {
        CHECK(!loses_nothing(held, offered, terms));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd in = rd_init(span_of(data, size));
    struct terms terms = {.now_s = BEGIN - DAY_S + INT64_C(60) * (rd_u16(&in) % NOW_MAX_MIN)};
    terms.lifetime_s = INT64_C(60) * (rd_u16(&in) % 8192);
    struct keydoc held = read_doc(&in);
    struct keydoc offered = held;
    while (in.left >= 4) {
        alter(rd_u8(&in) % 4 == 0 ? &held : &offered, &in, &terms);
    }
    if (is_document(&held) && is_document(&offered)) {
        CHECK(judge(&held, &held, &terms) == KEYCHANGE_SAME);
        check_verdict(&held, &offered, &terms);
    }
    return 0;
}
