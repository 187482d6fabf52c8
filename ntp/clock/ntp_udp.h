/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket of one exchange with an NTP server: connected, so that the kernel takes datagrams from
 * that address and port alone, from a source port of its own, and stamped by the kernel in both
 * directions where it can. Shell module.
 *
 * Kernel stamps are CLOCK_REALTIME; they are moved onto CLOCK_MONOTONIC_RAW by pair readings next
 * to them and believed only where they fall between the moments this process saw itself. Otherwise,
 * and where the kernel gives none, those moments take their place.
 */
#ifndef NTSD_NTP_CLOCK_NTP_UDP_H
#define NTSD_NTP_CLOCK_NTP_UDP_H

#include "common/base/cursor.h"
#include "common/net/addr.h"
#include "ntp/clock/clock_pair.h"

struct ntp_udp {
    int fd; /* owned; -1: closed */
    struct clock_pair before;
    struct mono_ns sent; /* when the request left */
    bool sent_stamped;   /* by the kernel */
};

struct ntp_arrived {
    struct span bytes; /* in the caller's buffer */
    struct mono_ns received;
    bool stamped; /* by the kernel */
};

/* The source port is the kernel's choice, a new one for each socket. NTS_ESYSTEM: errno. */
NODISCARD enum nts_err ntp_udp_open(const struct net_addr *to, struct ntp_udp *udp);
void ntp_udp_close(struct ntp_udp *udp); /* safe to call twice */

/* NTS_ESYSTEM: errno; an unreachable network is told here. */
NODISCARD enum nts_err ntp_udp_send(struct ntp_udp *udp, struct span request);

/*
 * The next datagram, and meanwhile the transmit stamp, which has come when an answer is there.
 * NTS_ENOTFOUND: nothing there. NTS_ELIMIT: one longer than `cap`, which is gone. NTS_ESYSTEM: an
 * error that the network reported, which may be forged and ends nothing.
 */
NODISCARD enum nts_err ntp_udp_receive(struct ntp_udp *udp, uint8_t *buf, size_t cap,
                                       struct ntp_arrived *arrived);

/* The reference id of the address the socket is bound to; 0: unknown. */
uint32_t ntp_udp_own_id(const struct ntp_udp *udp);

/* A socket that receives nothing and keeps the kernel stamping while it is open: without one, the
 * first datagrams on a new socket may come without a stamp. -1: errno. Owned by the caller. */
int ntp_udp_keep_stamping(void);

#endif
