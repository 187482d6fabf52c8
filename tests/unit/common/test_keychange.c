/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which document may follow which: case by case, and that a document which may follow never costs a
 * key that was in use, nor brings one back that was withdrawn.
 */
#include "common/keys/keychange.h"

#include "common/keys/keyedit.h"
#include "common/keys/keyepoch.h"
#include "tests/unit/common/keys_sample.h"

#include <criterion/criterion.h>
#include <inttypes.h>

#define DAY INT64_C(86400)
#define B   SAMPLE_BEGIN

enum { LIFETIME_S = 2 * 86400 };

static enum keychange judge(const struct keydoc *held, const struct keydoc *offered, int64_t now_s)
{
    struct keydoc_fault fault;
    memset(&fault, 'x', sizeof(fault));
    enum keychange change = keychange_judge(held, offered, now_s, LIFETIME_S, &fault);
    cr_assert_not_null(memchr(fault.text, '\0', sizeof(fault.text)));
    cr_assert_eq(fault.text[0] == '\0', change <= KEYCHANGE_NEWER, "%s", fault.text);
    if (change > KEYCHANGE_NEWER) {
        cr_assert_not_null(strstr(fault.text, "epoch "), "%s", fault.text);
        cr_assert_not_null(strstr(fault.text, "restart ntsd to take this one"), "%s", fault.text);
    }
    return change;
}

static void expect_change(const struct keydoc *held, const struct keydoc *offered, int64_t now_s,
                          enum keychange want)
{
    enum keychange is = judge(held, offered, now_s);
    cr_expect_eq(is, want, "%s, expected %s, at %" PRId64, keychange_name(is), keychange_name(want),
                 now_s - B);
}

static struct keydoc without(const struct keydoc *doc, size_t e)
{
    struct keydoc less = {.count = 0};
    for (size_t i = 0; i < doc->count; i++) {
        if (i != e) {
            less.epoch[less.count++] = doc->epoch[i];
        }
    }
    return less;
}

static struct keydoc with_revoked(const struct keydoc *doc, size_t e)
{
    struct keydoc more = *doc;
    more.epoch[e].revoked = true;
    return more;
}

static struct keydoc advanced(const struct keydoc *doc, int64_t now_s)
{
    struct keydoc after = *doc;
    (void)keydoc_advance(&after, now_s, LIFETIME_S);
    return after;
}

/* Epoch 1: days 0..5 and seven seconds; epoch 2: from there; epoch 7: half days from day 12. */
Test(keychange, an_epoch_may_go_when_its_last_cookie_has_expired)
{
    static const struct {
        size_t gone;
        int64_t now;
        enum keychange want;
    } cases[] = {
        {0, B - DAY, KEYCHANGE_MISSING},
        {0, B + DAY, KEYCHANGE_MISSING},
        {0, B + 6 * DAY, KEYCHANGE_MISSING},
        {0, B + 7 * DAY + 6, KEYCHANGE_MISSING},
        {0, B + 7 * DAY + 7, KEYCHANGE_SAME},
        {0, INT64_MAX, KEYCHANGE_SAME},
        {1, INT64_MIN, KEYCHANGE_MISSING},
        {1, B + DAY, KEYCHANGE_MISSING}, /* it has yet to begin */
        {1, B + 14 * DAY - 1, KEYCHANGE_MISSING},
        {1, B + 14 * DAY, KEYCHANGE_SAME},
        {2, B + DAY, KEYCHANGE_MISSING},
        {2, B + 12 * DAY, KEYCHANGE_MISSING},
        {2, INT64_MAX, KEYCHANGE_MISSING}, /* the last one is never over */
    };
    struct keydoc held = sample_doc_of_three();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keydoc offered = without(&held, cases[i].gone);
        expect_change(&held, &offered, cases[i].now, cases[i].want);
        /* The same for a withdrawal: until then an old copy could take it back. */
        struct keydoc revoked = with_revoked(&held, cases[i].gone);
        bool any_left = cases[i].gone != 2; /* else nothing ends epoch 2 */
        expect_change(&revoked, &offered, cases[i].now,
                      any_left ? cases[i].want : KEYCHANGE_MISSING);
    }
}

