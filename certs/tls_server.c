/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's TLS contexts. See tls_server.h.
 *
 * One context a pair, all set up alike. The first one receives every connection and owns the
 * others with all they need, in `struct choice`, which is released by the context's own destructor
 * (OpenSSL's ex_data). A connection holds a reference to the context it was made from, so the
 * callbacks always find what they point to, also after tls_server_free().
 */
#include "certs/tls_server.h"

#include "certs/info.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ALPN_WIRE_MAX = 256 };

struct tls_server {
    SSL_CTX *first;
};

/* Immutable once made. */
struct choice {
    size_t count;
    struct cert_pair pair[TLS_PAIRS_MAX];
    SSL_CTX *ctx[TLS_PAIRS_MAX];       /* ctx[0] is the owner of this struct and not counted */
    unsigned char alpn[ALPN_WIRE_MAX]; /* as on the wire: one length octet and the name */
    unsigned alpn_len;
    struct client_ca *clients; /* NULL: clients need no certificate */
};

static void choice_free(struct choice *choice)
{
    if (choice == NULL) {
        return;
    }
    for (size_t i = 0; i < choice->count; i++) {
        cert_pair_wipe(&choice->pair[i]);
        if (i > 0) {
            SSL_CTX_free(choice->ctx[i]);
        }
    }
    client_ca_free(choice->clients);
    free(choice);
}

static void choice_free_with_ctx(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl,
                                 void *argp)
{
    (void)parent;
    (void)ad;
    (void)idx;
    (void)argl;
    (void)argp;
    choice_free(ptr);
}

/* Written once per process, by the first server that is made. */
static pthread_once_t choice_once = PTHREAD_ONCE_INIT;
static int choice_index = -1;

static void choice_index_make(void)
{
    choice_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, choice_free_with_ctx);
}

/* The context for a connection's SNI; the first when there is none or no pair has the name. */
static SSL_CTX *choose(const struct choice *choice, const char *server_name)
{
    for (size_t i = 0; server_name != NULL && i < choice->count; i++) {
        if (cert_pair_matches(&choice->pair[i], server_name)) {
            return choice->ctx[i];
        }
    }
    return choice->ctx[0];
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    (void)alert;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    return SSL_set_SSL_CTX(ssl, choose(arg, name)) != NULL ? SSL_TLSEXT_ERR_OK
                                                           : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* RFC 7301 section 3.2: no protocol in common ends in the alert no_application_protocol. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned in_len, void *arg)
{
    (void)ssl;
    const struct choice *choice = arg;
    struct rd r = rd_init(span_of(in, in_len));
    while (r.left > 0) {
        struct span name = rd_span(&r, rd_u8(&r));
        if (!r.bad && span_is(name, choice->alpn + 1, choice->alpn[0])) {
            *out = choice->alpn + 1;
            *out_len = choice->alpn[0];
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/*
 * RFC 8915 section 4: the connection is for "ntske/1" or for nothing. on_alpn() is not called for
 * a client without the extension, so that one is turned away here. A client that cannot speak TLS
 * 1.3 is left to the library, whose alert (protocol_version) tells it more.
 */
static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
    (void)arg;
    const unsigned char *ext;
    size_t n;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &ext, &n) != 1 ||
        SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &ext,
                                  &n) == 1) {
        return SSL_CLIENT_HELLO_SUCCESS;
    }
    *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
    return SSL_CLIENT_HELLO_ERROR;
}

/* Everything but the certificate. */
static bool ctx_set_up(SSL_CTX *ctx, struct choice *choice)
{
    /* SSL_OP_NO_TICKET alone would go on to issue tickets backed by the cache. recv_max_early_data
     * stays at its default: that much early data of a client that insists is read and dropped. */
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_client_hello_cb(ctx, on_client_hello, NULL);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, choice);
    SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name);
    SSL_CTX_set_tlsext_servername_arg(ctx, choice);
    return SSL_CTX_set_num_tickets(ctx, 0) == 1 && SSL_CTX_set_max_early_data(ctx, 0) == 1 &&
           /* RFC 8915 section 3: TLS 1.3 or newer */
           SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, 0) == 1 &&
           SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1 &&
           (choice->clients == NULL || client_ca_require(choice->clients, ctx));
}

static bool ctx_use_pair(SSL_CTX *ctx, const struct cert_pair *pair)
{
    if (SSL_CTX_use_certificate(ctx, pair->leaf) != 1 ||
        SSL_CTX_use_PrivateKey(ctx, pair->key) != 1) {
        return false;
    }
    for (size_t i = 0; i < pair->chain_count; i++) {
        if (SSL_CTX_add1_chain_cert(ctx, pair->chain[i]) != 1) {
            return false;
        }
    }
    return true;
}

