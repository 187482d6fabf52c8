/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service with peers that are slow, sloppy or hostile. After each of them an honest client is
 * served.
 */
#include "tests/unit/nts-ke/ke_visit.h"

#define NEXT    "\x80\x01\x00\x02\x00\x00"
#define AEAD15  "\x80\x04\x00\x02\x00\x0f"
#define END     "\x80\x00\x00\x00"
#define REQUEST NEXT AEAD15 END
#define ERROR_0 "\x80\x02\x00\x02\x00\x00" END
#define ERROR_1 "\x80\x02\x00\x02\x00\x01" END

static struct ke_fixture fixture;

static bool heard_cookies(const struct peer *peer)
{
    static const uint16_t aeads[] = {15};
    struct ke_answer answer;
    const char *why = NULL;
    return ke_answer_parse(span_of(peer->message, peer->len), aeads, 1, &answer, &why) == NTS_OK &&
           answer.cookie_count == KE_COOKIES;
}

static void start(unsigned timeout_ms)
{
    (void)signal(SIGPIPE, SIG_IGN);
    struct ke_service_options options = fixture_prepare(&fixture);
    options.timeout_ms = timeout_ms;
    fixture_run(&fixture, &options);
}

static void stop(void)
{
    fixture_canary(&fixture);
    fixture_stop(&fixture);
}

static void await_count(unsigned index, uint64_t n)
{
    FIXTURE_AWAIT(fixture_count(&fixture, index) == n);
}

#define BYTES(s) s, sizeof(s) - 1
static const struct {
    const char *name;
    const char *request;
    size_t request_len;
    const char *answer;
    size_t answer_len;
    enum ke_count count;
    enum ke_request_fault fault;
} exchanges[] = {
    {"no protocol in common", BYTES("\x80\x01\x00\x02\x7f\x00" END), BYTES("\x80\x01\x00\x00" END),
     KE_COUNT_NO_PROTOCOL, KE_REQUEST_OK},
    {"no algorithm in common", BYTES(NEXT "\x80\x04\x00\x02\x00\x01" END),
     BYTES(NEXT "\x80\x04\x00\x00" END), KE_COUNT_NO_AEAD, KE_REQUEST_OK},
    {"unknown critical record", BYTES("\x80\x63\x00\x00" REQUEST), BYTES(ERROR_0), KE_COUNT_ERROR_0,
     KE_REQUEST_CRITICAL},
    {"two next", BYTES(NEXT REQUEST), BYTES(ERROR_1), KE_COUNT_ERROR_1, KE_REQUEST_DUPLICATE},
    {"end alone", BYTES(END), BYTES(ERROR_1), KE_COUNT_ERROR_1, KE_REQUEST_NO_PROTOCOL},
    {"cookie from a client", BYTES("\x00\x05\x00\x01\x01" REQUEST), BYTES(ERROR_1),
     KE_COUNT_ERROR_1, KE_REQUEST_UNEXPECTED},
    {"data after the end", BYTES(REQUEST REQUEST), BYTES(ERROR_1), KE_COUNT_ERROR_1,
     KE_REQUEST_TRAILING},
    {"record that can never fit", BYTES("\x40\x00\xff\xff"), BYTES(ERROR_1), KE_COUNT_ERROR_1,
     KE_REQUEST_TOO_LONG},
};

Test(ke_conn, answers_and_errors)
{
    start(2000);
    for (size_t i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++) {
        struct peer peer;
        uint64_t counted = fixture_count(&fixture, exchanges[i].count);
        cr_assert(peer_shake(&peer, &fixture));
        peer_say(&peer, exchanges[i].request, exchanges[i].request_len);
        cr_expect(peer_listen(&peer), "%s: no close_notify", exchanges[i].name);
        cr_expect(peer_heard(&peer, exchanges[i].answer, exchanges[i].answer_len), "%s",
                  exchanges[i].name);
        peer_leave(&peer);
        await_count(exchanges[i].count, counted + 1);
        cr_expect_gt(fixture_count(&fixture, KE_COUNT_REQUEST_FAULT_0 + exchanges[i].fault), 0);
        fixture_canary(&fixture);
    }
    stop();
}

