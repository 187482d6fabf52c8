/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a certificate file: a kind to count, a sentence to log. Pure; thread-safe.
 */
#ifndef NTSD_CERTS_FAULT_H
#define NTSD_CERTS_FAULT_H

#include "common/base/err.h"

enum cert_fault_kind {
    CERT_OK = 0,
    CERT_UNREADABLE,      /* open or read failed: permissions, missing, a directory */
    CERT_EMPTY,           /* no certificate (or no key) in the file */
    CERT_MALFORMED,       /* a PEM block that cannot be decoded, or one that is cut short */
    CERT_KEY_ENCRYPTED,   /* a key with a passphrase: nobody is there to type it */
    CERT_KEY_UNSUPPORTED, /* not P-256, P-384, Ed25519 or RSA of 2048 bits or more */
    CERT_KEY_MISMATCH,    /* the key is not that of the first certificate */
    CERT_CHAIN_ORDER,     /* a certificate is not issued by the one after it */
    CERT_EXPIRED,
    CERT_NOT_YET_VALID,
    CERT_NO_NAMES, /* the leaf has no subject alternative name */
    CERT_NOT_CA,   /* a certificate that can issue none, where an authority is needed */
    CERT_CRL,      /* a list of revoked certificates that is not what it has to be */
    CERT_INTERNAL, /* the TLS library failed */
};

/* `text` names the file, what is wrong and what to do; one line, no newline. */
struct cert_fault {
    enum cert_fault_kind kind;
    char text[512];
};

/*
 * Fills `fault`; control characters (a file name may have them) become '?'. Returns the error that
 * stands for `kind`: NTS_ESYSTEM for CERT_UNREADABLE, NTS_EINTERNAL for CERT_INTERNAL, NTS_EAUTH
 * for what is well-formed and yet not to be trusted (dates, chain, mismatch), NTS_OK for CERT_OK,
 * else NTS_EFORMAT.
 */
enum nts_err cert_fault_set(struct cert_fault *fault, enum cert_fault_kind kind, const char *format,
                            ...) __attribute__((format(printf, 3, 4)));

#endif
