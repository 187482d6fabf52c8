/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A year of two hosts that hold the same document, one clock five minutes early and one five
 * minutes late. The early one erases what has expired, the late one never does. Every hour each
 * seals a cookie that the other has to open for as long as it was promised, and no longer.
 */
#include "common/keys/cookie.h"
#include "tests/unit/common/keys_sample.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
    STEP_S = 3550, /* so that steps fall on all minutes of an hour */
    YEAR_STEPS = 366 * 86400 / STEP_S,
    COOKIE_LEN = 100,
};

struct host {
    int64_t skew_s;
    bool erases;
    struct keydoc doc;
    int64_t next_change; /* by its own clock */
    struct cookie_ring ring;
};

struct sealed {
    int64_t at; /* by the clock of who sealed it */
    uint8_t cookie[COOKIE_LEN];
};

static void host_tick(struct host *host, int64_t true_now)
{
    int64_t now = true_now + host->skew_s;
    if (now < host->next_change) {
        return;
    }
    struct keyring ring;
    if (host->erases) {
        (void)keydoc_advance(&host->doc, now, SAMPLE_LIFETIME_S);
    }
    keyring_derive(&host->doc, now, SAMPLE_LIFETIME_S, &ring);
    cr_assert_eq(cookie_ring_prepare(&host->ring, &ring), NTS_OK);
    cr_assert_geq(ring.count, 2);
    host->next_change = keyring_next_change(&host->doc, now, SAMPLE_LIFETIME_S);
}

static void host_seal(const struct host *host, int64_t true_now, struct rng *rng,
                      struct sealed *out)
{
    struct session_keys keys = sample_session(aead_find(AEAD_AES_SIV_CMAC_256), 1);
    struct wr w = wr_init(out->cookie, sizeof(out->cookie));
    out->at = true_now + host->skew_s;
    cr_assert_eq(cookie_seal(&host->ring, rng, &keys, &w), NTS_OK);
    cr_assert_eq(w.n, COOKIE_LEN);
}

static enum nts_err host_unseal(const struct host *host, const struct sealed *sealed)
{
    struct session_keys keys;
    size_t slot;
    return cookie_unseal(&host->ring, span_of(sealed->cookie, COOKIE_LEN), &keys, &slot);
}

/* The promise: `opener` opens it while its clock reads less than the sealer's did plus the
 * lifetime, and a period later at the latest it does not any more. */
static void expect_promise(const struct host *opener, int64_t true_now, const struct sealed *sealed)
{
    int64_t age = true_now + opener->skew_s - sealed->at;
    enum nts_err err = host_unseal(opener, sealed);
    if (age < SAMPLE_LIFETIME_S) {
        cr_assert_eq(err, NTS_OK, "age %" PRId64 ": %s", age, nts_err_name(err));
    } else if (age >= SAMPLE_LIFETIME_S + SAMPLE_ROTATE_S) {
        cr_assert_eq(err, NTS_ENOTFOUND, "age %" PRId64, age);
    }
}