Test(ke_conn, octet_by_octet)
{
    start(2000);
    struct peer peer;
    cr_assert(peer_shake(&peer, &fixture));
    for (size_t i = 0; i < sizeof(REQUEST) - 1; i++) {
        peer_say(&peer, &REQUEST[i], 1);
    }
    cr_assert(peer_listen(&peer));
    cr_assert(heard_cookies(&peer));
    peer_leave(&peer);
    stop();
}

Test(ke_conn, half_closed_after_the_request)
{
    start(2000);
    struct peer peer;
    cr_assert(peer_shake(&peer, &fixture));
    peer_say(&peer, REQUEST, sizeof(REQUEST) - 1);
    cr_assert_geq(SSL_shutdown(peer.ssl), 0);
    cr_assert_eq(shutdown(peer.fd, SHUT_WR), 0);
    cr_assert(peer_listen(&peer));
    cr_assert(heard_cookies(&peer));
    peer_leave(&peer);
    stop();
    cr_assert_eq(fixture_count(&fixture, KE_COUNT_CLOSE_TIMEOUT), 0);
}

Test(ke_conn, half_closed_within_the_request)
{
    start(2000);
    for (int notify = 0; notify < 2; notify++) {
        struct peer peer;
        cr_assert(peer_shake(&peer, &fixture));
        peer_say(&peer, REQUEST, sizeof(REQUEST) - 2);
        if (notify == 1) {
            cr_assert_geq(SSL_shutdown(peer.ssl), 0);
        }
        cr_assert_eq(shutdown(peer.fd, SHUT_WR), 0);
        cr_assert(peer_listen(&peer));
        cr_assert(PEER_HEARD(&peer, ERROR_1));
        peer_leave(&peer);
    }
    await_count(KE_COUNT_REQUEST_FAULT_0 + KE_REQUEST_SHORT, 2);
    stop();
}

Test(ke_conn, closed_before_the_request)
{
    start(2000);
    struct peer peer;
    cr_assert(peer_shake(&peer, &fixture));
    cr_assert_geq(SSL_shutdown(peer.ssl), 0);
    peer_leave(&peer);
    await_count(KE_COUNT_PEER_CLOSED, 1);
    int fd = peer_connect(&fixture);
    (void)close(fd);
    await_count(KE_COUNT_PEER_CLOSED, 2);
    stop();
}

/* RFC 8915 §4.1.3: Error 1 when no complete request came in time, also when nothing came. */
Test(ke_conn, late_requests_are_told)
{
    start(300);
    for (size_t n = 0; n < 2; n++) {
        struct peer peer;
        cr_assert(peer_shake(&peer, &fixture));
        peer_say(&peer, REQUEST, n == 0 ? 0 : sizeof(REQUEST) - 2);
        cr_assert(peer_listen(&peer));
        cr_assert(PEER_HEARD(&peer, ERROR_1));
        peer_leave(&peer);
    }
    await_count(KE_COUNT_REQUEST_FAULT_0 + KE_REQUEST_TIMEOUT, 2);
    stop();
}

/* The deadline is one for all, however many octets trickle in. */
Test(ke_conn, a_trickle_does_not_move_the_deadline)
{
    start(300);
    struct peer peer;
    int64_t before = mono_now().ns;
    cr_assert(peer_shake(&peer, &fixture));
    while (fixture_count(&fixture, KE_COUNT_REQUEST_FAULT_0 + KE_REQUEST_TIMEOUT) == 0) {
        cr_assert_lt(mono_now().ns - before, 2 * NS_PER_S);
        peer_say(&peer, "\x40\x00\x00\x00", 4);
        (void)poll(NULL, 0, 20);
    }
    peer_leave(&peer);
    stop();
}

Test(ke_conn, a_peer_that_never_closes_is_closed)
{
    start(300);
    struct peer peer;
    cr_assert(peer_shake(&peer, &fixture));
    peer_say(&peer, REQUEST, sizeof(REQUEST) - 1);
    cr_assert(peer_listen(&peer));
    cr_assert(heard_cookies(&peer));
    await_count(KE_COUNT_CLOSE_TIMEOUT, 1);
    peer_leave(&peer);
    stop();
}

