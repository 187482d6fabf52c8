/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Epochs to come: when one is needed, where it goes, and that the ring goes on rotating.
 */
#include "common/keys/keyplan.h"

#include "tests/unit/common/keys_sample.h"

#include <criterion/criterion.h>
#include <inttypes.h>

#define DAY      INT64_C(86400)
#define YEAR2038 INT64_C(2145916800)

static uint64_t random_state = 9;

static struct keydoc doc_of(size_t count, const struct keydoc_epoch *epochs)
{
    struct keydoc doc = {.count = count};
    for (size_t i = 0; i < count; i++) {
        doc.epoch[i] = sample_epoch((uint8_t)(i + 1), epochs[i].not_before, epochs[i].rotate_s);
        doc.epoch[i].index = epochs[i].index;
        doc.epoch[i].revoked = epochs[i].revoked;
    }
    return doc;
}

static struct keydoc add(const struct keydoc *doc, const struct keyplan *plan)
{
    struct rng rng;
    struct keyplan_fault fault;
    struct keydoc after = *doc;
    rng_init_from(&rng, sample_fill, &random_state);
    cr_assert_eq(keyplan_apply(plan, &rng, &after, &fault), NTS_OK, "%s", fault.text);
    cr_assert_str_empty(fault.text);
    return after;
}

/* What a parser would accept, and everything that was there is still there. */
static void expect_sound(const struct keydoc *before, const struct keydoc *after, size_t at)
{
    uint8_t buf[KEYDOC_WRITTEN_MAX];
    struct wr out = wr_init(buf, sizeof(buf));
    struct keydoc read;
    struct keydoc_fault fault;
    cr_assert_eq(after->count, before->count + 1);
    cr_assert_eq(keydoc_write(after, &out), NTS_OK);
    cr_assert_eq(keydoc_parse(wr_done(&out), &read, &fault), NTS_OK, "%s", fault.text);
    for (size_t i = 0; i < before->count; i++) {
        const struct keydoc_epoch *now = &after->epoch[i < at ? i : i + 1];
        cr_expect_eq(now->id, before->epoch[i].id);
        cr_expect_arr_eq(now->chain, before->epoch[i].chain, KEYDOC_CHAIN_LEN);
    }
}

