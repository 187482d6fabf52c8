/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening the UDP sockets of the service. See ntp_service.h; the only place that knows their
 * options.
 */
#include "common/net/addr.h"
#include "ntp/ntp_service.h"

#include <errno.h>
#include <unistd.h>

/* What a worker answers in about a second, in kernel memory; the kernel may grant less. */
enum { RECEIVE_BUFFER_LEN = 1 << 20 };

static int turn_on(int fd, int level, int option)
{
    const int on = 1;
    return setsockopt(fd, level, option, &on, sizeof(on));
}

static int set_options(int fd, int family)
{
    if (turn_on(fd, SOL_SOCKET, SO_REUSEPORT) != 0 ||
        turn_on(fd, SOL_SOCKET, SO_TIMESTAMPNS) != 0) {
        return -1;
    }
    /* Best effort: a smaller buffer only means that a burst is cut sooner. */
    const int len = RECEIVE_BUFFER_LEN;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &len, sizeof(len));
    if (family == AF_INET) {
        return turn_on(fd, IPPROTO_IP, IP_PKTINFO);
    }
    /* IPv4 has sockets of its own: no mapped addresses on the wire or in lists of addresses. */
    if (turn_on(fd, IPPROTO_IPV6, IPV6_V6ONLY) != 0) {
        return -1;
    }
    return turn_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
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
