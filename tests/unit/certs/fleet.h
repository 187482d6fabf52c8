/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fleet made for a test: authorities, certificates of devices and lists of those that are
 * revoked, valid around the present, because the library judges dates by the system's clock.
 * Failures end the test.
 */
#ifndef NTSD_TESTS_CERTS_FLEET_H
#define NTSD_TESTS_CERTS_FLEET_H

#include "tests/unit/certs/made.h"

#include <openssl/x509v3.h>
#include <time.h>

enum { FLEET_DAY = 86400, FLEET_LISTED_MAX = 4 };

static inline struct made fleet_authority(const char *name, const struct made *by)
{
    const struct cert_request request = {.common_name = name,
                                         .is_ca = true,
                                         .not_before = time(NULL) - FLEET_DAY,
                                         .not_after = time(NULL) + FLEET_DAY};
    return made_from(&request, "P-256", by);
}

/* Valid from `from` to `until` days from now. */
static inline struct made fleet_device_at(const char *name, const struct made *by, int from,
                                          int until)
{
    const struct cert_request request = {.common_name = name,
                                         .is_client = true,
                                         .not_before = time(NULL) + (int64_t)from * FLEET_DAY,
                                         .not_after = time(NULL) + (int64_t)until * FLEET_DAY};
    return made_from(&request, "P-256", by);
}

static inline struct made fleet_device(const char *name, const struct made *by)
{
    return fleet_device_at(name, by, -1, 1);
}

struct fleet_list {
    const struct made *by;
    const EVP_PKEY *key; /* NULL: that of `by` */
    const X509 *revoked[FLEET_LISTED_MAX];
    const char *extension; /* of idp, as in OpenSSL's configuration, or NULL */
    int until;             /* days from now; 0: for a day */
    bool delta;
};

static inline void fleet_revoke(X509_CRL *list, const X509 *cert, ASN1_TIME *date)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    cr_assert_eq(X509_REVOKED_set_serialNumber(
                     entry, (ASN1_INTEGER *)(uintptr_t)X509_get0_serialNumber(cert)),
                 1);
    cr_assert_eq(X509_REVOKED_set_revocationDate(entry, date), 1);
    cr_assert_eq(X509_CRL_add0_revoked(list, entry), 1);
}

static inline X509_CRL *fleet_list_make(const struct fleet_list *from)
{
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *begin = ASN1_TIME_set(NULL, time(NULL) - 30 * FLEET_DAY);
    int until = from->until != 0 ? from->until : 1;
    ASN1_TIME *end = ASN1_TIME_set(NULL, time(NULL) + until * FLEET_DAY);
    cr_assert_eq(X509_CRL_set_version(list, X509_CRL_VERSION_2), 1);
    cr_assert_eq(X509_CRL_set_issuer_name(list, X509_get_subject_name(from->by->cert)), 1);
    cr_assert_eq(X509_CRL_set1_lastUpdate(list, begin), 1);
    cr_assert_eq(X509_CRL_set1_nextUpdate(list, end), 1);
    for (size_t i = 0; i < FLEET_LISTED_MAX && from->revoked[i] != NULL; i++) {
        fleet_revoke(list, from->revoked[i], begin);
    }
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, from->by->cert, NULL, NULL, list, 0);
    if (from->extension != NULL) {
        X509_EXTENSION *ext =
            X509V3_EXT_conf_nid(NULL, &ctx, NID_issuing_distribution_point, from->extension);
        cr_assert_not_null(ext);
        cr_assert_eq(X509_CRL_add_ext(list, ext, -1), 1);
        X509_EXTENSION_free(ext);
    }
    if (from->delta) {
        ASN1_INTEGER *base = ASN1_INTEGER_new();
        cr_assert_eq(ASN1_INTEGER_set(base, 1), 1);
        cr_assert_eq(X509_CRL_add1_ext_i2d(list, NID_delta_crl, base, 1, 0), 1);
        ASN1_INTEGER_free(base);
    }
    (void)X509_CRL_sort(list);
    EVP_PKEY *key = (EVP_PKEY *)(uintptr_t)(from->key != NULL ? from->key : from->by->key);
    cr_assert_gt(X509_CRL_sign(list, key, EVP_sha256()), 0);
    ASN1_TIME_free(begin);
    ASN1_TIME_free(end);
    return list;
}

/* As PEM; the caller frees it. */
static inline char *fleet_list_text(const struct fleet_list *from)
{
    X509_CRL *list = fleet_list_make(from);
    BIO *bio = BIO_new(BIO_s_mem());
    cr_assert_eq(PEM_write_bio_X509_CRL(bio, list), 1);
    X509_CRL_free(list);
    return made_text(bio);
}

/* Adds the text to a file and frees it. */
#define FLEET_PUT(scratch, name, text)                                                             \
    do {                                                                                           \
        char *text_ = (text);                                                                      \
        scratch_put(scratch, name, text_, O_APPEND);                                               \
        free(text_);                                                                               \
    } while (0)

#endif