#define B SAMPLE_BEGIN
Test(keyplan, when_and_where)
{
    static const struct {
        size_t count;
        struct keydoc_epoch epoch[3];
        int64_t now;
        uint32_t rotate_s;
        enum keyplan_why why;
        size_t at;
        int64_t not_before;
    } cases[] = {
        {0, {{0}}, B + 12345, 86400, KEYPLAN_FIRST, 0, B},
        {0, {{0}}, -1, 86400, KEYPLAN_FIRST, 0, 0},
        {1, {{.not_before = B, .rotate_s = 86400}}, B, 86400, KEYPLAN_KEEP, 0, 0},
        {1, {{.not_before = B, .rotate_s = 86400}}, B + 9999 * DAY, 86400, KEYPLAN_KEEP, 0, 0},
        /* another rotation: with the end of the running period, and not twice */
        {1, {{.not_before = B, .rotate_s = 86400}}, B + 5, 3600, KEYPLAN_ROTATION, 1, B + DAY},
        {2,
         {{.not_before = B, .rotate_s = 86400}, {.not_before = B + DAY, .rotate_s = 3600}},
         B + 5,
         3600,
         KEYPLAN_KEEP,
         0,
         0},
        /* back again before it has begun: behind its first period */
        {2,
         {{.not_before = B, .rotate_s = 86400}, {.not_before = B + DAY, .rotate_s = 3600}},
         B + 5,
         86400,
         KEYPLAN_ROTATION,
         2,
         B + DAY + 3600},
        /* one that begins much later, by a clock that was ahead, is not counted on */
        {2,
         {{.not_before = B, .rotate_s = 86400}, {.not_before = YEAR2038, .rotate_s = 3600}},
         B + 5,
         3600,
         KEYPLAN_ROTATION,
         1,
         B + DAY},
        {2,
         {{.not_before = B, .rotate_s = 86400}, {.not_before = YEAR2038, .rotate_s = 3600}},
         B + 5,
         86400,
         KEYPLAN_KEEP,
         0,
         0},
        /* periods: 60 s for 22 days, or since 1970 */
        {1, {{.not_before = B, .rotate_s = 60}}, B + 60 * 32767 + 59, 60, KEYPLAN_KEEP, 0, 0},
        {1,
         {{.not_before = B, .rotate_s = 60}},
         B + 60 * 32768,
         60,
         KEYPLAN_USED_UP,
         1,
         B + 60 * 32769},
        {1, {{.not_before = 0, .rotate_s = 60}}, B + 1, 60, KEYPLAN_USED_UP, 1, B + 60},
        /* made by a clock ahead: up to one period is waited for */
        {1, {{.not_before = B + DAY, .rotate_s = 86400}}, B, 86400, KEYPLAN_KEEP, 0, 0},
        {1, {{.not_before = B + DAY + 1, .rotate_s = 86400}}, B, 86400, KEYPLAN_AHEAD, 0, B},
        {1, {{.not_before = YEAR2038, .rotate_s = 60}}, B + 61, 60, KEYPLAN_AHEAD, 0, B + 60},
        /* ratcheted by a clock ahead: this period's key, or the next one's */
        {1, {{.not_before = B, .rotate_s = 86400, .index = 1}}, B + 5, 86400, KEYPLAN_KEEP, 0, 0},
        {1,
         {{.not_before = B, .rotate_s = 86400, .index = 2}},
         B + 5,
         86400,
         KEYPLAN_AHEAD,
         1,
         B + 1},
        {1,
         {{.not_before = B, .rotate_s = 86400, .index = 4375}},
         B + 9 * DAY + 5,
         86400,
         KEYPLAN_AHEAD,
         1,
         B + 9 * DAY},
        {1,
         {{.not_before = B, .rotate_s = 86400, .index = 4375}},
         B + 9 * DAY + 5,
         3600,
         KEYPLAN_AHEAD,
         1,
         B + 9 * DAY},
        /* a clock far behind: before everything */
        {1, {{.not_before = B, .rotate_s = 86400, .index = 9}}, 70, 60, KEYPLAN_AHEAD, 0, 60},
        /* what is revoked is not in use, not planned, and only in the way */
        {2,
         {{.not_before = B, .rotate_s = 86400},
          {.not_before = B + 2 * DAY, .rotate_s = 3600, .revoked = true}},
         B + 3 * DAY + 5,
         86400,
         KEYPLAN_KEEP,
         0,
         0},
        {2,
         {{.not_before = B, .rotate_s = 86400},
          {.not_before = B + DAY, .rotate_s = 3600, .revoked = true}},
         B + 5,
         3600,
         KEYPLAN_ROTATION,
         2,
         B + DAY + 1},
        {3,
         {{.not_before = B, .rotate_s = 86400},
          {.not_before = B + DAY, .rotate_s = 60, .revoked = true},
          {.not_before = B + DAY + 1, .rotate_s = 60, .revoked = true}},
         B + 5,
         3600,
         KEYPLAN_ROTATION,
         3,
         B + DAY + 2},
        {2,
         {{.not_before = B, .rotate_s = 60, .revoked = true},
          {.not_before = B + 9 * DAY, .rotate_s = 60}},
         B + DAY,
         60,
         KEYPLAN_AHEAD,
         1,
         B + DAY},
        {3,
         {{.not_before = B, .rotate_s = 60},
          {.not_before = B + 5, .rotate_s = 3600, .revoked = true},
          {.not_before = B + 9 * DAY, .rotate_s = 3600, .revoked = true}},
         B + DAY,
         60,
         KEYPLAN_KEEP,
         0,
         0},
        /* between two neighbouring seconds there is no room, and the next one will do */
        {2,
         {{.not_before = B, .rotate_s = 60, .index = 9},
          {.not_before = B + 1, .rotate_s = 60, .index = 9}},
         B,
         60,
         KEYPLAN_KEEP,
         0,
         0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keydoc doc = doc_of(cases[i].count, cases[i].epoch);
        struct keyplan plan = keyplan_make(&doc, cases[i].now, cases[i].rotate_s);
        cr_assert_eq(plan.why, cases[i].why, "case %zu: %d", i, plan.why);
        if (plan.why == KEYPLAN_KEEP) {
            continue;
        }
        cr_expect_eq(plan.at, cases[i].at, "case %zu: %zu", i, plan.at);
        cr_expect_eq(plan.not_before, cases[i].not_before, "case %zu: %" PRId64, i,
                     plan.not_before);
        struct keydoc after = add(&doc, &plan);
        expect_sound(&doc, &after, plan.at);
        cr_expect_eq(after.epoch[plan.at].rotate_s, cases[i].rotate_s);
        int64_t then = plan.not_before > cases[i].now ? plan.not_before : cases[i].now;
        cr_expect_eq(keyplan_make(&after, then, cases[i].rotate_s).why, KEYPLAN_KEEP, "case %zu",
                     i);
    }
}

/* A secret of its own that issues now and rotates, though the document is of 2038. */
Test(keyplan, a_document_ahead_rotates_again)
{
    static const struct keydoc_epoch ahead[] = {
        {.not_before = YEAR2038, .rotate_s = 86400},
        {.not_before = B, .rotate_s = 86400, .index = 4375},
    };
    for (size_t i = 0; i < 2; i++) {
        struct keydoc doc = doc_of(1, &ahead[i]);
        int64_t now = B + 30 * DAY + 7;
        struct keyplan plan = keyplan_make(&doc, now, 86400);
        cr_assert_eq(plan.why, KEYPLAN_AHEAD);
        doc = add(&doc, &plan);
        for (int day = 0; day < 100; day++) {
            struct keyring ring;
            keyring_derive(&doc, now + day * DAY, SAMPLE_LIFETIME_S, &ring);
            cr_expect_eq(ring.key[ring.issuing].id,
                         (uint32_t)doc.epoch[plan.at].id << 16 | (uint32_t)day);
        }
    }
}

/* A clock behind that held long enough took nothing away: the right time finds its keys. */
Test(keyplan, a_clock_of_1970_costs_no_key)
{
    struct keyring before;
    struct keyring after;
    struct keydoc doc = sample_doc();
    (void)keydoc_advance(&doc, B + 30 * DAY, SAMPLE_LIFETIME_S);
    keyring_derive(&doc, B + 30 * DAY, SAMPLE_LIFETIME_S, &before);
    struct keyplan plan = keyplan_make(&doc, 4000, 86400);
    cr_assert_eq(plan.why, KEYPLAN_AHEAD);
    doc = add(&doc, &plan);
    keyring_derive(&doc, B + 30 * DAY, SAMPLE_LIFETIME_S, &after);
    cr_expect(sample_rings_are_same(&before, &after));
}

/* A process that is never started again, one period of a minute after the other, for a year. */
Test(keyplan, a_year_of_minutes_never_ends)
{
    struct keydoc doc = doc_of(1, &(struct keydoc_epoch){.not_before = B, .rotate_s = 60});
    for (int64_t now = B; now < B + 366 * DAY; now += 3600) {
        struct keyplan plan = keyplan_make(&doc, now, 60);
        if (plan.why != KEYPLAN_KEEP) {
            cr_assert_eq(plan.why, KEYPLAN_USED_UP);
            doc = add(&doc, &plan);
        }
        (void)keydoc_advance(&doc, now, 600);
        cr_assert_leq(doc.count, 2);
        struct keyring_place place = keyring_place_at(&doc, now);
        cr_assert(place.issues_from <= now && now - place.issues_from < 60);
    }
}

static int fill_fails(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    memset(out, 0, n);
    return -1;
}

static void expect_refused(const struct keydoc *doc, int64_t now_s, uint32_t rotate_s,
                           const char *why)
{
    struct rng rng;
    struct keyplan_fault fault;
    struct keydoc after = *doc;
    struct keyplan plan = keyplan_make(doc, now_s, rotate_s);
    rng_init_from(&rng, fill_fails, NULL);
    cr_expect_neq(keyplan_apply(&plan, &rng, &after, &fault), NTS_OK);
    cr_expect_not_null(strstr(fault.text, why), "%s", fault.text);
    cr_expect(sample_docs_are_same(doc, &after));
}

Test(keyplan, what_cannot_be_added_is_told_and_nothing_changed)
{
    struct keydoc doc = sample_doc();
    expect_refused(&doc, B, 3600, "no random octets");
    expect_refused(&doc, INT64_MAX, 3600, "beyond the year 9999");
    for (; doc.count < KEYDOC_EPOCHS_MAX; doc.count++) {
        doc.epoch[doc.count] =
            sample_epoch((uint8_t)(doc.count + 1), B + (int64_t)doc.count * DAY, SAMPLE_ROTATE_S);
    }
    expect_refused(&doc, B + 20 * DAY, 3600, "set ntsrotate 86400 until old ones have expired");
    doc.epoch[KEYDOC_EPOCHS_MAX - 1].revoked = true;
    doc.epoch[KEYDOC_EPOCHS_MAX - 1].rotate_s = 7200;
    expect_refused(&doc, B + 20 * DAY, 3600, "set ntsrotate 86400 until old ones have expired");
    expect_refused(&doc, B - 20 * DAY, SAMPLE_ROTATE_S, "stop ntsd and move it away");
    struct rng rng;
    struct keyplan_fault fault;
    struct keyplan keep = {.why = KEYPLAN_KEEP};
    rng_init_from(&rng, fill_fails, NULL);
    cr_expect_eq(keyplan_apply(&keep, &rng, &doc, &fault), NTS_OK);
}
