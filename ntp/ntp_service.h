/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `ntp` process: answers datagrams on sockets it is handed, one worker thread per socket set.
 * Shell module.
 *
 * A worker owns one socket per address (SO_REUSEPORT spreads clients over workers), one libuv loop,
 * its batch buffers, its random pool, its copies of ring and clock, and its stats block. It shares
 * nothing mutable with other workers and allocates nothing after start.
 */
#ifndef NTSD_NTP_NTP_SERVICE_H
#define NTSD_NTP_NTP_SERVICE_H

#include "common/base/board.h"
#include "common/base/stats.h"
#include "ntp/answer.h"

enum { NTP_WORKERS_MAX = 64, NTP_SOCKETS_MAX = 16, NTP_BATCH = 32 };

/* Indices of a worker's stats block: the verdicts, then these. */
enum ntp_count {
    NTP_COUNT_RECEIVED = NTP_VERDICTS, /* datagrams read */
    NTP_COUNT_SENT,
    NTP_COUNT_COOKIES, /* new cookies in replies */
    NTP_COUNT_OLD_KEY, /* cookies opened with a key that no longer issues */
    NTP_COUNT_SEND_FAILED,
    NTP_COUNT_RECEIVE_FAILED,
    NTP_COUNT_NO_STAMP,       /* no kernel receive timestamp that may be believed: ntp_stamp.h */
    NTP_COUNT_UNSYNCHRONISED, /* answered with leap 3 */
    NTP_COUNTERS
};
_Static_assert((int)NTP_COUNTERS <= (int)STATS_COUNTERS, "a stats block holds them all");
const char *ntp_count_name(unsigned index); /* verdicts and the above; NULL beyond */

struct ntp_worker_options {
    int socket[NTP_SOCKETS_MAX]; /* from ntp_socket_open(); owned by the caller */
    size_t socket_count;
    struct stats *stats;
};

struct ntp_service_options {
    struct ntp_worker_options worker[NTP_WORKERS_MAX];
    size_t worker_count;
    bool nts_only;
    const struct board *key_board;   /* struct keyring */
    const struct board *clock_board; /* struct clock_model */
};

/* Runs until SIGTERM (answers what is queued, then returns 0). SIGHUP: nothing to read again. */
int ntp_service_run(const struct ntp_service_options *options);

/* A bound UDP socket: SO_REUSEPORT, IPV6_V6ONLY, SO_TIMESTAMPNS, IP_PKTINFO or IPV6_RECVPKTINFO, a
 * receive buffer of a second's worth, non-blocking, close on exec; no multicast, and no path MTU
 * that ICMP errors could lower. NTS_ESYSTEM: errno. */
struct net_addr;
NODISCARD enum nts_err ntp_socket_open(const struct net_addr *addr, int *fd);

#endif
