/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket addresses: parse, compare, print. Numeric only; names are resolved by tools. Pure.
 */
#ifndef NTSD_COMMON_NET_ADDR_H
#define NTSD_COMMON_NET_ADDR_H

#include "common/base/err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

struct net_addr {
    union {
        struct sockaddr sa;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
};

enum { NET_ADDR_TEXT_MAX = 64 }; /* "[v6%scope]:port" and its end */

/* A numeric IPv4 or IPv6 address (an IPv6 one may be in brackets and have a %scope). */
NODISCARD enum nts_err net_addr_parse(const char *text, uint16_t port, struct net_addr *addr);

/* "ADDR:PORT" or "[ADDR]:PORT". */
NODISCARD enum nts_err net_addr_port_parse(const char *text, struct net_addr *addr);

/* The wildcard address of a family: AF_INET or AF_INET6. */
struct net_addr net_addr_any(int family, uint16_t port);

socklen_t net_addr_len(const struct net_addr *addr);
uint16_t net_addr_port(const struct net_addr *addr);

/* "192.0.2.1:123", "[2001:db8::1]:123"; always terminated. */
void net_addr_format(const struct net_addr *addr, char text[static NET_ADDR_TEXT_MAX]);

#endif
