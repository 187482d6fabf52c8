/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys process with a fleet's document: what it takes, what it refuses, and that nothing a
 * store does ends the ring that is in service.
 */
#include "tests/unit/ntsd/keys_process.h"

#include "common/keys/keycache.h"

static struct keys_process k;
static int64_t began; /* of the first epoch */

static void set_up(void)
{
    keys_make(&k);
    began = wall_now().ns / NS_PER_S - 3 * SAMPLE_ROTATE_S - 1000;
}

static void tear_down(void)
{
    keys_remove(&k);
}

TestSuite(role_keys_fleet, .init = set_up, .fini = tear_down, .timeout = 240);

/* One epoch in use, and as many more that have yet to begin. */
static struct keydoc doc_of(uint8_t epochs)
{
    struct keydoc doc = {.count = epochs};
    for (uint8_t i = 0; i < epochs; i++) {
        int64_t from = i == 0 ? began : began + (int64_t)(10 + i) * SAMPLE_ROTATE_S;
        doc.epoch[i] = sample_epoch((uint8_t)(1 + i), from, SAMPLE_ROTATE_S);
    }
    return doc;
}

static void start_with(const struct keydoc *doc)
{
    keys_put(&k, doc);
    keys_start(&k);
    keys_await_answer(&k, 0);
}

/* The ring on the board is the one that follows from `doc`. */
static void expect_ring_of(const struct keydoc *doc)
{
    struct keyring have = keys_ring(&k);
    struct keyring want;
    keyring_derive(doc, have.made_at, SAMPLE_LIFETIME_S, &want);
    cr_expect(sample_rings_are_same(&have, &want));
    cr_expect_eq(have.count, want.count);
}

static uint64_t changes(enum keychange change)
{
    return keys_status(&k).provider.change[change];
}

Test(role_keys_fleet, the_first_document_is_taken)
{
    struct keydoc doc = doc_of(2);
    start_with(&doc);
    struct key_status status = keys_status(&k);
    cr_expect_eq(status.provider.used, 1);
    cr_expect_eq(status.provider.failing, 0);
    cr_expect_eq(status.provider.outcome[PROVIDER_OK], 1);
    cr_expect_eq(status.provider.change[KEYCHANGE_NEWER], 1);
    cr_expect_gt(status.provider.fetched_boot_ns, 0);
    cr_expect_eq(status.provider.from_cache, 0);
    expect_ring_of(&doc);
    struct keyring ring = keys_ring(&k);
    cr_expect_eq(status.count, ring.count);
    cr_expect_eq(status.issuing_id, ring.key[ring.issuing].id);
    cr_expect_eq(status.issues_from, ring.key[ring.issuing].issues_from);
    for (size_t i = 0; i < ring.count; i++) {
        uint8_t fingerprint[KEYRING_FINGERPRINT_LEN];
        keyring_fingerprint(&ring.key[i], fingerprint);
        cr_expect_eq(status.held[i].id, ring.key[i].id);
        cr_expect_arr_eq(status.held[i].fingerprint, fingerprint, sizeof(fingerprint));
    }
    cr_expect_eq(keys_stop(&k, SIGTERM), 0);
    cr_expect_neq(access(k.config.state_dir, F_OK), 0, "nothing is stored");
}

Test(role_keys_fleet, it_waits_for_its_store)
{
    struct keydoc doc = doc_of(1);
    keys_start(&k);
    keys_await_answer(&k, 0);
    cr_expect_eq(board_generation(k.context.board[BOARDS_KEYS]), 0, "no ring of its own");
    cr_expect_eq(keys_status(&k).count, 0);
    cr_expect_gt(keys_status(&k).provider.failing, 0);
    cr_expect_gt(keys_status(&k).provider.outcome[PROVIDER_NOT_FOUND], 0);
    keys_put(&k, &doc);
    for (int i = 0; keys_status(&k).count == 0; i++) { /* without being told */
        cr_assert_lt(i, PATIENCE_MS);
        (void)poll(NULL, 0, 1);
    }
    expect_ring_of(&doc);
    cr_expect_eq(keys_status(&k).provider.failing, 0);
}

Test(role_keys_fleet, a_change_of_the_file_is_seen)
{
    struct keydoc doc = doc_of(1);
    start_with(&doc);
    struct keydoc newer = doc_of(2);
    keys_put(&k, &newer);
    for (int i = 0; changes(KEYCHANGE_NEWER) < 2; i++) {
        cr_assert_lt(i, PATIENCE_MS);
        (void)poll(NULL, 0, 1);
    }
    expect_ring_of(&newer);
}

