/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One certificate chain with its private key. See pair.h.
 */
#include "certs/pair.h"

#include "certs/certfile.h"
#include "certs/info.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

enum {
    SUBJECT_TEXT_MAX = 96,
    SIGNATURE_MAX = 2048, /* RSA of 16384 bits, the most that the library verifies */
    SNI_NAME_MAX = 255,
};

static enum nts_err parse_certs(struct span pem, const char *name, struct cert_pair *pair,
                                struct cert_fault *fault)
{
    struct rd r = rd_init(pem);
    for (size_t number = 1;; number++) {
        X509 *cert = NULL;
        enum nts_err err = certfile_next_cert(&r, name, number, &cert, fault);
        if (err == NTS_ENOTFOUND) {
            break;
        }
        if (err != NTS_OK) {
            return err;
        }
        if (pair->leaf == NULL) {
            pair->leaf = cert;
        } else if (pair->chain_count < CERT_CHAIN_MAX) {
            pair->chain[pair->chain_count++] = cert;
        } else {
            X509_free(cert);
            return cert_fault_set(fault, CERT_MALFORMED,
                                  "%s: more than %d certificates: a server's chain is its own "
                                  "certificate and the intermediates, without a list of roots",
                                  name, CERT_CHAIN_MAX + 1);
        }
    }
    if (pair->leaf != NULL) {
        return NTS_OK;
    }
    return cert_fault_set(fault, CERT_EMPTY,
                          "%s: no certificate in it: it has to hold the server's certificate and "
                          "then the intermediates as PEM blocks that begin with BEGIN CERTIFICATE",
                          name);
}

/* Certificate 0 is the leaf. */
static X509 *cert_at(const struct cert_pair *pair, size_t i)
{
    return i == 0 ? pair->leaf : pair->chain[i - 1];
}

static bool is_issued_by(X509 *cert, X509 *issuer)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    return key != NULL && X509_check_issued(issuer, cert) == X509_V_OK &&
           X509_verify(cert, key) == 1;
}

static enum nts_err check_order(const struct cert_pair *pair, const char *name,
                                struct cert_fault *fault)
{
    for (size_t i = 0; i < pair->chain_count; i++) {
        if (is_issued_by(cert_at(pair, i), cert_at(pair, i + 1))) {
            continue;
        }
        char subject[SUBJECT_TEXT_MAX];
        char next[SUBJECT_TEXT_MAX];
        cert_subject_text(cert_at(pair, i), subject, sizeof(subject));
        cert_subject_text(cert_at(pair, i + 1), next, sizeof(next));
        return cert_fault_set(fault, CERT_CHAIN_ORDER,
                              "%s: certificate %zu (%s) is not issued by certificate %zu (%s): put "
                              "the server's certificate first and after each one its issuer",
                              name, i + 1, subject, i + 2, next);
    }
    return NTS_OK;
}

/*
 * A signature made with the key verifies with the certificate. Comparing the public halves would
 * pass a key file whose private half is damaged, and then every handshake would fail.
 */
static bool key_signs_for(X509 *leaf, EVP_PKEY *key)
{
    static const unsigned char sample[] = "a sample to be signed";
    unsigned char signature[SIGNATURE_MAX];
    size_t n = sizeof(signature);
    const EVP_MD *digest = EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
    EVP_PKEY *public_key = X509_get0_pubkey(leaf);
    EVP_MD_CTX *sign = EVP_MD_CTX_new();
    EVP_MD_CTX *verify = EVP_MD_CTX_new();
    bool good = public_key != NULL && sign != NULL && verify != NULL &&
                EVP_PKEY_eq(public_key, key) == 1 && EVP_PKEY_get_size(key) <= SIGNATURE_MAX &&
                EVP_DigestSignInit(sign, NULL, digest, NULL, key) == 1 &&
                EVP_DigestSign(sign, signature, &n, sample, sizeof(sample)) == 1 &&
                EVP_DigestVerifyInit(verify, NULL, digest, NULL, public_key) == 1 &&
                EVP_DigestVerify(verify, signature, n, sample, sizeof(sample)) == 1;
    EVP_MD_CTX_free(sign);
    EVP_MD_CTX_free(verify);
    return good;
}

/* The narrowest validity over the chain. */
static enum nts_err read_dates(struct cert_pair *pair, const char *name, struct cert_fault *fault)
{
    pair->not_before = INT64_MIN;
    pair->not_after = INT64_MAX;
    for (size_t i = 0; i <= pair->chain_count; i++) {
        int64_t from;
        int64_t until;
        if (!cert_dates(cert_at(pair, i), &from, &until)) {
            return cert_fault_set(fault, CERT_MALFORMED,
                                  "%s: certificate %zu has a date that cannot be read: have it "
                                  "issued again",
                                  name, i + 1);
        }
        pair->not_before = from > pair->not_before ? from : pair->not_before;
        pair->not_after = until < pair->not_after ? until : pair->not_after;
    }
    return NTS_OK;
}

