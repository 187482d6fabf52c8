/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One chain, its key, and what may be wrong with either, as pieces of text to put files together
 * from. For tests only; failures end the test.
 */
#ifndef NTSD_TESTS_CERTS_MATERIAL_H
#define NTSD_TESTS_CERTS_MATERIAL_H

#include "tests/unit/certs/made.h"

/* What files are put together from. */
enum part {
    END = 0,
    LEAF,
    INTERMEDIATE,
    ROOT,
    OTHER_LEAF,
    BELOW_LEAF,  /* issued by LEAF, which is no authority */
    FORGED_LEAF, /* LEAF with another signature */
    NO_NAMES,
    P521,
    RSA1024,
    KEY,
    KEY_OLD_FORM,
    KEY_OTHER,
    KEY_BELOW_LEAF,
    KEY_NO_NAMES,
    KEY_P521,
    KEY_RSA1024,
    KEY_ENCRYPTED,
    KEY_ENCRYPTED_OLD_FORM,
    KEY_DAMAGED, /* its public half is that of LEAF, the private half is not */
    KEY_BAD_BASE64,
    BAD_BASE64,
    BAD_DER,
    TEXT,
    BEGIN_ONLY,
    END_ONLY,
    PARTS,
};

struct material {
    char *text[PARTS];
};

/* Keeps the certificate's and the key's text and releases both. */
static inline void material_keep(struct material *m, enum part cert, enum part key,
                                 struct made made)
{
    m->text[cert] = made_cert_text(made.cert);
    if (key != END) {
        m->text[key] = made_key_text(made.key, NULL, false);
    }
    made_free(&made);
}

/* ECPrivateKey (RFC 5915): the secret number follows seven octets, the public key comes last. */
static inline char *material_damaged_key(const EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int n = i2d_PrivateKey(key, &der);
    cr_assert(n > 40);
    der[20] ^= 1;
    BIO *bio = BIO_new(BIO_s_mem());
    cr_assert(PEM_write_bio(bio, "EC PRIVATE KEY", "", der, n) > 0);
    OPENSSL_free(der);
    return made_text(bio);
}

/* The signature is the last field, and its last octet the low end of a number. */
static inline char *material_forged_cert(const X509 *cert)
{
    unsigned char *der = NULL;
    int n = i2d_X509(cert, &der);
    cr_assert(n > 0);
    der[n - 1] ^= 1;
    BIO *bio = BIO_new(BIO_s_mem());
    cr_assert(PEM_write_bio(bio, "CERTIFICATE", "", der, n) > 0);
    OPENSSL_free(der);
    return made_text(bio);
}

static inline void material_make(struct material *m)
{
    *m = (struct material){0};
    struct made root = made_ca("root", NULL);
    struct made inter = made_ca("intermediate", &root);
    struct made leaf = made_leaf("time.example", "P-256", &inter);
    material_keep(m, BELOW_LEAF, KEY_BELOW_LEAF, made_leaf("time.example", "P-256", &leaf));
    material_keep(m, OTHER_LEAF, KEY_OTHER, made_leaf("other.example", "P-256", &inter));
    material_keep(m, NO_NAMES, KEY_NO_NAMES, made_leaf(NULL, "P-256", &inter));
    material_keep(m, P521, KEY_P521, made_leaf("time.example", "P-521", &inter));
    material_keep(m, RSA1024, KEY_RSA1024, made_leaf("time.example", "RSA-1024", &inter));
    m->text[KEY_OLD_FORM] = made_key_text(leaf.key, NULL, true);
    m->text[KEY_ENCRYPTED] = made_key_text(leaf.key, "secret", false);
    m->text[KEY_ENCRYPTED_OLD_FORM] = made_key_text(leaf.key, "secret", true);
    m->text[FORGED_LEAF] = material_forged_cert(leaf.cert);
    m->text[KEY_DAMAGED] = material_damaged_key(leaf.key);
    material_keep(m, LEAF, KEY, leaf);
    material_keep(m, INTERMEDIATE, END, inter);
    material_keep(m, ROOT, END, root);
    m->text[BAD_BASE64] = strdup("-----BEGIN CERTIFICATE-----\nMII!\n-----END CERTIFICATE-----\n");
    m->text[KEY_BAD_BASE64] =
        strdup("-----BEGIN PRIVATE KEY-----\nMII!\n-----END PRIVATE KEY-----\n");
    m->text[BAD_DER] = strdup("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    m->text[TEXT] = strdup("subject=leaf\r\n\n------ not a block ------\n  indented\n");
    m->text[BEGIN_ONLY] = strdup("-----BEGIN CERTIFICATE-----\n");
    m->text[END_ONLY] = strdup("-----END CERTIFICATE-----\n");
}

static inline void material_drop(struct material *m)
{
    for (size_t i = 0; i < PARTS; i++) {
        free(m->text[i]);
    }
}

static inline char *material_join(const struct material *m, const enum part *parts)
{
    char *text = strdup("");
    for (; *parts != END; parts++) {
        char *more = made_join(text, m->text[*parts]);
        free(text);
        text = more;
    }
    return text;
}

#endif
