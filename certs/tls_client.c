/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's TLS context. See tls_client.h.
 */
#include "certs/tls_client.h"

#include "certs/certfile.h"
#include "certs/info.h"
#include "certs/pair.h"
#include "common/net/addr.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum { ALPN_NAME_MAX = 255, HOST_NAME_MAX_LEN = 253 };

static const char SERVER_CHAIN[] = "the server's chain";

/* Adds every certificate of the file to the trust store. */
static enum nts_err trust_certs(X509_STORE *store, struct span pem, const char *name,
                                struct cert_fault *fault)
{
    struct rd r = rd_init(pem);
    for (size_t number = 1;; number++) {
        X509 *cert = NULL;
        enum nts_err err = certfile_next_cert(&r, name, number, &cert, fault);
        if (err == NTS_ENOTFOUND && number == 1) {
            return cert_fault_set(fault, CERT_EMPTY,
                                  "%s: no certificate in it: it has to hold the authorities to "
                                  "trust as PEM blocks that begin with BEGIN CERTIFICATE",
                                  name);
        }
        if (err != NTS_OK) {
            return err == NTS_ENOTFOUND ? NTS_OK : err;
        }
        int added = X509_STORE_add_cert(store, cert);
        X509_free(cert);
        if (added != 1) {
            return cert_fault_set(fault, CERT_INTERNAL, "%s: certificate %zu: %s", name, number,
                                  cert_library_reason());
        }
    }
}

static enum nts_err trust_file(SSL_CTX *ctx, const char *path, struct cert_fault *fault)
{
    struct certfile file;
    TRY(certfile_read(path, TLS_CLIENT_CA_FILE_MAX, &file, fault));
    enum nts_err err =
        trust_certs(SSL_CTX_get_cert_store(ctx), span_of(file.bytes, file.n), path, fault);
    certfile_wipe(&file);
    return err;
}

/* Our certificate, and those after it as its chain. */
static enum nts_err use_certs(SSL_CTX *ctx, struct span pem, const char *name,
                              struct cert_fault *fault)
{
    struct rd r = rd_init(pem);
    for (size_t number = 1;; number++) {
        X509 *cert = NULL;
        enum nts_err err = certfile_next_cert(&r, name, number, &cert, fault);
        if (err == NTS_ENOTFOUND && number == 1) {
            return cert_fault_set(fault, CERT_EMPTY, "%s: no certificate in it", name);
        }
        if (err != NTS_OK) {
            return err == NTS_ENOTFOUND ? NTS_OK : err;
        }
        bool used = number == 1 ? SSL_CTX_use_certificate(ctx, cert) == 1
                                : SSL_CTX_add1_chain_cert(ctx, cert) == 1;
        X509_free(cert);
        if (!used) {
            return cert_fault_set(fault, CERT_INTERNAL, "%s: certificate %zu: %s", name, number,
                                  cert_library_reason());
        }
    }
}

static enum nts_err use_key(SSL_CTX *ctx, struct span pem, const char *name,
                            struct cert_fault *fault)
{
    EVP_PKEY *key;
    struct rd r = rd_init(pem);
    TRY(certfile_key(&r, name, &key, fault));
    bool used = SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
    EVP_PKEY_free(key);
    return used ? NTS_OK
                : cert_fault_set(fault, CERT_KEY_MISMATCH,
                                 "%s: not the private key of our certificate: name the two files "
                                 "that were made together",
                                 name);
}

/* Who we are, to a server that asks. */
static enum nts_err use_files(SSL_CTX *ctx, const struct tls_client_options *options,
                              struct cert_fault *fault)
{
    struct certfile cert;
    struct certfile key = {0};
    enum nts_err err = certfile_read(options->cert_file, CERT_FILE_MAX, &cert, fault);
    if (err == NTS_OK) {
        err = use_certs(ctx, span_of(cert.bytes, cert.n), options->cert_file, fault);
    }
    if (err == NTS_OK) {
        err = certfile_read(options->key_file, CERT_FILE_MAX, &key, fault);
    }
    if (err == NTS_OK) {
        err = use_key(ctx, span_of(key.bytes, key.n), options->key_file, fault);
    }
    certfile_wipe(&key);
    certfile_wipe(&cert);
    return err;
}

