/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address behind a server's name, looked up in one of libuv's helper threads; a look-up that
 * fails is tried again after a wait that doubles. Shell module; all on the loop's thread.
 */
#ifndef NTSD_NTP_CLOCK_NTP_NAME_H
#define NTSD_NTP_CLOCK_NTP_NAME_H

#include "common/net/addr.h"
#include "ntp/clock/retry.h"

#include <uv.h>

struct ntp_name {
    /* Set by the caller before the first use. */
    uv_loop_t *loop;
    const char *host;
    uint16_t port;
    bool numeric; /* an address: there is nothing to look up */
    void *ctx;
    /* Called once for each look-up that began; `addr` NULL: none, and why. */
    void (*over)(void *ctx, const struct net_addr *addr, const char *reason);

    /* Its own; zero at first. */
    uv_getaddrinfo_t request;
    bool held;  /* the loop has the request: it may not be freed before `over` was called */
    bool found; /* and nothing else is wanted */
    size_t turn;
    struct retry retry;
};

/* True when a look-up is wanted and may be made now. */
bool ntp_name_is_due(const struct ntp_name *name, struct mono_ns now);

/* NTS_EINTERNAL: it did not begin, `over` will not be called; counts as one that failed. */
NODISCARD enum nts_err ntp_name_look_up(struct ntp_name *name);

/* Wants another look-up; of several addresses, use the next one. */
void ntp_name_turn(struct ntp_name *name);

/* Ends a look-up under way early, if that can be done; `over` is called all the same. */
void ntp_name_cancel(struct ntp_name *name);

#endif
