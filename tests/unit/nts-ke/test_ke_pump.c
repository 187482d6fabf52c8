/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TLS pump against a client in the same memory, honest and otherwise.
 */
#include "nts-ke/ke_pump.h"
#include "tests/unit/nts-ke/ke_fixture.h"

#include <openssl/err.h>

static const char request[] = "\x80\x01\x00\x02\x00\x00\x80\x04\x00\x02\x00\x0f\x80\x00\x00";
/* the terminating NUL is its last octet */

static struct ke_fixture fixture;
static struct tls_server *server;
static struct ke_pump pump;
static enum ke_state state;
static enum ke_request_fault fault;
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
    client = tls_client_connection(fixture.tls, "localhost");
    SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
}

static void tear_down(void)
{
    SSL_free(client);
    ke_pump_wipe(&pump);
    tls_server_free(server);
    fixture_clean(&fixture);
}

TestSuite(ke_pump, .init = set_up, .fini = tear_down);

/* What ke_conn does with a chunk of input, without a socket. Returns the last event. */
static enum ke_event give(const void *p, size_t n)
{
    enum ke_event event = ke_pump_feed(&pump, server, span_of(p, n));
    if (event == KE_EVENT_NONE && state == KE_STATE_HANDSHAKE) {
        event = ke_pump_handshake(&pump);
        state = ke_next(state, event).state;
    }
    if (state == KE_STATE_REQUEST && event != KE_EVENT_TLS_FAILED) {
        event = ke_pump_request(&pump, &fault);
    }
    struct span output = ke_pump_output(&pump);
    if (output.n > 0) {
        cr_assert_eq(BIO_write(SSL_get_rbio(client), output.p, (int)output.n), (int)output.n);
        ke_pump_sent(&pump);
    }
    return event;
}

/* Hands over all that the client has to say, `step` octets at a time. */
static enum ke_event give_all(size_t step)
{
    static uint8_t bytes[KE_PUMP_INPUT_MAX * 2];
    int n = BIO_read(SSL_get_wbio(client), bytes, (int)sizeof(bytes));
    enum ke_event event = KE_EVENT_NONE;
    for (size_t at = 0; n > 0 && at < (size_t)n && event != KE_EVENT_TLS_FAILED; at += step) {
        size_t rest = (size_t)n - at;
        event = give(bytes + at, rest < step ? rest : step);
    }
    return event;
}

static void shake(size_t step)
{
    cr_assert_eq(SSL_do_handshake(client), -1);
    cr_assert_eq(give_all(step), KE_EVENT_NONE);
    cr_assert_eq(SSL_do_handshake(client), 1);
    cr_assert_eq(give_all(step), KE_EVENT_NONE);
    cr_assert_eq(state, KE_STATE_REQUEST);
}

Test(ke_pump, a_request_in_steps_of_any_size)
{
    static const size_t steps[] = {1, 2, 3, 7, 100, KE_PUMP_CHUNK_MAX};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        shake(steps[i]);
        cr_assert_eq(SSL_write(client, request, sizeof(request)), (int)sizeof(request));
        cr_assert_eq(give_all(steps[i]), KE_EVENT_REQUEST_COMPLETE);
        cr_assert_eq(fault, KE_REQUEST_OK);
        cr_assert(span_is(ke_pump_received(&pump), request, sizeof(request)));
        ke_pump_wipe(&pump);
        SSL_free(client);
        state = KE_STATE_HANDSHAKE;
        client = tls_client_connection(fixture.tls, "localhost");
        SSL_set_bio(client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    }
}

Test(ke_pump, the_response_is_one_record_and_the_notice)
{
    enum { RECORD_HEAD = 5, OVERHEAD = RECORD_HEAD + 1 + 16, NOTICE = OVERHEAD + 2 };
    static uint8_t response[2000];
    shake(KE_PUMP_CHUNK_MAX);
    cr_assert_eq(ke_pump_output(&pump).n, 0, "no tickets");
    cr_assert(ke_pump_respond(&pump, span_of(response, sizeof(response))));
    struct span output = ke_pump_output(&pump);
    cr_assert_eq(output.n, sizeof(response) + OVERHEAD + NOTICE);
}

Test(ke_pump, nothing_is_made_before_a_whole_hello)
{
    static uint8_t hello[2048];
    cr_assert_eq(SSL_do_handshake(client), -1);
    int n = BIO_read(SSL_get_wbio(client), hello, (int)sizeof(hello));
    for (int i = 0; i < n - 1; i++) {
        cr_assert_eq(give(hello + i, 1), KE_EVENT_NONE);
        cr_assert_null(pump.ssl);
    }
    cr_assert_eq(give(hello + n - 1, 1), KE_EVENT_NONE);
    cr_assert_not_null(pump.ssl);
    cr_assert_eq(SSL_do_handshake(client), 1);
}

Test(ke_pump, a_great_claim_is_refused)
{
    cr_assert_eq(give("\x16\x03\x01\x00\x04\x01\xff\xff\xff", 9), KE_EVENT_TLS_FAILED);
    cr_assert_null(pump.ssl);
    cr_assert_eq(ke_pump_output(&pump).n, 0);
}

Test(ke_pump, plain_http)
{
    cr_assert_eq(give("GET / HTTP/1.1\r\n\r\n", 18), KE_EVENT_TLS_FAILED);
    cr_assert_null(pump.ssl);
}

/* The alert that the client is told, or 0. */
static int refused(void)
{
    cr_assert_eq(SSL_do_handshake(client), -1);
    cr_assert_eq(give_all(KE_PUMP_CHUNK_MAX), KE_EVENT_TLS_FAILED);
    ERR_clear_error();
    cr_assert_eq(SSL_do_handshake(client), -1);
    return ERR_GET_REASON(ERR_peek_error());
}

