/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and opening authenticators. See ntp_auth.h.
 */
#include "ntp/ntp_auth.h"

enum { LENGTHS_LEN = 4 }; /* nonce length and ciphertext length */

size_t ntp_auth_len(size_t nonce_len, size_t plain_len)
{
    return NTP_EF_HEAD_LEN + LENGTHS_LEN + ntp_ef_padded(nonce_len) +
           ntp_ef_padded(plain_len + AEAD_TAG_LEN);
}

NODISCARD enum nts_err ntp_auth_seal(const struct aead_key *key, struct span nonce,
                                     struct span plain, struct wr *packet)
{
    struct span ad = wr_done(packet);
    size_t sealed_len = plain.n + AEAD_TAG_LEN;
    size_t len = ntp_auth_len(nonce.n, plain.n);
    if (packet->bad || len > UINT16_MAX || packet->cap - packet->n < len) {
        packet->bad = true;
        return NTS_ESPACE;
    }
    wr_u16(packet, NTP_EF_AUTHENTICATOR);
    wr_u16(packet, (uint16_t)len);
    wr_u16(packet, (uint16_t)nonce.n);
    wr_u16(packet, (uint16_t)sealed_len);
    wr_bytes(packet, nonce);
    wr_zero(packet, ntp_ef_padded(nonce.n) - nonce.n);
    enum nts_err err = aead_seal(key, nonce, ad, plain, packet);
    if (err != NTS_OK) {
        packet->bad = true;
        return err;
    }
    wr_zero(packet, ntp_ef_padded(sealed_len) - sealed_len);
    return packet->bad ? NTS_ESPACE : NTS_OK;
}

NODISCARD enum nts_err ntp_auth_open(const struct aead *alg, const struct secret_key *key,
                                     const struct ntp_authenticator *auth, struct span ad,
                                     uint8_t *plain)
{
    struct aead_key prepared;
    TRY(aead_key_init(&prepared, alg, secret_key_span(key)));
    enum nts_err err = aead_unseal(&prepared, auth->nonce, ad, auth->ciphertext, plain);
    aead_key_wipe(&prepared);
    return err;
}
