/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection on a loop that lost time: that is not held against the peer.
 */
#include "nts-ke/ke_conn.h"
#include "tests/unit/nts-ke/ke_visit.h"

enum { TIMEOUT_MS = 200, LOST_MS = 300 };

static struct ke_fixture fixture;
static uv_loop_t loop;
static struct ke_conn_env env;
static struct ke_conn conn;
static unsigned released;
static int peer;

static void on_closed(void *ctx, struct ke_conn *which)
{
    (void)ctx;
    (void)which;
}

static void on_released(void *ctx, struct ke_conn *which)
{
    (void)ctx;
    (void)which;
    released++;
}

static void lose_time(void)
{
    (void)poll(NULL, 0, LOST_MS);
}

static void turn(void)
{
    (void)uv_run(&loop, UV_RUN_NOWAIT);
}

static void set_up(void)
{
    (void)fixture_prepare(&fixture);
    static struct tls_server_info info;
    struct cert_fault why;
    struct tls_pair_files files = {fixture.cert, fixture.key};
    struct tls_server_options options = {
        .files = &files, .count = 1, .alpn = KE_ALPN, .now_s = wall_now().ns / NS_PER_S};
    cr_assert_eq(tls_server_new(&options, &env.tls, &info, &why), NTS_OK, "%s", why.text);
    cr_assert_eq(uv_loop_init(&loop), 0);
    env.loop = &loop;
    env.stats = fixture.stats;
    env.timeout_ms = TIMEOUT_MS;
    env.closed = on_closed;
    env.released = on_released;
    peer = peer_connect(&fixture);
}

static void tear_down(void)
{
    (void)close(peer);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert_eq(released, 1);
    cr_assert_eq(uv_loop_close(&loop), 0);
    tls_server_free(env.tls);
    (void)close(fixture.listener);
    fixture_clean(&fixture);
}

TestSuite(ke_conn_deadline, .init = set_up, .fini = tear_down);

static void start(void)
{
    int fd = accept(fixture.listener, NULL, NULL);
    cr_assert_geq(fd, 0);
    ke_conn_start(&conn, &env, fd, false);
}

static void send_hello(void)
{
    SSL *ssl = tls_client_connection(fixture.tls, "localhost");
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    cr_assert_eq(SSL_connect(ssl), -1);
    char *hello = NULL;
    long n = BIO_get_mem_data(SSL_get_wbio(ssl), &hello);
    cr_assert_eq(write(peer, hello, (size_t)n), n);
    SSL_free(ssl);
}

/* Octets that can be read at once; -1: none. */
static ssize_t heard(void)
{
    char octets[4096];
    return recv(peer, octets, sizeof(octets), MSG_DONTWAIT);
}

Test(ke_conn_deadline, counts_from_now_and_not_from_the_beginning_of_the_turn)
{
    lose_time();
    start();
    turn();
    turn();
    cr_assert_eq(conn.state, KE_STATE_HANDSHAKE);
    cr_assert_not(conn.overdue);
    cr_assert_eq(stats_get(fixture.stats, KE_COUNT_TLS_TIMEOUT), 0);
}

Test(ke_conn_deadline, what_has_come_by_then_counts)
{
    start();
    turn();
    send_hello();
    lose_time();
    turn();
    cr_assert_eq(conn.state, KE_STATE_HANDSHAKE);
    cr_assert_gt(heard(), 0, "the server's hello");
}

Test(ke_conn_deadline, the_last_look_is_one)
{
    start();
    turn();
    lose_time();
    turn();
    send_hello();
    lose_time();
    turn();
    turn();
    cr_assert_eq(stats_get(fixture.stats, KE_COUNT_TLS_TIMEOUT), 1);
    cr_assert_leq(heard(), 0);
}
