/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bunches of datagrams: what is told about each, and that one that cannot be sent holds up no
 * other.
 */
#include "ntp/ntp_batch.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <unistd.h>

static struct ntp_batch batch;
static int server = -1;
static int client = -1;
static struct net_addr server_addr;

static int open_socket(const char *address)
{
    struct net_addr addr;
    int fd;
    cr_assert_eq(net_addr_parse(address, 0, &addr), NTS_OK);
    cr_assert_eq(ntp_socket_open(&addr, &fd), NTS_OK);
    return fd;
}

static void setup(void)
{
    server = open_socket("127.0.0.1");
    client = open_socket("127.0.0.1");
    socklen_t len = sizeof(server_addr);
    cr_assert_eq(getsockname(server, &server_addr.sa, &len), 0);
}

TestSuite(ntp_batch, .init = setup);

static void send_octets(size_t n, uint8_t fill)
{
    static uint8_t bytes[65507];
    memset(bytes, fill, n);
    cr_assert_eq(sendto(client, bytes, n, 0, &server_addr.sa, net_addr_len(&server_addr)),
                 (ssize_t)n);
}

/* The first octet of the next datagram the client gets, or -1. */
static int next_reply(void)
{
    struct pollfd p = {.fd = client, .events = POLLIN};
    uint8_t byte = 0;
    return poll(&p, 1, 0) == 1 && recv(client, &byte, 1, 0) > 0 ? byte : -1;
}

Test(ntp_batch, nothing_waits)
{
    cr_assert_eq(ntp_batch_receive(&batch, server), NTS_ENOTFOUND);
    cr_assert_eq(batch.received, 0);
    size_t failed;
    cr_assert_eq(ntp_batch_send(&batch, server, &failed), 0);
    cr_assert_eq(failed, 0);
}

Test(ntp_batch, a_dead_socket_is_an_error_and_no_more)
{
    cr_assert_eq(ntp_batch_receive(&batch, -1), NTS_ESYSTEM);
}

Test(ntp_batch, arrivals)
{
    const size_t sizes[] = {0, 1, NTP_DATAGRAM_MAX, NTP_DATAGRAM_MAX + 1, 65507};
    const size_t n = sizeof(sizes) / sizeof(sizes[0]);
    for (size_t i = 0; i < n; i++) {
        send_octets(sizes[i], (uint8_t)i);
    }
    cr_assert_eq(ntp_batch_receive(&batch, server), NTS_OK);
    cr_assert_eq(batch.received, n);
    struct net_addr from;
    socklen_t len = sizeof(from);
    cr_assert_eq(getsockname(client, &from.sa, &len), 0);
    for (size_t i = 0; i < n; i++) {
        struct ntp_arrival a = ntp_batch_arrival(&batch, i);
        bool whole = sizes[i] <= NTP_DATAGRAM_MAX;
        cr_assert_eq(a.truncated, !whole);
        cr_assert_not(a.group);
        cr_assert_eq(a.request.n, whole ? sizes[i] : NTP_DATAGRAM_MAX);
        cr_assert(a.request.n == 0 || a.request.p[0] == i);
        cr_assert_eq(a.source_port, net_addr_port(&from));
        int64_t age = wall_now().ns - a.stamp.ns;
        cr_assert(a.stamped && age >= 0 && age < NS_PER_S);
    }
}

Test(ntp_batch, no_more_than_a_batch_at_a_time)
{
    for (int i = 0; i < NTP_BATCH + 1; i++) {
        send_octets(1, (uint8_t)i);
    }
    cr_assert_eq(ntp_batch_receive(&batch, server), NTS_OK);
    cr_assert_eq(batch.received, NTP_BATCH);
    cr_assert_eq(ntp_batch_receive(&batch, server), NTS_OK);
    cr_assert_eq(batch.received, 1);
    cr_assert_eq(ntp_batch_arrival(&batch, 0).request.p[0], NTP_BATCH);
}

/* Port 0 is what the kernel refuses to send to: one of five, the first, the last, and all. */
Test(ntp_batch, a_message_the_kernel_refuses_is_skipped)
{
    const unsigned refused[] = {0x00, 0x04, 0x01, 0x10, 0x15, 0x1f};
    for (size_t c = 0; c < sizeof(refused) / sizeof(refused[0]); c++) {
        size_t bad = 0;
        for (uint8_t i = 0; i < 5; i++) {
            send_octets(1, i);
        }
        cr_assert_eq(ntp_batch_receive(&batch, server), NTS_OK);
        cr_assert_eq(batch.received, 5);
        for (uint8_t i = 0; i < 5; i++) {
            *ntp_batch_reply_buffer(&batch, i) = (uint8_t)(i + 100);
            if ((refused[c] >> i & 1) != 0) {
                batch.slot[i].peer.v4.sin_port = 0;
                bad++;
            }
            ntp_batch_queue(&batch, i, 1);
        }
        size_t failed;
        cr_assert_eq(ntp_batch_send(&batch, server, &failed), 5 - bad);
        cr_assert_eq(failed, bad);
        for (int i = 0; i < 5; i++) {
            if ((refused[c] >> i & 1) == 0) {
                cr_assert_eq(next_reply(), i + 100);
            }
        }
        cr_assert_eq(next_reply(), -1);
    }
}

