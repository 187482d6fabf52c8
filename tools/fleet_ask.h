/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks many hosts for their /metrics at once, a thread for each up to a limit, so that hosts that
 * do not answer cost a few seconds in all. Shell module; the making of a URL is pure.
 */
#ifndef NTSD_TOOLS_FLEET_ASK_H
#define NTSD_TOOLS_FLEET_ASK_H

#include "tools/fleet_compare.h"
#include "tools/http_get.h"

enum { FLEET_TIMEOUT_MS = 3000, FLEET_THREADS_MAX = 64 };

/* HOST, HOST:PORT (IPv6 in brackets, or bare without a port) or a URL; port 8080 and path /metrics
 * where it has none. NTS_EFORMAT: none of these. */
NODISCARD enum nts_err fleet_url(const char *host, struct http_url *url);

/* Fills `reached`, `facts` and `why` of each host; its `url` is at the same place. */
void fleet_ask(struct fleet_host *hosts, const struct http_url *urls, size_t count);

#endif
