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

struct acl;

enum { NTP_WORKERS_MAX = 64, NTP_SOCKETS_MAX = 16, NTP_BATCH = 32 };

/* Keys between the one that opened a cookie and the one that issues: one that is not issuing here
 * yet, because another host's clock is ahead; the issuing one; and those that no longer issue. */
enum { NTP_COOKIE_AGES = 7 };
const char *ntp_cookie_age_name(unsigned age); /* "next", "0" to "3", "4-7", "8+"; NULL beyond */

/* Indices of a worker's stats block: the verdicts, then these. */
enum ntp_count {
    NTP_COUNT_RECEIVED = NTP_VERDICTS, /* datagrams read */
    NTP_COUNT_SENT,
    NTP_COUNT_COOKIES, /* new cookies in replies */
    NTP_COUNT_AGE_0,   /* cookies opened, by how old their key is: ntp_count_of_age() */
    NTP_COUNT_SEND_FAILED = NTP_COUNT_AGE_0 + NTP_COOKIE_AGES,
    NTP_COUNT_RECEIVE_FAILED,
    NTP_COUNT_NO_STAMP,       /* no kernel receive timestamp that may be believed: ntp_stamp.h */
    NTP_COUNT_UNSYNCHRONISED, /* answered with leap 3 */
    NTP_COUNT_FORGOTTEN,      /* clients that made room in the table of limits: ratelimit.h */
    NTP_COUNTERS
};
_Static_assert((int)NTP_COUNTERS <= (int)STATS_COUNTERS, "a stats block holds them all");
const char *ntp_count_name(unsigned index); /* verdicts and the above; NULL beyond */

/* Which of NTP_COUNT_AGE_0 and following: the slot in the ring of the key that opened, and of the
 * one that issues. */
unsigned ntp_count_of_age(size_t slot, size_t issuing);

struct ntp_worker_options {
    int socket[NTP_SOCKETS_MAX]; /* from ntp_socket_open(); owned by the caller */
    size_t socket_count;
    struct stats *stats;
};

struct ntp_service_options {
    struct ntp_worker_options worker[NTP_WORKERS_MAX];
    size_t worker_count;
    bool nts_only;
    const struct acl *acl;                 /* who is answered; NULL: everyone */
    const struct ratelimit_options *limit; /* each worker has a table of its own, with a key of its
                                              own making; NULL: no limit */
    const struct board *key_board;         /* struct keyring */
    const struct board *clock_board;       /* struct clock_model */
};

/* Runs until SIGTERM (answers what is queued, then returns 0). SIGHUP: nothing to read again. */
int ntp_service_run(const struct ntp_service_options *options);

/* A bound UDP socket: SO_REUSEPORT, IPV6_V6ONLY, SO_TIMESTAMPNS, IP_PKTINFO or IPV6_RECVPKTINFO, a
 * receive buffer for a burst of thousands, non-blocking, close on exec; no multicast, and no path
 * MTU that ICMP errors could lower. NTS_ESYSTEM: errno. */
struct net_addr;
NODISCARD enum nts_err ntp_socket_open(const struct net_addr *addr, int *fd);

#endif
