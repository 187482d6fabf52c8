/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring's rules, one by one, and at the ends of time. The simulated year is in
 * test_keyring_year.c.
 */
#include "common/keys/keyring.h"

#include "tests/unit/common/hex.h"
#include "tests/unit/common/keys_sample.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#define DAY INT64_C(86400)

static struct keyring derive(const struct keydoc *doc, int64_t now_s, int64_t lifetime_s)
{
    struct keyring ring;
    memset(&ring, 0xa5, sizeof(ring));
    keyring_derive(doc, now_s, lifetime_s, &ring);
    cr_assert(ring.left_out == 0 || ring.count == KEYRING_MAX);
    return ring;
}

/* What holds for every ring. */
static void expect_sound(const struct keyring *ring)
{
    cr_assert(ring->count >= 1 && ring->count <= KEYRING_MAX);
    cr_assert_lt(ring->issuing, ring->count);
    for (uint32_t i = 0; i < ring->count; i++) {
        const struct keyring_key *key = &ring->key[i];
        cr_assert_lt(key->id, 1U << 24);
        cr_assert_lt(key->issues_from, key->issues_until);
        for (uint32_t j = 0; j < i; j++) {
            cr_assert_neq(key->id, ring->key[j].id);
            cr_assert_leq(ring->key[j].issues_until, key->issues_from);
            cr_assert_neq(memcmp(key->bytes, ring->key[j].bytes, KEYRING_KEY_LEN), 0);
        }
    }
}

/* Computed by an unrelated implementation of HKDF from the document of the manual. */
Test(keyring, the_keys_are_the_ones_of_the_manual)
{
    struct keydoc doc = sample_doc();
    for (size_t i = 0; i < KEYDOC_CHAIN_LEN; i++) {
        doc.epoch[0].chain[i] = (uint8_t)i;
    }
    struct keyring ring = derive(&doc, SAMPLE_BEGIN, SAMPLE_LIFETIME_S);
    struct bytes first = unhex("a5d02e453c5c8d0af30f269ecc7e61b4861da1b596f4b92044b37c2a0b0efc3a");
    struct bytes next = unhex("5aa9ee6bc464101893a8efe1fdc4207aff4ba31e907a4612a77462c2712da492");
    struct bytes shown = unhex("eabc18c6cd03e275");
    uint8_t fingerprint[KEYRING_FINGERPRINT_LEN];
    cr_assert_eq(ring.count, 2);
    cr_expect_arr_eq(ring.key[0].bytes, first.p, first.n);
    cr_expect_arr_eq(ring.key[1].bytes, next.p, next.n);
    keyring_fingerprint(&ring.key[0], fingerprint);
    cr_expect_arr_eq(fingerprint, shown.p, shown.n);
}

Test(keyring, holds_the_issuing_the_next_and_the_accepted_ones)
{
    static const struct {
        int64_t now; /* since the epoch's begin */
        uint32_t first;
        uint32_t issuing;
        uint32_t last;
    } cases[] = {
        {0, 0, 0, 1},
        {DAY - 1, 0, 0, 1},
        {DAY, 0, 1, 2},
        {8 * DAY, 0, 8, 9},
        {9 * DAY - 1, 0, 8, 9},
        {9 * DAY, 1, 9, 10}, /* the first key's last day ended eight days ago */
        {10 * DAY - 1, 1, 9, 10},
        {365 * DAY, 357, 365, 366},
    };
    struct keydoc doc = sample_doc();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keyring ring = derive(&doc, SAMPLE_BEGIN + cases[i].now, SAMPLE_LIFETIME_S);
        expect_sound(&ring);
        cr_expect_eq(ring.key[0].id, 1U << 16 | cases[i].first, "case %zu", i);
        cr_expect_eq(ring.key[ring.issuing].id, 1U << 16 | cases[i].issuing, "case %zu", i);
        cr_expect_eq(ring.key[ring.count - 1].id, 1U << 16 | cases[i].last, "case %zu", i);
        cr_expect_eq(ring.made_at, SAMPLE_BEGIN + cases[i].now);
    }
}

struct members {
    int64_t now;
    const char *text; /* epoch.period, the issuing one with a star */
};