static enum nts_err parse(struct span cert_pem, const char *cert_name, struct span key_pem,
                          const char *key_name, struct cert_pair *pair, struct cert_fault *fault)
{
    TRY(parse_certs(cert_pem, cert_name, pair, fault));
    TRY(check_order(pair, cert_name, fault));
    TRY(read_dates(pair, cert_name, fault));
    if (cert_names_text(pair->leaf, pair->names, sizeof(pair->names)) == 0) {
        return cert_fault_set(fault, CERT_NO_NAMES,
                              "%s: the server's certificate has no subject alternative name that "
                              "is a DNS name or an IP address, clients would refuse it: have it "
                              "issued again with one",
                              cert_name);
    }
    struct rd r = rd_init(key_pem);
    TRY(certfile_key(&r, key_name, &pair->key, fault));
    if (!key_signs_for(pair->leaf, pair->key)) {
        return cert_fault_set(fault, CERT_KEY_MISMATCH,
                              "%s: the private key is not that of the first certificate in %s, or "
                              "is damaged: install the two files that were made together",
                              key_name, cert_name);
    }
    return NTS_OK;
}

NODISCARD enum nts_err cert_pair_parse(struct span cert_pem, const char *cert_name,
                                       struct span key_pem, const char *key_name,
                                       struct cert_pair *pair, struct cert_fault *fault)
{
    *pair = (struct cert_pair){0};
    *fault = (struct cert_fault){0};
    enum nts_err err = parse(cert_pem, cert_name, key_pem, key_name, pair, fault);
    if (err != NTS_OK) {
        cert_pair_wipe(pair);
    }
    /* A stale entry in the library's queue would spoil SSL_get_error() of some connection. */
    ERR_clear_error();
    return err;
}

NODISCARD enum nts_err cert_pair_load(const char *cert_path, const char *key_path,
                                      struct cert_pair *pair, struct cert_fault *fault)
{
    struct certfile key = {0};
    struct certfile cert;
    *pair = (struct cert_pair){0};
    *fault = (struct cert_fault){0};
    enum nts_err err = certfile_read(cert_path, CERT_FILE_MAX, &cert, fault);
    if (err == NTS_OK) {
        err = certfile_read(key_path, CERT_FILE_MAX, &key, fault);
    }
    if (err == NTS_OK) {
        err = cert_pair_parse(span_of(cert.bytes, cert.n), cert_path, span_of(key.bytes, key.n),
                              key_path, pair, fault);
    }
    certfile_wipe(&key);
    certfile_wipe(&cert);
    return err;
}

enum cert_fault_kind cert_dates_check(const X509 *cert, size_t number, const char *name,
                                      int64_t now_s, struct cert_fault *fault)
{
    /* Dates that cannot be read are dates that have passed. */
    int64_t from = INT64_MIN;
    int64_t until = INT64_MIN;
    (void)cert_dates(cert, &from, &until);
    if (now_s >= from && now_s <= until) {
        return CERT_OK;
    }
    char subject[SUBJECT_TEXT_MAX];
    char date[CERT_TIME_TEXT_MAX];
    char now[CERT_TIME_TEXT_MAX];
    cert_subject_text(cert, subject, sizeof(subject));
    cert_time_text(now_s, now);
    if (now_s < from) {
        cert_time_text(from, date);
        (void)cert_fault_set(fault, CERT_NOT_YET_VALID,
                             "%s: certificate %zu (%s) is not valid before %s and it is %s: check "
                             "the clock, or wait",
                             name, number, subject, date, now);
        return CERT_NOT_YET_VALID;
    }
    cert_time_text(until, date);
    (void)cert_fault_set(fault, CERT_EXPIRED,
                         "%s: certificate %zu (%s) expired at %s and it is %s: renew it", name,
                         number, subject, date, now);
    return CERT_EXPIRED;
}

enum cert_fault_kind cert_pair_validity(const struct cert_pair *pair, const char *cert_name,
                                        int64_t now_s, struct cert_fault *fault)
{
    *fault = (struct cert_fault){0};
    for (size_t i = 0; i <= pair->chain_count; i++) {
        enum cert_fault_kind kind =
            cert_dates_check(cert_at(pair, i), i + 1, cert_name, now_s, fault);
        if (kind != CERT_OK) {
            return kind;
        }
    }
    return CERT_OK;
}

bool cert_pair_matches(const struct cert_pair *pair, const char *server_name)
{
    size_t n = strnlen(server_name, SNI_NAME_MAX + 1);
    /* The library takes an empty name for its own length and ".example" for any name below it. */
    if (n == 0 || n > SNI_NAME_MAX || server_name[0] == '.') {
        return false;
    }
    const unsigned flags =
        X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    return X509_check_host(pair->leaf, server_name, n, flags, NULL) == 1;
}

void cert_pair_wipe(struct cert_pair *pair)
{
    X509_free(pair->leaf);
    for (size_t i = 0; i < pair->chain_count; i++) {
        X509_free(pair->chain[i]);
    }
    /* The library overwrites the private half before it releases it. */
    EVP_PKEY_free(pair->key);
    *pair = (struct cert_pair){0};
}
