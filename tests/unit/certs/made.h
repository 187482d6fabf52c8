/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates and keys made for a test, in memory. Failures end the test.
 */
#ifndef NTSD_TESTS_CERTS_MADE_H
#define NTSD_TESTS_CERTS_MADE_H

#include "certs/issue.h"

#include <criterion/criterion.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define MADE_FROM  INT64_C(1767225600) /* 2026-01-01 */
#define MADE_UNTIL INT64_C(1798761600) /* 2027-01-01 */

struct made {
    EVP_PKEY *key;
    X509 *cert;
};

static inline EVP_PKEY *made_key(const char *type)
{
    struct cert_fault fault;
    EVP_PKEY *key;
    cr_assert_eq(cert_key_new(type, &key, &fault), NTS_OK, "%s", fault.text);
    return key;
}

/* Issued by `by`, or self-signed when that is NULL. */
static inline struct made made_from(const struct cert_request *request, const char *key_type,
                                    const struct made *by)
{
    struct cert_fault fault;
    struct made m = {.key = made_key(key_type)};
    enum nts_err err = cert_issue(request, m.key, by != NULL ? by->cert : NULL,
                                  by != NULL ? by->key : m.key, &m.cert, &fault);
    cr_assert_eq(err, NTS_OK, "%s", fault.text);
    return m;
}

static inline struct made made_ca(const char *common_name, const struct made *by)
{
    const struct cert_request request = {
        .common_name = common_name,
        .is_ca = true,
        .not_before = MADE_FROM,
        .not_after = MADE_UNTIL,
    };
    return made_from(&request, "P-256", by);
}

/* A server's certificate for one DNS name; none when it is NULL. */
static inline struct made made_leaf(const char *name, const char *key_type, const struct made *by)
{
    const struct cert_request request = {
        .common_name = "leaf",
        .names = &name,
        .name_count = name != NULL ? 1 : 0,
        .not_before = MADE_FROM,
        .not_after = MADE_UNTIL,
    };
    return made_from(&request, key_type, by);
}

static inline void made_free(struct made *m)
{
    EVP_PKEY_free(m->key);
    X509_free(m->cert);
}

/* Texts: the caller frees them. */
static inline char *made_text(BIO *bio)
{
    char *bytes;
    long n = BIO_get_mem_data(bio, &bytes);
    char *text = strndup(bytes, (size_t)n);
    cr_assert_not_null(text);
    (void)BIO_free(bio);
    return text;
}

static inline char *made_cert_text(const X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    cr_assert_eq(PEM_write_bio_X509(bio, cert), 1);
    return made_text(bio);
}

/* With a passphrase: encrypted, as PKCS #8 or in the old form. */
static inline char *made_key_text(const EVP_PKEY *key, const char *passphrase, bool old_form)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const EVP_CIPHER *cipher = passphrase != NULL ? EVP_aes_128_cbc() : NULL;
    const void *word = passphrase;
    int n = passphrase != NULL ? (int)strlen(passphrase) : 0;
    int good = old_form
                   ? PEM_write_bio_PrivateKey_traditional(bio, key, cipher, word, n, NULL, NULL)
                   : PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, word, n, NULL, NULL);
    cr_assert_eq(good, 1);
    return made_text(bio);
}

/* `a` followed by `b`; frees neither. */
static inline char *made_join(const char *a, const char *b)
{
    char *text = malloc(strlen(a) + strlen(b) + 1);
    cr_assert_not_null(text);
    memcpy(text, a, strlen(a));
    memcpy(text + strlen(a), b, strlen(b) + 1);
    return text;
}

#endif