static void expect_members(const struct keydoc *doc, const struct members *want, int64_t lifetime_s)
{
    struct keyring ring = derive(doc, want->now, lifetime_s);
    char text[KEYRING_MAX * 12] = "";
    size_t n = 0;
    expect_sound(&ring);
    for (uint32_t i = 0; i < ring.count; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u.%u%s", i == 0 ? "" : " ",
                              ring.key[i].id >> 16, ring.key[i].id & 0xffff,
                              i == ring.issuing ? "*" : "");
    }
    cr_expect_str_eq(text, want->text, "now %" PRId64 ": %s", want->now, text);
}

Test(keyring, epochs_follow_each_other)
{
    /* Epoch 1: days 0..5 and seven seconds; epoch 2: from there; epoch 7: half days from day 12.
     * Cut short are 1.5 (seven seconds) and 2.6 (a day less seven seconds). */
    static const struct members cases[] = {
        {SAMPLE_BEGIN - 1, "1.0* 1.1"},
        {SAMPLE_BEGIN, "1.0* 1.1"},
        {SAMPLE_BEGIN + 4 * DAY - 1, "1.1 1.2 1.3* 1.4"},
        {SAMPLE_BEGIN + 4 * DAY, "1.2 1.3 1.4* 1.5 2.0"},
        {SAMPLE_BEGIN + 5 * DAY, "1.3 1.4 1.5* 2.0"},
        {SAMPLE_BEGIN + 5 * DAY + 6, "1.3 1.4 1.5* 2.0"},
        {SAMPLE_BEGIN + 5 * DAY + 7, "1.3 1.4 1.5 2.0* 2.1"},
        {SAMPLE_BEGIN + 6 * DAY, "1.4 1.5 2.0* 2.1"},
        {SAMPLE_BEGIN + 7 * DAY, "1.5 2.0 2.1* 2.2"},
        {SAMPLE_BEGIN + 7 * DAY + 6, "1.5 2.0 2.1* 2.2"},
        {SAMPLE_BEGIN + 7 * DAY + 7, "2.0 2.1 2.2* 2.3"},
        {SAMPLE_BEGIN + 11 * DAY, "2.3 2.4 2.5* 2.6 7.0"},
        {SAMPLE_BEGIN + 12 * DAY - 1, "2.4 2.5 2.6* 7.0"},
        {SAMPLE_BEGIN + 12 * DAY, "2.4 2.5 2.6 7.0* 7.1"},
        {SAMPLE_BEGIN + 13 * DAY + 7, "2.6 7.0 7.1 7.2* 7.3"},
    };
    struct keydoc doc = sample_doc_of_three();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_members(&doc, &cases[i], 2 * DAY);
    }
}

