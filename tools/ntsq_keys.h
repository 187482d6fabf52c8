/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ntsq's key establishment: trust store, the exchange with the first address that is there, what
 * went wrong in words, and the dates for a device without a clock. Shell module.
 */
#ifndef NTSD_TOOLS_NTSQ_KEYS_H
#define NTSD_TOOLS_NTSQ_KEYS_H

#include "tools/ntsq_facts.h"

/* Zeroed: nothing held. */
struct ntsq_keys {
    SSL_CTX *tls;
    struct ke_client_result result; /* of the last exchange */
};

/* Loads the trust store. On failure facts->failure says why. */
NODISCARD enum nts_err ntsq_keys_open(struct ntsq_keys *keys, struct ntsq_facts *facts);

/*
 * Makes one exchange and drops the keys of the one before. Addresses of facts->resolved are tried
 * in order until one can be reached. NTS_OK: keys->result has session keys and cookies.
 * Otherwise facts->failure says why. Either way facts->ke shows what was learned.
 */
NODISCARD enum nts_err ntsq_keys_establish(struct ntsq_keys *keys, struct ntsq_facts *facts);

/* Checks the certificates of the last exchange against authenticated time (RFC 8915 §8.5 leaves it
 * to the client to solve that neither can be had first). Sets facts->dates, and facts->failure. */
NODISCARD enum nts_err ntsq_keys_check_dates(struct ntsq_keys *keys, struct ntsq_facts *facts,
                                             struct wall_ns now);

void ntsq_keys_close(struct ntsq_keys *keys);

#endif
