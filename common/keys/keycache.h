/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sealed copy of a fleet's last good document, from which a host starts whose secret store
 * cannot be reached. Shell module.
 *
 *    0                   8   9                    25                   41
 *   +-------------------+---+--------------------+--------------------+----------------------+
 *   |    "ntsdseal"     | 1 |       nonce        |        tag         | saved (8) | document |
 *   +-------------------+---+--------------------+--------------------+----------------------+
 *    <- associated data, followed by the kind and the words of the source ->
 *
 * AEAD_AES_SIV_CMAC_256 under HKDF(salt = the machine's id, secret, "ntsd cache"). The secret is
 * the systemd credential `ntsd-cache-key` where there is one, which can be bound to the host's TPM,
 * else random octets in DIR/cache.key. So a copy of the file alone, of a disk without the
 * credential, or on another machine is of no use, and neither is one of another source.
 *
 * Nothing here is ever fatal: without a copy the host waits for its store.
 */
#ifndef NTSD_COMMON_KEYS_KEYCACHE_H
#define NTSD_COMMON_KEYS_KEYCACHE_H

#include "common/crypto/rng.h"
#include "common/keys/provider.h"

enum { KEYCACHE_SECRET_MIN = 32, KEYCACHE_SECRET_MAX = 4096 };

#define KEYCACHE_FILE       "fleet.sealed"
#define KEYCACHE_KEY_FILE   "cache.key"
#define KEYCACHE_CREDENTIAL "ntsd-cache-key"
#define KEYCACHE_MACHINE_ID "/etc/machine-id"

/* Where and for what; strings are borrowed. */
struct keycache {
    const char *dir;         /* ntsdumpdir; made, 0700, by a save when it is missing */
    const char *credentials; /* $CREDENTIALS_DIRECTORY, or NULL */
    const char *machine_id;  /* KEYCACHE_MACHINE_ID; unreadable: no salt */
    struct provider_options source;
};

/* One sentence, as for providers. */
struct keycache_fault {
    char text[480];
};

/* Seals `doc`, taken at `now_s`, in place of the copy that is there. NTS_EAUTH (a secret or
 * directory that others can read), NTS_EFORMAT (a secret of another length), NTS_ESYSTEM,
 * NTS_EINTERNAL: see `fault`; the copy that was there is untouched, see file_replace(). */
NODISCARD enum nts_err keycache_save(const struct keycache *cache, const struct keydoc *doc,
                                     int64_t now_s, struct rng *rng, struct keycache_fault *fault);

/* NTS_ENOTFOUND: there is none. NTS_EAUTH: it does not open: of another machine or source, or
 * damaged. Others as above. `doc` is wiped on failure. */
NODISCARD enum nts_err keycache_load(const struct keycache *cache, struct keydoc *doc,
                                     int64_t *saved_s, struct keycache_fault *fault);

#endif