Test(keyring, a_late_index_or_a_late_clock_gets_the_oldest_key_there_is)
{
    struct keydoc doc = sample_doc_of_three();
    doc.epoch[0].index = 3;
    doc.epoch[1].index = 2;
    static const struct members cases[] = {
        {SAMPLE_BEGIN - 400 * DAY, "1.3* 1.4"},
        {SAMPLE_BEGIN + DAY, "1.3* 1.4"},
        {SAMPLE_BEGIN + 5 * DAY + 1, "1.3 1.4 1.5* 2.2"},
        {SAMPLE_BEGIN + 6 * DAY, "1.4 1.5 2.2* 2.3"},
        {SAMPLE_BEGIN + 8 * DAY, "2.2* 2.3"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_members(&doc, &cases[i], 2 * DAY);
    }
    doc.epoch[1].index = 50; /* later than its epoch's end: it has no key at all */
    expect_members(&doc, &(struct members){SAMPLE_BEGIN + 5 * DAY, "1.3 1.4 1.5* 7.0"}, 2 * DAY);
    expect_members(&doc, &(struct members){SAMPLE_BEGIN + 6 * DAY, "1.4 1.5 7.0* 7.1"}, 2 * DAY);
}

Test(keyring, no_lifetime_holds_no_past_keys)
{
    struct keydoc doc = sample_doc();
    int64_t lifetimes[] = {0, -1, INT64_MIN};
    for (size_t i = 0; i < 3; i++) {
        struct keyring ring = derive(&doc, SAMPLE_BEGIN + 30 * DAY, lifetimes[i]);
        expect_sound(&ring);
        cr_expect(ring.count == 2 && ring.issuing == 0);
        cr_expect_eq(keyring_next_change(&doc, SAMPLE_BEGIN + 30 * DAY, lifetimes[i]),
                     SAMPLE_BEGIN + 31 * DAY);
    }
}

Test(keyring, any_clock_gets_a_ring)
{
    static const int64_t clocks[] = {
        INT64_MIN,
        INT64_MIN + 1,
        -1,
        0,
        1,
        INT64_C(2085978496), /* era 1 of NTP, 2036 */
        2147483647,
        2147483648,
        INT64_C(4294967296),
        9223372036, /* 2262: nanoseconds end */
        253402300799,
        253402300800,
        INT64_MAX - 1,
        INT64_MAX,
    };
    static const int64_t lifetimes[] = {0, 1, 40 * 60, INT64_C(1) << 40, INT64_MAX - 1, INT64_MAX};
    struct keydoc docs[3] = {sample_doc(), sample_doc(), sample_doc()};
    docs[1].epoch[0] = sample_epoch(1, 0, KEYDOC_ROTATE_MAX_S);
    docs[2].epoch[0] = sample_epoch(255, KEYDOC_NOT_BEFORE_MAX, KEYDOC_ROTATE_MAX_S);
    for (size_t d = 0; d < 3; d++) {
        for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
            for (size_t j = 0; j < sizeof(lifetimes) / sizeof(lifetimes[0]); j++) {
                int64_t next = keyring_next_change(&docs[d], clocks[i], lifetimes[j]);
                struct keyring ring = derive(&docs[d], clocks[i], lifetimes[j]);
                cr_assert(next > clocks[i] || next == INT64_MAX);
                cr_assert(ring.left_out == 0 || lifetimes[j] > 40 * 60);
                expect_sound(&ring);
            }
        }
    }
}

/* An epoch of minutes that began in 1970 has used up its periods: the last one goes on. */
Test(keyring, the_last_period_goes_on_issuing)
{
    struct keydoc doc = sample_doc();
    doc.epoch[0] = sample_epoch(4, 0, KEYDOC_ROTATE_MIN_S);
    struct keyring ring = derive(&doc, SAMPLE_BEGIN, 600);
    expect_sound(&ring);
    cr_expect_eq(ring.count, 1);
    cr_expect_eq(ring.key[0].id, 4U << 16 | KEYDOC_INDEX_MAX);
    cr_expect_eq(ring.key[0].issues_until, INT64_MAX);
    cr_expect_eq(keyring_next_change(&doc, SAMPLE_BEGIN, 600), INT64_MAX);

    doc.epoch[1] = sample_epoch(5, SAMPLE_BEGIN + 60, KEYDOC_ROTATE_MIN_S);
    doc.count = 2;
    expect_members(&doc, &(struct members){SAMPLE_BEGIN, "4.65535* 5.0"}, 600);
    expect_members(&doc, &(struct members){SAMPLE_BEGIN + 60, "4.65535 5.0* 5.1"}, 600);
}

/* A document made with a shorter rotation than the configuration has now. */
Test(keyring, of_too_many_keys_the_oldest_are_left_out)
{
    static const struct {
        int64_t lifetime_s;
        uint32_t first;
        uint64_t left_out;
    } cases[] = {
        {62 * DAY, 138, 0},
        {62 * DAY + 1, 138, 1},
        {150 * DAY, 138, 88},
        {INT64_MAX, 138, 138},
    };
    struct keydoc doc = sample_doc();
    int64_t now = SAMPLE_BEGIN + 200 * DAY;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keyring ring = derive(&doc, now, cases[i].lifetime_s);
        expect_sound(&ring);
        cr_expect_eq(ring.count, KEYRING_MAX);
        cr_expect_eq(ring.left_out, cases[i].left_out, "case %zu", i);
        cr_expect_eq(ring.key[0].id, 1U << 16 | cases[i].first, "case %zu", i);
        cr_expect_eq(ring.key[ring.issuing].id, 1U << 16 | 200, "case %zu", i);
        cr_expect_eq(ring.key[ring.count - 1].id, 1U << 16 | 201, "case %zu", i);
        cr_expect_gt(keyring_next_change(&doc, now, cases[i].lifetime_s), now);
    }
}