static void put_text(const char *text)
{
    cr_assert_eq(file_replace(k.config.keys_source, span_of(text, strlen(text)), 0600), NTS_OK);
}

/* Whatever is wrong: counted, and the ring is as it was. */
Test(role_keys_fleet, what_is_refused)
{
    struct keydoc doc = doc_of(2);
    struct keydoc bad;
    start_with(&doc);
    struct keyring before = keys_ring(&k);

    put_text("{\"ntsd_keys\": 1, \"epochs\": [");
    keys_ask(&k);
    cr_expect_gt(keys_status(&k).provider.malformed, 0);
    put_text("");
    keys_ask(&k);
    bad = doc_of(1);
    keys_put(&k, &bad);
    keys_ask(&k);
    cr_expect_gt(changes(KEYCHANGE_MISSING), 0, "the epoch to come");
    bad = doc_of(2);
    bad.epoch[0].chain[0] ^= 1;
    keys_put(&k, &bad);
    keys_ask(&k);
    cr_expect_gt(changes(KEYCHANGE_OTHER), 0);
    bad = doc_of(2);
    bad.epoch[0].index = 3;
    keys_put(&k, &bad);
    keys_ask(&k);
    cr_expect_gt(changes(KEYCHANGE_OTHER), 0, "another chain");
    cr_assert_eq(chmod(k.config.keys_source, 0666), 0);
    keys_ask(&k);
    cr_expect_gt(keys_status(&k).provider.outcome[PROVIDER_DENIED], 0);
    cr_assert_eq(unlink(k.config.keys_source), 0);
    keys_ask(&k);
    cr_expect_gt(keys_status(&k).provider.outcome[PROVIDER_NOT_FOUND], 0);
    cr_expect_geq(keys_status(&k).provider.failing, 8);

    struct keyring after = keys_ring(&k);
    cr_expect_arr_eq(&before, &after, sizeof(before));
    keys_put(&k, &doc);
    keys_ask(&k);
    cr_expect_eq(keys_status(&k).provider.failing, 0, "mended");
    cr_expect_gt(changes(KEYCHANGE_SAME), 0);
}

Test(role_keys_fleet, a_withdrawal_is_at_once_and_for_good)
{
    struct keydoc doc = doc_of(1);
    doc.epoch[doc.count++] = sample_epoch(9, began + SAMPLE_ROTATE_S, SAMPLE_ROTATE_S);
    start_with(&doc);
    cr_expect_eq(keys_status(&k).issuing_id >> 16, 9);
    struct keydoc withdrawn = doc;
    withdrawn.epoch[1].revoked = true;
    keys_put(&k, &withdrawn);
    keys_ask(&k);
    expect_ring_of(&withdrawn);
    struct keyring ring = keys_ring(&k);
    for (size_t i = 0; i < ring.count; i++) {
        cr_expect_eq(ring.key[i].id >> 16, 1);
    }
    keys_put(&k, &doc);
    keys_ask(&k);
    cr_expect_gt(changes(KEYCHANGE_RESTORED), 0);
    expect_ring_of(&withdrawn);
}

/* A process that dies while the store is gone: its successor goes on from the boards. */
Test(role_keys_fleet, a_successor_goes_on_without_the_store)
{
    struct keydoc doc = doc_of(2);
    start_with(&doc);
    cr_assert_eq(unlink(k.config.keys_source), 0);
    cr_assert_eq(keys_stop(&k, SIGKILL), -SIGKILL);
    struct key_status before = keys_status(&k);
    uint64_t generation = board_generation(k.context.board[BOARDS_KEYS]);
    keys_start(&k);
    keys_await_answer(&k, keys_answers(&k));
    cr_expect_gt(board_generation(k.context.board[BOARDS_KEYS]), generation, "published anew");
    expect_ring_of(&doc);
    struct key_status after = keys_status(&k);
    cr_expect_eq(after.provider.outcome[PROVIDER_OK], before.provider.outcome[PROVIDER_OK],
                 "counters go on");
    cr_expect_eq(after.provider.fetched_boot_ns, before.provider.fetched_boot_ns);
    /* and what comes next is judged against what was */
    struct keydoc older = doc_of(1);
    keys_put(&k, &older);
    keys_ask(&k);
    cr_expect_gt(changes(KEYCHANGE_MISSING), 0);
    expect_ring_of(&doc);
}

