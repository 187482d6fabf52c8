/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes keys and certificates: for the development CA and for tests, where every kind of wrong
 * certificate is needed. Thread-safe; the randomness is the TLS library's.
 */
#ifndef NTSD_CERTS_ISSUE_H
#define NTSD_CERTS_ISSUE_H

#include "certs/fault.h"
#include "common/base/cursor.h"

#include <openssl/types.h>

enum { CERT_PEM_MAX = 16 * 1024 }; /* one certificate or key of ours as text */

struct cert_request {
    const char *common_name;
    const char *const *names; /* DNS names; none and no ips: no subject alternative name */
    size_t name_count;
    const char *const *ips; /* numeric */
    size_t ip_count;
    bool is_ca;         /* an authority, no server */
    bool is_client;     /* a TLS client, no server */
    int64_t not_before; /* seconds since 1970 */
    int64_t not_after;
};

/* "P-256", "P-384", "Ed25519", "RSA" (2048 bits); also kinds that are not served: "P-521",
 * "RSA-1024". CERT_KEY_UNSUPPORTED: another word. The caller frees the key. */
NODISCARD enum nts_err cert_key_new(const char *type, EVP_PKEY **key, struct cert_fault *fault);

/*
 * A certificate for `key`, signed with `issuer_key` in the name of `issuer`; self-signed when
 * `issuer` is NULL (and `issuer_key` is `key`). Serial of 128 random bits, subject and authority
 * key identifiers, key usage; leaves are for TLS servers or clients. CERT_MALFORMED: a name that
 * can be none. The caller frees the certificate.
 */
NODISCARD enum nts_err cert_issue(const struct cert_request *request, EVP_PKEY *key, X509 *issuer,
                                  EVP_PKEY *issuer_key, X509 **cert, struct cert_fault *fault);

/* Append the certificate, the key (PKCS #8, not encrypted) as PEM. NTS_ESPACE: no room. */
NODISCARD enum nts_err cert_write_pem(const X509 *cert, struct wr *out);
NODISCARD enum nts_err cert_key_write_pem(const EVP_PKEY *key, struct wr *out);

#endif
