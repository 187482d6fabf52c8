/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service with honest clients: what they get, and what a drain does.
 */
#include "tests/unit/nts-ke/ke_visit.h"

#include <errno.h>

static struct ke_fixture fixture;
static struct ke_client_result result;
static const uint16_t cmac_256[] = {AEAD_AES_SIV_CMAC_256};
static const uint16_t cmac_512[] = {AEAD_AES_SIV_CMAC_512};

static bool secret_equal(const struct secret_key *a, const struct secret_key *b)
{
    return a->len == b->len && ct_equal(a->bytes, b->bytes, a->len);
}

/* Every cookie carries the keys that the client exported itself. */
static void check_cookies(const struct ke_client_result *got, const struct keyring *ring)
{
    static struct cookie_ring cr;
    cr_assert_eq(cookie_ring_prepare(&cr, ring), NTS_OK);
    cr_assert_eq(got->cookie_count, KE_COOKIES);
    for (size_t i = 0; i < got->cookie_count; i++) {
        struct session_keys keys;
        size_t slot = 9;
        struct span cookie = span_of(got->cookie[i].bytes, got->cookie[i].len);
        cr_assert_eq(cookie_unseal(&cr, cookie, &keys, &slot), NTS_OK);
        cr_assert_eq(slot, 0);
        cr_assert_eq(keys.alg, got->keys.alg);
        cr_assert(secret_equal(&keys.c2s, &got->keys.c2s));
        cr_assert(secret_equal(&keys.s2c, &got->keys.s2c));
        for (size_t j = 0; j < i; j++) {
            cr_assert_not(span_is(cookie, got->cookie[j].bytes, got->cookie[j].len));
        }
    }
}

Test(ke_service, an_exchange_gives_usable_keys)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    fixture_run(&fixture, &options);
    static struct ke_client_result other;
    cr_assert_eq(fixture_exchange(&fixture, cmac_256, 1, &result), NTS_OK);
    cr_assert_eq(fixture_exchange(&fixture, cmac_512, 1, &other), NTS_OK);
    cr_assert_str_eq(result.tls.version, "TLSv1.3");
    cr_assert_eq(result.answer.aead, 15);
    cr_assert_eq(result.keys.c2s.len, 32);
    cr_assert_eq(other.answer.aead, 17);
    cr_assert_eq(other.keys.c2s.len, 64);
    cr_assert_eq(result.answer.port, 123);
    cr_assert_str_eq(result.answer.server, "");
    check_cookies(&result, &fixture.ring);
    check_cookies(&other, &fixture.ring);
    cr_assert_not(secret_equal(&result.keys.c2s, &result.keys.s2c));
    cr_assert_not(ct_equal(result.keys.c2s.bytes, other.keys.c2s.bytes, 32));
    ke_client_result_wipe(&result);
    ke_client_result_wipe(&other);
    fixture_stop(&fixture);
    cr_assert_eq(fixture_count(&fixture, KE_COUNT_ACCEPTED), 2);
    cr_assert_eq(fixture_count(&fixture, KE_COUNT_SERVED), 2);
    cr_assert_eq(fixture_count(&fixture, KE_COUNT_REQUEST_FAULT_0 + KE_REQUEST_OK), 2);
    for (unsigned i = KE_COUNT_NO_PROTOCOL; i < KE_COUNT_REQUEST_FAULT_0; i++) {
        cr_expect_eq(fixture_count(&fixture, i), 0, "%s", ke_count_name(i));
    }
}

Test(ke_service, keys_of_two_connections_differ)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    fixture_run(&fixture, &options);
    static struct ke_client_result other;
    cr_assert_eq(fixture_exchange(&fixture, cmac_256, 1, &result), NTS_OK);
    cr_assert_eq(fixture_exchange(&fixture, cmac_256, 1, &other), NTS_OK);
    cr_assert_not(secret_equal(&result.keys.c2s, &other.keys.c2s));
    cr_assert_not(secret_equal(&result.keys.s2c, &other.keys.s2c));
    ke_client_result_wipe(&result);
    ke_client_result_wipe(&other);
    fixture_stop(&fixture);
}