Test(keyring, what_fits_is_told_before_it_is_needed)
{
    cr_expect(keyring_fits(86400, SAMPLE_LIFETIME_S));
    cr_expect(keyring_fits(86400, 47 * DAY));
    cr_expect(!keyring_fits(86400, 47 * DAY + 1));
    cr_expect(keyring_fits(60, -1));
    cr_expect(!keyring_fits(KEYDOC_ROTATE_MAX_S, INT64_MAX));
}

/* Whatever fits has room with any number of epochs, begun at any moment. */
Test(keyring, what_fits_fits_with_all_epochs)
{
    uint64_t state = 1;
    for (int round = 0; round < 200; round++) {
        struct keydoc doc = {.count = KEYDOC_EPOCHS_MAX};
        uint32_t rotate_s = 3600;
        int64_t lifetime_s = 47 * 3600;
        int64_t at = SAMPLE_BEGIN;
        cr_assert(keyring_fits(rotate_s, lifetime_s));
        for (size_t e = 0; e < doc.count; e++) {
            doc.epoch[e] = sample_epoch((uint8_t)(e + 1), at, rotate_s);
            at += 1 + (int64_t)(sample_random(&state) % (round % 2 == 0 ? 9000 : 50000));
        }
        for (int i = 0; i < 20; i++) {
            int64_t now = SAMPLE_BEGIN + (int64_t)(sample_random(&state) % (20 * 86400));
            struct keyring ring = derive(&doc, now, lifetime_s);
            expect_sound(&ring);
        }
    }
}

static struct keydoc random_doc(uint64_t *state)
{
    struct keydoc doc = {.count = 1 + sample_random(state) % 5};
    int64_t at = SAMPLE_BEGIN;
    for (size_t e = 0; e < doc.count; e++) {
        uint32_t rotate_s = (uint32_t)(3600 + sample_random(state) % 7200);
        doc.epoch[e] = sample_epoch((uint8_t)(e + 1), at, rotate_s);
        doc.epoch[e].index = (uint32_t)(sample_random(state) % 4);
        doc.epoch[e].revoked = sample_random(state) % 4 == 0;
        at += 1 + (int64_t)(sample_random(state) % 40000);
    }
    doc.epoch[sample_random(state) % doc.count].revoked = false;
    return doc;
}

/* Between two changes the ring is constant, and at each change it is another one. */
Test(keyring, next_change_is_exact)
{
    uint64_t state = 2;
    for (int round = 0; round < 60; round++) {
        struct keydoc doc = random_doc(&state);
        int64_t lifetime = (int64_t)(sample_random(&state) % 50000);
        int64_t now = SAMPLE_BEGIN - 10000;
        for (int i = 0; i < 25; i++) {
            struct keyring ring = derive(&doc, now, lifetime);
            int64_t next = keyring_next_change(&doc, now, lifetime);
            cr_assert_gt(next, now);
            int64_t between = now + (int64_t)(sample_random(&state) % (uint64_t)(next - now));
            struct keyring same = derive(&doc, between, lifetime);
            struct keyring last = derive(&doc, next - 1, lifetime);
            struct keyring changed = derive(&doc, next, lifetime);
            cr_assert(sample_rings_are_same(&ring, &same));
            cr_assert(sample_rings_are_same(&ring, &last));
            cr_assert(!sample_rings_are_same(&ring, &changed));
            cr_assert_eq(keyring_next_change(&doc, between, lifetime), next);
            now = next;
        }
    }
}

Test(keyring, the_same_document_and_hour_give_the_same_ring)
{
    uint64_t state = 3;
    for (int round = 0; round < 100; round++) {
        struct keydoc doc = random_doc(&state);
        int64_t now = SAMPLE_BEGIN + (int64_t)(sample_random(&state) % 300000);
        struct keyring a = derive(&doc, now, 40000);
        struct keyring b = derive(&doc, now, 40000);
        expect_sound(&a);
        cr_assert_eq(memcmp(&a, &b, sizeof(a)), 0);
    }
}