Test(keychange, more_is_newer_and_less_is_missing)
{
    struct keydoc whole = sample_doc_of_three();
    struct keydoc none_to_come = without(&whole, 2);
    struct keydoc first = without(&none_to_come, 1);
    struct keydoc last = without(&none_to_come, 0);
    expect_change(&none_to_come, &whole, B + DAY, KEYCHANGE_NEWER);
    expect_change(&first, &whole, B + DAY, KEYCHANGE_NEWER);
    expect_change(&whole, &none_to_come, B + DAY, KEYCHANGE_MISSING);
    expect_change(&whole, &whole, B + DAY, KEYCHANGE_SAME);
    /* cut off from the store since day 0: what has begun since is to be followed */
    expect_change(&first, &whole, B + 500 * DAY, KEYCHANGE_NEWER);
    /* but without the own epoch it could be anybody's */
    expect_change(&first, &last, B + 500 * DAY, KEYCHANGE_MISSING);
    /* an epoch that is past is nothing new */
    expect_change(&last, &none_to_come, B + 8 * DAY, KEYCHANGE_SAME);
    expect_change(&last, &none_to_come, B + 7 * DAY, KEYCHANGE_NEWER);
}

Test(keychange, a_withdrawal_is_taken_and_kept)
{
    struct keydoc doc = sample_doc_of_three();
    for (size_t e = 0; e < 3; e++) {
        struct keydoc revoked = with_revoked(&doc, e);
        expect_change(&doc, &revoked, B + 6 * DAY, KEYCHANGE_NEWER);
        expect_change(&revoked, &revoked, B + 6 * DAY, KEYCHANGE_SAME);
        expect_change(&revoked, &doc, B + 6 * DAY, KEYCHANGE_RESTORED);
    }
    struct keydoc revoked = with_revoked(&doc, 0);
    expect_change(&revoked, &doc, B + 7 * DAY + 6, KEYCHANGE_RESTORED);
    expect_change(&revoked, &doc, B + 7 * DAY + 7, KEYCHANGE_SAME);
    expect_change(&doc, &revoked, B + 7 * DAY + 7, KEYCHANGE_SAME);
    /* whoever withdraws may destroy what was withdrawn */
    revoked.epoch[0].index = 5;
    for (int i = 0; i < 5; i++) {
        keyepoch_ratchet(revoked.epoch[0].chain);
    }
    expect_change(&doc, &revoked, B + DAY, KEYCHANGE_NEWER);
    expect_change(&revoked, &doc, B + DAY, KEYCHANGE_RESTORED);
}

Test(keychange, an_id_names_one_secret)
{
    struct keydoc held = sample_doc_of_three();
    for (size_t e = 0; e < 3; e++) {
        struct keydoc other[4] = {held, held, held, held};
        other[0].epoch[e].chain[e] ^= 0x80;
        other[1].epoch[e].rotate_s += 60;
        other[2].epoch[e].not_before += 60;
        other[3].epoch[e].index++; /* the same octets for another period */
        for (size_t i = 0; i < 4; i++) {
            expect_change(&held, &other[i], B + 6 * DAY, KEYCHANGE_OTHER);
            expect_change(&other[i], &held, B + 6 * DAY, KEYCHANGE_OTHER);
        }
    }
    /* the id of an epoch that is past may have been drawn again */
    struct keydoc again = held;
    again.epoch[2] = sample_epoch(1, B + 20 * DAY, SAMPLE_ROTATE_S);
    struct keydoc past = without(&held, 2);
    again = without(&again, 0);
    expect_change(&past, &again, B + 7 * DAY, KEYCHANGE_OTHER);
    expect_change(&past, &again, B + 8 * DAY, KEYCHANGE_NEWER);
}

Test(keychange, chain_values_still_needed_may_not_be_forgotten)
{
    static const struct {
        int64_t forgets_at; /* offered was advanced for then */
        int64_t now;
        enum keychange want;
    } cases[] = {
        {B, B, KEYCHANGE_SAME},
        {B + 4 * DAY, B + 4 * DAY, KEYCHANGE_SAME},
        {B + 4 * DAY, B + 5 * DAY, KEYCHANGE_SAME},
        {B + 4 * DAY, B + 4 * DAY - 1, KEYCHANGE_FORGOTTEN},
        {B + 4 * DAY, B, KEYCHANGE_FORGOTTEN},
        {B + 4 * DAY, INT64_MIN, KEYCHANGE_FORGOTTEN},
        {B + 300 * DAY, B + 299 * DAY, KEYCHANGE_FORGOTTEN},
    };
    struct keydoc held = sample_doc();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keydoc offered = advanced(&held, cases[i].forgets_at);
        expect_change(&held, &offered, cases[i].now, cases[i].want);
        /* The other way round is what every fetch finds; it heals what a clock ahead destroyed. */
        expect_change(&offered, &held, cases[i].now,
                      cases[i].want == KEYCHANGE_SAME ? KEYCHANGE_SAME : KEYCHANGE_NEWER);
    }
}

