/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cookies (RFC 8915 section 6): the server's state, carried by the client, sealed with a ring key.
 *
 *    0                   1                   2                   3
 *   +-----+---------+-----------------------------------------------+
 *   | ver |  AEAD   |  key id: epoch (8) | period (16)              |   associated data
 *   +-----+---------+-----------------------------------------------+
 *   |                       nonce (16 octets)                       |
 *   +---------------------------------------------------------------+
 *   |   AEAD_AES_SIV_CMAC_256(ring key): tag (16) | S2C | C2S       |
 *   +---------------------------------------------------------------+
 *
 * `ver` (3 bits) is 1. The AEAD number fits 5 bits for all that we build (static_assert). The
 * length follows from the AEAD: 100 octets for 15, 164 for 17, 68 for 30, 100 for 31.
 *
 * A cookie_ring is a ring with its keys expanded; a worker holds one and refreshes it from the key
 * board. Owned by one thread. No allocation, no clock.
 */
#ifndef NTSD_COMMON_KEYS_COOKIE_H
#define NTSD_COMMON_KEYS_COOKIE_H

#include "common/base/board.h"
#include "common/crypto/rng.h"
#include "common/keys/keyring.h"
#include "common/keys/session.h"

enum {
    COOKIE_VERSION = 1,
    COOKIE_HEAD_LEN = 4,
    COOKIE_NONCE_LEN = 16,
    COOKIE_LEN_MAX = COOKIE_HEAD_LEN + COOKIE_NONCE_LEN + AEAD_TAG_LEN + 2 * SECRET_KEY_MAX,
};

struct cookie_ring {
    uint64_t generation; /* of the key board value it was made from; 0: none yet */
    size_t count;        /* 0: no keys, nothing can be sealed or opened */
    size_t issuing;
    uint32_t id[KEYRING_MAX];
    struct aead_key key[KEYRING_MAX];
};

/* Expands a ring's keys; `cr` is initialised or was used before (its old keys are wiped). */
NODISCARD enum nts_err cookie_ring_prepare(struct cookie_ring *cr, const struct keyring *ring);
void cookie_ring_wipe(struct cookie_ring *cr);

/*
 * Takes the newest ring from the key board if it is another one than `cr` holds. One atomic load
 * when nothing changed. On failure `cr` keeps what it had.
 */
NODISCARD enum nts_err cookie_ring_refresh(struct cookie_ring *cr, const struct board *key_board);

/* Length of a cookie for this algorithm. */
size_t cookie_len(const struct aead *alg);

/* Appends a cookie for `keys` under the issuing key. NTS_ENOTFOUND: no keys. NTS_ESYSTEM: no
 * randomness. NTS_ESPACE: no room. On failure nothing of use was written and `out` is bad. */
NODISCARD enum nts_err cookie_seal(const struct cookie_ring *cr, struct rng *rng,
                                   const struct session_keys *keys, struct wr *out);

/*
 * Opens a cookie. `slot` receives the index of the key in the ring, for counters by key age.
 * NTS_EFORMAT: not of our format (version, algorithm unknown, length). NTS_ENOTFOUND: its key is
 * not in the ring (expired, or another fleet's). NTS_EAUTH: damaged or forged. On failure `keys` is
 * wiped.
 */
NODISCARD enum nts_err cookie_unseal(const struct cookie_ring *cr, struct span cookie,
                                     struct session_keys *keys, size_t *slot);

#endif
