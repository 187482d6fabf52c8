/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service whose certificate files change while it runs.
 */
#include "tests/unit/nts-ke/ke_visit.h"

static struct ke_fixture fixture;
static struct ke_client_result result;
static const uint16_t aeads[] = {AEAD_AES_SIV_CMAC_256};

Test(ke_reload, bad_files_leave_the_old_ones_and_good_ones_replace_them)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    fixture_run(&fixture, &options);
    FIXTURE_AWAIT(fixture_status(&fixture).ready == 1);
    int64_t first = fixture_status(&fixture).not_after[0];
    cr_assert_eq(fixture_status(&fixture).pair_count, 1);
    cr_assert_not_null(strstr(fixture_status(&fixture).names[0], "localhost"));

    fixture_damage(&fixture);
    cr_assert_eq(kill(fixture.pid, SIGHUP), 0);
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_RELOAD_FAILED) > 0);
    FIXTURE_AWAIT(fixture_status(&fixture).last_reload_failed == 1);
    cr_assert_eq(fixture_status(&fixture).not_after[0], first);
    fixture_canary(&fixture); /* by the old one */

    fixture_certs(&fixture, wall_now().ns / NS_PER_S - 3600, 30);
    cr_assert_eq(kill(fixture.pid, SIGHUP), 0);
    FIXTURE_AWAIT(fixture_status(&fixture).last_reload_failed == 0);
    cr_assert_lt(fixture_status(&fixture).not_after[0], first);
    cr_assert_neq(fixture_exchange(&fixture, aeads, 1, &result), NTS_OK, "the old CA is gone");
    ke_client_result_wipe(&result);
    SSL_CTX_free(fixture.tls);
    fixture.tls = fixture_client_tls(&fixture);
    fixture_canary(&fixture);
    fixture_stop(&fixture);
    cr_assert_eq(fixture_status(&fixture).ready, 0);
}

Test(ke_reload, changed_files_are_loaded_without_a_signal)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    fixture_run(&fixture, &options);
    FIXTURE_AWAIT(fixture_status(&fixture).ready == 1);
    fixture_certs(&fixture, wall_now().ns / NS_PER_S - 3600, 30);
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_RELOADS) > 0);
    fixture_stop(&fixture);
}

Test(ke_reload, a_burst_of_signals_is_few_reloads)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    fixture_run(&fixture, &options);
    FIXTURE_AWAIT(fixture_status(&fixture).ready == 1);
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(kill(fixture.pid, SIGHUP), 0);
    }
    fixture_canary(&fixture);
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_RELOADS) > 0);
    fixture_stop(&fixture);
    cr_assert_lt(fixture_count(&fixture, KE_COUNT_RELOADS), 20);
}

enum { DAY = 86400 };

static void ask_for_reload(enum ke_count outcome)
{
    uint64_t before = fixture_count(&fixture, outcome);
    cr_assert_eq(kill(fixture.pid, SIGHUP), 0);
    FIXTURE_AWAIT(fixture_count(&fixture, outcome) > before);
}

/* Certificates that are no good now, against one that is. */
Test(ke_reload, a_valid_certificate_is_not_replaced_by_an_invalid_one)
{
    static const int64_t begin[] = {-30 * DAY, 5 * DAY}; /* expired, not yet valid */
    struct ke_service_options options = fixture_prepare(&fixture);
    options.restarted = true; /* makes no difference: what is in service counts */
    fixture_run(&fixture, &options);
    FIXTURE_AWAIT(fixture_status(&fixture).ready == 1);
    int64_t first = fixture_status(&fixture).not_after[0];
    for (size_t i = 0; i < 2; i++) {
        fixture_certs(&fixture, wall_now().ns / NS_PER_S + begin[i], 10);
        ask_for_reload(KE_COUNT_RELOAD_FAILED);
        FIXTURE_AWAIT(fixture_status(&fixture).last_reload_failed == 1);
        cr_assert_eq(fixture_status(&fixture).not_after[0], first);
        fixture_canary(&fixture);
    }
    fixture_stop(&fixture);
    cr_assert_eq(fixture_count(&fixture, KE_COUNT_RELOADS), 0);
}

/* An outage would not make it any more valid. */
Test(ke_reload, an_invalid_certificate_may_be_replaced_by_another)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    options.restarted = true;
    fixture_certs(&fixture, wall_now().ns / NS_PER_S - 30 * DAY, 10);
    fixture_run(&fixture, &options);
    FIXTURE_AWAIT(fixture_status(&fixture).ready == 1);
    int64_t first = fixture_status(&fixture).not_after[0];
    fixture_certs(&fixture, wall_now().ns / NS_PER_S - 29 * DAY, 10);
    ask_for_reload(KE_COUNT_RELOADS);
    FIXTURE_AWAIT(fixture_status(&fixture).not_after[0] > first);
    cr_assert_eq(fixture_status(&fixture).last_reload_failed, 0);
    fixture_stop(&fixture);
}

/* How often a reload was tried, by the time that no file has changed for twenty intervals. */
static uint64_t tries(void)
{
    uint64_t seen = 0;
    int64_t since = mono_now().ns;
    while (seen < 10 && mono_now().ns - since < 500 * NS_PER_MS) {
        fixture_canary(&fixture);
        seen = fixture_count(&fixture, KE_COUNT_RELOAD_FAILED);
    }
    return seen;
}

Test(ke_reload, what_may_pass_is_tried_again)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    options.reload_retry_ms = 25;
    fixture_run(&fixture, &options);
    FIXTURE_AWAIT(fixture_status(&fixture).ready == 1);
    cr_assert_eq(unlink(fixture.cert), 0);
    ask_for_reload(KE_COUNT_RELOAD_FAILED);
    cr_assert_geq(tries(), 10, "unreadable");
    fixture_certs(&fixture, wall_now().ns / NS_PER_S + 5 * DAY, 10);
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_RELOAD_FAILED) > 100); /* not yet valid */
    cr_assert_eq(fixture_count(&fixture, KE_COUNT_RELOADS), 0);
    fixture_certs(&fixture, wall_now().ns / NS_PER_S - 3600, 30);
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_RELOADS) > 0);
    FIXTURE_AWAIT(fixture_status(&fixture).last_reload_failed == 0);
    fixture_stop(&fixture);
}

Test(ke_reload, what_can_only_be_mended_is_not_tried_again)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    options.reload_retry_ms = 25;
    fixture_run(&fixture, &options);
    FIXTURE_AWAIT(fixture_status(&fixture).ready == 1);
    fixture_damage(&fixture);
    ask_for_reload(KE_COUNT_RELOAD_FAILED);
    cr_assert_leq(tries(), 2, "once for the signal, once for the change");
    fixture_stop(&fixture);
}

/* The next retry is far away. */
Test(ke_reload, a_signal_does_not_wait_for_the_retry)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    fixture_run(&fixture, &options);
    FIXTURE_AWAIT(fixture_status(&fixture).ready == 1);
    cr_assert_eq(unlink(fixture.key), 0);
    ask_for_reload(KE_COUNT_RELOAD_FAILED);
    ask_for_reload(KE_COUNT_RELOAD_FAILED);
    fixture_stop(&fixture);
}