/* Rotation needs no store. */
Test(role_keys_fleet, the_ring_goes_on_without_the_store)
{
    struct keydoc doc = doc_of(1);
    (void)keys_publish_clock(&k);
    start_with(&doc);
    uint64_t before = keys_status(&k).issuing_id;
    cr_assert_eq(unlink(k.config.keys_source), 0);
    atomic_store(ahead_ns, SAMPLE_ROTATE_S * NS_PER_S);
    (void)keys_publish_clock(&k);
    keys_ask(&k);
    cr_expect_eq(keys_status(&k).issuing_id, before + 1);
    expect_ring_of(&doc);
}

static int64_t saved_size(void)
{
    struct stat st;
    return stat(scratch_path(&k.scratch, "state/" KEYCACHE_FILE), &st) == 0 ? st.st_size : -1;
}

Test(role_keys_fleet, a_start_from_the_sealed_copy)
{
    struct keydoc doc = doc_of(2);
    k.config.keys_cache = true;
    start_with(&doc);
    for (int i = 0; saved_size() < 0; i++) {
        cr_assert_lt(i, PATIENCE_MS);
        (void)poll(NULL, 0, 1);
    }
    cr_expect_eq(keys_stop(&k, SIGTERM), 0);
    cr_assert_eq(unlink(k.document), 0);

    static struct keys_process other; /* another run of the daemon: nothing on its boards */
    keys_make(&other);
    other.config.state_dir = k.state;
    other.config.keys_source = k.document;
    other.config.keys_cache = true;
    keys_start(&other);
    keys_await_answer(&other, 0);
    struct key_status status = keys_status(&other);
    cr_expect_gt(status.count, 0);
    cr_expect_eq(status.provider.from_cache, 1);
    cr_expect_eq(status.provider.fetched_boot_ns, 0);
    struct keydoc older = doc_of(1);
    keys_put(&other, &older);
    keys_ask(&other);
    cr_expect_eq(keys_status(&other).provider.from_cache, 1, "an older one is refused");
    keys_put(&other, &doc);
    keys_ask(&other);
    cr_expect_eq(keys_status(&other).provider.from_cache, 0);
    cr_expect_gt(keys_status(&other).provider.fetched_boot_ns, 0);
    keys_remove(&other);
}

Test(role_keys_fleet, a_copy_that_cannot_be_written_is_told)
{
    struct keydoc doc = doc_of(1);
    k.config.keys_cache = true;
    k.config.state_dir = "/no/such/parent";
    start_with(&doc);
    keys_ask(&k);
    cr_expect_eq(keys_status(&k).provider.cache_failed, 1);
    expect_ring_of(&doc);
}

/* A command that hangs: the ring goes on, and nobody waits for it at the end. */
Test(role_keys_fleet, a_hanging_command_delays_nothing)
{
    static const char *const script = "[ -e \"$0.once\" ] && exec sleep 600; : >\"$0.once\"; "
                                      "exec cat \"$0\"";
    struct keydoc doc = doc_of(1);
    keys_put(&k, &doc);
    k.config.keys = CONFIG_KEYS_COMMAND;
    k.config.keys_argv[0] = "sh";
    k.config.keys_argv[1] = "-c";
    k.config.keys_argv[2] = script;
    k.config.keys_argv[3] = k.config.keys_source;
    (void)keys_publish_clock(&k);
    keys_start(&k);
    keys_await_answer(&k, 0);
    expect_ring_of(&doc);
    uint64_t before = keys_status(&k).issuing_id;
    uint64_t answers = keys_answers(&k);
    cr_assert_eq(kill(k.pid, SIGHUP), 0);
    atomic_store(ahead_ns, SAMPLE_ROTATE_S * NS_PER_S);
    (void)keys_publish_clock(&k);
    cr_assert_eq(kill(k.pid, SIGHUP), 0);
    for (int i = 0; keys_status(&k).issuing_id == before; i++) {
        cr_assert_lt(i, PATIENCE_MS);
        (void)poll(NULL, 0, 1);
        (void)kill(k.pid, SIGHUP);
    }
    cr_expect_eq(keys_answers(&k), answers, "the ring changed while the command hung");
    cr_expect_eq(keys_stop(&k, SIGTERM), 0);
    cr_expect_eq(keys_answers(&k), answers, "the end did not wait for it");
}

Test(role_keys_fleet, a_storm_of_reloads)
{
    struct keydoc doc = doc_of(1);
    start_with(&doc);
    for (int i = 0; i < 2000; i++) {
        cr_assert_eq(kill(k.pid, SIGHUP), 0);
    }
    keys_ask(&k);
    expect_ring_of(&doc);
    cr_expect_eq(keys_stop(&k, SIGTERM), 0);
}