/* The library accepts a server that agrees to none, and in some versions one that answers with a
 * name that was not offered. */
static bool alpn_is_agreed(const SSL *ssl)
{
    const unsigned char *selected = NULL;
    unsigned n = 0;
    SSL_get0_alpn_selected(ssl, &selected, &n);
    const char *offered = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    return span_is(span_of(selected, n), offered, strlen(offered));
}

/*
 * Called for each certificate of the chain. The server named the protocol before its certificate
 * (in EncryptedExtensions), so this is the place to refuse one that did not agree to ours.
 */
static int on_verify(int good, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    if (good == 1 && !alpn_is_agreed(ssl)) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
        return 0;
    }
    return good;
}

/* Our own verification reads the name from the context again. */
static bool offer_alpn(SSL_CTX *ctx, const char *name)
{
    unsigned char wire[1 + ALPN_NAME_MAX];
    size_t n = strlen(name);
    if (n == 0 || n > ALPN_NAME_MAX || SSL_CTX_set_app_data(ctx, (void *)(uintptr_t)name) != 1) {
        return false;
    }
    wire[0] = (unsigned char)n;
    memcpy(wire + 1, name, n);
    return SSL_CTX_set_alpn_protos(ctx, wire, (unsigned)n + 1) == 0; /* 0 is its success */
}

static enum nts_err ctx_set_up(SSL_CTX *ctx, const struct tls_client_options *options,
                               struct cert_fault *fault)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, on_verify);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
    if (options->ignore_dates &&
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_NO_CHECK_TIME) != 1) {
        return cert_fault_set(fault, CERT_INTERNAL, "TLS: %s", cert_library_reason());
    }
    /* RFC 8915 section 3: TLS 1.3 or newer */
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, 0) != 1 ||
        SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") != 1 ||
        !offer_alpn(ctx, options->alpn)) {
        return cert_fault_set(fault, CERT_INTERNAL, "TLS: %s", cert_library_reason());
    }
    if (options->cert_file != NULL) {
        TRY(use_files(ctx, options, fault));
    }
    if (options->ca_file != NULL) {
        return trust_file(ctx, options->ca_file, fault);
    }
    if (SSL_CTX_set_default_verify_paths(ctx) != 1) {
        return cert_fault_set(fault, CERT_INTERNAL, "the system's trust store: %s",
                              cert_library_reason());
    }
    return NTS_OK;
}

NODISCARD enum nts_err tls_client_new(const struct tls_client_options *options, SSL_CTX **ctx,
                                      struct cert_fault *fault)
{
    *fault = (struct cert_fault){0};
    *ctx = SSL_CTX_new(TLS_client_method());
    enum nts_err err = *ctx != NULL ? ctx_set_up(*ctx, options, fault)
                                    : cert_fault_set(fault, CERT_INTERNAL, "TLS: out of memory");
    if (err != NTS_OK) {
        SSL_CTX_free(*ctx);
        *ctx = NULL;
    }
    ERR_clear_error();
    return err;
}

/* The certificate must have this address among its names, and no SNI is sent (RFC 6066 section 3:
 * literal addresses are not permitted in it). */
static bool expect_addr(SSL *ssl, const struct net_addr *addr)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (addr->sa.sa_family == AF_INET) {
        return X509_VERIFY_PARAM_set1_ip(param, (const unsigned char *)&addr->v4.sin_addr, 4) == 1;
    }
    return X509_VERIFY_PARAM_set1_ip(param, addr->v6.sin6_addr.s6_addr, 16) == 1;
}

