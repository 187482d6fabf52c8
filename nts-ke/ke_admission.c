/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See ke_admission.h.
 */
#include "nts-ke/ke_admission.h"

#include <stdlib.h>

static bool open_limit(struct ke_admission *admission, struct rng *rng)
{
    const struct ratelimit_options *wanted = admission->options.limit;
    if (wanted == NULL) {
        return true;
    }
    struct ratelimit_options options = *wanted;
    size_t size = ratelimit_size(RATELIMIT_CLIENTS);
    admission->limit_memory = malloc(size);
    bool good =
        admission->limit_memory != NULL &&
        rng_bytes(rng, options.hash_key, sizeof(options.hash_key)) == NTS_OK &&
        ratelimit_init(&admission->limit, &options, admission->limit_memory, size) == NTS_OK;
    wipe(&options, sizeof(options));
    return good;
}

NODISCARD enum nts_err ke_admission_init(struct ke_admission *admission,
                                         const struct ke_admission_options *options,
                                         struct rng *rng)
{
    *admission = (struct ke_admission){.options = *options};
    if (rng_bytes(rng, admission->origin_key, SIPHASH_KEY_LEN) == NTS_OK &&
        open_limit(admission, rng)) {
        return NTS_OK;
    }
    ke_admission_wipe(admission);
    return NTS_EINTERNAL;
}

void ke_admission_wipe(struct ke_admission *admission)
{
    free(admission->limit_memory);
    wipe(admission, sizeof(*admission));
}

bool ke_admission_is_proxy(const struct ke_admission *admission, const struct net_addr *peer)
{
    const struct acl *proxies = admission->options.proxies;
    return proxies != NULL && acl_allows(proxies, peer);
}

struct ke_origin ke_admission_origin(const struct ke_admission *admission,
                                     const struct net_addr *peer)
{
    return ke_origin_of(admission->origin_key, peer);
}

static bool is_crowded(const struct ke_admission_options *options, const struct ke_pool *pool,
                       const struct ke_origin *origin)
{
    return (options->address_max > 0 &&
            ke_pool_from_address(pool, origin) >= options->address_max) ||
           (options->network_max > 0 && ke_pool_from_network(pool, origin) >= options->network_max);
}

enum ke_count ke_admission_judge(struct ke_admission *admission, const struct ke_pool *pool,
                                 const struct net_addr *client)
{
    const struct ke_admission_options *options = &admission->options;
    if (options->acl != NULL && !acl_allows(options->acl, client)) {
        return KE_COUNT_DENIED;
    }
    struct ke_origin origin = ke_admission_origin(admission, client);
    if (is_crowded(options, pool, &origin)) {
        return KE_COUNT_CROWDED;
    }
    if (admission->limit_memory == NULL) {
        return KE_COUNT_ACCEPTED;
    }
    uint64_t key = ratelimit_key_of_address(&admission->limit, client);
    /* The source of a TCP connection is not forged: nothing has to leak, and 1 never does. */
    return ratelimit_decide(&admission->limit, key, mono_now(), 1) == RATELIMIT_PASS
               ? KE_COUNT_ACCEPTED
               : KE_COUNT_LIMITED;
}