Test(ke_pump, without_alpn)
{
    cr_assert_eq(SSL_set_alpn_protos(client, NULL, 0), 0);
    cr_assert_eq(refused(), SSL_AD_REASON_OFFSET + SSL_AD_NO_APPLICATION_PROTOCOL);
}

Test(ke_pump, with_another_alpn)
{
    cr_assert_eq(SSL_set_alpn_protos(client, (const uint8_t *)"\x02h2", 3), 0);
    cr_assert_eq(refused(), SSL_AD_REASON_OFFSET + SSL_AD_NO_APPLICATION_PROTOCOL);
}

Test(ke_pump, tls_1_2)
{
    cr_assert_eq(SSL_set_min_proto_version(client, TLS1_2_VERSION), 1);
    cr_assert_eq(SSL_set_max_proto_version(client, TLS1_2_VERSION), 1);
    cr_assert_eq(refused(), SSL_AD_REASON_OFFSET + SSL_AD_PROTOCOL_VERSION);
}

/* 100 000 of them would cost as many derivations and answers; they are few octets each. */
Test(ke_pump, a_flood_of_key_updates_has_an_end)
{
    shake(KE_PUMP_CHUNK_MAX);
    size_t updates = 0;
    enum ke_event event = KE_EVENT_NONE;
    while (event == KE_EVENT_NONE) {
        cr_assert_lt(updates++, 5000);
        cr_assert_eq(SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED), 1);
        cr_assert_eq(SSL_do_handshake(client), 1);
        event = give_all(KE_PUMP_CHUNK_MAX);
        char octet;
        cr_assert_leq(SSL_read(client, &octet, 1), 0); /* takes the answers in */
    }
    cr_assert_eq(event, KE_EVENT_TLS_FAILED);
    cr_assert_gt(pump.input, KE_PUMP_INPUT_MAX);
}

Test(ke_pump, a_key_update_or_two_do_no_harm)
{
    shake(KE_PUMP_CHUNK_MAX);
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(SSL_key_update(client, SSL_KEY_UPDATE_REQUESTED), 1);
        cr_assert_eq(SSL_do_handshake(client), 1);
        cr_assert_eq(give_all(KE_PUMP_CHUNK_MAX), KE_EVENT_NONE);
    }
    cr_assert_eq(SSL_write(client, request, sizeof(request)), (int)sizeof(request));
    cr_assert_eq(give_all(KE_PUMP_CHUNK_MAX), KE_EVENT_REQUEST_COMPLETE);
}

Test(ke_pump, junk_after_the_handshake)
{
    static const uint8_t junk[64] = {0x17, 3, 3, 0, 59};
    shake(KE_PUMP_CHUNK_MAX);
    cr_assert_eq(give(junk, sizeof(junk)), KE_EVENT_TLS_FAILED);
}

Test(ke_pump, crumbs_of_a_hello)
{
    /* 8 KiB in records of one octet are six times as much: more than is listened to. */
    uint8_t record[] = {0x16, 3, 1, 0, 1, 0};
    static const uint8_t head[] = {1, 0, 0x20, 0, 3, 3};
    size_t sent = 0;
    enum ke_event event = KE_EVENT_NONE;
    while (event == KE_EVENT_NONE) {
        record[5] = sent < sizeof(head) ? head[sent] : 0;
        event = give(record, sizeof(record));
        cr_assert_lt(sent++, 20000);
    }
    cr_assert_eq(event, KE_EVENT_TLS_FAILED);
    cr_assert_null(pump.ssl);
    cr_assert_leq(pump.input, KE_HELLO_MAX + sizeof(record));
}

Test(ke_pump, the_end_of_the_stream)
{
    shake(KE_PUMP_CHUNK_MAX);
    cr_assert_eq(ke_pump_end(&pump), KE_EVENT_PEER_CLOSED);
    cr_assert_eq(SSL_write(client, request, 3), 3);
    cr_assert_eq(give_all(KE_PUMP_CHUNK_MAX), KE_EVENT_NONE);
    cr_assert_eq(ke_pump_end(&pump), KE_EVENT_REQUEST_COMPLETE);
    cr_assert_geq(SSL_shutdown(client), 0);
    cr_assert_eq(give_all(KE_PUMP_CHUNK_MAX), KE_EVENT_REQUEST_COMPLETE, "close_notify, too");
}

Test(ke_pump, draining_ends_with_the_notice_or_the_limit)
{
    static uint8_t junk[KE_PUMP_CHUNK_MAX];
    shake(KE_PUMP_CHUNK_MAX);
    cr_assert(ke_pump_respond(&pump, span_of(request, sizeof(request))));
    cr_assert_eq(ke_pump_drain(&pump, span_of(NULL, 0)), KE_EVENT_NONE);
    cr_assert_eq(SSL_write(client, junk, 100), 100);
    cr_assert_geq(SSL_shutdown(client), 0);
    uint8_t bytes[512];
    int n = BIO_read(SSL_get_wbio(client), bytes, (int)sizeof(bytes));
    cr_assert_gt(n, 100);
    cr_assert_eq(ke_pump_drain(&pump, span_of(bytes, (size_t)n)), KE_EVENT_PEER_CLOSED);
    pump.input = KE_PUMP_INPUT_MAX;
    while (pump.input + sizeof(junk) <= KE_PUMP_DRAIN_MAX) {
        cr_assert_eq(ke_pump_drain(&pump, span_of(junk, sizeof(junk))), KE_EVENT_NONE);
    }
    cr_assert_eq(ke_pump_drain(&pump, span_of(junk, sizeof(junk))), KE_EVENT_TLS_FAILED);
}
