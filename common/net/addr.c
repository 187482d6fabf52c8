/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket addresses. See addr.h.
 */
#include "common/net/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

enum {
    HOST_MAX = INET6_ADDRSTRLEN + 1 + IF_NAMESIZE, /* address%scope and its end */
    PORT_DIGITS_MAX = 5,
    SCOPE_DIGITS_MAX = 10,
};

/* Decimal digits and nothing else: no sign, no blank, no hexadecimal. */
static bool decimal_parse(const char *text, size_t digits_max, uint64_t *value)
{
    size_t len = strspn(text, "0123456789");
    if (len == 0 || len > digits_max || text[len] != '\0') {
        return false;
    }
    *value = 0;
    for (size_t i = 0; i < len; i++) {
        *value = *value * 10 + (uint64_t)(text[i] - '0');
    }
    return true;
}

/* An interface's number, or its name. The kernel counts interfaces from 1. */
static bool scope_parse(const char *text, uint32_t *scope)
{
    uint64_t number = 0;
    if (decimal_parse(text, SCOPE_DIGITS_MAX, &number)) {
        *scope = (uint32_t)number;
        return number > 0 && number <= UINT32_MAX;
    }
    *scope = if_nametoindex(text);
    return *scope > 0;
}

/* Copies `len` octets of text and terminates them; false when they do not fit. */
static bool copy_text(char host[static HOST_MAX], const char *text, size_t len)
{
    if (len >= HOST_MAX) {
        return false;
    }
    memcpy(host, text, len);
    host[len] = '\0';
    return true;
}

static bool v6_parse(const char *text, size_t len, uint16_t port, struct net_addr *addr)
{
    char host[HOST_MAX];
    if (!copy_text(host, text, len)) {
        return false;
    }
    uint32_t scope = 0;
    char *percent = strchr(host, '%');
    if (percent != NULL) {
        *percent = '\0';
        if (!scope_parse(percent + 1, &scope)) {
            return false;
        }
    }
    struct in6_addr ip;
    if (inet_pton(AF_INET6, host, &ip) != 1) {
        return false;
    }
    memset(addr, 0, sizeof(*addr));
    addr->v6.sin6_family = AF_INET6;
    addr->v6.sin6_port = htons(port);
    addr->v6.sin6_addr = ip;
    addr->v6.sin6_scope_id = scope;
    return true;
}

static bool v4_parse(const char *text, size_t len, uint16_t port, struct net_addr *addr)
{
    char host[HOST_MAX];
    struct in_addr ip;
    if (!copy_text(host, text, len) || inet_pton(AF_INET, host, &ip) != 1) {
        return false;
    }
    memset(addr, 0, sizeof(*addr));
    addr->v4.sin_family = AF_INET;
    addr->v4.sin_port = htons(port);
    addr->v4.sin_addr = ip;
    return true;
}

NODISCARD enum nts_err net_addr_parse(const char *text, uint16_t port, struct net_addr *addr)
{
    size_t len = strlen(text);
    bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
    if (bracketed) {
        return v6_parse(text + 1, len - 2, port, addr) ? NTS_OK : NTS_EFORMAT;
    }
    bool good = v4_parse(text, len, port, addr) || v6_parse(text, len, port, addr);
    return good ? NTS_OK : NTS_EFORMAT;
}

NODISCARD enum nts_err net_addr_port_parse(const char *text, struct net_addr *addr)
{
    const char *colon = strrchr(text, ':');
    uint64_t port = 0;
    if (colon == NULL || !decimal_parse(colon + 1, PORT_DIGITS_MAX, &port) || port > UINT16_MAX) {
        return NTS_EFORMAT;
    }
    size_t len = (size_t)(colon - text);
    bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
    /* Without brackets the last colon of an IPv6 address could be part of it: refused. */
    bool good = bracketed ? v6_parse(text + 1, len - 2, (uint16_t)port, addr)
                          : v4_parse(text, len, (uint16_t)port, addr);
    return good ? NTS_OK : NTS_EFORMAT;
}

struct net_addr net_addr_any(int family, uint16_t port)
{
    struct net_addr addr;
    memset(&addr, 0, sizeof(addr));
    if (family == AF_INET) {
        addr.v4.sin_family = AF_INET;
        addr.v4.sin_port = htons(port);
    } else if (family == AF_INET6) {
        addr.v6.sin6_family = AF_INET6;
        addr.v6.sin6_port = htons(port);
    }
    return addr; /* the wildcard of both families is all zeros */
}

socklen_t net_addr_len(const struct net_addr *addr)
{
    switch (addr->sa.sa_family) {
    case AF_INET:
        return sizeof(addr->v4);
    case AF_INET6:
        return sizeof(addr->v6);
    default: /* not an enum: any other family is none of ours */
        return 0;
    }
}

uint16_t net_addr_port(const struct net_addr *addr)
{
    switch (addr->sa.sa_family) {
    case AF_INET:
        return ntohs(addr->v4.sin_port);
    case AF_INET6:
        return ntohs(addr->v6.sin6_port);
    default:
        return 0;
    }
}

static void v6_format(const struct sockaddr_in6 *v6, char text[static NET_ADDR_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN] = "?";
    (void)inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
    uint16_t port = ntohs(v6->sin6_port);
    if (v6->sin6_scope_id != 0) {
        (void)snprintf(text, NET_ADDR_TEXT_MAX, "[%s%%%u]:%u", host, v6->sin6_scope_id, port);
        return;
    }
    (void)snprintf(text, NET_ADDR_TEXT_MAX, "[%s]:%u", host, port);
}

void net_addr_format(const struct net_addr *addr, char text[static NET_ADDR_TEXT_MAX])
{
    char host[INET_ADDRSTRLEN] = "?";
    switch (addr->sa.sa_family) {
    case AF_INET:
        (void)inet_ntop(AF_INET, &addr->v4.sin_addr, host, sizeof(host));
        (void)snprintf(text, NET_ADDR_TEXT_MAX, "%s:%u", host, ntohs(addr->v4.sin_port));
        return;
    case AF_INET6:
        v6_format(&addr->v6, text);
        return;
    default:
        (void)snprintf(text, NET_ADDR_TEXT_MAX, "?");
        return;
    }
}
