/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See ntp_name.h.
 */
#include "ntp/clock/ntp_name.h"

#include <stdio.h>
#include <string.h>

#define RETRY_FIRST_NS (2 * NS_PER_S)
#define RETRY_MOST_NS  (600 * NS_PER_S)

enum { PORT_TEXT_MAX = 8 };

bool ntp_name_is_due(const struct ntp_name *name, struct mono_ns now)
{
    return !name->held && !name->numeric && !name->found && retry_is_due(&name->retry, now);
}

/* The `turn`-th of the list, round and round. False: not an address we can use. */
static bool choose(const struct ntp_name *name, const struct addrinfo *list, struct net_addr *addr)
{
    size_t n = 0;
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
        n++;
    }
    if (n == 0) {
        return false;
    }
    for (size_t skipped = name->turn % n; skipped > 0; skipped--) {
        list = list->ai_next;
    }
    if (list->ai_addrlen > sizeof(*addr)) {
        return false;
    }
    memset(addr, 0, sizeof(*addr));
    memcpy(addr, list->ai_addr, list->ai_addrlen);
    return true;
}

static void failed(struct ntp_name *name)
{
    name->retry.first_ns = RETRY_FIRST_NS;
    name->retry.most_ns = RETRY_MOST_NS;
    retry_failed(&name->retry, mono_raw_now());
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct ntp_name *name = request->data;
    struct net_addr addr;
    bool found = status == 0 && choose(name, list, &addr);
    uv_freeaddrinfo(list);
    name->held = false;
    name->found = found;
    if (found) {
        retry_succeeded(&name->retry);
    } else {
        failed(name);
    }
    name->over(name->ctx, found ? &addr : NULL, status == 0 ? "none" : uv_strerror(status));
}

NODISCARD enum nts_err ntp_name_look_up(struct ntp_name *name)
{
    char port[PORT_TEXT_MAX];
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    (void)snprintf(port, sizeof(port), "%u", name->port);
    name->request.data = name;
    if (uv_getaddrinfo(name->loop, &name->request, on_resolved, name->host, port, &hints) != 0) {
        failed(name);
        return NTS_EINTERNAL;
    }
    name->held = true;
    return NTS_OK;
}

void ntp_name_turn(struct ntp_name *name)
{
    name->turn++;
    name->found = false;
}

void ntp_name_cancel(struct ntp_name *name)
{
    if (name->held) {
        (void)uv_cancel((uv_req_t *)&name->request);
    }
}
