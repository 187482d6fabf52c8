/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live service on loopback: both families, the right source address, every datagram counted
 * once, boards followed, an orderly end, and no allocation after the start.
 */
#include "tests/unit/ntp/live_service.h"
#include "tests/unit/ntp/malloc_counter.h"

#include <netinet/ip.h>
#include <netinet/udp.h>

static struct live live;
static struct sample s;
static uint8_t buf[65536];

static void setup(void)
{
    sample_init(&s, sample_alg(AEAD_AES_SIV_CMAC_256));
    live_init(&live);
    struct keyring ring = sample_keyring(7);
    board_write(live.keys, &ring, sizeof(ring));
    struct clock_model clock = live_clock(0);
    live_publish_clock(&live, &clock);
}

TestSuite(ntp_service, .init = setup, .timeout = 60);

/* One honest plain query; its header. */
static struct ntp_header ask_plain(int fd, const struct net_addr *to)
{
    return live_ask_plain(&s, fd, to);
}

static enum query_verdict ask_nts(int fd, const struct net_addr *to, size_t placeholders,
                                  struct query_reply *reply)
{
    struct query query;
    struct wr w = wr_init(s.request, sizeof(s.request));
    struct span cookie = span_of(s.cookie, s.cookie_len);
    cr_assert_eq(query_write_nts(&s.rng, &s.keys, cookie, placeholders, &query, &w), NTS_OK);
    live_send(fd, to, wr_done(&w));
    return query_judge(&query, &s.keys, live_receive(fd, to, buf, sizeof(buf)), reply);
}

static int64_t seconds_from_now(uint64_t ntp)
{
    struct wall_ns now = wall_now();
    int64_t off = ntp_time_to_wall(ntp, now).ns - now.ns;
    return (off + (off < 0 ? -NS_PER_S / 2 : NS_PER_S / 2)) / NS_PER_S;
}

static uint64_t sum_of_verdicts(void)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < NTP_VERDICTS; i++) {
        sum += live_count(&live, i);
    }
    return sum;
}

Test(ntp_service, answers_from_the_address_that_was_asked)
{
    static const char *const addresses[] = {"127.0.0.1", "127.0.0.2", "127.1.2.3", "::1"};
    live_start(&live, NULL, NULL);
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct net_addr to = live_addr(&live, addresses[i]);
        int fd = live_client(to.sa.sa_family);
        struct ntp_header h = ask_plain(fd, &to);
        cr_assert_eq(h.stratum, 2);
        cr_assert_eq(seconds_from_now(h.transmit_time), 0);
        cr_assert_eq(seconds_from_now(h.receive_time), 0);
        struct query_reply reply;
        cr_assert_eq(ask_nts(fd, &to, 3, &reply), QUERY_OK);
        cr_assert_eq(reply.cookie_count, 4);
        (void)close(fd);
    }
    cr_assert_eq(live_stop(&live), 0);
    cr_assert_eq(live_count(&live, NTP_ANSWER_PLAIN), 4);
    cr_assert_eq(live_count(&live, NTP_ANSWER_NTS), 4);
    cr_assert_eq(live_count(&live, NTP_COUNT_COOKIES), 16);
    cr_assert_eq(live_count(&live, NTP_COUNT_SENT), 8);
    cr_assert_eq(live_count(&live, NTP_COUNT_RECEIVED), 8);
    cr_assert_eq(live_count(&live, NTP_COUNT_NO_STAMP), 0);
    cr_assert_eq(live_count(&live, NTP_COUNT_UNSYNCHRONISED), 0);
}