/* The moments that matter: at once, and around both ends of what may be. */
static void expect_promises(const struct host *opener, int64_t true_now, const struct sealed *all,
                            size_t count)
{
    const size_t ages[] = {0, 1, 24, 100};
    const size_t ends[] = {SAMPLE_LIFETIME_S / STEP_S,
                           (SAMPLE_LIFETIME_S + SAMPLE_ROTATE_S) / STEP_S};
    for (size_t i = 0; i < 4; i++) {
        if (ages[i] < count) {
            expect_promise(opener, true_now, &all[count - 1 - ages[i]]);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        for (size_t age = ends[i] - 2; age < ends[i] + 3 && age < count; age++) {
            expect_promise(opener, true_now, &all[count - 1 - age]);
        }
    }
}

Test(keyring_year, cookies_open_everywhere_for_their_lifetime_and_not_after)
{
    static struct host early = {.skew_s = 300, .erases = true, .next_change = INT64_MIN};
    static struct host late = {.skew_s = -300, .erases = false, .next_change = INT64_MIN};
    static struct rng rng;
    uint64_t state = 1;
    struct sealed *by_early = calloc(YEAR_STEPS, sizeof(*by_early));
    struct sealed *by_late = calloc(YEAR_STEPS, sizeof(*by_late));
    cr_assert(by_early != NULL && by_late != NULL);
    rng_init_from(&rng, sample_fill, &state);
    early.doc = sample_doc();
    early.doc.epoch[1] = sample_epoch(2, SAMPLE_BEGIN + 100 * 86400 + 1234, SAMPLE_ROTATE_S);
    early.doc.epoch[2] = sample_epoch(3, SAMPLE_BEGIN + 200 * 86400 + 10, SAMPLE_ROTATE_S);
    early.doc.count = 3;
    late.doc = early.doc;
    for (size_t i = 0; i < YEAR_STEPS; i++) {
        int64_t now = SAMPLE_BEGIN + 600 + (int64_t)i * STEP_S;
        host_tick(&early, now);
        host_tick(&late, now);
        host_seal(&early, now, &rng, &by_early[i]);
        host_seal(&late, now, &rng, &by_late[i]);
        expect_promises(&late, now, by_early, i + 1);
        expect_promises(&early, now, by_late, i + 1);
        expect_promises(&early, now, by_early, i + 1);
    }
    cr_expect(early.doc.count == 1 && early.doc.epoch[0].id == 3);
    free(by_early);
    free(by_late);
}

/* Step by step and directly, a year leads to the same chain value. */
Test(keyring_year, advancing_daily_equals_advancing_once)
{
    struct keydoc daily = sample_doc();
    struct keydoc once = sample_doc();
    for (int64_t day = 0; day <= 365; day++) {
        (void)keydoc_advance(&daily, SAMPLE_BEGIN + day * 86400, SAMPLE_LIFETIME_S);
    }
    cr_expect(keydoc_advance(&once, SAMPLE_BEGIN + INT64_C(365) * 86400, SAMPLE_LIFETIME_S));
    cr_expect(sample_docs_are_same(&daily, &once));
    cr_expect_eq(once.epoch[0].index, 357);
}

/* A thief of the advanced document asks it for rings of all days before: no old key turns up. */
Test(keyring_year, expired_keys_cannot_be_had_from_an_advanced_document)
{
    struct keydoc whole = sample_doc();
    struct keydoc advanced = whole;
    int64_t today = SAMPLE_BEGIN + INT64_C(100) * 86400;
    cr_assert(keydoc_advance(&advanced, today, SAMPLE_LIFETIME_S));
    for (int64_t day = 0; day < 91; day++) {
        struct keyring old;
        struct keyring stolen;
        int64_t then = SAMPLE_BEGIN + day * 86400;
        keyring_derive(&whole, then, 0, &old);
        keyring_derive(&advanced, then, SAMPLE_LIFETIME_S, &stolen);
        for (uint32_t i = 0; i < stolen.count; i++) {
            cr_assert_neq(stolen.key[i].id, old.key[0].id);
            cr_assert_neq(memcmp(stolen.key[i].bytes, old.key[0].bytes, KEYRING_KEY_LEN), 0);
        }
        cr_assert_neq(memcmp(advanced.epoch[0].chain, old.key[0].bytes, KEYRING_KEY_LEN), 0);
    }
}

/* No id names two keys in a year, over epochs that come and go. */
Test(keyring_year, an_id_names_one_key_for_good)
{
    struct keydoc doc = sample_doc_of_three();
    struct keyring_key seen[1024];
    size_t count = 0;
    for (int64_t hour = 0; hour < 366 * 24; hour += 11) {
        struct keyring ring;
        int64_t now = SAMPLE_BEGIN + hour * 3600;
        keyring_derive(&doc, now, SAMPLE_ROTATE_S, &ring);
        (void)keydoc_advance(&doc, now, SAMPLE_ROTATE_S);
        for (uint32_t i = 0; i < ring.count; i++) {
            size_t at = 0;
            while (at < count && seen[at].id != ring.key[i].id) {
                at++;
            }
            cr_assert_lt(at, sizeof(seen) / sizeof(seen[0]));
            if (at == count) {
                seen[count++] = ring.key[i];
            }
            cr_assert_eq(memcmp(&seen[at], &ring.key[i], sizeof(seen[at])), 0);
        }
    }
    cr_expect_gt(count, 700);
}
