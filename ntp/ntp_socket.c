/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening the UDP sockets of the service. See ntp_service.h; the only place that knows their
 * options.
 */
#include "common/net/addr.h"
#include "ntp/ntp_service.h"

#include <errno.h>
#include <unistd.h>

/* What comes in some 50 ms of a flood, while the processor is somebody else's; twice that in kernel
 * memory. Time is not worse for the wait: the kernel stamps a datagram when it comes. */
enum { RECEIVE_BUFFER_LEN = 4 << 20 };

/* Older headers of the C library lack these two of the kernel's. */
#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif
#ifndef IPV6_PMTUDISC_OMIT
#define IPV6_PMTUDISC_OMIT 5
#endif

static int set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value));
}

static int set_v4(int fd)
{
    /* Only what is sent to one of our addresses is answered. A kernel that cannot be told hands us
     * the rest, and the worker drops it as it does broadcasts. */
    (void)set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    /* Anybody can forge the ICMP error that lowers a path MTU; replies are small, and none is
     * needed. */
    if (set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT) != 0) {
        return -1;
    }
    return set(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

static int set_v6(int fd)
{
    (void)set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
    if (set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT) != 0) {
        return -1;
    }
    /* IPv4 has sockets of its own: no mapped addresses on the wire or in lists of addresses. */
    if (set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) != 0) {
        return -1;
    }
    return set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

static int set_options(int fd, int family)
{
    if (set(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0 || set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1) != 0) {
        return -1;
    }
    /* Best effort: a smaller buffer only means that a burst is cut sooner. Most hosts allow a
     * twentieth of it (net.core.rmem_max) to those who may not force it. */
    if (set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_LEN) != 0) {
        (void)set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_LEN);
    }
    return family == AF_INET ? set_v4(fd) : set_v6(fd);
}

NODISCARD enum nts_err ntp_socket_open(const struct net_addr *addr, int *fd)
{
    *fd = -1;
    int s = socket(addr->sa.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (s < 0) {
        return NTS_ESYSTEM;
    }
    if (set_options(s, addr->sa.sa_family) != 0 || bind(s, &addr->sa, net_addr_len(addr)) != 0) {
        int saved = errno;
        (void)close(s);
        errno = saved;
        return NTS_ESYSTEM;
    }
    *fd = s;
    return NTS_OK;
}
