/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening sockets of the KE service.
 */
#include "common/net/addr.h"
#include "nts-ke/ke_service.h"

#include <errno.h>
#include <unistd.h>

static bool set_flag(int fd, int level, int name)
{
    const int on = 1;
    return setsockopt(fd, level, name, &on, sizeof(on)) == 0;
}

static bool set_up(int fd, const struct net_addr *addr)
{
    bool v6 = addr->sa.sa_family == AF_INET6;
    return set_flag(fd, SOL_SOCKET, SO_REUSEADDR) && set_flag(fd, SOL_SOCKET, SO_REUSEPORT) &&
           (!v6 || set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY)) &&
           bind(fd, &addr->sa, net_addr_len(addr)) == 0 && listen(fd, SOMAXCONN) == 0;
}

NODISCARD enum nts_err ke_listener_open(const struct net_addr *addr, int *fd)
{
    *fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (*fd < 0) {
        return NTS_ESYSTEM;
    }
    if (set_up(*fd, addr)) {
        return NTS_OK;
    }
    int saved = errno;
    (void)close(*fd);
    *fd = -1;
    errno = saved;
    return NTS_ESYSTEM;
}
