/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See ntp_udp.h.
 */
#include "ntp/clock/ntp_udp.h"

#include "ntp/clock/reference_id.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <string.h>
#include <unistd.h>

/* Room for control messages: a stamp, and what the error queue adds to it. */
struct control {
    _Alignas(struct cmsghdr) uint8_t bytes[512];
};

static int new_socket(int family)
{
    return socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Both directions if the kernel can, else the receiving one; without any we see for ourselves. */
static void ask_for_stamps(int fd)
{
    const int both = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE |
                     SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY;
    const int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &both, sizeof(both)) != 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
    }
}

NODISCARD enum nts_err ntp_udp_open(const struct net_addr *to, struct ntp_udp *udp)
{
    *udp = (struct ntp_udp){.fd = new_socket(to->sa.sa_family)};
    if (udp->fd < 0) {
        return NTS_ESYSTEM;
    }
    ask_for_stamps(udp->fd);
    if (connect(udp->fd, &to->sa, net_addr_len(to)) != 0) {
        int saved = errno;
        ntp_udp_close(udp);
        errno = saved;
        return NTS_ESYSTEM;
    }
    return NTS_OK;
}

void ntp_udp_close(struct ntp_udp *udp)
{
    if (udp->fd >= 0) {
        (void)close(udp->fd);
    }
    udp->fd = -1;
}

NODISCARD enum nts_err ntp_udp_send(struct ntp_udp *udp, struct span request)
{
    udp->sent_stamped = false;
    udp->before = clock_pair_read();
    udp->sent = mono_raw_now();
    ssize_t sent = send(udp->fd, request.p, request.n, MSG_NOSIGNAL);
    return sent == (ssize_t)request.n ? NTS_OK : NTS_ESYSTEM;
}

static bool is_set(const struct timespec *ts)
{
    return ts->tv_sec != 0 || ts->tv_nsec != 0;
}

/* The stamp among the control messages; false: there is none. */
static bool find_stamp(struct msghdr *msg, struct wall_ns *stamp)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        struct timespec ts = {0};
        bool both = c->cmsg_type == SCM_TIMESTAMPING;
        if (c->cmsg_level != SOL_SOCKET || (!both && c->cmsg_type != SCM_TIMESTAMPNS) ||
            c->cmsg_len < CMSG_LEN(sizeof(ts))) {
            continue;
        }
        memcpy(&ts, CMSG_DATA(c), sizeof(ts)); /* of scm_timestamping the software stamp */
        if (is_set(&ts)) {
            *stamp = (struct wall_ns){.ns = (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec};
            return true;
        }
    }
    return false;
}

/* The error queue holds nothing but our requests' stamps: IP_RECVERR is not asked for. */
static void take_transmit_stamps(struct ntp_udp *udp)
{
    for (;;) {
        struct control control;
        struct msghdr msg = {.msg_control = control.bytes, .msg_controllen = sizeof(control)};
        struct wall_ns stamp = {0};
        if (recvmsg(udp->fd, &msg, MSG_ERRQUEUE) < 0) {
            return;
        }
        struct mono_ns now = mono_raw_now();
        if (!find_stamp(&msg, &stamp)) {
            continue;
        }
        struct mono_ns raw = clock_pair_raw(&udp->before, stamp);
        if (!udp->sent_stamped && raw.ns >= udp->sent.ns && raw.ns <= now.ns) {
            udp->sent = raw;
            udp->sent_stamped = true;
        }
    }
}

NODISCARD enum nts_err ntp_udp_receive(struct ntp_udp *udp, uint8_t *buf, size_t cap,
                                       struct ntp_arrived *arrived)
{
    struct control control;
    struct iovec iov = {.iov_base = buf, .iov_len = cap};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control)};
    take_transmit_stamps(udp);
    ssize_t got = recvmsg(udp->fd, &msg, 0);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR ? NTS_ENOTFOUND : NTS_ESYSTEM;
    }
    struct mono_ns seen = mono_raw_now();
    if ((msg.msg_flags & MSG_TRUNC) != 0) {
        return NTS_ELIMIT;
    }
    *arrived = (struct ntp_arrived){.bytes = span_of(buf, (size_t)got), .received = seen};
    struct wall_ns stamp = {0};
    if (find_stamp(&msg, &stamp)) {
        struct clock_pair after = clock_pair_read();
        struct mono_ns raw = clock_pair_raw(&after, stamp);
        if (raw.ns >= udp->sent.ns && raw.ns <= seen.ns) {
            arrived->received = raw;
            arrived->stamped = true;
        }
    }
    return NTS_OK;
}

uint32_t ntp_udp_own_id(const struct ntp_udp *udp)
{
    struct net_addr own = {0};
    socklen_t len = sizeof(own);
    return getsockname(udp->fd, &own.sa, &len) == 0 ? reference_id_of(&own) : 0;
}

int ntp_udp_keep_stamping(void)
{
    const int on = 1;
    int fd = new_socket(AF_INET);
    fd = fd < 0 ? new_socket(AF_INET6) : fd;
    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
    }
    return fd;
}
