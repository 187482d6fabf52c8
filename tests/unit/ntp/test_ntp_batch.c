/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bunches of datagrams: what is told about each, and that one that cannot be sent holds up no
 * other.
 */
#include "ntp/ntp_batch.h"

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
