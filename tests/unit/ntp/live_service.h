/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `ntp` process on loopback with boards in shared memory, and a client beside it. Test code.
 */
#ifndef NTSD_TESTS_UNIT_NTP_LIVE_SERVICE_H
#define NTSD_TESTS_UNIT_NTP_LIVE_SERVICE_H

#include "common/net/addr.h"
#include "ntp/clock/clock_model.h"
#include "ntp/ntp_service.h"
#include "tests/unit/ntp/ntp_sample.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIVE_WORKERS = 2, LIVE_ANSWER_MS = 5000 };

struct live {
    struct ntp_service_options options;
    struct board *keys;
    struct board *clock;
    struct stats *stats; /* one for each worker */
    uint16_t port;
    pid_t pid;
};

/* Run in the child before the service; NULL for nothing. */
typedef void (*live_hook)(void *ctx);

static inline void *live_shared(size_t len)
{
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(p, MAP_FAILED);
    return p;
}

static inline uint16_t live_port_of(int fd)
{
    struct net_addr addr;
    socklen_t len = sizeof(addr);
    cr_assert_eq(getsockname(fd, &addr.sa, &len), 0);
    return net_addr_port(&addr);
}

/* Wildcard sockets of both families on one port, for every worker. */
static inline void live_open_sockets(struct live *live)
{
    for (size_t i = 0; i < LIVE_WORKERS; i++) {
        struct ntp_worker_options *worker = &live->options.worker[i];
        struct net_addr v4 = net_addr_any(AF_INET, live->port);
        cr_assert_eq(ntp_socket_open(&v4, &worker->socket[0]), NTS_OK);
        live->port = live_port_of(worker->socket[0]);
        struct net_addr v6 = net_addr_any(AF_INET6, live->port);
        cr_assert_eq(ntp_socket_open(&v6, &worker->socket[1]), NTS_OK);
        worker->socket_count = 2;
        worker->stats = &live->stats[i];
    }
    live->options.worker_count = LIVE_WORKERS;
}

static inline struct clock_model live_clock(int64_t ahead_ns)
{
    return (struct clock_model){.anchor_raw_ns = mono_raw_now().ns,
                                .anchor_wall_ns = wall_now().ns + ahead_ns,
                                .state = CLOCK_SYNCHRONISED,
                                .stratum = 2,
                                .precision = -24};
}

static inline void live_publish_clock(const struct live *live, const struct clock_model *model)
{
    cr_assert(model->state != CLOCK_SYNCHRONISED || clock_model_is_trusted(model, mono_raw_now()));
    board_write(live->clock, model, sizeof(*model));
}

static inline void live_init(struct live *live)
{
    *live = (struct live){.pid = -1};
    live->keys = live_shared(board_footprint(sizeof(struct keyring)));
    live->clock = live_shared(board_footprint(sizeof(struct clock_model)));
    live->stats = live_shared(LIVE_WORKERS * sizeof(struct stats));
    live->options.key_board = live->keys;
    live->options.clock_board = live->clock;
    live_open_sockets(live);
}

static inline void live_start(struct live *live, live_hook hook, void *ctx)
{
    live->pid = fork();
    cr_assert_geq(live->pid, 0);
    if (live->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (hook != NULL) {
            hook(ctx);
        }
        _exit(ntp_service_run(&live->options));
    }
    for (size_t i = 0; i < LIVE_WORKERS; i++) {
        (void)close(live->options.worker[i].socket[0]);
        (void)close(live->options.worker[i].socket[1]);
    }
}

/* The exit code of the service, which has been told to stop. */
static inline int live_wait(const struct live *live)
{
    int status = 0;
    cr_assert_eq(waitpid(live->pid, &status, 0), live->pid);
    cr_assert(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

static inline int live_stop(const struct live *live)
{
    cr_assert_eq(kill(live->pid, SIGTERM), 0);
    return live_wait(live);
}

static inline uint64_t live_count(const struct live *live, unsigned index)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < LIVE_WORKERS; i++) {
        sum += stats_get(&live->stats[i], index);
    }
    return sum;
}

static inline int live_client(int family)
{
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    const int room = 1 << 20; /* for some hundred replies; the kernel may grant less */
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
    return fd;
}

static inline struct net_addr live_addr(const struct live *live, const char *text)
{
    struct net_addr addr;
    cr_assert_eq(net_addr_parse(text, live->port, &addr), NTS_OK);
    return addr;
}

static inline void live_send(int fd, const struct net_addr *to, struct span bytes)
{
    ssize_t n = sendto(fd, bytes.p, bytes.n, 0, &to->sa, net_addr_len(to));
    cr_assert_eq(n, (ssize_t)bytes.n);
}

/* The next datagram, and that it comes from where we sent to. */
static inline struct span live_receive(int fd, const struct net_addr *asked, uint8_t *buf,
                                       size_t cap)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    cr_assert_eq(poll(&p, 1, LIVE_ANSWER_MS), 1, "no answer");
    struct net_addr from;
    socklen_t len = sizeof(from);
    ssize_t n = recvfrom(fd, buf, cap, 0, &from.sa, &len);
    cr_assert_gt(n, 0);
    char want[NET_ADDR_TEXT_MAX];
    char got[NET_ADDR_TEXT_MAX];
    net_addr_format(asked, want);
    net_addr_format(&from, got);
    cr_assert_str_eq(got, want, "the reply comes from %s, asked was %s", got, want);
    return span_of(buf, (size_t)n);
}

/* An honest plain query. */
static inline void live_ask(struct sample *s, int fd, const struct net_addr *to,
                            struct query *query)
{
    struct wr w = wr_init(s->request, sizeof(s->request));
    cr_assert_eq(query_write_plain(&s->rng, query, &w), NTS_OK);
    live_send(fd, to, wr_done(&w));
}

/* The header of the next reply, which is the one to this query. */
static inline struct ntp_header live_reply(int fd, const struct net_addr *to,
                                           const struct query *query)
{
    static uint8_t bytes[65536];
    struct query_reply reply;
    struct span got = live_receive(fd, to, bytes, sizeof(bytes));
    enum query_verdict verdict = query_judge(query, NULL, got, &reply);
    cr_assert(verdict == QUERY_OK || verdict == QUERY_UNSYNCHRONISED, "%s",
              query_verdict_text(verdict));
    cr_assert_leq(reply.header.receive_time, reply.header.transmit_time);
    return reply.header;
}

static inline struct ntp_header live_ask_plain(struct sample *s, int fd, const struct net_addr *to)
{
    struct query query;
    live_ask(s, fd, to, &query);
    return live_reply(fd, to, &query);
}

#endif