/* Made by clocks ahead: its chain value is of a time after its end. It has no key to lose, but it
 * ends the epoch before. */
Test(keychange, an_epoch_without_keys_may_go)
{
    struct keydoc held = sample_doc_of_three();
    held.epoch[1].index = 50;
    struct keydoc offered = without(&held, 1);
    expect_change(&held, &offered, B + DAY, KEYCHANGE_NEWER);
    expect_change(&offered, &held, B + DAY, KEYCHANGE_NEWER);
    struct keydoc later = held;
    (void)keyepoch_advance(&later.epoch[1], 60);
    expect_change(&held, &later, B + DAY, KEYCHANGE_SAME);
}

Test(keychange, the_fault_says_which_and_why)
{
    struct keydoc held = sample_doc_of_three();
    struct keydoc offered[6] = {held, without(&held, 0), without(&held, 2), held, held, held};
    struct keydoc revoked = with_revoked(&held, 0);
    offered[0].epoch[1].chain[0] ^= 1;
    offered[3].epoch[1].rotate_s++;
    offered[4] = advanced(&held, B + 4 * DAY);
    static const struct {
        bool is_revoked;
        const char *why;
    } cases[] = {
        {false, "epoch 2 has another \"secret\" than the one in service; put the newest"},
        {false, "epoch 1 is gone, though its keys are in use; put"},
        {false, "epoch 7 is gone, though it has yet to begin; put"},
        {false, "epoch 2 has another \"rotate\" than the one in service; put"},
        {false, "epoch 1 begins with index 2, though keys from 0 on are in use; put"},
        {true, "epoch 1 is revoked, but not in it; put"},
    };
    for (size_t i = 0; i < 6; i++) {
        struct keydoc_fault fault;
        (void)keychange_judge(cases[i].is_revoked ? &revoked : &held, &offered[i], B, LIFETIME_S,
                              &fault);
        cr_expect_not_null(strstr(fault.text, cases[i].why), "%s", fault.text);
        cr_expect(strlen(fault.text) + 1 < sizeof(fault.text));
    }
    struct keydoc_fault fault;
    (void)keychange_judge(&revoked, &offered[1], B, LIFETIME_S, &fault);
    cr_expect_not_null(strstr(fault.text, "epoch 1 is gone, though it has to be known as revoked"));
}

Test(keychange, names_are_those_of_the_metric)
{
    static const char *const names[] = {"same",    "newer",     "other",
                                        "missing", "forgotten", "restored"};
    for (unsigned i = 0; i < KEYCHANGES; i++) {
        cr_expect_str_eq(keychange_name((enum keychange)i), names[i]);
    }
    cr_expect_str_eq(keychange_name(KEYCHANGES), "?");
}

/* ---- properties */

static struct keydoc random_doc(uint64_t *state)
{
    struct keydoc doc = {.count = 1 + sample_random(state) % 5};
    int64_t at = B;
    for (size_t e = 0; e < doc.count; e++) {
        uint32_t rotate_s = (uint32_t)(3600 + sample_random(state) % 90000);
        doc.epoch[e] = sample_epoch((uint8_t)(e + 1), at, rotate_s);
        doc.epoch[e].revoked = sample_random(state) % 4 == 0;
        at += 1 + (int64_t)(sample_random(state) % (uint64_t)(6 * DAY));
    }
    doc.epoch[sample_random(state) % doc.count].revoked = false;
    return doc;
}

static int64_t random_now(uint64_t *state)
{
    return B - DAY + (int64_t)(sample_random(state) % (uint64_t)(20 * DAY));
}

static bool makes_the_same_ring(const struct keydoc *a, const struct keydoc *b, int64_t now_s)
{
    struct keyring x;
    struct keyring y;
    keyring_derive(a, now_s, LIFETIME_S, &x);
    keyring_derive(b, now_s, LIFETIME_S, &y);
    return sample_rings_are_same(&x, &y);
}

static bool is_revoked_in(const struct keydoc *doc, uint32_t key_id)
{
    for (size_t e = 0; e < doc->count; e++) {
        if (doc->epoch[e].id == key_id >> 16) {
            return doc->epoch[e].revoked;
        }
    }
    return false;
}

