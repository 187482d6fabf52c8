/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sockets of the service are set to, as the kernel sees it.
 */
#include "common/net/addr.h"
#include "ntp/ntp_service.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

struct option {
    const char *name;
    int level;
    int option;
    int value;
};

static int open_any(int family)
{
    struct net_addr addr = net_addr_any(family, 0);
    int fd;
    cr_assert_eq(ntp_socket_open(&addr, &fd), NTS_OK);
    return fd;
}

static void expect(int fd, const struct option *option, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int value = -1;
        socklen_t len = sizeof(value);
        cr_expect_eq(getsockopt(fd, option[i].level, option[i].option, &value, &len), 0);
        cr_expect_eq(value, option[i].value, "%s is %d", option[i].name, value);
    }
    cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* IPV6_MULTICAST_ALL and the IPv6 word for "omit", by their numbers: headers may lack them. */
enum { V6_MULTICAST_ALL = 29, V6_OMIT = 5 };

Test(ntp_socket, options_of_ipv4)
{
    static const struct option options[] = {
        {"SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, 1},
        {"SO_TIMESTAMPNS", SOL_SOCKET, SO_TIMESTAMPNS, 1},
        {"IP_PKTINFO", IPPROTO_IP, IP_PKTINFO, 1},
        {"IP_MULTICAST_ALL", IPPROTO_IP, IP_MULTICAST_ALL, 0},
        {"IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT},
    };
    int fd = open_any(AF_INET);
    expect(fd, options, sizeof(options) / sizeof(options[0]));
    (void)close(fd);
}

Test(ntp_socket, options_of_ipv6)
{
    static const struct option options[] = {
        {"SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, 1},
        {"SO_TIMESTAMPNS", SOL_SOCKET, SO_TIMESTAMPNS, 1},
        {"IPV6_V6ONLY", IPPROTO_IPV6, IPV6_V6ONLY, 1},
        {"IPV6_RECVPKTINFO", IPPROTO_IPV6, IPV6_RECVPKTINFO, 1},
        {"IPV6_MULTICAST_ALL", IPPROTO_IPV6, V6_MULTICAST_ALL, 0},
        {"IPV6_MTU_DISCOVER", IPPROTO_IPV6, IPV6_MTU_DISCOVER, V6_OMIT},
    };
    int fd = open_any(AF_INET6);
    expect(fd, options, sizeof(options) / sizeof(options[0]));
    (void)close(fd);
}

Test(ntp_socket, an_address_that_is_not_ours_is_refused)
{
    struct net_addr addr;
    int fd;
    cr_assert_eq(net_addr_parse("203.0.113.1", 0, &addr), NTS_OK);
    cr_assert_eq(ntp_socket_open(&addr, &fd), NTS_ESYSTEM);
    cr_assert_eq(fd, -1);
}
