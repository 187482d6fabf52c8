/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams in bunches: one recvmmsg(2) in, one sendmmsg(2) out, with kernel receive stamps and the
 * address that was asked. Knows sockets and nothing about NTP's contents. Shell module; a batch
 * belongs to one thread, is reused for ever and allocates nothing.
 */
#ifndef NTSD_NTP_NTP_BATCH_H
#define NTSD_NTP_NTP_BATCH_H

#include "common/base/cursor.h"
#include "common/base/time.h"
#include "common/net/addr.h"
#include "ntp/ntp_proto.h"
#include "ntp/ntp_service.h"

/* Room for a stamp and either kind of packet info, and for the info alone. */
enum {
    NTP_CONTROL_IN_LEN = CMSG_SPACE(sizeof(struct timespec)) +
                         CMSG_SPACE(sizeof(struct in_pktinfo)) +
                         CMSG_SPACE(sizeof(struct in6_pktinfo)),
    NTP_CONTROL_OUT_LEN = CMSG_SPACE(sizeof(struct in6_pktinfo)),
};

/* One datagram as it came. */
struct ntp_arrival {
    struct span request; /* borrows the batch, until the next receive */
    bool truncated;      /* longer than the buffer */
    bool group;          /* not sent to one address of ours: broadcast, multicast, or not known */
    bool stamped;
    struct wall_ns stamp;          /* CLOCK_REALTIME, by the kernel */
    const struct net_addr *source; /* as `request` */
    uint16_t source_port;
};

struct ntp_batch_slot {
    struct net_addr peer;
    struct iovec in_iov;
    struct iovec out_iov;
    _Alignas(struct cmsghdr) uint8_t in_control[NTP_CONTROL_IN_LEN];
    _Alignas(struct cmsghdr) uint8_t out_control[NTP_CONTROL_OUT_LEN];
    uint8_t request[NTP_DATAGRAM_MAX];
    uint8_t reply[NTP_DATAGRAM_MAX];
};

struct ntp_batch {
    size_t received;
    size_t queued;
    struct mmsghdr in[NTP_BATCH];
    struct mmsghdr out[NTP_BATCH];
    struct ntp_batch_slot slot[NTP_BATCH];
};

/* Reads what waits on `fd`, at most NTP_BATCH; `batch` needs no preparation. Forgets what was
 * queued. NTS_ENOTFOUND: nothing waits. NTS_ESYSTEM: errno. */
NODISCARD enum nts_err ntp_batch_receive(struct ntp_batch *batch, int fd);

/* The `i`th datagram received. */
struct ntp_arrival ntp_batch_arrival(const struct ntp_batch *batch, size_t i);

/* Where to write the answer to the `i`th: as many octets as NTP_DATAGRAM_MAX. */
uint8_t *ntp_batch_reply_buffer(struct ntp_batch *batch, size_t i);

/* Queues the first `len` octets of that buffer, to go to where the `i`th came from, from the
 * address it was sent to. Once per datagram. */
void ntp_batch_queue(struct ntp_batch *batch, size_t i, size_t len);

/* Sends what is queued. A message that the kernel refuses is skipped, never tried again: its
 * client asks again. Returns how many left; `*failed` how many did not. */
size_t ntp_batch_send(struct ntp_batch *batch, int fd, size_t *failed);

#endif
