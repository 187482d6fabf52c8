/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of revoked certificates. See client_crl.h.
 */
#include "certs/client_crl.h"

#include "certs/certfile.h"
#include "certs/info.h"
#include "certs/pem.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

void client_crl_wipe(struct client_crl *crl)
{
    for (size_t i = 0; i < crl->count; i++) {
        X509_CRL_free(crl->of[i].list);
    }
    *crl = (struct client_crl){0};
}

/* The file that is being read. */
struct reading {
    const char *path;
    X509 *const *authority;
    size_t count;
    size_t number; /* of the list, from 1 */
    struct client_crl *crl;
    struct cert_fault *fault;
};

static enum nts_err malformed(const struct reading *reading, const char *why)
{
    return cert_fault_set(reading->fault, CERT_MALFORMED,
                          "%s: list %zu of revoked certificates cannot be decoded (%s): copy the "
                          "whole file again, as PEM or DER",
                          reading->path, reading->number, why);
}

/* A point of distribution narrows a list to the certificates that name it: what is on the list is
 * revoked all the same. Any other restriction makes it less than what it is taken for. */
static bool is_whole_point(const ISSUING_DIST_POINT *point)
{
    return point != NULL && point->onlyCA == 0 && point->onlyattr == 0 && point->indirectCRL == 0 &&
           point->onlysomereasons == NULL;
}

/* RFC 5280 section 5.2: a critical extension that is not understood makes a list unusable; the
 * delta indicator and the issuing distribution point are always critical. */
static bool is_whole(const X509_CRL *list)
{
    for (int i = 0; i < X509_CRL_get_ext_count(list); i++) {
        X509_EXTENSION *ext = X509_CRL_get_ext(list, i);
        int nid = OBJ_obj2nid(X509_EXTENSION_get_object(ext));
        if (nid != NID_issuing_distribution_point) {
            if (nid == NID_delta_crl || X509_EXTENSION_get_critical(ext) == 1) {
                return false;
            }
            continue;
        }
        ISSUING_DIST_POINT *point = X509V3_EXT_d2i(ext);
        bool whole = is_whole_point(point);
        ISSUING_DIST_POINT_free(point);
        if (!whole) {
            return false;
        }
    }
    return true;
}

/* The authority that signed the list. NULL: none; `named` tells whether one has the right name. */
static const X509 *signer(const struct reading *reading, X509_CRL *list, bool *named)
{
    *named = false;
    for (size_t i = 0; i < reading->count; i++) {
        X509 *authority = reading->authority[i];
        if (X509_NAME_cmp(X509_get_subject_name(authority), X509_CRL_get_issuer(list)) != 0) {
            continue;
        }
        *named = true;
        /* Without the key usage extension all usages are allowed. */
        bool may_sign = (X509_get_key_usage(authority) & KU_CRL_SIGN) != 0;
        if (may_sign && X509_CRL_verify(list, X509_get0_pubkey(authority)) == 1) {
            return authority;
        }
    }
    return NULL;
}

/* Takes over `list`, and keeps it if it is one of an authority at hand. */
static enum nts_err add_list(const struct reading *reading, X509_CRL *list)
{
    bool named;
    const char *wrong = NULL;
    struct client_crl *crl = reading->crl;
    const X509 *issuer = signer(reading, list, &named);
    if (named && issuer == NULL) {
        wrong = "is not signed by the authority that it names, or that one may not sign lists: "
                "have it made with the right key";
    } else if (named && !is_whole(list)) {
        wrong = "is a delta, or restricted in another way: a whole one is needed";
    } else if (named && crl->count == CLIENT_CRL_MAX) {
        wrong = "is one too many: name whole lists and not so many parts of them";
    }
    if (!named || wrong != NULL) {
        X509_CRL_free(list);
        return !named ? NTS_OK
                      : cert_fault_set(reading->fault, CERT_CRL,
                                       "%s: list %zu of revoked certificates %s", reading->path,
                                       reading->number, wrong);
    }
    crl->of[crl->count].issuer = issuer;
    crl->of[crl->count++].list = list;
    return NTS_OK;
}

static enum nts_err read_der(struct reading *reading, struct span der)
{
    const unsigned char *p = der.p;
    X509_CRL *list = d2i_X509_CRL(NULL, &p, (long)der.n);
    reading->number = 1;
    if (list == NULL || p != der.p + der.n) {
        X509_CRL_free(list);
        return malformed(reading, list == NULL ? cert_library_reason() : "more follows");
    }
    return add_list(reading, list);
}