Test(ke_service, server_and_port_records)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    options.ntp_server = "time.example";
    options.ntp_port = 11123;
    fixture_run(&fixture, &options);
    cr_assert_eq(fixture_exchange(&fixture, cmac_256, 1, &result), NTS_OK);
    cr_assert_str_eq(result.answer.server, "time.example");
    cr_assert_eq(result.answer.port, 11123);
    ke_client_result_wipe(&result);
    fixture_stop(&fixture);
}

Test(ke_service, no_algorithm_in_common)
{
    static const uint16_t unknown[] = {1, 2};
    struct ke_service_options options = fixture_prepare(&fixture);
    fixture_run(&fixture, &options);
    cr_assert_eq(fixture_exchange(&fixture, unknown, 2, &result), NTS_OK);
    cr_assert(result.answer.ntpv4);
    cr_assert_eq(result.answer.aead, 0);
    cr_assert_eq(result.cookie_count, 0);
    ke_client_result_wipe(&result);
    fixture_stop(&fixture);
    cr_assert_eq(fixture_count(&fixture, KE_COUNT_NO_AEAD), 1);
}

Test(ke_service, without_keys_it_says_internal_error_and_recovers)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    memset(fixture.key_board, 0, board_footprint(sizeof(struct keyring))); /* empty */
    fixture_run(&fixture, &options);
    cr_assert_eq(fixture_exchange(&fixture, cmac_256, 1, &result), NTS_OK);
    cr_assert(result.answer.has_error);
    cr_assert_eq(result.answer.error, KE_ERROR_INTERNAL);
    ke_client_result_wipe(&result);
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_NO_KEYS) == 1);
    board_write(fixture.key_board, &fixture.ring, sizeof(fixture.ring));
    fixture_canary(&fixture);
    fixture_stop(&fixture);
    cr_assert_eq(fixture_count(&fixture, KE_COUNT_ERROR_2), 1);
}

Test(ke_service, a_new_ring_is_used_at_once)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    fixture_run(&fixture, &options);
    fixture_canary(&fixture);
    struct keyring next = fixture.ring;
    next.key[0].id++;
    next.key[0].bytes[0]++;
    board_write(fixture.key_board, &next, sizeof(next));
    cr_assert_eq(fixture_exchange(&fixture, cmac_256, 1, &result), NTS_OK);
    check_cookies(&result, &next);
    ke_client_result_wipe(&result);
    fixture_stop(&fixture);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* No delayed acknowledgement in between: that would show as 40 ms and more. */
Test(ke_service, exchanges_are_quick)
{
    enum { EXCHANGES = 200 };
    static double ms[EXCHANGES];
    struct ke_service_options options = fixture_prepare(&fixture);
    fixture_run(&fixture, &options);
    for (size_t i = 0; i < EXCHANGES; i++) {
        cr_assert_eq(fixture_exchange(&fixture, cmac_256, 1, &result), NTS_OK);
        ms[i] = result.total_ms;
        ke_client_result_wipe(&result);
    }
    qsort(ms, EXCHANGES, sizeof(ms[0]), compare);
    cr_assert_lt(ms[EXCHANGES / 2], 10.0, "median %.1f ms", ms[EXCHANGES / 2]);
    fixture_stop(&fixture);
    cr_assert_eq(fixture_count(&fixture, KE_COUNT_SERVED), EXCHANGES);
}

Test(ke_service, bad_certificates_stop_the_start)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    fixture_certs(&fixture, wall_now().ns / NS_PER_S - 30 * 86400, 10);
    fixture_run(&fixture, &options);
    cr_assert_eq(fixture_wait(&fixture), 1, "expired");
    fixture_damage(&fixture);
    fixture_run(&fixture, &options);
    cr_assert_eq(fixture_wait(&fixture), 1, "damaged");
    fixture_clean(&fixture);
}