/* Junk of all kinds, and after each an honest exchange: same socket, same worker, in order. */
Test(ntp_service, what_is_not_answered_is_counted_and_does_no_harm)
{
    live_start(&live, NULL, NULL);
    struct net_addr to = live_addr(&live, "127.0.0.1");
    int fd = live_client(AF_INET);
    static const size_t sizes[] = {0, 1, 47, 49, 51, 1473, 2000, 9000, 65507};
    const size_t n = sizeof(sizes) / sizeof(sizes[0]);
    for (size_t i = 0; i < n; i++) {
        memset(buf, 0x23, sizes[i]);
        live_send(fd, &to, span_of(buf, sizes[i]));
        (void)ask_plain(fd, &to);
    }
    static const char *const fields[] = {"UUCA", "UC", "UcA", "UCZ", "13"};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        live_send(fd, &to, sample_request(&s, fields[i]));
        if (i == 2 || i == 3) {
            struct span nak = live_receive(fd, &to, buf, sizeof(buf));
            cr_assert_eq(nak.n, 84);
        }
        (void)ask_plain(fd, &to);
    }
    cr_assert_eq(live_stop(&live), 0);
    cr_assert_eq(live_count(&live, NTP_ANSWER_PLAIN), n + 5);
    cr_assert_eq(live_count(&live, NTP_DROP_SHORT), 3);
    cr_assert_eq(live_count(&live, NTP_DROP_LONG), 4);
    cr_assert_eq(live_count(&live, NTP_DROP_FIELD), 3);
    cr_assert_eq(live_count(&live, NTP_DROP_NTS), 2);
    cr_assert_eq(live_count(&live, NTP_NAK_COOKIE_AUTH), 1);
    cr_assert_eq(live_count(&live, NTP_NAK_REQUEST_AUTH), 1);
    cr_assert_eq(live_count(&live, NTP_COUNT_RECEIVED), 2 * n + 10);
    cr_assert_eq(sum_of_verdicts(), 2 * n + 10);
    cr_assert_eq(live_count(&live, NTP_COUNT_SENT), n + 7);
    (void)close(fd);
}

Test(ntp_service, source_port_zero_is_dropped)
{
    int raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
    if (raw < 0) {
        cr_skip_test("raw sockets need a right we do not have");
    }
    live_start(&live, NULL, NULL);
    struct net_addr to = live_addr(&live, "127.0.0.1");
    uint8_t packet[sizeof(struct udphdr) + NTP_HEADER_LEN];
    struct wr w = wr_init(packet, sizeof(packet));
    wr_u16(&w, 0);
    wr_u16(&w, live.port);
    wr_u16(&w, sizeof(packet));
    wr_u16(&w, 0);
    sample_header(&w, 4, NTP_MODE_CLIENT);
    to.v4.sin_port = 0;
    for (int i = 0; i < 5; i++) {
        live_send(raw, &to, wr_done(&w));
    }
    to = live_addr(&live, "127.0.0.1");
    int fd = live_client(AF_INET);
    while (live_count(&live, NTP_DROP_PORT) < 5) {
        (void)ask_plain(fd, &to);
    }
    cr_assert_eq(live_stop(&live), 0);
    cr_assert_eq(live_count(&live, NTP_COUNT_SEND_FAILED), 0);
    cr_assert_eq(live_count(&live, NTP_COUNT_RECEIVED), sum_of_verdicts());
    (void)close(fd);
    (void)close(raw);
}

Test(ntp_service, boards_are_followed)
{
    live_start(&live, NULL, NULL);
    struct net_addr to = live_addr(&live, "::1");
    int fd = live_client(AF_INET6);
    cr_assert_eq(ask_plain(fd, &to).leap, NTP_LEAP_NONE);

    struct clock_model clock = live_clock(1000 * NS_PER_S);
    live_publish_clock(&live, &clock);
    struct ntp_header h = ask_plain(fd, &to);
    cr_assert_eq(seconds_from_now(h.receive_time), 1000, "the stamp is moved onto the served line");
    cr_assert_eq(seconds_from_now(h.transmit_time), 1000);

    clock.state = CLOCK_LOST;
    live_publish_clock(&live, &clock);
    h = ask_plain(fd, &to);
    cr_assert_eq(h.leap, NTP_LEAP_UNKNOWN);
    cr_assert_eq(h.stratum, 0);
    struct query_reply reply;
    cr_assert_eq(ask_nts(fd, &to, 0, &reply), QUERY_UNSYNCHRONISED);

    struct keyring ring = sample_keyring(7);
    ring.issuing = SAMPLE_ISSUING + 1;
    board_write(live.keys, &ring, sizeof(ring));
    cr_assert_eq(ask_nts(fd, &to, 0, &reply), QUERY_UNSYNCHRONISED);
    ring = sample_keyring(8);
    board_write(live.keys, &ring, sizeof(ring));
    cr_assert_eq(ask_nts(fd, &to, 0, &reply), QUERY_NAK);
    cr_assert_eq(live_stop(&live), 0);
    cr_assert_eq(live_count(&live, NTP_COUNT_UNSYNCHRONISED), 3);
    cr_assert_eq(live_count(&live, NTP_COUNT_AGE_0 + 1), 1, "by the issuing key");
    cr_assert_eq(live_count(&live, NTP_COUNT_AGE_0 + 2), 1, "by the one before it");
    cr_assert_eq(live_count(&live, NTP_NAK_COOKIE_AUTH), 1);
    (void)close(fd);
}

