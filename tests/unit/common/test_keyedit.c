/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An operator's changes: when each applies, what it makes, and that none of them ever costs a
 * cookie that the rules promise to open.
 */
#include "common/keys/keyedit.h"

#include "common/keys/keychange.h"
#include "tests/unit/common/keys_sample.h"

#include <criterion/criterion.h>
#include <inttypes.h>

#define DAY INT64_C(86400)
#define B   SAMPLE_BEGIN

enum { RUNS = 120, STEPS = 30 };

static uint64_t random_state = 11;
static struct rng rng;

static void setup(void)
{
    random_state = 11;
    rng_init_from(&rng, sample_fill, &random_state);
}
TestSuite(keyedit, .init = setup);

static int no_bytes(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    (void)out;
    (void)n;
    return -1;
}

static struct keydoc doc_of(size_t count, const struct keydoc_epoch *epochs)
{
    struct keydoc doc = {.count = count};
    for (size_t i = 0; i < count; i++) {
        doc.epoch[i] = sample_epoch((uint8_t)(i + 1), epochs[i].not_before, epochs[i].rotate_s);
        doc.epoch[i].revoked = epochs[i].revoked;
    }
    return doc;
}

static struct keyedit_wish wish_at(int64_t now_s)
{
    return (struct keyedit_wish){.now_s = now_s,
                                 .ahead_s = KEYEDIT_AHEAD_S,
                                 .every_s = KEYEDIT_EVERY_S,
                                 .lifetime_s = KEYEDIT_LIFETIME_S};
}

static bool same(const struct keydoc *a, const struct keydoc *b)
{
    bool alike = sample_docs_are_same(a, b);
    for (size_t i = 0; alike && i < a->count; i++) {
        alike = a->epoch[i].revoked == b->epoch[i].revoked;
    }
    return alike;
}

/* What is written can be read again and is the same. */
static void expect_sound(const struct keydoc *doc)
{
    uint8_t buf[KEYDOC_WRITTEN_MAX];
    struct wr out = wr_init(buf, sizeof(buf));
    struct keydoc read;
    struct keydoc_fault fault;
    cr_assert_eq(keydoc_write(doc, &out), NTS_OK);
    cr_assert_eq(keydoc_parse(wr_done(&out), &read, &fault), NTS_OK, "%s", fault.text);
    cr_assert(same(doc, &read));
}

static const struct keydoc_epoch *epoch_of(const struct keydoc *doc, uint8_t id)
{
    for (size_t e = 0; e < doc->count; e++) {
        if (doc->epoch[e].id == id) {
            return &doc->epoch[e];
        }
    }
    return NULL;
}

Test(keyedit, a_new_document_issues_at_once)
{
    struct keydoc doc;
    struct keyring ring;
    cr_assert_eq(keyedit_begin(B + 12345, 86400), B);
    cr_assert_eq(keyedit_init(keyedit_begin(B + 12345, 86400), 86400, &rng, &doc), KEYEDIT_DONE);
    expect_sound(&doc);
    cr_expect_eq(doc.count, 1);
    cr_expect_eq(doc.epoch[0].not_before, B);
    cr_expect_eq(doc.epoch[0].rotate_s, 86400);
    keyring_derive(&doc, B + 12345, KEYEDIT_LIFETIME_S, &ring);
    cr_expect_eq(ring.key[ring.issuing].issues_from, B);
}

Test(keyedit, a_new_document_that_cannot_be)
{
    struct rng broken;
    struct keydoc doc;
    rng_init_from(&broken, no_bytes, NULL);
    cr_expect_eq(keyedit_init(B, 86400, &broken, &doc), KEYEDIT_NO_RANDOM);
    cr_expect_eq(doc.count, 0);
    cr_expect_eq(keyedit_init(-1, 86400, &rng, &doc), KEYEDIT_BEYOND);
    cr_expect_eq(keyedit_init(KEYDOC_NOT_BEFORE_MAX + 1, 86400, &rng, &doc), KEYEDIT_BEYOND);
    cr_expect_eq(keyedit_init(KEYDOC_NOT_BEFORE_MAX, 86400, &rng, &doc), KEYEDIT_DONE);
}

