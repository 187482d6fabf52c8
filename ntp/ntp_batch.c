/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams in bunches. See ntp_batch.h.
 */
#include "ntp/ntp_batch.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* Control data is copied out and in, never cast: its alignment is the kernel's affair. */
static const void *find_control(const struct msghdr *msg, int level, int type, size_t len)
{
    if ((msg->msg_flags & MSG_CTRUNC) != 0) {
        return NULL;
    }
    struct msghdr *walk = (struct msghdr *)(uintptr_t)msg; /* CMSG_NXTHDR wants it mutable */
    for (struct cmsghdr *c = CMSG_FIRSTHDR(walk); c != NULL; c = CMSG_NXTHDR(walk, c)) {
        if (c->cmsg_level == level && c->cmsg_type == type && c->cmsg_len == CMSG_LEN(len)) {
            return CMSG_DATA(c);
        }
    }
    return NULL;
}

static void prepare_in(struct ntp_batch *batch, size_t i)
{
    struct ntp_batch_slot *slot = &batch->slot[i];
    slot->in_iov = (struct iovec){.iov_base = slot->request, .iov_len = sizeof(slot->request)};
    batch->in[i] = (struct mmsghdr){
        .msg_hdr =
            {
                .msg_name = &slot->peer,
                .msg_namelen = sizeof(slot->peer),
                .msg_iov = &slot->in_iov,
                .msg_iovlen = 1,
                .msg_control = slot->in_control,
                .msg_controllen = sizeof(slot->in_control),
            },
    };
}

NODISCARD enum nts_err ntp_batch_receive(struct ntp_batch *batch, int fd)
{
    batch->received = 0;
    batch->queued = 0;
    for (size_t i = 0; i < NTP_BATCH; i++) {
        prepare_in(batch, i);
    }
    int n;
    do {
        n = recvmmsg(fd, batch->in, NTP_BATCH, MSG_DONTWAIT, NULL);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK ? NTS_ENOTFOUND : NTS_ESYSTEM;
    }
    batch->received = (size_t)n;
    return n > 0 ? NTS_OK : NTS_ENOTFOUND;
}

/* The kernel hands what was sent to a group to every worker's socket, and each would answer. Our
 * sockets always ask for the packet info, so that one without it is not an honest one. */
static bool is_group(const struct msghdr *in)
{
    struct in_pktinfo v4;
    struct in6_pktinfo v6;
    const void *info = find_control(in, IPPROTO_IP, IP_PKTINFO, sizeof(v4));
    if (info != NULL) {
        memcpy(&v4, info, sizeof(v4));
        /* The address to answer from is the one that was asked, unless that is no host's. */
        return v4.ipi_addr.s_addr != v4.ipi_spec_dst.s_addr;
    }
    info = find_control(in, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(v6));
    if (info == NULL) {
        return true;
    }
    memcpy(&v6, info, sizeof(v6));
    return IN6_IS_ADDR_MULTICAST(&v6.ipi6_addr);
}

struct ntp_arrival ntp_batch_arrival(const struct ntp_batch *batch, size_t i)
{
    const struct mmsghdr *in = &batch->in[i];
    const struct ntp_batch_slot *slot = &batch->slot[i];
    struct ntp_arrival arrival = {
        .request = span_of(slot->request, in->msg_len),
        .truncated = (in->msg_hdr.msg_flags & MSG_TRUNC) != 0,
        .group = is_group(&in->msg_hdr),
        .source = &slot->peer,
        .source_port = net_addr_port(&slot->peer),
    };
    struct timespec ts;
    const void *stamp = find_control(&in->msg_hdr, SOL_SOCKET, SCM_TIMESTAMPNS, sizeof(ts));
    if (stamp != NULL) {
        memcpy(&ts, stamp, sizeof(ts));
        arrival.stamped = true;
        arrival.stamp.ns = (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
    }
    return arrival;
}

uint8_t *ntp_batch_reply_buffer(struct ntp_batch *batch, size_t i)
{
    return batch->slot[i].reply;
}

static void put_control(struct msghdr *msg, int level, int type, struct span data)
{
    struct cmsghdr *c = msg->msg_control;
    *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(data.n), .cmsg_level = level, .cmsg_type = type};
    memcpy(CMSG_DATA(c), data.p, data.n);
    msg->msg_controllen = CMSG_SPACE(data.n);
}

/* The address that was asked answers. The way out is left to routing, save for link-local ones,
 * which mean nothing without their interface. */
static void answer_from_asked(const struct msghdr *in, struct msghdr *out)
{
    struct in_pktinfo v4;
    struct in6_pktinfo v6;
    const void *info = find_control(in, IPPROTO_IP, IP_PKTINFO, sizeof(v4));
    if (info != NULL) {
        memcpy(&v4, info, sizeof(v4));
        v4 = (struct in_pktinfo){.ipi_spec_dst = v4.ipi_spec_dst};
        put_control(out, IPPROTO_IP, IP_PKTINFO, span_of(&v4, sizeof(v4)));
        return;
    }
    info = find_control(in, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(v6));
    if (info == NULL) {
        out->msg_control = NULL;
        out->msg_controllen = 0;
        return;
    }
    memcpy(&v6, info, sizeof(v6));
    if (!IN6_IS_ADDR_LINKLOCAL(&v6.ipi6_addr)) {
        v6.ipi6_ifindex = 0;
    }
    put_control(out, IPPROTO_IPV6, IPV6_PKTINFO, span_of(&v6, sizeof(v6)));
}

void ntp_batch_queue(struct ntp_batch *batch, size_t i, size_t len)
{
    struct ntp_batch_slot *slot = &batch->slot[i];
    slot->out_iov = (struct iovec){.iov_base = slot->reply, .iov_len = len};
    struct mmsghdr *out = &batch->out[batch->queued++];
    memset(slot->out_control, 0, sizeof(slot->out_control));
    *out = (struct mmsghdr){
        .msg_hdr =
            {
                .msg_name = &slot->peer,
                .msg_namelen = net_addr_len(&slot->peer),
                .msg_iov = &slot->out_iov,
                .msg_iovlen = 1,
                .msg_control = slot->out_control,
                .msg_controllen = sizeof(slot->out_control),
            },
    };
    answer_from_asked(&batch->in[i].msg_hdr, &out->msg_hdr);
}

size_t ntp_batch_send(struct ntp_batch *batch, int fd, size_t *failed)
{
    size_t done = 0;
    *failed = 0;
    while (done < batch->queued) {
        int n = sendmmsg(fd, batch->out + done, (unsigned)(batch->queued - done), MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            /* The error is the first message's: leave that one behind. */
            (*failed)++;
            done++;
            continue;
        }
        done += (size_t)n;
    }
    size_t sent = batch->queued - *failed;
    batch->queued = 0;
    return sent;
}