static bool expect_name(SSL *ssl, const char *host)
{
    char name[HOST_NAME_MAX_LEN + 1];
    size_t n = strnlen(host, HOST_NAME_MAX_LEN + 2);
    /* The dot of a fully qualified name is neither in SNI nor in certificates. */
    if (n > 0 && host[n - 1] == '.') {
        n--;
    }
    /* For the library an empty name means "any" and a leading dot "anything below". */
    if (n == 0 || n > HOST_NAME_MAX_LEN || host[0] == '.') {
        return false;
    }
    memcpy(name, host, n);
    name[n] = '\0';
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return X509_VERIFY_PARAM_set1_host(param, name, n) == 1 &&
           SSL_set_tlsext_host_name(ssl, name) == 1;
}

SSL *tls_client_connection(SSL_CTX *ctx, const char *host)
{
    SSL *ssl = SSL_new(ctx);
    if (ssl == NULL) {
        return NULL;
    }
    struct net_addr addr;
    bool good =
        net_addr_parse(host, 0, &addr) == NTS_OK ? expect_addr(ssl, &addr) : expect_name(ssl, host);
    if (!good) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_connect_state(ssl);
    return ssl;
}

/* The fault that a verification result amounts to. */
static enum cert_fault_kind kind_of(long result)
{
    switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return CERT_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return CERT_NOT_YET_VALID;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return CERT_NO_NAMES;
    default:
        return CERT_CHAIN_ORDER;
    }
}

bool tls_client_failure(SSL *ssl, struct cert_fault *fault)
{
    *fault = (struct cert_fault){0};
    long result = SSL_get_verify_result(ssl);
    if (result == X509_V_OK) {
        return false;
    }
    if (result == X509_V_ERR_APPLICATION_VERIFICATION) {
        (void)cert_fault_set(fault, CERT_INTERNAL,
                             "the server did not agree to the protocol (ALPN): it is not one for "
                             "this service");
        return true;
    }
    /* SSL_get0_peer_certificate() has it only after success. */
    char names[CERT_NAMES_TEXT_MAX] = "";
    const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    if (sk_X509_num(chain) > 0) {
        (void)cert_names_text(sk_X509_value(chain, 0), names, sizeof(names));
    }
    (void)cert_fault_set(fault, kind_of(result), "the server's certificate (%s) is refused: %s",
                         names[0] != '\0' ? names : "without names",
                         X509_verify_cert_error_string(result));
    return true;
}

NODISCARD enum nts_err tls_client_check_dates(SSL *ssl, int64_t now_s, struct cert_fault *fault)
{
    *fault = (struct cert_fault){0};
    const STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    if (sk_X509_num(chain) <= 0) {
        (void)cert_fault_set(fault, CERT_INTERNAL, "%s was not verified", SERVER_CHAIN);
        return NTS_EAUTH;
    }
    for (int i = 0; i < sk_X509_num(chain); i++) {
        if (cert_dates_check(sk_X509_value(chain, i), (size_t)i + 1, SERVER_CHAIN, now_s, fault) !=
            CERT_OK) {
            return NTS_EAUTH;
        }
    }
    return NTS_OK;
}

void tls_client_describe(SSL *ssl, struct tls_client_info *info)
{
    *info = (struct tls_client_info){0};
    if (SSL_get_session(ssl) == NULL) {
        return; /* no handshake yet: the library has nothing to look the group up in */
    }
    const char *group = SSL_group_to_name(ssl, (int)SSL_get_negotiated_group(ssl));
    (void)snprintf(info->version, sizeof(info->version), "%s", SSL_get_version(ssl));
    (void)snprintf(info->group, sizeof(info->group), "%s", group != NULL ? group : "?");
    (void)snprintf(info->cipher, sizeof(info->cipher), "%s", SSL_get_cipher_name(ssl));
    const X509 *leaf = SSL_get0_peer_certificate(ssl);
    if (leaf == NULL) {
        return;
    }
    int64_t not_before;
    (void)cert_names_text(leaf, info->names, sizeof(info->names));
    cert_issuer_text(leaf, info->issuer, sizeof(info->issuer));
    (void)cert_dates(leaf, &not_before, &info->not_after);
}