static enum nts_err read_block(const struct reading *reading, const struct pem_block *block)
{
    BIO *bio = BIO_new_mem_buf(block->text.p, (int)block->text.n);
    X509_CRL *list = bio != NULL ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;
    (void)BIO_free(bio);
    return list != NULL ? add_list(reading, list) : malformed(reading, cert_library_reason());
}

static enum nts_err read_pem(struct reading *reading, struct span pem)
{
    struct rd r = rd_init(pem);
    for (reading->number = 1;; reading->number++) {
        struct pem_block block;
        enum nts_err err;
        do {
            err = pem_next(&r, &block);
        } while (err == NTS_OK && !pem_label_is(block.label, "X509 CRL"));
        if (err == NTS_ENOTFOUND) {
            return NTS_OK;
        }
        if (err != NTS_OK) {
            return malformed(reading, "a BEGIN or END line is missing or damaged");
        }
        TRY(read_block(reading, &block));
    }
}

/* Its certificate may have been renewed: the name and the key are what lists are signed by. */
static bool is_same(const X509 *a, const X509 *b)
{
    return X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) == 0 &&
           EVP_PKEY_eq(X509_get0_pubkey(a), X509_get0_pubkey(b)) == 1;
}

static bool has_list(const struct client_crl *crl, const X509 *issuer)
{
    for (size_t i = 0; i < crl->count; i++) {
        if (is_same(crl->of[i].issuer, issuer)) {
            return true;
        }
    }
    return false;
}

static enum nts_err find_missing(const struct reading *reading)
{
    for (size_t i = 0; i < reading->count; i++) {
        char subject[CLIENT_CA_TEXT_MAX];
        if (has_list(reading->crl, reading->authority[i])) {
            continue;
        }
        cert_subject_text(reading->authority[i], subject, sizeof(subject));
        return cert_fault_set(reading->fault, CERT_CRL,
                              "%s: no list of revoked certificates of %s in it: each authority "
                              "needs one, be it empty",
                              reading->path, subject);
    }
    return NTS_OK;
}

/* A SEQUENCE whose length takes more than one octet: text never begins like that. */
static bool is_der(struct span bytes)
{
    enum { SEQUENCE = 0x30, LONG_LENGTH = 0x80 };
    return bytes.n >= 2 && bytes.p[0] == SEQUENCE && bytes.p[1] >= LONG_LENGTH;
}

NODISCARD enum nts_err client_crl_load(const char *path, X509 *const *authority, size_t count,
                                       struct client_crl *crl, struct cert_fault *fault)
{
    struct reading reading = {
        .path = path, .authority = authority, .count = count, .crl = crl, .fault = fault};
    struct certfile file;
    *crl = (struct client_crl){0};
    TRY(certfile_read(path, CLIENT_CRL_FILE_MAX, &file, fault));
    struct span bytes = span_of(file.bytes, file.n);
    enum nts_err err = is_der(bytes) ? read_der(&reading, bytes) : read_pem(&reading, bytes);
    certfile_wipe(&file);
    if (err == NTS_OK) {
        err = find_missing(&reading);
    }
    if (err != NTS_OK) {
        client_crl_wipe(crl);
    }
    return err;
}

static int64_t due(const X509_CRL *list)
{
    struct tm tm;
    const ASN1_TIME *date = X509_CRL_get0_nextUpdate(list);
    return date != NULL && ASN1_TIME_to_tm(date, &tm) == 1 ? timegm(&tm) : INT64_MAX;
}

void client_crl_describe(const struct client_crl *crl, struct client_ca_info *info)
{
    info->crl_count = crl->count;
    info->revoked = 0;
    info->crl_until = INT64_MAX;
    for (size_t i = 0; i < crl->count; i++) {
        int revoked = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl->of[i].list));
        int64_t until = due(crl->of[i].list);
        info->revoked += revoked > 0 ? (uint64_t)revoked : 0;
        info->crl_until = until < info->crl_until ? until : info->crl_until;
    }
}

enum client_crl_verdict client_crl_judge(const struct client_crl *crl, X509 *cert,
                                         const X509 *issuer)
{
    enum client_crl_verdict verdict = crl->count == 0 ? CLIENT_CRL_GOOD : CLIENT_CRL_MISSING;
    for (size_t i = 0; i < crl->count && issuer != NULL; i++) {
        X509_REVOKED *entry = NULL;
        if (!is_same(crl->of[i].issuer, issuer)) {
            continue;
        }
        /* Not 2 either, which is "removed": only a delta may say that. */
        if (X509_CRL_get0_by_cert(crl->of[i].list, &entry, cert) != 0) {
            return CLIENT_CRL_REVOKED;
        }
        verdict = CLIENT_CRL_GOOD;
    }
    return verdict;
}