/* Forwards only: a host that erased what expired has the ring of one that did not. */
Test(keyring, advancing_changes_no_ring_to_come)
{
    uint64_t state = 4;
    for (int round = 0; round < 60; round++) {
        struct keydoc kept = random_doc(&state);
        struct keydoc erased = kept;
        int64_t now = SAMPLE_BEGIN - 5000;
        for (int i = 0; i < 40; i++) {
            (void)keydoc_advance(&erased, now, 20000);
            cr_assert(!keydoc_advance(&erased, now, 20000), "twice changes nothing more");
            struct keyring a = derive(&kept, now, 20000);
            struct keyring b = derive(&erased, now, 20000);
            cr_assert(sample_rings_are_same(&a, &b), "round %d step %d", round, i);
            cr_assert_eq(keyring_next_change(&kept, now, 20000),
                         keyring_next_change(&erased, now, 20000));
            now += (int64_t)(sample_random(&state) % 9000);
        }
    }
}

Test(keyring, advancing_drops_epochs_but_the_last)
{
    struct keydoc doc = sample_doc_of_three();
    cr_expect(!keydoc_advance(&doc, SAMPLE_BEGIN - DAY, 2 * DAY));
    cr_expect(!keydoc_advance(&doc, SAMPLE_BEGIN + 3 * DAY - 1, 2 * DAY));
    cr_expect(keydoc_advance(&doc, SAMPLE_BEGIN + 3 * DAY, 2 * DAY));
    cr_expect_eq(doc.epoch[0].index, 1);
    cr_expect(keydoc_advance(&doc, SAMPLE_BEGIN + 7 * DAY + 6, 2 * DAY));
    cr_expect(doc.count == 3 && doc.epoch[0].index == 5 && doc.epoch[1].index == 0);
    cr_expect(keydoc_advance(&doc, SAMPLE_BEGIN + 7 * DAY + 7, 2 * DAY));
    cr_expect(doc.count == 2 && doc.epoch[0].id == 2 && doc.epoch[0].index == 0);
    struct keydoc_epoch zero;
    memset(&zero, 0, sizeof(zero));
    cr_expect_eq(memcmp(&doc.epoch[2], &zero, sizeof(zero)), 0, "the dropped one is wiped");
    cr_expect(keydoc_advance(&doc, SAMPLE_BEGIN + 400 * DAY, 2 * DAY));
    cr_expect(doc.count == 1 && doc.epoch[0].id == 7 && doc.epoch[0].index == 2 * 386);
    cr_expect(keydoc_advance(&doc, INT64_MAX, 2 * DAY));
    cr_expect(doc.count == 1 && doc.epoch[0].index == KEYDOC_INDEX_MAX);
    cr_expect(!keydoc_advance(&doc, INT64_MIN, INT64_MAX));
    expect_members(&doc, &(struct members){SAMPLE_BEGIN, "7.65535*"}, 2 * DAY);
}

/* An epoch without keys still says when the one before it ends. */
Test(keyring, advancing_keeps_an_empty_epoch_between_others)
{
    struct keydoc doc = sample_doc_of_three();
    doc.epoch[1].index = 50;
    cr_expect(!keydoc_advance(&doc, SAMPLE_BEGIN + DAY, 2 * DAY));
    cr_expect_eq(doc.count, 3);
    cr_expect(keydoc_advance(&doc, SAMPLE_BEGIN + 8 * DAY, 2 * DAY));
    cr_expect(doc.count == 1 && doc.epoch[0].id == 7);
}

