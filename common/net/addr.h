/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket addresses: parse and print. Numeric only; names are resolved by tools. Pure but for one
 * look at the system: the name of an interface behind a `%` is turned into its number. Thread-safe.
 */
#ifndef NTSD_COMMON_NET_ADDR_H
#define NTSD_COMMON_NET_ADDR_H

#include "common/base/err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct net_addr {
    union {
        struct sockaddr sa;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
};

enum { NET_ADDR_TEXT_MAX = 64 }; /* "[v6%scope]:port" and its end */

/*
 * A numeric IPv4 or IPv6 address (an IPv6 one may be in brackets and have a %scope, which is the
 * name or the number of an interface). NTS_EFORMAT: it is not one; `addr` is then untouched.
 */
NODISCARD enum nts_err net_addr_parse(const char *text, uint16_t port, struct net_addr *addr);

/* "ADDR:PORT" or "[ADDR]:PORT"; an IPv6 address needs the brackets. Port 0 is for the caller to
 * judge. NTS_EFORMAT: it is neither; `addr` is then untouched. */
NODISCARD enum nts_err net_addr_port_parse(const char *text, struct net_addr *addr);

/* The wildcard address of a family, AF_INET or AF_INET6; all zeros (AF_UNSPEC) for any other. */
struct net_addr net_addr_any(int family, uint16_t port);

/* Both 0 for a family that is neither. */
socklen_t net_addr_len(const struct net_addr *addr);
uint16_t net_addr_port(const struct net_addr *addr);

/* "192.0.2.1:123", "[2001:db8::1]:123", "[fe80::1%2]:123" (the scope as a number); "?" for any
 * other family. Always terminated. */
void net_addr_format(const struct net_addr *addr, char text[static NET_ADDR_TEXT_MAX]);

#endif
