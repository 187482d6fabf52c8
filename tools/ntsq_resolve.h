/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names to addresses by the system's resolver, for tools only: the daemon resolves nothing.
 * Shell module.
 */
#ifndef NTSD_TOOLS_NTSQ_RESOLVE_H
#define NTSD_TOOLS_NTSQ_RESOLVE_H

#include "tools/ntsq_facts.h"

/*
 * Addresses of a name, or the address that `host` is, in the order the system prefers,
 * NTSQ_ADDRS_MAX at most. `family` is AF_UNSPEC, AF_INET or AF_INET6. NTS_ENOTFOUND: none; `why`
 * (static) says so.
 */
NODISCARD enum nts_err ntsq_resolve(const char *host, int family, uint16_t port,
                                    struct ntsq_addrs *addrs, const char **why);

#endif
