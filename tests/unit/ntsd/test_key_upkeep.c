/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a moment may do to the secret document: without a clock that is trusted, nothing.
 */
#include "ntsd/key_upkeep.h"

#include "common/keys/keyring.h"
#include "tests/unit/common/keys_sample.h"

#include <criterion/criterion.h>

#define DAY      INT64_C(86400)
#define YEAR2038 INT64_C(2145916800)

static const struct key_terms terms = {.rotate_s = SAMPLE_ROTATE_S,
                                       .lifetime_s = SAMPLE_LIFETIME_S};
static uint64_t random_state = 11;

static struct key_upkeep act(struct keydoc *doc, struct key_moment moment,
                             const struct key_terms *with)
{
    struct rng rng;
    rng_init_from(&rng, sample_fill, &random_state);
    return key_upkeep_do(doc, moment, with, &rng);
}

Test(key_upkeep, each_deed_needs_its_trust)
{
    static const struct {
        int64_t now_s;
        uint32_t rotate_s;
        bool trusted;
        bool has_held;
        enum keyplan_why added;
        uint32_t index; /* of the oldest epoch, afterwards */
    } cases[] = {
        /* an untrusted clock, in whatever year, never destroys and never adds */
        {SAMPLE_BEGIN + 100 * DAY, 86400, false, false, KEYPLAN_KEEP, 0},
        {SAMPLE_BEGIN + 100 * DAY, 3600, false, false, KEYPLAN_KEEP, 0},
        {YEAR2038, 86400, false, false, KEYPLAN_KEEP, 0},
        {0, 86400, false, false, KEYPLAN_KEEP, 0},
        /* one that is trusted for a moment adds what begins later, and destroys nothing */
        {SAMPLE_BEGIN + 100 * DAY, 86400, true, false, KEYPLAN_KEEP, 0},
        {SAMPLE_BEGIN + 100 * DAY, 3600, true, false, KEYPLAN_ROTATION, 0},
        {YEAR2038, 86400, true, false, KEYPLAN_KEEP, 0},
        {0, 86400, true, false, KEYPLAN_KEEP, 0},
        /* one that has held does all */
        {SAMPLE_BEGIN + 5 * DAY, 86400, true, true, KEYPLAN_KEEP, 0},
        {SAMPLE_BEGIN + 100 * DAY, 86400, true, true, KEYPLAN_KEEP, 92},
        {SAMPLE_BEGIN + 100 * DAY, 3600, true, true, KEYPLAN_ROTATION, 92},
        {0, 86400, true, true, KEYPLAN_AHEAD, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keydoc before = sample_doc();
        struct keydoc doc = before;
        struct key_moment moment = {
            .now_s = cases[i].now_s, .trusted = cases[i].trusted, .has_held = cases[i].has_held};
        struct key_terms with = {.rotate_s = cases[i].rotate_s, .lifetime_s = SAMPLE_LIFETIME_S};
        struct key_upkeep done = act(&doc, moment, &with);
        cr_expect_eq(done.err, NTS_OK);
        cr_expect_eq(done.added, cases[i].added, "case %zu: %d", i, done.added);
        cr_expect_eq(doc.count, cases[i].added == KEYPLAN_KEEP ? 1 : 2, "case %zu", i);
        cr_expect_eq(doc.epoch[0].index, cases[i].index, "case %zu: %u", i, doc.epoch[0].index);
        cr_expect_eq(done.changed, !sample_docs_are_same(&before, &doc), "case %zu", i);
        struct key_upkeep again = act(&doc, moment, &with);
        cr_expect(!again.changed && again.added == KEYPLAN_KEEP, "case %zu", i);
    }
}

/* A fleet's document is nobody's to extend, whatever it lacks. */
Test(key_upkeep, a_fleets_document_only_forgets)
{
    static const struct {
        int64_t now_s;
        bool trusted;
        bool has_held;
        uint32_t index;
    } cases[] = {
        {SAMPLE_BEGIN + 100 * DAY, false, false, 0},
        {SAMPLE_BEGIN + 100 * DAY, true, false, 0},
        {SAMPLE_BEGIN + 100 * DAY, true, true, 92},
        {SAMPLE_BEGIN + 5 * DAY, true, true, 0},
        {YEAR2038, true, false, 0},
        {0, true, true, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keydoc doc = sample_doc();
        struct key_moment moment = {
            .now_s = cases[i].now_s, .trusted = cases[i].trusted, .has_held = cases[i].has_held};
        bool changed = key_upkeep_of_fleet(&doc, moment, &terms);
        cr_expect_eq(changed, cases[i].index != 0, "case %zu", i);
        cr_expect_eq(doc.epoch[0].index, cases[i].index, "case %zu", i);
        cr_expect_eq(doc.count, 1);
        cr_expect_not(key_upkeep_of_fleet(&doc, moment, &terms), "twice is once");
    }
}

/* A full document whose epochs have expired: forgetting makes the room. */
Test(key_upkeep, room_is_made_before_it_is_needed)
{
    struct keydoc doc = {.count = KEYDOC_EPOCHS_MAX};
    for (size_t e = 0; e < doc.count; e++) {
        doc.epoch[e] = sample_epoch((uint8_t)(e + 1), SAMPLE_BEGIN + (int64_t)e * DAY, 3600);
    }
    struct key_moment moment = {.now_s = SAMPLE_BEGIN + 90 * DAY, .trusted = true};
    struct key_upkeep done = act(&doc, moment, &terms);
    cr_expect_eq(done.err, NTS_ELIMIT);
    cr_expect(!done.changed);
    cr_expect_not_null(strstr(done.fault.text, "set ntsrotate 3600"), "%s", done.fault.text);
    moment.has_held = true;
    done = act(&doc, moment, &terms);
    cr_expect_eq(done.err, NTS_OK, "%s", done.fault.text);
    cr_expect_eq(done.added, KEYPLAN_ROTATION);
    cr_expect_eq(doc.count, 2);
}

static struct key_moment look(struct key_time *time, int64_t boot_s, int64_t served_s)
{
    struct mono_ns boot = {.ns = boot_s * NS_PER_S};
    struct clock_model clock = {.anchor_raw_ns = boot.ns,
                                .anchor_wall_ns = served_s * NS_PER_S,
                                .state = CLOCK_SYNCHRONISED,
                                .stratum = 2};
    return key_time_at(time, &clock, boot, boot);
}

/* Weeks of service, one look at the year 2038, and the ring is what it was. */
Test(key_upkeep, a_moment_in_2038_costs_no_key)
{
    struct key_time time;
    struct keydoc doc = sample_doc();
    struct keyring before;
    struct keyring after;
    key_time_init(&time, &terms, (struct wall_ns){.ns = 0}, (struct mono_ns){.ns = 0});
    for (int64_t s = 0; s <= 30 * DAY; s += 3600) {
        (void)act(&doc, look(&time, s, SAMPLE_BEGIN + s), &terms);
    }
    cr_expect_eq(doc.epoch[0].index, 22);
    struct keydoc kept = doc;
    keyring_derive(&doc, SAMPLE_BEGIN + 30 * DAY + 60, SAMPLE_LIFETIME_S, &before);
    struct key_moment moment = look(&time, 30 * DAY + 60, YEAR2038);
    cr_expect_eq(moment.now_s, SAMPLE_BEGIN + 30 * DAY + 60);
    cr_expect(!act(&doc, moment, &terms).changed);
    keyring_derive(&doc, moment.now_s, SAMPLE_LIFETIME_S, &after);
    cr_expect(sample_rings_are_same(&before, &after));
    moment = look(&time, 30 * DAY + 120, SAMPLE_BEGIN + 30 * DAY + 120);
    cr_expect(moment.trusted);
    cr_expect(!act(&doc, moment, &terms).changed);
    cr_expect(sample_docs_are_same(&kept, &doc));
}

/* First start with a clock in 2038, which is then set right: rotation comes back within a day. */
Test(key_upkeep, a_first_start_ahead_mends_itself)
{
    struct key_time time;
    struct keydoc doc = {.count = 1};
    doc.epoch[0] = sample_epoch(1, YEAR2038, SAMPLE_ROTATE_S);
    key_time_init(&time, &terms, (struct wall_ns){.ns = YEAR2038 * NS_PER_S},
                  (struct mono_ns){.ns = 0});
    size_t added = 0;
    for (int64_t s = 0; s < 30 * DAY; s += 3600) {
        struct key_upkeep done = act(&doc, look(&time, s, SAMPLE_BEGIN + s), &terms);
        added += done.added == KEYPLAN_AHEAD ? 1 : 0;
        struct keyring_place place = keyring_place_at(&doc, SAMPLE_BEGIN + s);
        cr_expect(s < DAY || place.issues_from <= SAMPLE_BEGIN + s, "%lld", (long long)s);
    }
    cr_expect_eq(added, 1);
}
