/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TLS pump and HelloRetryRequest: the second ClientHello passes the same gate as the first.
 */
#include "nts-ke/ke_pump.h"
#include "tests/unit/nts-ke/ke_fixture.h"

static struct ke_fixture fixture;
static struct tls_server *server;
static struct ke_pump pump;
static enum ke_state state;
static SSL *client;

static void set_up(void)
{
    (void)fixture_prepare(&fixture);
    static struct tls_server_info info;
    struct cert_fault why;
    struct tls_pair_files files = {fixture.cert, fixture.key};
    struct tls_server_options options = {
        .files = &files, .count = 1, .alpn = KE_ALPN, .now_s = wall_now().ns / NS_PER_S};
    cr_assert_eq(tls_server_new(&options, &server, &info, &why), NTS_OK, "%s", why.text);
}

/* A client whose only key share is of a group that the server does not have. */
static void new_client(void)
{
    client = tls_client_connection(fixture.tls, "localhost");
    cr_assert_eq(SSL_set1_groups_list(client, "P-521:X25519"), 1);
    SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    state = KE_STATE_HANDSHAKE;
}

static void drop_client(void)
{
    SSL_free(client);
    ke_pump_wipe(&pump);
}

static void tear_down(void)
{
    tls_server_free(server);
    fixture_clean(&fixture);
}

TestSuite(ke_pump_retry, .init = set_up, .fini = tear_down);

/* What ke_conn does with a chunk of input, without a socket. */
static enum ke_event give(const void *p, size_t n)
{
    enum ke_event event = ke_pump_feed(&pump, server, span_of(p, n));
    if (event == KE_EVENT_NONE && state == KE_STATE_HANDSHAKE) {
        event = ke_pump_handshake(&pump);
        state = ke_next(state, event).state;
    }
    struct span output = ke_pump_output(&pump);
    if (output.n > 0) {
        cr_assert_eq(BIO_write(SSL_get_rbio(client), output.p, (int)output.n), (int)output.n);
        ke_pump_sent(&pump);
    }
    return event;
}

static size_t take_from_client(uint8_t *bytes, size_t cap)
{
    (void)SSL_do_handshake(client);
    int n = BIO_read(SSL_get_wbio(client), bytes, (int)cap);
    cr_assert_gt(n, 0);
    return (size_t)n;
}

static enum ke_event give_in_steps(const uint8_t *bytes, size_t n, size_t step)
{
    enum ke_event event = KE_EVENT_NONE;
    for (size_t at = 0; at < n && event != KE_EVENT_TLS_FAILED; at += step) {
        event = give(bytes + at, n - at < step ? n - at : step);
    }
    return event;
}

Test(ke_pump_retry, an_honest_client_is_served_in_steps_of_any_size)
{
    static const size_t steps[] = {1, 2, 5, 6, 7, 100, KE_PUMP_CHUNK_MAX};
    static uint8_t bytes[4096];
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        new_client();
        cr_assert_eq(give_in_steps(bytes, take_from_client(bytes, sizeof(bytes)), steps[i]),
                     KE_EVENT_NONE);
        cr_assert_eq(pump.gate, KE_GATE_COLLECT, "asked for another one");
        cr_assert_eq(give_in_steps(bytes, take_from_client(bytes, sizeof(bytes)), steps[i]),
                     KE_EVENT_NONE);
        cr_assert_eq(pump.gate, KE_GATE_OPEN);
        size_t n = take_from_client(bytes, sizeof(bytes));
        cr_assert_eq(SSL_is_init_finished(client), 1);
        (void)give_in_steps(bytes, n, steps[i]);
        cr_assert_eq(state, KE_STATE_REQUEST, "%zu", steps[i]);
        drop_client();
    }
}

#define CCS      "\x14\x03\x03\x00\x01\x01"
#define BYTES(s) s, sizeof(s) - 1
static const struct {
    const char *name;
    const char *p;
    size_t n;
    enum ke_event want;
} cases[] = {
    {"half a hello", BYTES("\x16\x03\x03\x20\x00\x01\x00\x1f\xfc"), KE_EVENT_NONE},
    {"half a hello after the other", BYTES(CCS "\x16\x03\x03\x20\x00\x01\x00\x1f\xfc"),
     KE_EVENT_NONE},
    {"a great claim", BYTES("\x16\x03\x03\x00\x04\x01\xff\xff\xff"), KE_EVENT_TLS_FAILED},
    {"claim of 128 KiB", BYTES(CCS "\x16\x03\x03\x00\x04\x01\x01\xff\xfc"), KE_EVENT_TLS_FAILED},
    {"long record", BYTES("\x16\x03\x03\x3f\xff"), KE_EVENT_TLS_FAILED},
    {"two of the other", BYTES(CCS CCS), KE_EVENT_TLS_FAILED},
    {"application data", BYTES("\x17\x03\x03\x00\x20"), KE_EVENT_TLS_FAILED},
};

/* Also when it comes in one piece with the first hello, before the server has asked for it. */
Test(ke_pump_retry, the_second_hello_is_looked_at)
{
    static uint8_t bytes[4096];
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        const bool apart = i % 2 == 0;
        new_client();
        size_t n = take_from_client(bytes, sizeof(bytes));
        if (apart) {
            cr_assert_eq(give(bytes, n), KE_EVENT_NONE);
            n = 0;
        }
        memcpy(bytes + n, cases[i / 2].p, cases[i / 2].n);
        cr_expect_eq(give(bytes, n + cases[i / 2].n), cases[i / 2].want, "%s", cases[i / 2].name);
        drop_client();
    }
}

/* The state HANDSHAKE has its own limit, lower than that of a connection. */
Test(ke_pump_retry, a_handshake_that_does_not_end)
{
    static uint8_t bytes[4096];
    static uint8_t junk[1024] = {0x17, 3, 3, (sizeof(junk) - 5) >> 8, (sizeof(junk) - 5) & 0xff};
    new_client();
    cr_assert_eq(SSL_set1_groups_list(client, "X25519"), 1);
    cr_assert_eq(give(bytes, take_from_client(bytes, sizeof(bytes))), KE_EVENT_NONE);
    cr_assert_eq(pump.gate, KE_GATE_OPEN);
    pump.input = KE_PUMP_SHAKE_MAX - 4;
    cr_assert_eq(give(junk, 4), KE_EVENT_NONE, "incomplete");
    cr_assert_eq(ke_pump_feed(&pump, server, span_of(junk + 4, 1)), KE_EVENT_TLS_FAILED);
    drop_client();
}
