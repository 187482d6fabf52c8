/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One certificate chain with its private key: loaded from PEM files and checked.
 * Shell module (reads files); the checks take the time as an argument. Not thread-safe per object.
 */
#ifndef NTSD_CERTS_PAIR_H
#define NTSD_CERTS_PAIR_H

#include "certs/fault.h"
#include "common/base/cursor.h"
#include "common/base/err.h"

#include <openssl/types.h>

enum { CERT_CHAIN_MAX = 10, CERT_FILE_MAX = 256 * 1024, CERT_NAMES_TEXT_MAX = 256 };

/* Owns everything it points to. */
struct cert_pair {
    X509 *leaf;
    X509 *chain[CERT_CHAIN_MAX]; /* intermediates, in order, without the leaf */
    size_t chain_count;
    EVP_PKEY *key;
    int64_t not_before; /* the narrowest validity over the chain; seconds since 1970 */
    int64_t not_after;
    char names[CERT_NAMES_TEXT_MAX]; /* "DNS:time.example IP:192.0.2.1", cut with "..." */
};

/* Pure: decodes and checks bytes of two PEM files; the names are for fault texts only.
 * Does not look at the validity. On failure `pair` is zeroed. */
NODISCARD enum nts_err cert_pair_parse(struct span cert_pem, const char *cert_name,
                                       struct span key_pem, const char *key_name,
                                       struct cert_pair *pair, struct cert_fault *fault);

/* Reads the two files and parses them. Both may be the same file. On failure `pair` is zeroed. The
 * error is cert_fault_set()'s for the kind of the fault. */
NODISCARD enum nts_err cert_pair_load(const char *cert_path, const char *key_path,
                                      struct cert_pair *pair, struct cert_fault *fault);

/* CERT_OK, CERT_EXPIRED or CERT_NOT_YET_VALID at `now_s`; `fault` receives the sentence, which
 * names `cert_name`. */
enum cert_fault_kind cert_pair_validity(const struct cert_pair *pair, const char *cert_name,
                                        int64_t now_s, struct cert_fault *fault);

/* The same for one certificate, number `number` of the chain called `name`; `fault` is written only
 * when there is one. A date that cannot be read counts as CERT_EXPIRED. */
enum cert_fault_kind cert_dates_check(const X509 *cert, size_t number, const char *name,
                                      int64_t now_s, struct cert_fault *fault);

/* True when the leaf's SANs match this SNI host name (wildcards by the usual rules). */
bool cert_pair_matches(const struct cert_pair *pair, const char *server_name);

void cert_pair_wipe(struct cert_pair *pair);

#endif