Test(keyring, a_revoked_epoch_opens_and_issues_nothing)
{
    static const struct {
        bool revoked[3];
        struct members want;
    } cases[] = {
        /* the one that issues: the one before goes on */
        {{false, true, false}, {SAMPLE_BEGIN + 6 * DAY, "1.4 1.5 1.6* 1.7"}},
        {{false, true, false}, {SAMPLE_BEGIN + 11 * DAY, "1.9 1.10 1.11* 7.0"}},
        /* one that has stopped issuing: its cookies do not open, the others are not touched */
        {{false, true, false}, {SAMPLE_BEGIN + 12 * DAY, "1.10 1.11 7.0* 7.1"}},
        {{true, false, false}, {SAMPLE_BEGIN + 6 * DAY, "2.0* 2.1"}},
        /* one to come */
        {{false, false, true}, {SAMPLE_BEGIN + 13 * DAY, "2.5 2.6 2.7* 2.8"}},
        {{false, true, true}, {SAMPLE_BEGIN + 13 * DAY, "1.11 1.12 1.13* 1.14"}},
        /* none has begun any more: the first there is issues at once */
        {{true, true, false}, {SAMPLE_BEGIN + 6 * DAY, "7.0* 7.1"}},
        {{true, false, false}, {SAMPLE_BEGIN + 1, "2.0* 2.1"}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keydoc doc = sample_doc_of_three();
        for (size_t e = 0; e < 3; e++) {
            doc.epoch[e].revoked = cases[i].revoked[e];
        }
        expect_members(&doc, &cases[i].want, 2 * DAY);
    }
}

Test(keyring, a_revoked_epoch_is_as_if_it_were_not_there)
{
    uint64_t state = 5;
    for (int round = 0; round < 400; round++) {
        struct keydoc doc = random_doc(&state);
        struct keydoc valid = sample_without_revoked(&doc);
        int64_t lifetime = (int64_t)(sample_random(&state) % 50000);
        int64_t now = SAMPLE_BEGIN - 10000 + (int64_t)(sample_random(&state) % 200000);
        struct keyring a = derive(&doc, now, lifetime);
        struct keyring b = derive(&valid, now, lifetime);
        cr_assert_eq(memcmp(&a, &b, sizeof(a)), 0);
        cr_assert_eq(keyring_next_change(&doc, now, lifetime),
                     keyring_next_change(&valid, now, lifetime));
        struct keyring_place in_doc = keyring_place_at(&doc, now);
        struct keyring_place in_valid = keyring_place_at(&valid, now);
        cr_assert_eq(doc.epoch[in_doc.epoch].id, valid.epoch[in_valid.epoch].id);
        cr_assert_eq(in_doc.issues_from, in_valid.issues_from);
    }
}

/* Its id and its withdrawal are known until the last cookie of its has expired in any copy. */
Test(keyring, advancing_keeps_a_withdrawal_until_it_is_past)
{
    struct keydoc doc = sample_doc_of_three();
    doc.epoch[0].revoked = true;
    (void)keydoc_advance(&doc, SAMPLE_BEGIN + 7 * DAY + 6, 2 * DAY);
    cr_expect_eq(doc.count, 3, "its last key stopped with epoch 2, seven seconds into day 5");
    cr_expect(doc.epoch[0].revoked && doc.epoch[0].index == 5, "what expired is destroyed");
    cr_expect(keydoc_advance(&doc, SAMPLE_BEGIN + 7 * DAY + 7, 2 * DAY));
    cr_expect(doc.count == 2 && doc.epoch[0].id == 2);

    /* It would have gone on for as long as epoch 7 had not begun: in a copy in which it is valid
     * and epoch 2 revoked, it does. */
    doc = sample_doc_of_three();
    doc.epoch[0].revoked = true;
    doc.epoch[1].revoked = true;
    (void)keydoc_advance(&doc, SAMPLE_BEGIN + 14 * DAY - 1, 2 * DAY);
    cr_expect_eq(doc.count, 3);
    cr_expect(keydoc_advance(&doc, SAMPLE_BEGIN + 14 * DAY, 2 * DAY));
    cr_expect(doc.count == 1 && doc.epoch[0].id == 7);

    /* Nobody has taken over: nothing is ever past. */
    doc = sample_doc_of_three();
    doc.epoch[1].revoked = true;
    doc.epoch[2].revoked = true;
    (void)keydoc_advance(&doc, SAMPLE_BEGIN + 400 * DAY, 2 * DAY);
    cr_expect(doc.count == 3 && doc.epoch[0].index == 398 && doc.epoch[2].index == 2 * 386);

    /* No keys in this copy does not say that there are none in another. */
    doc = sample_doc_of_three();
    doc.epoch[0].index = 50;
    doc.epoch[0].revoked = true;
    cr_expect(!keydoc_advance(&doc, SAMPLE_BEGIN + DAY, 2 * DAY));
    cr_expect_eq(doc.count, 3);
}
