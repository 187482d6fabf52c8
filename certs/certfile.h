/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files with certificates and keys: read whole, decoded block by block, each failure a sentence.
 * Reading is the shell part; decoding is pure. Thread-safe on distinct objects.
 */
#ifndef NTSD_CERTS_CERTFILE_H
#define NTSD_CERTS_CERTFILE_H

#include "certs/fault.h"
#include "common/base/cursor.h"

#include <openssl/types.h>

/* A file in memory. May hold a key: give it back with certfile_wipe(). */
struct certfile {
    uint8_t *bytes;
    size_t n;
    size_t cap;
};

/* CERT_UNREADABLE: missing, no permission, no regular file, longer than `cap`. `file` is then
 * zeroed. */
NODISCARD enum nts_err certfile_read(const char *path, size_t cap, struct certfile *file,
                                     struct cert_fault *fault);

/* Overwrites the bytes and releases them. A zeroed struct is fine. */
void certfile_wipe(struct certfile *file);

/*
 * The next certificate in `r`; other blocks are passed over. NTS_ENOTFOUND: no more, `fault` is not
 * written. CERT_MALFORMED: damaged; `name` is the file's for the sentence, `number` counts from 1.
 * The caller frees the certificate.
 */
NODISCARD enum nts_err certfile_next_cert(struct rd *r, const char *name, size_t number,
                                          X509 **cert, struct cert_fault *fault);

/*
 * The first private key in `r`. CERT_EMPTY, CERT_MALFORMED, CERT_KEY_ENCRYPTED or
 * CERT_KEY_UNSUPPORTED: its algorithm, curve or size is not one that we serve. The caller frees it.
 */
NODISCARD enum nts_err certfile_key(struct rd *r, const char *name, EVP_PKEY **key,
                                    struct cert_fault *fault);

#endif