static enum nts_err add_ctx(struct choice *choice, size_t i, const char *cert_name,
                            struct cert_fault *fault)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    choice->ctx[i] = ctx;
    if (ctx == NULL || !ctx_set_up(ctx, choice) || !ctx_use_pair(ctx, &choice->pair[i])) {
        return cert_fault_set(fault, CERT_INTERNAL,
                              "%s: the TLS library refuses this certificate (%s): have it issued "
                              "again with a current signature algorithm",
                              cert_name, cert_library_reason());
    }
    return NTS_OK;
}

/* Loads pair `i` and judges its dates. */
static enum nts_err add_pair(const struct tls_server_options *options, size_t i,
                             struct choice *choice, struct tls_server_info *info,
                             struct cert_fault *fault)
{
    const struct tls_pair_files *files = &options->files[i];
    struct cert_pair *pair = &choice->pair[i];
    TRY(cert_pair_load(files->cert, files->key, pair, fault));
    choice->count = i + 1;
    struct cert_fault dates;
    if (cert_pair_validity(pair, files->cert, options->now_s, &dates) != CERT_OK) {
        if (!options->accept_invalid_dates) {
            *fault = dates;
            return NTS_EAUTH;
        }
        info->warning = dates;
    }
    info->count = i + 1;
    info->pair[i].not_before = pair->not_before;
    info->pair[i].not_after = pair->not_after;
    memcpy(info->pair[i].names, pair->names, sizeof(pair->names));
    return add_ctx(choice, i, files->cert, fault);
}

/* Fills `choice`; on failure the caller releases what it has by then. */
static enum nts_err choice_fill(const struct tls_server_options *options, struct choice *choice,
                                struct tls_server_info *info, struct cert_fault *fault)
{
    size_t n = strlen(options->alpn);
    if (options->count == 0 || options->count > TLS_PAIRS_MAX || n == 0 || n >= ALPN_WIRE_MAX) {
        return cert_fault_set(fault, CERT_INTERNAL, "between 1 and %d certificates can be served",
                              TLS_PAIRS_MAX);
    }
    choice->alpn[0] = (unsigned char)n;
    memcpy(choice->alpn + 1, options->alpn, n);
    if (options->clients.ca != NULL) {
        TRY(client_ca_load(&options->clients, &choice->clients, &info->clients, fault));
    }
    for (size_t i = 0; i < options->count; i++) {
        TRY(add_pair(options, i, choice, info, fault));
    }
    return NTS_OK;
}

/* The first context takes over `choice`; from then on freeing it frees all. */
static bool choice_hand_over(struct choice *choice)
{
    return pthread_once(&choice_once, choice_index_make) == 0 && choice_index >= 0 &&
           SSL_CTX_set_ex_data(choice->ctx[0], choice_index, choice) == 1;
}

/* Makes the first context with all that it owns, or nothing. */
static enum nts_err make_first(const struct tls_server_options *options, SSL_CTX **first,
                               struct tls_server_info *info, struct cert_fault *fault)
{
    struct choice *choice = calloc(1, sizeof(*choice));
    if (choice == NULL) {
        return cert_fault_set(fault, CERT_INTERNAL, "out of memory");
    }
    enum nts_err err = choice_fill(options, choice, info, fault);
    if (err == NTS_OK && choice_hand_over(choice)) {
        *first = choice->ctx[0];
        return NTS_OK;
    }
    SSL_CTX_free(choice->ctx[0]);
    choice_free(choice);
    return err != NTS_OK ? err : cert_fault_set(fault, CERT_INTERNAL, "out of memory");
}

NODISCARD enum nts_err tls_server_new(const struct tls_server_options *options,
                                      struct tls_server **server, struct tls_server_info *info,
                                      struct cert_fault *fault)
{
    *server = NULL;
    *info = (struct tls_server_info){0};
    *fault = (struct cert_fault){0};
    struct tls_server *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return cert_fault_set(fault, CERT_INTERNAL, "out of memory");
    }
    enum nts_err err = make_first(options, &made->first, info, fault);
    ERR_clear_error();
    if (err != NTS_OK) {
        free(made);
        *info = (struct tls_server_info){0};
        return err;
    }
    *server = made;
    return NTS_OK;
}

bool tls_server_is_valid(const struct tls_server *server, int64_t now_s)
{
    const struct choice *choice = SSL_CTX_get_ex_data(server->first, choice_index);
    struct cert_fault ignored;
    for (size_t i = 0; i < choice->count; i++) {
        if (cert_pair_validity(&choice->pair[i], "", now_s, &ignored) != CERT_OK) {
            return false;
        }
    }
    return true;
}

void tls_server_free(struct tls_server *server)
{
    if (server != NULL) {
        SSL_CTX_free(server->first);
        free(server);
    }
}

SSL *tls_server_connection(struct tls_server *server)
{
    SSL *ssl = SSL_new(server->first);
    if (ssl != NULL) {
        SSL_set_accept_state(ssl);
    }
    return ssl;
}