/* That a key can be had from the epoch of its name. */
static bool can_compute(const struct keydoc *doc, const struct keyring_key *key)
{
    for (size_t e = 0; e < doc->count; e++) {
        struct keydoc alone = {.count = 1, .epoch = {doc->epoch[e]}};
        struct keyring ring;
        alone.epoch[0].revoked = false;
        if (alone.epoch[0].id != key->id >> 16) {
            continue;
        }
        keyring_derive(&alone, key->issues_from, 0, &ring);
        return ring.key[ring.issuing].id == key->id &&
               memcmp(ring.key[ring.issuing].bytes, key->bytes, KEYRING_KEY_LEN) == 0;
    }
    return false;
}

/* Everything that `held` opens or will issue, unless it was withdrawn. */
static bool loses_nothing(const struct keydoc *held, const struct keydoc *offered, int64_t now_s)
{
    struct keyring ring;
    for (size_t e = 0; e <= held->count; e++) {
        int64_t then = e < held->count ? held->epoch[e].not_before : now_s;
        if (then < now_s || (e < held->count && held->epoch[e].revoked)) {
            continue;
        }
        keyring_derive(held, then, then == now_s ? LIFETIME_S : 0, &ring);
        for (uint32_t i = 0; i < ring.count; i++) {
            if (!is_revoked_in(offered, ring.key[i].id) && !can_compute(offered, &ring.key[i])) {
                return false;
            }
        }
    }
    return true;
}

static bool names_the_same(const struct keydoc *a, const struct keydoc *b)
{
    bool same = a->count == b->count;
    for (size_t e = 0; same && e < a->count; e++) {
        same = a->epoch[e].id == b->epoch[e].id && a->epoch[e].revoked == b->epoch[e].revoked;
    }
    return same;
}

/* What a store, or who tends it, may do to a document. */
static struct keydoc altered(const struct keydoc *doc, int64_t now_s, uint64_t *state)
{
    struct keydoc after = *doc;
    size_t e = sample_random(state) % doc->count;
    switch (sample_random(state) % 6) {
    case 0:
        return doc->count > 1 ? without(doc, e) : after;
    case 1:
        after.epoch[e].revoked = !after.epoch[e].revoked;
        break;
    case 2:
        return advanced(doc, now_s + (int64_t)(sample_random(state) % (uint64_t)(4 * DAY)) - DAY);
    case 3:
        after.epoch[e].chain[0] ^= 1;
        break;
    case 4:
        (void)keyepoch_advance(&after.epoch[e], (uint32_t)(sample_random(state) % 8));
        break;
    default:
        if (after.count < KEYDOC_EPOCHS_MAX) {
            int64_t last = after.epoch[after.count - 1].not_before;
            after.epoch[after.count++] = sample_epoch((uint8_t)(100 + sample_random(state) % 100),
                                                      last + 1 + (int64_t)e * DAY, 86400);
        }
    }
    return after;
}

static bool is_document(const struct keydoc *doc)
{
    uint8_t buf[KEYDOC_WRITTEN_MAX];
    struct wr out = wr_init(buf, sizeof(buf));
    struct keydoc read;
    struct keydoc_fault fault;
    return keydoc_write(doc, &out) == NTS_OK &&
           keydoc_parse(wr_done(&out), &read, &fault) == NTS_OK;
}

Test(keychange, what_may_follow_loses_nothing_and_what_may_not_does)
{
    uint64_t state = 1;
    unsigned seen[KEYCHANGES] = {0};
    for (int round = 0; round < 4000; round++) {
        struct keydoc held = random_doc(&state);
        int64_t now = random_now(&state);
        struct keydoc offered = altered(&held, now, &state);
        if (round % 3 == 0) {
            offered = altered(&offered, now, &state);
        }
        if (round % 2 == 0) {
            held = altered(&held, now, &state);
        }
        if (!is_document(&offered) || !is_document(&held)) {
            continue;
        }
        enum keychange change = judge(&held, &offered, now);
        seen[change]++;
        if (change <= KEYCHANGE_NEWER) {
            cr_assert(loses_nothing(&held, &offered, now), "round %d", round);
        } else if (change == KEYCHANGE_FORGOTTEN) {
            cr_assert(!loses_nothing(&held, &offered, now), "round %d", round);
        }
        if (change == KEYCHANGE_NEWER && names_the_same(&held, &offered)) {
            cr_assert(!loses_nothing(&offered, &held, now), "round %d", round);
        }
        if (change == KEYCHANGE_SAME) {
            for (int i = 0; i < 5; i++) {
                cr_assert(makes_the_same_ring(&held, &offered, now + i * 2 * DAY), "round %d",
                          round);
            }
        }
    }
    for (unsigned i = 0; i < KEYCHANGES; i++) {
        cr_expect_gt(seen[i], 50, "%s", keychange_name((enum keychange)i));
    }
}

