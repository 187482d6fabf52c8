/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files with certificates and keys. See certfile.h.
 */
#include "certs/certfile.h"

#include "certs/info.h"
#include "certs/pem.h"
#include "common/base/file.h"
#include "common/base/secret.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

enum { RSA_BITS_MIN = 2048 };

/* Turns what file_read() said into a sentence; `saved` is its errno. */
static enum nts_err unreadable(const char *path, size_t cap, enum nts_err err, int saved,
                               struct cert_fault *fault)
{
    if (err == NTS_ENOTFOUND) {
        return cert_fault_set(fault, CERT_UNREADABLE, "%s: there is no such file: check the path",
                              path);
    }
    if (err == NTS_EFORMAT) {
        return cert_fault_set(fault, CERT_UNREADABLE,
                              "%s: not a regular file: name the PEM file itself", path);
    }
    if (err == NTS_ELIMIT) {
        return cert_fault_set(fault, CERT_UNREADABLE,
                              "%s: longer than %zu octets: a PEM file is smaller, check the path",
                              path, cap);
    }
    errno = saved;
    return cert_fault_set(fault, CERT_UNREADABLE,
                          "%s: cannot be read (%m): the user that the program runs as needs read "
                          "permission on the file and search permission on its directories",
                          path);
}

NODISCARD enum nts_err certfile_read(const char *path, size_t cap, struct certfile *file,
                                     struct cert_fault *fault)
{
    *file = (struct certfile){.bytes = malloc(cap), .n = 0, .cap = cap};
    if (file->bytes == NULL) {
        *file = (struct certfile){0};
        return cert_fault_set(fault, CERT_INTERNAL, "%s: out of memory", path);
    }
    enum nts_err err = file_read(path, file->bytes, cap, &file->n);
    if (err != NTS_OK) {
        int saved = errno;
        certfile_wipe(file);
        return unreadable(path, cap, err, saved, fault);
    }
    return NTS_OK;
}

void certfile_wipe(struct certfile *file)
{
    if (file->bytes != NULL) {
        wipe(file->bytes, file->n);
        free(file->bytes);
    }
    *file = (struct certfile){0};
}

/* The library would ask for a passphrase on the terminal. */
static int no_passphrase(char *buf, int size, int writing, void *ctx)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

/* What is wrong with the text as PEM, seen from pem_next(). */
static enum nts_err bad_pem(enum nts_err err, const char *name, const char *what,
                            struct cert_fault *fault)
{
    if (err == NTS_ESHORT) {
        return cert_fault_set(fault, CERT_MALFORMED,
                              "%s: the file ends in the middle of %s: copy the whole file again",
                              name, what);
    }
    return cert_fault_set(fault, CERT_MALFORMED,
                          "%s: a BEGIN or END line is missing or damaged at %s: every PEM block "
                          "needs both, copy the whole file again",
                          name, what);
}

NODISCARD enum nts_err certfile_next_cert(struct rd *r, const char *name, size_t number,
                                          X509 **cert, struct cert_fault *fault)
{
    char what[40];
    (void)snprintf(what, sizeof(what), "certificate %zu", number);
    struct pem_block block;
    do {
        enum nts_err err = pem_next(r, &block);
        if (err == NTS_ENOTFOUND) {
            return NTS_ENOTFOUND;
        }
        if (err != NTS_OK) {
            return bad_pem(err, name, what, fault);
        }
    } while (!pem_label_is(block.label, "CERTIFICATE") &&
             !pem_label_is(block.label, "X509 CERTIFICATE"));
    BIO *bio = BIO_new_mem_buf(block.text.p, (int)block.text.n);
    *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;
    (void)BIO_free(bio);
    if (*cert == NULL) {
        return cert_fault_set(fault, CERT_MALFORMED,
                              "%s: %s cannot be decoded (%s): copy the whole file again", name,
                              what, cert_library_reason());
    }
    return NTS_OK;
}

static bool ends_with(struct span text, const char *word)
{
    size_t n = strlen(word);
    return text.n >= n && memcmp(text.p + text.n - n, word, n) == 0;
}

/* Encrypted as PKCS #8 ("BEGIN ENCRYPTED PRIVATE KEY") or in the old way, by a header. */
static bool is_encrypted(const struct pem_block *block)
{
    static const char header[] = "Proc-Type: 4,ENCRYPTED";
    return pem_label_is(block->label, "ENCRYPTED PRIVATE KEY") ||
           memmem(block->text.p, block->text.n, header, sizeof(header) - 1) != NULL;
}

static bool key_is_supported(const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "ED25519")) {
        return true;
    }
    if (EVP_PKEY_is_a(key, "RSA")) {
        return EVP_PKEY_get_bits(key) >= RSA_BITS_MIN;
    }
    char group[32];
    return EVP_PKEY_is_a(key, "EC") &&
           EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
           (strcmp(group, "prime256v1") == 0 || strcmp(group, "secp384r1") == 0);
}

static enum nts_err key_decode(const struct pem_block *block, const char *name, EVP_PKEY **key,
                               struct cert_fault *fault)
{
    BIO *bio = BIO_new_mem_buf(block->text.p, (int)block->text.n);
    *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    (void)BIO_free(bio);
    if (*key == NULL) {
        return cert_fault_set(fault, CERT_MALFORMED,
                              "%s: the private key cannot be decoded (%s): copy the file again, as "
                              "PKCS #8 in PEM",
                              name, cert_library_reason());
    }
    if (!key_is_supported(*key)) {
        EVP_PKEY_free(*key);
        *key = NULL;
        return cert_fault_set(fault, CERT_KEY_UNSUPPORTED,
                              "%s: the private key is of a kind that is not served: make one of "
                              "P-256, P-384, Ed25519, or RSA with %d bits or more",
                              name, RSA_BITS_MIN);
    }
    return NTS_OK;
}

NODISCARD enum nts_err certfile_key(struct rd *r, const char *name, EVP_PKEY **key,
                                    struct cert_fault *fault)
{
    struct pem_block block;
    *key = NULL;
    do {
        enum nts_err err = pem_next(r, &block);
        if (err == NTS_ENOTFOUND) {
            return cert_fault_set(fault, CERT_EMPTY,
                                  "%s: no private key in it: it has to hold a PEM block that "
                                  "begins with BEGIN PRIVATE KEY",
                                  name);
        }
        if (err != NTS_OK) {
            return bad_pem(err, name, "a private key", fault);
        }
    } while (!ends_with(block.label, "PRIVATE KEY"));
    if (is_encrypted(&block)) {
        return cert_fault_set(fault, CERT_KEY_ENCRYPTED,
                              "%s: the private key is encrypted and nobody is there to type its "
                              "passphrase: decrypt it (openssl pkey -in FILE -out NEW)",
                              name);
    }
    return key_decode(&block, name, key, fault);
}
