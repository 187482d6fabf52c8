/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is served, and how often: what the configuration says of it.
 */
#ifndef NTSD_NTSD_CONFIG_ACCESS_H
#define NTSD_NTSD_CONFIG_ACCESS_H

#include "common/net/acl.h"
#include "common/net/ratelimit.h"

struct config_access {
    bool has_acl; /* otherwise everyone is served */
    struct acl acl;
    bool has_proxies;
    struct acl proxies; /* whose PROXY header is believed */
    bool has_ntp_limit;
    struct ratelimit_options ntp_limit; /* the hash key is not set here */
    bool has_ke_limit;
    struct ratelimit_options ke_limit;
    uint32_t ke_address_max; /* connections from one address, and */
    uint32_t ke_network_max; /* from one network; 0: no limit */

    struct acl_rules rules; /* as they are read; of no use afterwards */
    struct acl_rules proxy_rules;
};

#endif
