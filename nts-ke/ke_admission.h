/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who gets a connection: access list, rate limit, and how many one place may hold. Shell module,
 * for it reads the clock; one thread.
 */
#ifndef NTSD_NTS_KE_KE_ADMISSION_H
#define NTSD_NTS_KE_KE_ADMISSION_H

#include "common/crypto/rng.h"
#include "common/net/acl.h"
#include "common/net/ratelimit.h"
#include "nts-ke/ke_outcome.h"
#include "nts-ke/ke_pool.h"

struct ke_admission_options {
    const struct acl *acl;                 /* who is served; NULL: everyone */
    const struct acl *proxies;             /* whose PROXY header is a must, and believed; or NULL */
    const struct ratelimit_options *limit; /* its hash key is made here; NULL: no limit */
    size_t address_max;                    /* connections held from one address, and */
    size_t network_max;                    /* from one network: ke_origin.h; 0: no limit */
};

struct ke_admission {
    struct ke_admission_options options;
    struct ratelimit limit;
    void *limit_memory; /* NULL: nobody is limited */
    uint8_t origin_key[SIPHASH_KEY_LEN];
};

/* NTS_EINTERNAL: out of memory, or no random octets; nothing is to be released then. */
NODISCARD enum nts_err ke_admission_init(struct ke_admission *admission,
                                         const struct ke_admission_options *options,
                                         struct rng *rng);
void ke_admission_wipe(struct ke_admission *admission);

/* True: it is not the client itself, so it is judged when its header has said who is. */
bool ke_admission_is_proxy(const struct ke_admission *admission, const struct net_addr *peer);

/* Where it comes from, as the pool knows it. */
struct ke_origin ke_admission_origin(const struct ke_admission *admission,
                                     const struct net_addr *peer);

/* Counts one connection of this client. Which counter refuses it; KE_COUNT_ACCEPTED: none does. */
enum ke_count ke_admission_judge(struct ke_admission *admission, const struct ke_pool *pool,
                                 const struct net_addr *client);

#endif