Test(ke_conn, idle_and_half_a_handshake)
{
    static const char half[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    start(300);
    int idle = peer_connect(&fixture);
    int begun = peer_connect(&fixture);
    cr_assert_eq(write(begun, half, sizeof(half) - 1), (ssize_t)sizeof(half) - 1);
    char octet;
    cr_assert_eq(read(idle, &octet, 1), 0);
    cr_assert_eq(read(begun, &octet, 1), 0);
    await_count(KE_COUNT_TLS_TIMEOUT, 2);
    (void)close(idle);
    (void)close(begun);
    stop();
}

static size_t request_of_length(char *out, size_t len)
{
    struct wr w = wr_init((uint8_t *)out, len);
    wr_bytes(&w, span_of(NEXT AEAD15, 12));
    struct wr rest = w;
    size_t filler = len - w.n - 2 * KE_RECORD_HEAD_LEN;
    wr_u16(&rest, 0x4000);
    wr_u16(&rest, (uint16_t)filler);
    wr_zero(&rest, filler);
    wr_bytes(&rest, span_of(END, 4));
    cr_assert(!rest.bad && rest.n == len);
    return len;
}

Test(ke_conn, lengths_of_requests)
{
    static const size_t good[] = {1024, 4096, KE_REQUEST_MAX};
    static const size_t bad[] = {KE_REQUEST_MAX + 1, 32768, 65535};
    static char request[65536];
    start(2000);
    for (size_t i = 0; i < 3; i++) {
        struct peer peer;
        cr_assert(peer_shake(&peer, &fixture));
        peer_say(&peer, request, request_of_length(request, good[i]));
        cr_assert(peer_listen(&peer));
        cr_assert(heard_cookies(&peer), "%zu", good[i]);
        peer_leave(&peer);
        cr_assert(peer_shake(&peer, &fixture));
        peer_say(&peer, request, request_of_length(request, bad[i]));
        cr_assert(peer_listen(&peer));
        cr_assert(PEER_HEARD(&peer, ERROR_1), "%zu", bad[i]);
        peer_leave(&peer);
    }
    await_count(KE_COUNT_REQUEST_FAULT_0 + KE_REQUEST_TOO_LONG, 3);
    stop();
}

/* It is still sending when we have answered: it must get to read the answer, not a reset. */
Test(ke_conn, a_megabyte_is_told_what_is_wrong)
{
    enum { PIECE = 32 * 1024, PIECES = 32 };
    static char junk[PIECE];
    for (size_t i = 0; i < sizeof(junk); i += 4) {
        junk[i] = 0x40; /* empty records, 262 144 in all */
    }
    start(2000);
    struct peer peer;
    cr_assert(peer_shake(&peer, &fixture));
    for (size_t i = 0; i < PIECES; i++) {
        peer_say(&peer, junk, sizeof(junk));
        await_count(KE_COUNT_ERROR_1, 1);
        (void)poll(NULL, 0, 1); /* so slowly that a reset would be noticed when writing */
    }
    cr_assert(peer_listen(&peer));
    cr_assert(PEER_HEARD(&peer, ERROR_1));
    peer_leave(&peer);
    stop();
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* A client with Nagle's algorithm holds its request back until the end of its handshake has been
 * acknowledged: were that delayed, this would take 40 ms and more. */
Test(ke_conn, acknowledges_at_once)
{
    enum { EXCHANGES = 31 };
    int64_t ns[EXCHANGES];
    start(2000);
    for (size_t i = 0; i < EXCHANGES; i++) {
        struct peer peer;
        int64_t before = mono_now().ns;
        cr_assert(peer_shake(&peer, &fixture));
        peer_say(&peer, REQUEST, 6); /* in three parts, as a simple client may */
        peer_say(&peer, &REQUEST[6], 6);
        peer_say(&peer, &REQUEST[12], sizeof(REQUEST) - 1 - 12);
        cr_assert(peer_listen(&peer));
        ns[i] = mono_now().ns - before;
        peer_leave(&peer);
    }
    qsort(ns, EXCHANGES, sizeof(ns[0]), compare);
    cr_assert_lt(ns[EXCHANGES / 2], 20 * NS_PER_MS);
    stop();
}
