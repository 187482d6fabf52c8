/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A live worker and its times: stamps of the kernel, a host clock that is set, a socket that
 * reports an error. The service's CLOCK_REALTIME is read through this program, which can set it
 * for itself; the kernel's stamps stay what they are.
 */
#include "tests/unit/ntp/live_service.h"

#include <sys/syscall.h>
#include <time.h>

/* Set once by a test, before the service starts; written by it and read by the service. */
static struct wall_clock {
    _Atomic int64_t ahead_ns;
    _Atomic int64_t per_reading_ns; /* it runs away by so much each time it is read */
} * wall_clock;

int clock_gettime(clockid_t id, struct timespec *ts)
{
    int err = (int)syscall(SYS_clock_gettime, id, ts);
    if (err != 0 || id != CLOCK_REALTIME || wall_clock == NULL) {
        return err;
    }
    int64_t drift = atomic_load(&wall_clock->per_reading_ns);
    int64_t ahead = atomic_fetch_add(&wall_clock->ahead_ns, drift) + drift;
    int64_t ns = (int64_t)ts->tv_sec * NS_PER_S + ts->tv_nsec + ahead;
    *ts = (struct timespec){.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    return 0;
}

static struct live live;
static struct sample s;
static struct wall_clock *set_by_test;

/* In the service alone: the test keeps the true clock. */
static void use_own_clock(void *ctx)
{
    wall_clock = ctx;
}

static void setup(void)
{
    sample_init(&s, sample_alg(AEAD_AES_SIV_CMAC_256));
    live_init(&live);
    set_by_test = live_shared(sizeof(*set_by_test));
    struct clock_model clock = live_clock(0);
    live_publish_clock(&live, &clock);
}

TestSuite(ntp_worker, .init = setup, .timeout = 60);

/* What the server took from receiving to sending. */
static int64_t spent_ns(const struct ntp_header *h)
{
    return ntp_time_to_wall(h->transmit_time, wall_now()).ns -
           ntp_time_to_wall(h->receive_time, wall_now()).ns;
}

static struct ntp_header ask(int fd, const struct net_addr *to)
{
    return live_ask_plain(&s, fd, to);
}

static void stop_service(void)
{
    int status = 0;
    cr_assert_eq(kill(live.pid, SIGSTOP), 0);
    cr_assert_eq(waitpid(live.pid, &status, WUNTRACED), live.pid);
}

/* More than one batch of requests waits for a third of a second in the kernel: that is when they
 * came. */
Test(ntp_worker, the_receive_time_is_the_kernels_stamp)
{
    enum { WAITING = NTP_BATCH + 3, WAIT_MS = 300 };
    live_start(&live, use_own_clock, set_by_test);
    struct net_addr to = live_addr(&live, "127.0.0.1");
    int fd = live_client(AF_INET);
    (void)ask(fd, &to);
    stop_service();
    struct query query[WAITING];
    for (int i = 0; i < WAITING; i++) {
        live_ask(&s, fd, &to, &query[i]);
    }
    (void)poll(NULL, 0, WAIT_MS);
    cr_assert_eq(kill(live.pid, SIGCONT), 0);
    for (int i = 0; i < WAITING; i++) {
        struct ntp_header h = live_reply(fd, &to, &query[i]);
        cr_assert_geq(spent_ns(&h), (WAIT_MS - 50) * NS_PER_MS, "%lld ns", (long long)spent_ns(&h));
    }
    cr_assert_eq(live_stop(&live), 0);
    cr_assert_eq(live_count(&live, NTP_COUNT_NO_STAMP), 0);
    (void)close(fd);
}

/* The host's clock is set while requests wait: their stamps are of the clock before. That they
 * wait makes them old enough to be taken for good after a step back, too; and the second batch
 * comes from before the step as well. */
Test(ntp_worker, a_step_between_stamp_and_batch_is_not_served)
{
    enum { WAITING = NTP_BATCH + 3, WAIT_MS = 300 };
    static const int64_t steps_ms[] = {2000, -100, 1};
    live_start(&live, use_own_clock, set_by_test);
    struct net_addr to = live_addr(&live, "127.0.0.1");
    int fd = live_client(AF_INET);
    (void)ask(fd, &to);
    for (size_t c = 0; c < sizeof(steps_ms) / sizeof(steps_ms[0]); c++) {
        uint64_t before = live_count(&live, NTP_COUNT_NO_STAMP);
        stop_service();
        struct query query[WAITING];
        for (int i = 0; i < WAITING; i++) {
            live_ask(&s, fd, &to, &query[i]);
        }
        (void)poll(NULL, 0, WAIT_MS);
        atomic_fetch_add(&set_by_test->ahead_ns, steps_ms[c] * NS_PER_MS);
        cr_assert_eq(kill(live.pid, SIGCONT), 0);
        for (int i = 0; i < WAITING; i++) {
            struct ntp_header h = live_reply(fd, &to, &query[i]);
            cr_assert_lt(spent_ns(&h), 50 * NS_PER_MS, "step of %lld ms: %lld ns",
                         (long long)steps_ms[c], (long long)spent_ns(&h));
        }
        (void)ask(fd, &to); /* counters of what came before are settled */
        cr_assert_geq(live_count(&live, NTP_COUNT_NO_STAMP) - before, WAITING);
    }
    cr_assert_eq(live_stop(&live), 0);
    (void)close(fd);
}

/* A worker that has served nothing yet knows what the clocks said when it started. */
Test(ntp_worker, a_step_before_the_first_batch_is_not_served)
{
    enum { CLIENTS = 16 };
    live_start(&live, use_own_clock, set_by_test);
    struct net_addr to = live_addr(&live, "127.0.0.1");
    int fd[CLIENTS];
    struct query query[CLIENTS];
    fd[0] = live_client(AF_INET);
    (void)ask(fd[0], &to); /* by one worker; then the others have started, too */
    stop_service();
    for (int i = 0; i < CLIENTS; i++) {
        fd[i] = i == 0 ? fd[0] : live_client(AF_INET);
        live_ask(&s, fd[i], &to, &query[i]);
    }
    atomic_store(&set_by_test->ahead_ns, 2 * NS_PER_S);
    cr_assert_eq(kill(live.pid, SIGCONT), 0);
    for (int i = 0; i < CLIENTS; i++) {
        struct ntp_header h = live_reply(fd[i], &to, &query[i]);
        cr_assert_lt(spent_ns(&h), NS_PER_S, "%lld ns", (long long)spent_ns(&h));
        (void)close(fd[i]);
    }
    cr_assert_eq(live_stop(&live), 0);
    for (unsigned w = 0; w < LIVE_WORKERS; w++) {
        cr_assert_gt(stats_get(&live.stats[w], NTP_COUNT_NO_STAMP), 0, "worker %u", w);
    }
}

/* Nothing is published, so that the kernel's clock is served, and that one runs backwards. */
Test(ntp_worker, no_reply_leaves_before_its_request_came)
{
    memset(live.clock, 0, board_footprint(sizeof(struct clock_model)));
    atomic_store(&set_by_test->per_reading_ns, -10 * NS_PER_MS);
    live_start(&live, use_own_clock, set_by_test);
    struct net_addr to = live_addr(&live, "127.0.0.1");
    int fd = live_client(AF_INET);
    for (int i = 0; i < 3; i++) {
        struct ntp_header h = ask(fd, &to);
        cr_assert_eq(spent_ns(&h), 0, "%lld ns", (long long)spent_ns(&h));
    }
    cr_assert_eq(live_stop(&live), 0);
    (void)close(fd);
}

/* A client at this address. */
static int client_at(const struct net_addr *addr)
{
    int fd = live_client(AF_INET);
    cr_assert_eq(bind(fd, &addr->sa, net_addr_len(addr)), 0);
    return fd;
}

/* A socket of the service, connected so that ICMP errors reach it: the client is gone when its
 * reply arrives. The next client must not find the socket dead. */
Test(ntp_worker, a_socket_lives_on_after_an_error)
{
    struct net_addr to = live_addr(&live, "127.0.0.1");
    struct net_addr from;
    cr_assert_eq(net_addr_parse("127.0.0.1", 0, &from), NTS_OK);
    int fd = client_at(&from);
    socklen_t len = sizeof(from);
    cr_assert_eq(getsockname(fd, &from.sa, &len), 0);
    (void)close(fd); /* the service may not inherit it */
    cr_assert_eq(connect(live.options.worker[0].socket[0], &from.sa, net_addr_len(&from)), 0);
    live_start(&live, NULL, NULL);
    for (unsigned i = 1; i <= 3; i++) {
        fd = client_at(&from);
        stop_service();
        struct query query;
        live_ask(&s, fd, &to, &query);
        (void)close(fd);
        cr_assert_eq(kill(live.pid, SIGCONT), 0);
        while (live_count(&live, NTP_COUNT_RECEIVE_FAILED) < i) {
            (void)poll(NULL, 0, 1);
        }
        fd = client_at(&from);
        (void)ask(fd, &to);
        (void)close(fd);
    }
    cr_assert_eq(live_stop(&live), 0);
    cr_assert_eq(stats_get(&live.stats[0], NTP_ANSWER_PLAIN), 6);
}
