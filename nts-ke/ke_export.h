/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Session keys out of a finished TLS handshake (RFC 8915 §5.1, RFC 5705). Server and client alike.
 */
#ifndef NTSD_NTS_KE_KE_EXPORT_H
#define NTSD_NTS_KE_KE_EXPORT_H

#include "common/keys/session.h"

#include <openssl/types.h>

/* NTS_EINTERNAL: the TLS library failed; `keys` is then wiped. */
NODISCARD enum nts_err ke_export_keys(SSL *ssl, const struct aead *alg, uint16_t exporter_aead,
                                      struct session_keys *keys);

#endif