/* As the kernel would have put it, in place of what came with the first datagram. */
static void put_info(int level, int type, struct span info)
{
    struct msghdr *msg = &batch.in[0].msg_hdr;
    msg->msg_controllen = CMSG_SPACE(info.n);
    struct cmsghdr *c = CMSG_FIRSTHDR(msg);
    *c = (struct cmsghdr){.cmsg_level = level, .cmsg_type = type, .cmsg_len = CMSG_LEN(info.n)};
    memcpy(CMSG_DATA(c), info.p, info.n);
}

static void receive_one(void)
{
    send_octets(1, 1);
    cr_assert_eq(ntp_batch_receive(&batch, server), NTS_OK);
    cr_assert_eq(batch.received, 1);
}

/* The packet info of the answer to the first datagram. */
static struct span answer_info(int level, int type)
{
    ntp_batch_queue(&batch, 0, 1);
    struct msghdr *msg = &batch.out[0].msg_hdr;
    struct cmsghdr *c = CMSG_FIRSTHDR(msg);
    cr_assert_not_null(c);
    cr_assert_eq(c->cmsg_level, level);
    cr_assert_eq(c->cmsg_type, type);
    cr_assert_null(CMSG_NXTHDR(msg, c));
    return span_of(CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
}

Test(ntp_batch, what_was_asked_over_ipv4)
{
    static const struct {
        const char *addr;
        const char *spec_dst;
        bool group;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", false},      {"192.0.2.255", "192.0.2.1", true},
        {"255.255.255.255", "192.0.2.1", true}, {"224.0.1.1", "192.0.2.1", true},
        {"224.0.1.1", "0.0.0.0", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct net_addr addr;
        struct net_addr spec_dst;
        cr_assert_eq(net_addr_parse(cases[i].addr, 0, &addr), NTS_OK);
        cr_assert_eq(net_addr_parse(cases[i].spec_dst, 0, &spec_dst), NTS_OK);
        struct in_pktinfo info = {
            .ipi_ifindex = 7, .ipi_addr = addr.v4.sin_addr, .ipi_spec_dst = spec_dst.v4.sin_addr};
        receive_one();
        put_info(IPPROTO_IP, IP_PKTINFO, span_of(&info, sizeof(info)));
        cr_expect_eq(ntp_batch_arrival(&batch, 0).group, cases[i].group, "%s", cases[i].addr);
        struct span out = answer_info(IPPROTO_IP, IP_PKTINFO);
        cr_assert_eq(out.n, sizeof(info));
        memcpy(&info, out.p, sizeof(info));
        cr_expect_eq(info.ipi_ifindex, 0, "routing chooses the way out");
        cr_expect_eq(info.ipi_spec_dst.s_addr, spec_dst.v4.sin_addr.s_addr);
    }
}

Test(ntp_batch, what_was_asked_over_ipv6)
{
    static const struct {
        const char *addr;
        unsigned ifindex; /* of the answer to what came by the seventh */
        bool group;
    } cases[] = {
        {"2001:db8::1", 0, false}, {"fd00::1", 0, false}, {"::1", 0, false},
        {"fe80::1", 7, false},     {"ff02::1", 0, true},  {"ff05::101", 0, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct in6_pktinfo info = {.ipi6_ifindex = 7};
        struct in6_addr asked;
        cr_assert_eq(inet_pton(AF_INET6, cases[i].addr, &asked), 1);
        info.ipi6_addr = asked;
        receive_one();
        put_info(IPPROTO_IPV6, IPV6_PKTINFO, span_of(&info, sizeof(info)));
        cr_expect_eq(ntp_batch_arrival(&batch, 0).group, cases[i].group, "%s", cases[i].addr);
        struct span out = answer_info(IPPROTO_IPV6, IPV6_PKTINFO);
        cr_assert_eq(out.n, sizeof(info));
        memcpy(&info, out.p, sizeof(info));
        cr_expect_eq(info.ipi6_ifindex, cases[i].ifindex, "%s: %u", cases[i].addr,
                     info.ipi6_ifindex);
        cr_expect_eq(memcmp(&info.ipi6_addr, &asked, sizeof(asked)), 0);
    }
}

/* Cut off or not there: nobody knows what was asked. */
Test(ntp_batch, what_was_asked_is_not_known)
{
    receive_one();
    cr_assert_not(ntp_batch_arrival(&batch, 0).group);
    batch.in[0].msg_hdr.msg_flags |= MSG_CTRUNC;
    cr_assert(ntp_batch_arrival(&batch, 0).group);
    receive_one();
    batch.in[0].msg_hdr.msg_controllen = 0;
    cr_assert(ntp_batch_arrival(&batch, 0).group);
    cr_assert_not(ntp_batch_arrival(&batch, 0).stamped);
}

Test(ntp_batch, a_broadcast_is_told)
{
    (void)close(server);
    server = open_socket("0.0.0.0");
    socklen_t len = sizeof(server_addr);
    cr_assert_eq(getsockname(server, &server_addr.sa, &len), 0);
    const int on = 1;
    cr_assert_eq(setsockopt(client, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)), 0);
    static const struct {
        in_addr_t to;
        bool group;
    } cases[] = {{0x7fffffff, true}, {INADDR_LOOPBACK, false}, {INADDR_LOOPBACK + 9, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        server_addr.v4.sin_addr.s_addr = htonl(cases[i].to);
        receive_one();
        cr_assert_eq(ntp_batch_arrival(&batch, 0).group, cases[i].group, "case %zu", i);
    }
}
