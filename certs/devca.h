/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate authority for development: makes DIR/ca.pem, DIR/server.pem and DIR/server.key
 * (P-256; CA for ten years, leaf for 90 days), for tests, demos and a first try. The CA's key is
 * not kept.
 */
#ifndef NTSD_CERTS_DEVCA_H
#define NTSD_CERTS_DEVCA_H

#include "certs/fault.h"
#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { DEVCA_DAYS = 90, DEVCA_CA_DAYS = 3650 };

struct devca_options {
    const char *dir;          /* created with mode 0755 when missing; its parent must exist */
    const char *const *names; /* DNS names; none and no ips: localhost, 127.0.0.1, ::1 */
    size_t name_count;
    const char *const *ips;
    size_t ip_count;
    int64_t not_before;   /* of leaf and CA, seconds since 1970 */
    int64_t days;         /* validity of the leaf, 0: DEVCA_DAYS; with not_before in the past the
                             leaf may be one that has expired */
    const char *key_type; /* "P-256" (default when NULL), "P-384", "Ed25519", "RSA": tests */
};

/*
 * Replaces existing files atomically, server.key with mode 0600, the others 0644. server.pem is the
 * leaf alone: who trusts ca.pem has its issuer. CERT_MALFORMED: a name or an address that can be
 * none. CERT_UNREADABLE: the directory or a file cannot be written.
 */
NODISCARD enum nts_err devca_make(const struct devca_options *options, struct cert_fault *fault);

#endif
