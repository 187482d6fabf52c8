/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What certificates of clients are judged by. See client_ca.h.
 */
#include "certs/client_ca.h"

#include "certs/certfile.h"
#include "certs/client_crl.h"
#include "certs/info.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

struct client_ca {
    X509_STORE *store;
    size_t count;
    X509 *cert[CLIENT_CA_MAX];
    struct client_crl crl;
};

void client_ca_free(struct client_ca *ca)
{
    if (ca == NULL) {
        return;
    }
    client_crl_wipe(&ca->crl);
    for (size_t i = 0; i < ca->count; i++) {
        X509_free(ca->cert[i]);
    }
    X509_STORE_free(ca->store);
    free(ca);
}

/* --- Loading --- */

/* Takes over `cert`. */
static enum nts_err add_authority(struct client_ca *ca, const char *name, X509 *cert,
                                  struct cert_fault *fault)
{
    char subject[CLIENT_CA_TEXT_MAX];
    ca->cert[ca->count++] = cert;
    cert_subject_text(cert, subject, sizeof(subject));
    if (X509_check_ca(cert) != 1) {
        return cert_fault_set(fault, CERT_NOT_CA,
                              "%s: certificate %zu (%s) is not one of an authority: name those "
                              "that issue the devices' certificates",
                              name, ca->count, subject);
    }
    if (X509_STORE_add_cert(ca->store, cert) != 1) {
        return cert_fault_set(fault, CERT_INTERNAL, "%s: certificate %zu: %s", name, ca->count,
                              cert_library_reason());
    }
    return NTS_OK;
}

static enum nts_err parse_authorities(struct client_ca *ca, struct span pem, const char *name,
                                      struct cert_fault *fault)
{
    struct rd r = rd_init(pem);
    for (;;) {
        X509 *cert = NULL;
        enum nts_err err = certfile_next_cert(&r, name, ca->count + 1, &cert, fault);
        if (err == NTS_ENOTFOUND && ca->count == 0) {
            return cert_fault_set(fault, CERT_EMPTY,
                                  "%s: no certificate in it: it has to hold the authorities that "
                                  "issue the devices' certificates, as PEM",
                                  name);
        }
        if (err != NTS_OK) {
            return err == NTS_ENOTFOUND ? NTS_OK : err;
        }
        if (ca->count == CLIENT_CA_MAX) {
            X509_free(cert);
            return cert_fault_set(fault, CERT_MALFORMED,
                                  "%s: more than %d authorities: name those of this fleet and no "
                                  "list of all there are",
                                  name, CLIENT_CA_MAX);
        }
        TRY(add_authority(ca, name, cert, fault));
    }
}

static enum nts_err load_authorities(struct client_ca *ca, const char *path,
                                     struct cert_fault *fault)
{
    struct certfile file;
    TRY(certfile_read(path, CLIENT_CA_FILE_MAX, &file, fault));
    enum nts_err err = parse_authorities(ca, span_of(file.bytes, file.n), path, fault);
    certfile_wipe(&file);
    return err;
}

static void describe(const struct client_ca *ca, struct client_ca_info *info)
{
    info->count = ca->count;
    for (size_t i = 0; i < ca->count; i++) {
        int64_t not_before;
        cert_subject_text(ca->cert[i], info->ca[i].subject, sizeof(info->ca[i].subject));
        (void)cert_dates(ca->cert[i], &not_before, &info->ca[i].not_after);
    }
    client_crl_describe(&ca->crl, info);
}

static enum nts_err fill(struct client_ca *ca, const struct client_ca_files *files,
                         struct cert_fault *fault)
{
    ca->store = X509_STORE_new();
    if (ca->store == NULL || X509_STORE_set_flags(ca->store, X509_V_FLAG_PARTIAL_CHAIN) != 1) {
        return cert_fault_set(fault, CERT_INTERNAL, "%s: out of memory", files->ca);
    }
    TRY(load_authorities(ca, files->ca, fault));
    if (files->crl == NULL) {
        return NTS_OK;
    }
    return client_crl_load(files->crl, ca->cert, ca->count, &ca->crl, fault);
}