Test(keychange, each_document_is_its_own_successor_advanced_or_not)
{
    uint64_t state = 2;
    for (int round = 0; round < 500; round++) {
        struct keydoc doc = random_doc(&state);
        int64_t now = random_now(&state);
        struct keydoc after = advanced(&doc, now);
        int64_t later = now + (int64_t)(sample_random(&state) % (uint64_t)(9 * DAY));
        expect_change(&doc, &doc, now, KEYCHANGE_SAME);
        expect_change(&after, &doc, now, KEYCHANGE_SAME);
        expect_change(&doc, &after, now, KEYCHANGE_SAME);
        expect_change(&after, &doc, later, KEYCHANGE_SAME);
        expect_change(&doc, &after, later, KEYCHANGE_SAME);
    }
}

/* It makes no difference to the verdict how much of its copy a host has destroyed. */
Test(keychange, an_advanced_copy_judges_like_the_whole_one)
{
    uint64_t state = 3;
    for (int round = 0; round < 1500; round++) {
        struct keydoc held = random_doc(&state);
        int64_t now = random_now(&state);
        struct keydoc offered = altered(&held, now, &state);
        struct keydoc after = advanced(&held, now);
        if (is_document(&offered)) {
            expect_change(&after, &offered, now, judge(&held, &offered, now));
        }
    }
}

static struct keyedit_wish wish_at(int64_t now_s, uint64_t *state)
{
    return (struct keyedit_wish){.now_s = now_s,
                                 .ahead_s = (int64_t)(sample_random(state) % 100000),
                                 .lifetime_s = LIFETIME_S,
                                 .again = true};
}

static void operate(struct keydoc *doc, int64_t now_s, struct rng *rng, uint64_t *state)
{
    struct keyedit_report report;
    struct keyedit_wish wish = wish_at(now_s, state);
    uint64_t what = sample_random(state) % 4;
    if (what == 0) {
        (void)keyedit_revoke(doc, doc->epoch[sample_random(state) % doc->count].id, now_s, rng,
                             &report);
    } else if (what == 1) {
        (void)keyedit_prune(doc, &wish, &report);
    } else {
        (void)keyedit_add(doc, &wish, rng, &report);
    }
}

/*
 * An operator's versions, one after the other; a host that has the newest, advanced, is shown all
 * of them. It follows none that would open a cookie of an epoch withdrawn since.
 */
Test(keychange, no_older_copy_undoes_a_withdrawal)
{
    enum { VERSIONS = 24 };
    uint64_t state = 4;
    struct rng rng;
    rng_init_from(&rng, sample_fill, &state);
    unsigned refused = 0;
    for (int round = 0; round < 40; round++) {
        struct keydoc version[VERSIONS] = {sample_doc()};
        bool revoked[UINT8_MAX + 1] = {false};
        struct keydoc held = version[0];
        int64_t now = B + DAY;
        for (size_t v = 1; v < VERSIONS; v++) {
            now += (int64_t)(sample_random(&state) % (uint64_t)DAY);
            version[v] = version[v - 1];
            operate(&version[v], now, &rng, &state);
            cr_assert_leq(judge(&held, &version[v], now), KEYCHANGE_NEWER);
            held = advanced(&version[v], now);
            for (size_t e = 0; e < version[v].count; e++) {
                /* an id may be drawn again when its epoch is gone */
                revoked[version[v].epoch[e].id] = version[v].epoch[e].revoked;
            }
            for (size_t old = 0; old < v; old++) {
                struct keyring ring;
                if (judge(&held, &version[old], now) > KEYCHANGE_NEWER) {
                    refused++;
                    continue;
                }
                keyring_derive(&version[old], now, LIFETIME_S, &ring);
                for (uint32_t i = 0; i < ring.count; i++) {
                    cr_assert(!revoked[ring.key[i].id >> 16], "round %d, version %zu of %zu", round,
                              old, v);
                }
            }
        }
    }
    cr_expect_gt(refused, 1000);
}