Test(ntp_service, before_anything_is_published_it_says_so)
{
    memset(live.keys, 0, board_footprint(sizeof(struct keyring)));
    memset(live.clock, 0, board_footprint(sizeof(struct clock_model)));
    live_start(&live, NULL, NULL);
    struct net_addr to = live_addr(&live, "127.0.0.1");
    int fd = live_client(AF_INET);
    live_send(fd, &to, sample_request(&s, "UCA"));
    struct ntp_header h = ask_plain(fd, &to);
    cr_assert_eq(h.leap, NTP_LEAP_UNKNOWN);
    cr_assert_eq(h.stratum, 0);
    cr_assert_eq(h.root_dispersion, UINT32_MAX);
    cr_assert_eq(live_stop(&live), 0);
    cr_assert_eq(live_count(&live, NTP_DROP_NO_KEYS), 1);
    (void)close(fd);
}

Test(ntp_service, nts_only_is_heeded)
{
    live.options.nts_only = true;
    live_start(&live, NULL, NULL);
    struct net_addr to = live_addr(&live, "127.0.0.1");
    int fd = live_client(AF_INET);
    live_send(fd, &to, sample_request(&s, ""));
    struct query_reply reply;
    cr_assert_eq(ask_nts(fd, &to, 0, &reply), QUERY_OK);
    cr_assert_eq(live_stop(&live), 0);
    cr_assert_eq(live_count(&live, NTP_DROP_UNAUTHENTICATED), 1);
    (void)close(fd);
}

/* A stopped process is told to end while more requests wait than it takes in one go: all are
 * answered first. */
Test(ntp_service, ends_in_order)
{
    enum { WAITING = 9 * NTP_BATCH + 1 };
    live_start(&live, NULL, NULL);
    struct net_addr to = live_addr(&live, "127.0.0.1");
    int fd = live_client(AF_INET);
    (void)ask_plain(fd, &to);
    cr_assert_eq(kill(live.pid, SIGHUP), 0);
    (void)ask_plain(fd, &to);

    cr_assert_eq(kill(live.pid, SIGSTOP), 0);
    int status = 0;
    cr_assert_eq(waitpid(live.pid, &status, WUNTRACED), live.pid);
    for (int i = 0; i < WAITING; i++) {
        live_send(fd, &to, sample_request(&s, "UCA"));
    }
    cr_assert_eq(kill(live.pid, SIGTERM), 0);
    cr_assert_eq(kill(live.pid, SIGCONT), 0);
    cr_assert_eq(live_wait(&live), 0);
    for (int i = 0; i < WAITING; i++) {
        struct query_reply judged;
        struct span reply = live_receive(fd, &to, buf, sizeof(buf));
        cr_assert_eq(sample_judge(&s, reply, &judged), QUERY_OK);
    }
    cr_assert_eq(live_count(&live, NTP_ANSWER_NTS), WAITING);
    uint64_t timed = 0;
    for (unsigned w = 0; w < LIVE_WORKERS; w++) {
        for (unsigned b = 0; b < STATS_BUCKETS; b++) {
            timed += atomic_load(&live.stats[w].bucket[b]);
        }
    }
    cr_assert_eq(timed, WAITING + 2);
    (void)close(fd);
}