NODISCARD enum nts_err client_ca_load(const struct client_ca_files *files, struct client_ca **ca,
                                      struct client_ca_info *info, struct cert_fault *fault)
{
    *ca = NULL;
    *info = (struct client_ca_info){0};
    *fault = (struct cert_fault){0};
    struct client_ca *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return cert_fault_set(fault, CERT_INTERNAL, "out of memory");
    }
    enum nts_err err = fill(made, files, fault);
    /* A stale entry in the library's queue would spoil SSL_get_error() of some connection. */
    ERR_clear_error();
    if (err != NTS_OK) {
        client_ca_free(made);
        return err;
    }
    describe(made, info);
    *ca = made;
    return NTS_OK;
}

/* --- Judging --- */

/* The library's verification (chain, dates, purpose), and then ours. Returns 1 or 0, as it wants.
 */
static int verify(X509_STORE_CTX *store, void *arg)
{
    const struct client_ca *ca = arg;
    if (X509_verify_cert(store) != 1) {
        return 0;
    }
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store);
    const X509 *issuer = sk_X509_value(chain, 1); /* NULL: the client's certificate is an anchor */
    switch (client_crl_judge(&ca->crl, sk_X509_value(chain, 0), issuer)) {
    case CLIENT_CRL_GOOD:
        return 1;
    case CLIENT_CRL_REVOKED:
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REVOKED);
        return 0;
    case CLIENT_CRL_MISSING:
        break;
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_UNABLE_TO_GET_CRL);
    return 0;
}

bool client_ca_require(struct client_ca *ca, SSL_CTX *ctx)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_verify_depth(ctx, CLIENT_CHAIN_DEPTH);
    SSL_CTX_set_cert_verify_callback(ctx, verify, ca);
    SSL_CTX_set_max_cert_list(ctx, CLIENT_CHAIN_MAX);
    for (size_t i = 0; i < ca->count; i++) {
        if (SSL_CTX_add1_to_CA_list(ctx, ca->cert[i]) != 1) {
            return false;
        }
    }
    return SSL_CTX_set1_verify_cert_store(ctx, ca->store) == 1 &&
           SSL_CTX_set_app_data(ctx, ca) == 1;
}

bool client_ca_is_required(const SSL *ssl)
{
    return (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0;
}

static enum client_refusal refusal_of_verify(long result)
{
    switch (result) { /* the library's numbers, not an enum of ours */
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
        return CLIENT_UNKNOWN_CA;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return CLIENT_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return CLIENT_NOT_YET_VALID;
    case X509_V_ERR_CERT_REVOKED:
        return CLIENT_REVOKED;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
        return CLIENT_NO_CRL;
    case X509_V_ERR_INVALID_PURPOSE:
        return CLIENT_PURPOSE;
    default:
        return CLIENT_INVALID;
    }
}

enum client_refusal client_ca_refusal(const SSL *ssl)
{
    if (!client_ca_is_required(ssl)) {
        return CLIENT_NOT_REFUSED;
    }
    long result = SSL_get_verify_result(ssl);
    if (result != X509_V_OK) {
        return refusal_of_verify(result);
    }
    unsigned long code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) {
        return CLIENT_NOT_REFUSED;
    }
    switch (ERR_GET_REASON(code)) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return CLIENT_NO_CERTIFICATE;
    case SSL_R_EXCESSIVE_MESSAGE_SIZE:
    case SSL_R_BAD_SIGNATURE:
        return CLIENT_INVALID;
    default:
        return CLIENT_NOT_REFUSED;
    }
}

size_t client_ca_place(const SSL *ssl)
{
    const struct client_ca *ca = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    const STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    int n = sk_X509_num(chain);
    if (!client_ca_is_required(ssl) || ca == NULL || n <= 0) {
        return CLIENT_CA_MAX;
    }
    const X509 *anchor = sk_X509_value(chain, n - 1);
    size_t i = 0;
    while (i < ca->count && X509_cmp(ca->cert[i], anchor) != 0) {
        i++;
    }
    return i < ca->count ? i : CLIENT_CA_MAX;
}

const X509 *client_ca_certificate(const SSL *ssl)
{
    const STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    return sk_X509_num(chain) > 0 ? sk_X509_value(chain, 0) : NULL;
}
