/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Session keys out of a finished TLS handshake. RFC 8915 §5.1.
 */
#include "nts-ke/ke_export.h"

#include "nts-ke/ke_negotiate.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

static bool export_one(SSL *ssl, uint16_t exporter_aead, bool s2c, struct secret_key *key)
{
    uint8_t context[KE_EXPORTER_CONTEXT_LEN];
    ke_exporter_context(exporter_aead, s2c, context);
    return SSL_export_keying_material(ssl, key->bytes, key->len, KE_EXPORTER_LABEL,
                                      sizeof(KE_EXPORTER_LABEL) - 1, context, sizeof(context),
                                      1) == 1;
}

NODISCARD enum nts_err ke_export_keys(SSL *ssl, const struct aead *alg, uint16_t exporter_aead,
                                      struct session_keys *keys)
{
    *keys = (struct session_keys){.alg = alg};
    if (alg->key_len <= SECRET_KEY_MAX) {
        keys->c2s.len = alg->key_len;
        keys->s2c.len = alg->key_len;
        if (export_one(ssl, exporter_aead, false, &keys->c2s) &&
            export_one(ssl, exporter_aead, true, &keys->s2c)) {
            return NTS_OK;
        }
    }
    ERR_clear_error();
    session_keys_wipe(keys);
    return NTS_EINTERNAL;
}
