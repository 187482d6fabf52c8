/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names to addresses. See ntsq_resolve.h.
 */
#include "tools/ntsq_resolve.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

static void add(struct ntsq_addrs *addrs, const struct addrinfo *info)
{
    if (addrs->count < NTSQ_ADDRS_MAX && info->ai_addrlen <= sizeof(struct net_addr)) {
        struct net_addr *addr = &addrs->addr[addrs->count++];
        memset(addr, 0, sizeof(*addr));
        memcpy(addr, info->ai_addr, info->ai_addrlen);
    }
}

NODISCARD enum nts_err ntsq_resolve(const char *host, int family, uint16_t port,
                                    struct ntsq_addrs *addrs, const char **why)
{
    char service[8];
    (void)snprintf(service, sizeof(service), "%u", port);
    const struct addrinfo hints = {
        .ai_family = family,
        .ai_socktype = SOCK_DGRAM, /* of either kind would do; this gives each address once */
        .ai_flags = AI_NUMERICSERV,
    };
    struct addrinfo *list = NULL;
    addrs->count = 0;
    int code = getaddrinfo(host, service, &hints, &list);
    if (code != 0) {
        *why = gai_strerror(code);
        return NTS_ENOTFOUND;
    }
    for (const struct addrinfo *info = list; info != NULL; info = info->ai_next) {
        if (info->ai_family == AF_INET || info->ai_family == AF_INET6) {
            add(addrs, info);
        }
    }
    freeaddrinfo(list);
    *why = "no address";
    return addrs->count > 0 ? NTS_OK : NTS_ENOTFOUND;
}