Test(keyedit, add)
{
    static const struct {
        size_t count;
        struct keydoc_epoch epoch[3];
        int64_t now;
        int64_t ahead;
        bool again;
        enum keyedit outcome;
        size_t at;
        int64_t not_before;
    } cases[] = {
        {1, {{.not_before = B, .rotate_s = 3600}}, B + 5, DAY, false, KEYEDIT_DONE, 1, B + 5 + DAY},
        {1, {{.not_before = B, .rotate_s = 3600}}, B + 5, 0, false, KEYEDIT_DONE, 1, B + 5},
        {1, {{.not_before = B, .rotate_s = 3600}}, B, 0, false, KEYEDIT_EARLY, 0, 0},
        /* one that waits is enough, unless told */
        {1, {{.not_before = B + 1, .rotate_s = 3600}}, B, DAY, false, KEYEDIT_WAITS, 0, 0},
        {1, {{.not_before = B + 1, .rotate_s = 3600}}, B, DAY, true, KEYEDIT_DONE, 1, B + DAY},
        {1, {{.not_before = B + DAY, .rotate_s = 3600}}, B, DAY, true, KEYEDIT_EARLY, 0, 0},
        {1,
         {{.not_before = B + DAY, .rotate_s = 3600}},
         B,
         DAY + 1,
         true,
         KEYEDIT_DONE,
         1,
         B + DAY + 1},
        /* a withdrawn one does not wait, and does not stand in the way either */
        {2,
         {{.not_before = B, .rotate_s = 60},
          {.not_before = B + 9, .rotate_s = 60, .revoked = true}},
         B + 5,
         2,
         false,
         KEYEDIT_DONE,
         1,
         B + 7},
        {2,
         {{.not_before = B, .rotate_s = 60},
          {.not_before = B + 9, .rotate_s = 60, .revoked = true}},
         B + 5,
         4,
         false,
         KEYEDIT_DONE,
         2,
         B + 10},
        {3,
         {{.not_before = B, .rotate_s = 60},
          {.not_before = B + 9, .rotate_s = 60, .revoked = true},
          {.not_before = B + 10, .rotate_s = 60, .revoked = true}},
         B + 5,
         4,
         false,
         KEYEDIT_DONE,
         3,
         B + 11},
        /* clocks of any kind */
        {1, {{.not_before = B, .rotate_s = 60}}, INT64_MAX, DAY, false, KEYEDIT_BEYOND, 0, 0},
        {1, {{.not_before = B, .rotate_s = 60}}, INT64_MIN, DAY, false, KEYEDIT_WAITS, 0, 0},
        {1, {{.not_before = B, .rotate_s = 60}}, INT64_MIN, DAY, true, KEYEDIT_EARLY, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keydoc doc = doc_of(cases[i].count, cases[i].epoch);
        const struct keydoc before = doc;
        struct keyedit_wish wish = wish_at(cases[i].now);
        struct keyedit_report report;
        wish.ahead_s = cases[i].ahead;
        wish.again = cases[i].again;
        cr_expect_eq(keyedit_add(&doc, &wish, &rng, &report), cases[i].outcome, "case %zu", i);
        if (cases[i].outcome != KEYEDIT_DONE) {
            cr_expect(same(&doc, &before), "case %zu", i);
            cr_expect_eq(report.about, 1);
            continue;
        }
        expect_sound(&doc);
        cr_assert_eq(doc.count, before.count + 1, "case %zu", i);
        cr_expect_eq(doc.epoch[cases[i].at].not_before, cases[i].not_before, "case %zu", i);
        cr_expect_eq(doc.epoch[cases[i].at].rotate_s, before.epoch[0].rotate_s, "case %zu", i);
        cr_expect_eq(doc.epoch[cases[i].at].id, report.added, "case %zu", i);
        cr_expect_null(epoch_of(&before, report.added), "case %zu", i);
    }
}

Test(keyedit, add_with_other_periods_and_until_full)
{
    struct keydoc doc = sample_doc();
    struct keyedit_wish wish = wish_at(B);
    struct keyedit_report report;
    wish.again = true;
    wish.rotate_s = 7200;
    for (size_t n = 2; n <= KEYDOC_EPOCHS_MAX; n++) {
        wish.now_s += 1;
        cr_assert_eq(keyedit_add(&doc, &wish, &rng, &report), KEYEDIT_DONE);
        cr_expect_eq(epoch_of(&doc, report.added)->rotate_s, 7200);
    }
    const struct keydoc full = doc;
    wish.now_s += 1;
    cr_expect_eq(keyedit_add(&doc, &wish, &rng, &report), KEYEDIT_FULL);
    cr_expect(same(&doc, &full));
}

Test(keyedit, without_randomness_nothing_changes)
{
    struct rng broken;
    struct keydoc doc = sample_doc();
    const struct keydoc before = doc;
    struct keyedit_wish wish = wish_at(B + 365 * DAY);
    struct keyedit_report report;
    rng_init_from(&broken, no_bytes, NULL);
    cr_expect_eq(keyedit_add(&doc, &wish, &broken, &report), KEYEDIT_NO_RANDOM);
    cr_expect_eq(keyedit_rotate(&doc, &wish, &broken, &report), KEYEDIT_NO_RANDOM);
    cr_expect_eq(keyedit_revoke(&doc, 1, wish.now_s, &broken, &report), KEYEDIT_NO_RANDOM);
    cr_expect(same(&doc, &before));
}

Test(keyedit, rotate_when)
{
    static const struct {
        struct keydoc_epoch epoch[2];
        size_t count;
        int64_t now;
        int64_t every;
        enum keyedit outcome;
    } cases[] = {
        {{{.not_before = B, .rotate_s = 86400}}, 1, B + 30 * DAY - 1, 30 * DAY, KEYEDIT_YOUNG},
        {{{.not_before = B, .rotate_s = 86400}}, 1, B + 30 * DAY, 30 * DAY, KEYEDIT_DONE},
        {{{.not_before = B, .rotate_s = 86400}}, 1, B - 1, 0, KEYEDIT_WAITS},
        {{{.not_before = B, .rotate_s = 86400}}, 1, B + 1, 0, KEYEDIT_DONE},
        /* half of the periods are used up before its time */
        {{{.not_before = B, .rotate_s = 60}}, 1, B + 32768 * 60 - 1, 30 * DAY, KEYEDIT_YOUNG},
        {{{.not_before = B, .rotate_s = 60}}, 1, B + 32768 * 60, 30 * DAY, KEYEDIT_DONE},
        /* the newest one counts, unless it is withdrawn */
        {{{.not_before = B, .rotate_s = 86400}, {.not_before = B + 50 * DAY, .rotate_s = 86400}},
         2,
         B + 49 * DAY,
         30 * DAY,
         KEYEDIT_WAITS},
        {{{.not_before = B, .rotate_s = 86400}, {.not_before = B + 50 * DAY, .rotate_s = 86400}},
         2,
         B + 51 * DAY,
         30 * DAY,
         KEYEDIT_YOUNG},
        {{{.not_before = B, .rotate_s = 86400},
          {.not_before = B + 55 * DAY, .rotate_s = 86400, .revoked = true}},
         2,
         B + 49 * DAY,
         30 * DAY,
         KEYEDIT_DONE},
        {{{.not_before = B, .rotate_s = 86400}}, 1, INT64_MIN, 30 * DAY, KEYEDIT_WAITS},
        {{{.not_before = B, .rotate_s = 86400}}, 1, INT64_MAX, 30 * DAY, KEYEDIT_BEYOND},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keydoc doc = doc_of(cases[i].count, cases[i].epoch);
        const struct keydoc before = doc;
        struct keyedit_wish wish = wish_at(cases[i].now);
        struct keyedit_report report;
        wish.every_s = cases[i].every;
        cr_expect_eq(keyedit_rotate(&doc, &wish, &rng, &report), cases[i].outcome, "case %zu", i);
        if (cases[i].outcome != KEYEDIT_DONE) {
            cr_expect(same(&doc, &before), "case %zu", i);
            continue;
        }
        expect_sound(&doc);
        const struct keydoc_epoch *added = epoch_of(&doc, report.added);
        cr_assert_not_null(added);
        cr_expect_eq(added->not_before, cases[i].now + KEYEDIT_AHEAD_S);
        /* and a second one, on any host, has nothing to do until it has begun and aged */
        wish.now_s += 5;
        cr_expect_eq(keyedit_rotate(&doc, &wish, &rng, &report), KEYEDIT_WAITS, "case %zu", i);
        int64_t half = INT64_C(32768) * added->rotate_s;
        wish.now_s = added->not_before + (cases[i].every < half ? cases[i].every : half) - 1;
        cr_expect(keyedit_rotate(&doc, &wish, &rng, &report) != KEYEDIT_DONE, "case %zu", i);
    }
}

/* What ten years of a daily timer leave behind: never full, never more than is needed. */
Test(keyedit, rotated_for_ten_years)
{
    struct keydoc doc;
    struct keyedit_report report;
    size_t added = 0;
    cr_assert_eq(keyedit_init(B, 86400, &rng, &doc), KEYEDIT_DONE);
    for (int64_t day = 0; day < 3650; day++) {
        struct keyedit_wish wish = wish_at(B + day * DAY + day % 7 * 600);
        enum keyedit outcome = keyedit_rotate(&doc, &wish, &rng, &report);
        added += outcome == KEYEDIT_DONE;
        cr_assert(outcome == KEYEDIT_DONE || outcome == KEYEDIT_YOUNG || outcome == KEYEDIT_WAITS);
        cr_assert_leq(doc.count, 3);
    }
    cr_expect(added >= 3650 / 32 && added <= 3650 / 31, "%zu", added);
    expect_sound(&doc);
}

Test(keyedit, prune_leaves_hosts_behind_an_hour)
{
    static const struct {
        int64_t after_end; /* of the first epoch's last cookies */
        enum keyedit outcome;
        size_t count;
    } cases[] = {{KEYEDIT_SLACK_S - 1, KEYEDIT_DONE, 2}, {KEYEDIT_SLACK_S, KEYEDIT_DONE, 1}};
    static const struct keydoc_epoch epochs[] = {{.not_before = B, .rotate_s = 86400},
                                                 {.not_before = B + 10 * DAY, .rotate_s = 86400}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keydoc doc = doc_of(2, epochs);
        struct keyedit_wish wish = wish_at(B + 10 * DAY + KEYEDIT_LIFETIME_S + cases[i].after_end);
        struct keyedit_report report;
        cr_expect_eq(keyedit_prune(&doc, &wish, &report), cases[i].outcome);
        cr_expect_eq(doc.count, cases[i].count, "case %zu", i);
        cr_expect_eq(report.dropped, 2 - cases[i].count);
        cr_expect_eq(keyedit_prune(&doc, &wish, &report), KEYEDIT_NOTHING);
    }
}

Test(keyedit, prune_says_what_it_forgot)
{
    struct keydoc doc = sample_doc();
    struct keyedit_report report;
    struct keyedit_wish wish = wish_at(B + KEYEDIT_LIFETIME_S + DAY + KEYEDIT_SLACK_S - 1);
    cr_expect_eq(keyedit_prune(&doc, &wish, &report), KEYEDIT_NOTHING);
    wish.now_s++;
    cr_expect_eq(keyedit_prune(&doc, &wish, &report), KEYEDIT_DONE);
    cr_expect_eq(report.dropped, 0);
    cr_expect_eq(report.advanced, 1);
    cr_expect_eq(doc.epoch[0].index, 1);
    expect_sound(&doc);
}

Test(keyedit, revoke)
{
    static const struct {
        size_t count;
        struct keydoc_epoch epoch[3];
        uint8_t id;
        enum keyedit outcome;
        int64_t added; /* begins; -1: none */
        size_t issuing;
    } cases[] = {
        /* now is B + 100 */
        {2,
         {{.not_before = B - 500, .rotate_s = 60}, {.not_before = B, .rotate_s = 60}},
         2,
         KEYEDIT_DONE,
         -1,
         0},
        {2,
         {{.not_before = B - 500, .rotate_s = 60}, {.not_before = B, .rotate_s = 60}},
         1,
         KEYEDIT_DONE,
         -1,
         1},
        {1, {{.not_before = B, .rotate_s = 60}}, 9, KEYEDIT_UNKNOWN, -1, 0},
        /* the only one: another one at once */
        {1, {{.not_before = B, .rotate_s = 60}}, 1, KEYEDIT_DONE, B + 60, 1},
        {1, {{.not_before = B, .rotate_s = 86400}}, 1, KEYEDIT_DONE, B + 1, 1},
        {1, {{.not_before = B + 99, .rotate_s = 60}}, 1, KEYEDIT_DONE, B + 60, 0},
        {1, {{.not_before = B + 60, .rotate_s = 60}}, 1, KEYEDIT_DONE, B + 61, 1},
        {1, {{.not_before = B + 500, .rotate_s = 60}}, 1, KEYEDIT_DONE, B + 60, 0},
        /* one that waits does not issue yet, and goes on waiting */
        {2,
         {{.not_before = B, .rotate_s = 60}, {.not_before = B + 500, .rotate_s = 60}},
         1,
         KEYEDIT_DONE,
         B + 60,
         1},
        {2,
         {{.not_before = B, .rotate_s = 60}, {.not_before = B + 500, .rotate_s = 60}},
         2,
         KEYEDIT_DONE,
         -1,
         0},
        {2,
         {{.not_before = B, .rotate_s = 60},
          {.not_before = B + 5, .rotate_s = 60, .revoked = true}},
         2,
         KEYEDIT_NOTHING,
         -1,
         0},
        {2,
         {{.not_before = B, .rotate_s = 60},
          {.not_before = B + 5, .rotate_s = 60, .revoked = true}},
         1,
         KEYEDIT_DONE,
         B + 60,
         2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keydoc doc = doc_of(cases[i].count, cases[i].epoch);
        const struct keydoc before = doc;
        struct keyedit_report report;
        cr_expect_eq(keyedit_revoke(&doc, cases[i].id, B + 100, &rng, &report), cases[i].outcome,
                     "case %zu", i);
        cr_expect_eq(report.about, cases[i].id);
        if (cases[i].outcome != KEYEDIT_DONE) {
            cr_expect(same(&doc, &before), "case %zu", i);
            continue;
        }
        expect_sound(&doc);
        cr_expect(epoch_of(&doc, cases[i].id)->revoked, "case %zu", i);
        cr_expect_eq(keyring_place_at(&doc, B + 100).epoch, cases[i].issuing, "case %zu", i);
        cr_assert_eq(report.added != 0, cases[i].added >= 0, "case %zu", i);
        if (cases[i].added >= 0) {
            cr_expect_eq(epoch_of(&doc, report.added)->not_before, cases[i].added, "case %zu", i);
        }
    }
}

Test(keyedit, states)
{
    static const struct keydoc_epoch epochs[] = {
        {.not_before = B, .rotate_s = 86400},
        {.not_before = B + 10 * DAY, .rotate_s = 86400, .revoked = true},
        {.not_before = B + 20 * DAY, .rotate_s = 86400}};
    static const struct {
        int64_t now;
        enum keyedit_state state[3];
    } cases[] = {
        {B - 1, {KEYEDIT_ISSUING, KEYEDIT_REVOKED, KEYEDIT_WAITING}},
        {B + 15 * DAY, {KEYEDIT_ISSUING, KEYEDIT_REVOKED, KEYEDIT_WAITING}},
        {B + 20 * DAY, {KEYEDIT_PAST, KEYEDIT_REVOKED, KEYEDIT_ISSUING}},
        {B + 28 * DAY - 1, {KEYEDIT_PAST, KEYEDIT_REVOKED, KEYEDIT_ISSUING}},
        {B + 28 * DAY, {KEYEDIT_EXPIRED, KEYEDIT_REVOKED, KEYEDIT_ISSUING}},
    };
    struct keydoc doc = doc_of(3, epochs);
    cr_expect_eq(keyedit_newest(&doc), 2);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keyedit_wish wish = wish_at(cases[i].now);
        for (size_t e = 0; e < 3; e++) {
            int64_t until;
            enum keyedit_state state = keyedit_state_of(&doc, e, &wish, &until);
            cr_expect_eq(state, cases[i].state[e], "case %zu epoch %zu", i, e);
            bool over = state == KEYEDIT_PAST || state == KEYEDIT_EXPIRED;
            cr_expect_eq(until, over ? B + 28 * DAY : INT64_MAX);
        }
    }
    doc.epoch[2].revoked = true;
    cr_expect_eq(keyedit_newest(&doc), 0);
    doc.epoch[2].revoked = false;
    doc.epoch[0].index = 20; /* a clock that was ahead: nothing of it is left */
    struct keyedit_wish wish = wish_at(B + 20 * DAY);
    int64_t until;
    cr_expect_eq(keyedit_state_of(&doc, 0, &wish, &until), KEYEDIT_EXPIRED);
}

/* Every key that `before` has in its ring is in that of `after`, the same, but those of epochs
 * withdrawn in `after`. */
static void expect_opens_all(const struct keydoc *before, const struct keydoc *after, int64_t now)
{
    struct keyring had;
    struct keyring has;
    keyring_derive(before, now, KEYEDIT_LIFETIME_S, &had);
    keyring_derive(after, now, KEYEDIT_LIFETIME_S, &has);
    if (had.left_out > 0 || has.left_out > 0) {
        return;
    }
    for (size_t i = 0; i < had.count; i++) {
        const struct keydoc_epoch *epoch = epoch_of(after, (uint8_t)(had.key[i].id >> 16));
        bool found = epoch != NULL && epoch->revoked;
        /* The next key may be another one after an addition. */
        found = found || had.key[i].issues_from > now;
        for (size_t j = 0; j < has.count; j++) {
            found = found || (has.key[j].id == had.key[i].id &&
                              memcmp(has.key[j].bytes, had.key[i].bytes, KEYRING_KEY_LEN) == 0);
        }
        cr_assert(found, "key %06" PRIx32 " at %" PRId64, had.key[i].id, now);
    }
}

/* A host in service with `before` takes `after`. */
static void expect_taken(const struct keydoc *before, const struct keydoc *after, int64_t now)
{
    struct keydoc_fault fault = {""};
    enum keychange change = keychange_judge(before, after, now, KEYEDIT_LIFETIME_S, &fault);
    cr_assert(change == KEYCHANGE_NEWER || change == KEYCHANGE_SAME, "%s: %s",
              keychange_name(change), fault.text);
}

static enum keyedit any_change(struct keydoc *doc, struct keyedit_wish *wish, uint64_t draw)
{
    struct keyedit_report report;
    wish->again = (draw >> 8) % 2 == 0;
    wish->ahead_s = (int64_t)((draw >> 16) % 200000);
    wish->every_s = (int64_t)((draw >> 40) % (20 * DAY));
    wish->rotate_s = 0;
    switch (draw % 8) {
    case 0:
        return keyedit_revoke(doc, doc->epoch[(draw >> 12) % doc->count].id, wish->now_s, &rng,
                              &report);
    case 1:
    case 2:
        return keyedit_add(doc, wish, &rng, &report);
    case 3:
    case 4:
        return keyedit_prune(doc, wish, &report);
    default:
        return keyedit_rotate(doc, wish, &rng, &report);
    }
}

/* Whatever operators do, in whichever order: the document stays one that is read, something issues
 * that is not withdrawn, nothing stops opening but what was withdrawn, and every host takes the new
 * document for the old one's successor; also hosts whose clocks are behind. */
Test(keyedit, any_sequence_of_changes)
{
    uint64_t state = 5;
    size_t done = 0;
    for (size_t run = 0; run < RUNS; run++) {
        struct keydoc doc;
        struct keyedit_wish wish = wish_at(B + (int64_t)(sample_random(&state) % 1000000));
        cr_assert_eq(keyedit_init(keyedit_begin(wish.now_s, 86400), 86400, &rng, &doc),
                     KEYEDIT_DONE);
        for (size_t step = 0; step < STEPS; step++) {
            const struct keydoc before = doc;
            wish.now_s += (int64_t)(sample_random(&state) % (4 * DAY));
            enum keyedit outcome = any_change(&doc, &wish, sample_random(&state));
            done += outcome == KEYEDIT_DONE;
            cr_assert_eq(outcome == KEYEDIT_DONE, !same(&before, &doc));
            cr_assert(!doc.epoch[keyedit_newest(&doc)].revoked);
            cr_assert(!doc.epoch[keyring_place_at(&doc, wish.now_s).epoch].revoked);
            expect_sound(&doc);
            expect_opens_all(&before, &doc, wish.now_s);
            expect_opens_all(&before, &doc, wish.now_s - KEYEDIT_SLACK_S);
            expect_taken(&before, &doc, wish.now_s);
            expect_taken(&before, &doc, wish.now_s - KEYEDIT_SLACK_S);
            expect_taken(&before, &doc, wish.now_s + KEYEDIT_SLACK_S);
        }
    }
    cr_expect_gt(done, (size_t)RUNS * STEPS / 4);
}

Test(keyedit, state_names)
{
    for (int i = KEYEDIT_REVOKED; i <= KEYEDIT_WAITING; i++) {
        cr_expect_str_neq(keyedit_state_name((enum keyedit_state)i), "?");
    }
}