/* The board outlives the process: nobody may go on reading that the one that died was ready. */
Test(ke_service, a_process_that_cannot_start_is_not_ready)
{
    static const struct ke_status former = {.ready = 1, .pair_count = 1};
    struct ke_service_options options = fixture_prepare(&fixture);
    options.restarted = true;
    board_write(fixture.status_board, &former, sizeof(former));
    fixture_damage(&fixture);
    fixture_run(&fixture, &options);
    cr_assert_eq(fixture_wait(&fixture), 1);
    cr_assert_eq(fixture_status(&fixture).ready, 0);
    cr_assert_eq(fixture_status(&fixture).pair_count, 0);
    fixture_clean(&fixture);
}

Test(ke_service, a_process_that_takes_over_serves_an_expired_certificate)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    options.restarted = true;
    fixture_certs(&fixture, wall_now().ns / NS_PER_S - 30 * 86400, 10);
    fixture_run(&fixture, &options);
    FIXTURE_AWAIT(fixture_status(&fixture).ready == 1);
    fixture_stop(&fixture);
}

Test(ke_service, a_drain_lets_running_connections_end)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    options.timeout_ms = 300;
    fixture_run(&fixture, &options);
    int fd = peer_connect(&fixture);
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_ACCEPTED) == 1);
    cr_assert_eq(kill(fixture.pid, SIGTERM), 0);
    FIXTURE_AWAIT(fixture_status(&fixture).ready == 0);
    cr_assert_eq(fixture_wait(&fixture), 0);
    char octet;
    cr_assert_eq(read(fd, &octet, 1), 0, "closed by its deadline, not cut");
    cr_assert_eq(fixture_count(&fixture, KE_COUNT_TLS_TIMEOUT), 1);
    (void)close(fd);
    fixture_clean(&fixture);
}

/* Listeners stay open in the supervisor: a client that comes now must be told, not kept waiting. */
Test(ke_service, a_drain_refuses_who_comes_late)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    options.timeout_ms = 60000;
    int supervisor = dup(fixture.listener);
    fixture_run(&fixture, &options);
    int fd = peer_connect(&fixture);
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_ACCEPTED) == 1);
    cr_assert_eq(kill(fixture.pid, SIGTERM), 0);
    FIXTURE_AWAIT(fixture_status(&fixture).ready == 0);
    int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(late, &fixture.addr.sa, net_addr_len(&fixture.addr)), -1);
    cr_assert_eq(errno, ECONNREFUSED);
    (void)close(late);
    (void)close(fd);
    cr_assert_eq(fixture_wait(&fixture), 0);
    (void)close(supervisor);
    fixture_clean(&fixture);
}

/* Whoever takes the place of a process finds its listeners alive: with those in the queue when it
 * was killed, and able to listen again when it was told to drain. */
Test(ke_service, listeners_survive_a_process)
{
    static const int ends[] = {SIGKILL, SIGTERM};
    struct ke_service_options options = fixture_prepare(&fixture);
    (void)close(fixture.listener); /* the same port, but one that was asked for, as configured */
    cr_assert_eq(ke_listener_open(&fixture.addr, &fixture.listener), NTS_OK);
    options.listener[0] = dup(fixture.listener);
    fixture_run(&fixture, &options);
    for (size_t i = 0; i < 2; i++) {
        fixture_canary(&fixture);
        cr_assert_eq(kill(fixture.pid, ends[i]), 0);
        (void)fixture_wait(&fixture);
        int queued = ends[i] == SIGKILL ? peer_connect(&fixture) : -1;
        fixture.listener = -1;
        fixture_run(&fixture, &options);
        FIXTURE_AWAIT(fixture_status(&fixture).ready == 1);
        (void)close(queued);
    }
    fixture_canary(&fixture);
    (void)close(options.listener[0]);
    fixture_stop(&fixture);
}

Test(ke_service, a_drain_has_an_end)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    options.timeout_ms = 60000;
    options.drain_ms = 100;
    fixture_run(&fixture, &options);
    int fd = peer_connect(&fixture);
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_ACCEPTED) == 1);
    int64_t before = mono_now().ns;
    cr_assert_eq(kill(fixture.pid, SIGTERM), 0);
    cr_assert_eq(fixture_wait(&fixture), 0);
    cr_assert_lt(mono_now().ns - before, 2 * NS_PER_S);
    (void)close(fd);
    fixture_clean(&fixture);
}