Test(ntp_service, a_burst_is_answered_whole_and_the_ways_of_workers_agree)
{
    enum { CLIENTS = 16, EACH = 20 };
    live_start(&live, NULL, NULL);
    struct net_addr to = live_addr(&live, "127.0.0.1");
    int fd[CLIENTS];
    struct span request = sample_request(&s, "UCPPPPPPPA");
    for (int c = 0; c < CLIENTS; c++) {
        fd[c] = live_client(AF_INET);
        for (int i = 0; i < EACH; i++) {
            live_send(fd[c], &to, request);
        }
    }
    for (int c = 0; c < CLIENTS; c++) {
        for (int i = 0; i < EACH; i++) {
            struct query_reply judged;
            struct span reply = live_receive(fd[c], &to, buf, sizeof(buf));
            cr_assert_eq(sample_judge(&s, reply, &judged), QUERY_OK);
            cr_assert_eq(judged.cookie_count, NTP_COOKIES_MAX);
        }
        (void)close(fd[c]);
    }
    cr_assert_eq(live_stop(&live), 0);
    cr_assert_eq(live_count(&live, NTP_ANSWER_NTS), CLIENTS * EACH);
    for (unsigned w = 0; w < LIVE_WORKERS; w++) {
        cr_assert_gt(stats_get(&live.stats[w], NTP_ANSWER_NTS), 0, "worker %u had nothing", w);
    }
}

static void count_in(void *shared)
{
    malloc_counter = shared;
}

Test(ntp_service, nothing_is_allocated_after_the_start)
{
    malloc_counter_skip();
    _Atomic uint64_t *counter = live_shared(sizeof(*counter));
    live_start(&live, count_in, (void *)counter);
    struct net_addr to = live_addr(&live, "127.0.0.1");
    int fd[8];
    struct query_reply reply;
    for (int i = 0; i < 8; i++) {
        fd[i] = live_client(AF_INET);
        cr_assert_eq(ask_nts(fd[i], &to, 0, &reply), QUERY_OK);
    }
    uint64_t before = atomic_load(counter);
    cr_assert_gt(before, 0);
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(ask_nts(fd[i % 8], &to, (size_t)i % 8, &reply), QUERY_OK);
        (void)ask_plain(fd[i % 8], &to);
        live_send(fd[i % 8], &to, span_of(buf, 2000));
    }
    struct keyring ring = sample_keyring(7);
    board_write(live.keys, &ring, sizeof(ring));
    cr_assert_eq(ask_nts(fd[0], &to, 0, &reply), QUERY_OK);
    cr_assert_eq(atomic_load(counter), before, "%lu calls of malloc and its kin",
                 (unsigned long)(atomic_load(counter) - before));
    cr_assert_eq(live_stop(&live), 0);
}

/* What is sent to a group reaches every worker's socket; none answers, or one datagram would have
 * as many replies as there are workers. */
Test(ntp_service, what_is_sent_to_a_group_is_dropped)
{
    live_start(&live, NULL, NULL);
    struct net_addr group = live_addr(&live, "127.255.255.255");
    struct net_addr to = live_addr(&live, "127.0.0.1");
    int fd = live_client(AF_INET);
    const int on = 1;
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)), 0);
    struct query query;
    live_ask(&s, fd, &group, &query);
    live_send(fd, &group, sample_request(&s, "UCA"));
    live_send(fd, &group, span_of(buf, 2000));
    (void)ask_plain(fd, &to); /* fails at a reply to anything else */
    cr_assert_eq(live_stop(&live), 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    cr_assert_eq(poll(&p, 1, 0), 0, "a reply to a broadcast");
    cr_assert_eq(live_count(&live, NTP_DROP_GROUP), 3 * LIVE_WORKERS);
    cr_assert_eq(live_count(&live, NTP_COUNT_SENT), 1);
    cr_assert_eq(live_count(&live, NTP_COUNT_RECEIVED), sum_of_verdicts());
    (void)close(fd);
}
