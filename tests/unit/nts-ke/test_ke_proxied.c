/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections that come through a proxy: whose they are is what its header says, and without one
 * nobody is served. From anywhere else a header is no header.
 */
#include "tests/unit/nts-ke/ke_visit.h"

enum { HEADER_V4_LEN = 28, RESPONSE_MIN = 800 };
#define PROXY     "127.0.0.2"
#define STRANGER  "127.0.0.1"
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static struct ke_fixture fixture;
static struct acl acl;
static struct acl proxies;

static void allow(struct acl *list, const char *network, bool allowed)
{
    static struct acl_rules rules;
    struct net_prefix prefix;
    memset(&rules, 0, sizeof(rules));
    cr_assert_eq(net_prefix_parse(network, &prefix), NTS_OK);
    cr_assert_eq(acl_add(&rules, &prefix, allowed), NTS_OK);
    acl_seal(&rules, list);
}

static void run(void)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    (void)signal(SIGPIPE, SIG_IGN); /* those who are refused find out while they write */
    allow(&proxies, PROXY, true);
    allow(&acl, "192.0.2.66", false);
    options.admission.acl = &acl;
    options.admission.proxies = &proxies;
    options.admission.address_max = 2;
    fixture_run(&fixture, &options);
}

TestSuite(ke_proxied, .init = run);

static int connect_from(const char *from)
{
    struct net_addr source;
    struct timeval limit = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    cr_assert_eq(net_addr_parse(from, 0, &source), NTS_OK);
    cr_assert_eq(bind(fd, &source.sa, net_addr_len(&source)), 0);
    cr_assert_eq(connect(fd, &fixture.addr.sa, net_addr_len(&fixture.addr)), 0);
    return fd;
}

/* For a client 192.0.2.`host`, or with `local` for the proxy itself. */
static size_t make_header(uint8_t *out, uint8_t host, bool local)
{
    const uint8_t rest[] = {local ? 0x20 : 0x21,
                            local ? 0 : 0x11,
                            0,
                            local ? 0 : 12,
                            192,
                            0,
                            2,
                            host,
                            127,
                            0,
                            0,
                            1,
                            0x30,
                            0x39,
                            0x11,
                            0x6c};
    size_t n = local ? 4 : sizeof(rest);
    memcpy(out, SIGNATURE, 12);
    memcpy(out + 12, rest, n);
    return 12 + n;
}

/* One honest exchange behind a header that is sent in pieces of `piece` octets. */
static bool is_served(const char *from, uint8_t host, bool local, size_t piece)
{
    static const char request[] = "\x80\x01\x00\x02\x00\x00\x80\x04\x00\x02\x00\x0f\x80\x00\x00";
    uint8_t header[HEADER_V4_LEN];
    size_t n = make_header(header, host, local);
    struct peer peer = {.fd = connect_from(from)};
    for (size_t at = 0; at < n; at += piece) {
        size_t part = n - at < piece ? n - at : piece;
        if (send(peer.fd, header + at, part, MSG_NOSIGNAL) != (ssize_t)part) {
            break;
        }
    }
    peer.ssl = tls_client_connection(fixture.tls, "localhost");
    cr_assert_eq(SSL_set_fd(peer.ssl, peer.fd), 1);
    bool served = SSL_connect(peer.ssl) == 1;
    if (served) {
        peer_say(&peer, request, sizeof(request));
        served = peer_listen(&peer) && peer.len > RESPONSE_MIN;
    }
    peer_leave(&peer);
    return served;
}

Test(ke_proxied, whoever_comes_through_the_proxy_is_served)
{
    for (size_t piece = 1; piece <= HEADER_V4_LEN; piece++) {
        cr_expect(is_served(PROXY, 7, false, piece), "pieces of %zu", piece);
    }
    cr_expect_eq(fixture_count(&fixture, KE_COUNT_PROXY_FAULT_0), HEADER_V4_LEN);
    cr_expect(is_served(PROXY, 0, true, 99), "the proxy itself");
    cr_expect_eq(fixture_count(&fixture, KE_COUNT_PROXY_LOCAL), 1);
    fixture_stop(&fixture);
}

Test(ke_proxied, rules_are_for_the_client_and_not_for_the_proxy)
{
    cr_expect_not(is_served(PROXY, 66, false, 99));
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_DENIED) == 1);
    cr_expect(is_served(PROXY, 67, false, 99));
    fixture_stop(&fixture);
}

Test(ke_proxied, places_are_counted_by_client)
{
    uint8_t header[HEADER_V4_LEN];
    int fd[6];
    for (size_t i = 0; i < 6; i++) { /* three clients of the same proxy, two each */
        size_t n = make_header(header, (uint8_t)(10 + i / 2), false);
        fd[i] = connect_from(PROXY);
        cr_assert_eq(send(fd[i], header, n, 0), (ssize_t)n);
    }
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_PROXY_FAULT_0) == 6);
    cr_expect_eq(fixture_count(&fixture, KE_COUNT_CROWDED), 0);
    cr_expect_not(is_served(PROXY, 10, false, 99), "a third one of the first client");
    cr_expect_eq(fixture_count(&fixture, KE_COUNT_CROWDED), 1);
    for (size_t i = 0; i < 6; i++) {
        (void)close(fd[i]);
    }
    fixture_stop(&fixture);
}

Test(ke_proxied, the_proxy_without_a_header_is_not_served)
{
    struct peer peer = {.fd = connect_from(PROXY)};
    peer.ssl = tls_client_connection(fixture.tls, "localhost");
    cr_assert_eq(SSL_set_fd(peer.ssl, peer.fd), 1);
    cr_expect_neq(SSL_connect(peer.ssl), 1);
    peer_leave(&peer);
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_PROXY_FAULT_0 + PROXY2_FAULT_SIGNATURE) == 1);
    fixture_stop(&fixture);
}

Test(ke_proxied, a_header_from_anywhere_else_is_none)
{
    cr_expect_not(is_served(STRANGER, 7, false, 99));
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_TLS_FAILED) == 1);
    cr_expect_eq(fixture_count(&fixture, KE_COUNT_PROXY_FAULT_0), 0);
    fixture_canary(&fixture);
    fixture_stop(&fixture);
}

/* One that span a known front end: more is announced than comes, and then the end. */
Test(ke_proxied, a_header_cut_short_ends_the_connection)
{
    uint8_t header[HEADER_V4_LEN];
    char octet;
    (void)make_header(header, 7, false);
    int fd = connect_from(PROXY);
    cr_assert_eq(send(fd, header, 20, 0), 20);
    cr_assert_eq(shutdown(fd, SHUT_WR), 0);
    cr_expect_leq(read(fd, &octet, 1), 0);
    (void)close(fd);
    FIXTURE_AWAIT(fixture_count(&fixture, KE_COUNT_PEER_CLOSED) == 1);
    cr_expect(is_served(PROXY, 8, false, 99));
    fixture_stop(&fixture);
}
