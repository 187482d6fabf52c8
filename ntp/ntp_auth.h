/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The NTS Authenticator and Encrypted Extension Fields field as a whole (RFC 8915 §5.6), made and
 * opened: the one place where an AEAD meets a packet, shared by both ends. Core.
 */
#ifndef NTSD_NTP_NTP_AUTH_H
#define NTSD_NTP_NTP_AUTH_H

#include "common/crypto/aead.h"
#include "ntp/ntp_ef.h"

/* Octets an authenticator takes in a packet, all in all. */
size_t ntp_auth_len(size_t nonce_len, size_t plain_len);

/*
 * Appends an authenticator over everything `packet` holds so far, with `plain` encrypted in it.
 * NTS_ESPACE: no room. NTS_EFORMAT: not a nonce for this AEAD. `packet` is bad on failure.
 */
NODISCARD enum nts_err ntp_auth_seal(const struct aead_key *key, struct span nonce,
                                     struct span plain, struct wr *packet);

/*
 * Verifies `auth`, with `ad` the packet up to the head of its field, and decrypts into `plain`,
 * which has room for the ciphertext less its tag; that is then the length of the plaintext.
 * Otherwise as aead_unseal().
 */
NODISCARD enum nts_err ntp_auth_open(const struct aead *alg, const struct secret_key *key,
                                     const struct ntp_authenticator *auth, struct span ad,
                                     uint8_t *plain);

#endif
