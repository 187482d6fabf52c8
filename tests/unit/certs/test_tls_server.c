/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/tls_server.h"

#include "certs/devca.h"
#include "certs/info.h"
#include "tests/unit/certs/scratch.h"
#include "tests/unit/certs/shake.h"

static const int64_t NOW = 1800000000;
static const char ALPN[] = "ntske/1";
static const unsigned char ALPN_WIRE[] = "\x07ntske/1";

/* A directory with certificates made in it, each in a directory of its own. */
struct setting {
    struct scratch scratch;
    size_t count;
    char cert[TLS_PAIRS_MAX][PATH_MAX];
    char key[TLS_PAIRS_MAX][PATH_MAX];
    struct tls_pair_files files[TLS_PAIRS_MAX];
};

static void add(struct setting *s, const char *name, const char *key_type, int64_t not_before)
{
    struct cert_fault fault;
    size_t i = s->count++;
    char dir[PATH_MAX];
    (void)snprintf(dir, sizeof(dir), "%s/%zu", s->scratch.dir, i);
    const struct devca_options options = {
        .dir = dir,
        .names = &name,
        .name_count = 1,
        .not_before = not_before,
        .key_type = key_type,
    };
    cr_assert_eq(devca_make(&options, &fault), NTS_OK, "%s", fault.text);
    (void)snprintf(s->cert[i], PATH_MAX, "%.64s/server.pem", dir);
    (void)snprintf(s->key[i], PATH_MAX, "%.64s/server.key", dir);
    s->files[i] = (struct tls_pair_files){.cert = s->cert[i], .key = s->key[i]};
}

static enum nts_err start(const struct setting *s, bool accept_invalid_dates,
                          struct tls_server **server, struct tls_server_info *info,
                          struct cert_fault *fault)
{
    const struct tls_server_options options = {
        .files = s->files,
        .count = s->count,
        .alpn = ALPN,
        .now_s = NOW,
        .accept_invalid_dates = accept_invalid_dates,
    };
    return tls_server_new(&options, server, info, fault);
}

static struct tls_server *start_good(const struct setting *s)
{
    struct tls_server *server;
    struct tls_server_info info;
    struct cert_fault fault;
    cr_assert_eq(start(s, false, &server, &info, &fault), NTS_OK, "%s", fault.text);
    return server;
}

/* A client that takes any certificate; SNI and ALPN may be left out. */
static SSL *client_of(SSL_CTX *ctx, const char *name, const unsigned char *alpn, unsigned alpn_len)
{
    SSL *ssl = SSL_new(ctx);
    cr_assert_not_null(ssl);
    SSL_set_connect_state(ssl);
    if (name != NULL) {
        cr_assert_eq(SSL_set_tlsext_host_name(ssl, name), 1);
    }
    if (alpn_len > 0) {
        cr_assert_eq(SSL_set_alpn_protos(ssl, alpn, alpn_len), 0);
    }
    return ssl;
}

static SSL *good_client(SSL_CTX *ctx, const char *name)
{
    return client_of(ctx, name, ALPN_WIRE, sizeof(ALPN_WIRE) - 1);
}

static void names_seen(const struct shake *s, char *names)
{
    const X509 *cert = SSL_get0_peer_certificate(s->client);
    cr_assert_not_null(cert);
    (void)cert_names_text(cert, names, CERT_NAMES_TEXT_MAX);
}

Test(tls_server, each_kind_of_key_completes_a_handshake)
{
    static const char *const types[] = {"P-256", "P-384", "Ed25519", "RSA"};
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct setting set = {0};
        scratch_open(&set.scratch);
        add(&set, "time.example", types[i], NOW);
        struct tls_server *server = start_good(&set);
        struct shake s;
        shake_join(&s, good_client(ctx, "time.example"), tls_server_connection(server));
        cr_assert(shake_run(&s), "%s", types[i]);
        cr_assert_eq(SSL_version(s.client), TLS1_3_VERSION);
        const unsigned char *alpn;
        unsigned n;
        SSL_get0_alpn_selected(s.client, &alpn, &n);
        cr_assert(span_is(span_of(alpn, n), ALPN, strlen(ALPN)));
        shake_free(&s);
        tls_server_free(server);
        scratch_close(&set.scratch);
    }
    SSL_CTX_free(ctx);
}

Test(tls_server, pair_is_chosen_by_sni)
{
    static const struct {
        const char *sni;
        const char *names;
    } rows[] = {
        {NULL, "DNS:a.example"},
        {"a.example", "DNS:a.example"},
        {"b.example", "DNS:b.example"},
        {"B.EXAMPLE", "DNS:b.example"},
        {"x.c.example", "DNS:*.c.example"},
        {"c.example", "DNS:a.example"},
        {"unknown.example", "DNS:a.example"},
        {".example", "DNS:a.example"},
    };
    struct setting set = {0};
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    scratch_open(&set.scratch);
    add(&set, "a.example", "P-256", NOW);
    add(&set, "b.example", "Ed25519", NOW);
    add(&set, "*.c.example", "P-384", NOW);
    struct tls_server *server = start_good(&set);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct shake s;
        char names[CERT_NAMES_TEXT_MAX];
        shake_join(&s, good_client(ctx, rows[i].sni), tls_server_connection(server));
        cr_assert(shake_run(&s), "row %zu: %d %d", i, s.client_error, s.server_error);
        names_seen(&s, names);
        cr_assert_str_eq(names, rows[i].names, "row %zu", i);
        shake_free(&s);
    }
    tls_server_free(server);
    SSL_CTX_free(ctx);
    scratch_close(&set.scratch);
}

/* The second ClientHello after a HelloRetryRequest passes the same checks again. */
Test(tls_server, sni_survives_a_hello_retry)
{
    struct setting set = {0};
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    cr_assert_eq(SSL_CTX_set1_groups_list(ctx, "P-521:P-384"), 1);
    scratch_open(&set.scratch);
    add(&set, "a.example", "P-256", NOW);
    add(&set, "b.example", "P-256", NOW);
    struct tls_server *server = start_good(&set);
    struct shake s;
    char names[CERT_NAMES_TEXT_MAX];
    shake_join(&s, good_client(ctx, "b.example"), tls_server_connection(server));
    cr_assert(shake_run(&s), "%d %d", s.client_error, s.server_error);
    names_seen(&s, names);
    cr_assert_str_eq(names, "DNS:b.example");
    shake_free(&s);
    tls_server_free(server);
    SSL_CTX_free(ctx);
    scratch_close(&set.scratch);
}

/* Two pairs and a client that may be set up wrong. */
static int alert_for(int max_version, const char *groups, const unsigned char *alpn, unsigned n)
{
    struct setting set = {0};
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    cr_assert_eq(SSL_CTX_set_max_proto_version(ctx, max_version), 1);
    cr_assert_eq(SSL_CTX_set1_groups_list(ctx, groups), 1);
    scratch_open(&set.scratch);
    add(&set, "a.example", "P-256", NOW);
    add(&set, "b.example", "P-256", NOW);
    struct tls_server *server = start_good(&set);
    struct shake s;
    shake_join(&s, client_of(ctx, "b.example", alpn, n), tls_server_connection(server));
    cr_assert_eq(shake_run(&s), s.client_error == 0, "%d %d", s.client_error, s.server_error);
    int alert = s.client_error == 0 ? 0 : shake_alert(&s);
    shake_free(&s);
    tls_server_free(server);
    SSL_CTX_free(ctx);
    scratch_close(&set.scratch);
    return alert;
}

Test(tls_server, clients_that_are_refused_are_told_by_an_alert)
{
    static const struct {
        int max_version;
        const char *groups;
        const char *alpn;
        unsigned alpn_len;
        int alert;
    } rows[] = {
        {0, "X25519", "\x07ntske/1", 8, 0},
        {0, "P-256", "\x02h2\x07ntske/1", 11, 0},
        {0, "P-384", "\x07ntske/1\x02h2", 11, 0},
        {0, "X25519", "", 0, SSL_AD_NO_APPLICATION_PROTOCOL},
        {0, "X25519", "\x02h2", 3, SSL_AD_NO_APPLICATION_PROTOCOL},
        {0, "X25519", "\x06ntske/", 7, SSL_AD_NO_APPLICATION_PROTOCOL},
        {0, "X25519", "\x08ntske/1\0", 9, SSL_AD_NO_APPLICATION_PROTOCOL},
        {0, "X25519", "\x07NTSKE/1", 8, SSL_AD_NO_APPLICATION_PROTOCOL},
        {TLS1_2_VERSION, "X25519", "\x07ntske/1", 8, SSL_AD_PROTOCOL_VERSION},
        {TLS1_2_VERSION, "X25519", "", 0, SSL_AD_PROTOCOL_VERSION},
        {0, "P-521", "\x07ntske/1", 8, SSL_AD_HANDSHAKE_FAILURE},
        {0, "X448", "\x07ntske/1", 8, SSL_AD_HANDSHAKE_FAILURE},
        {0, "ffdhe2048", "\x07ntske/1", 8, SSL_AD_HANDSHAKE_FAILURE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int alert = alert_for(rows[i].max_version, rows[i].groups,
                              (const unsigned char *)rows[i].alpn, rows[i].alpn_len);
        cr_assert_eq(alert, rows[i].alert, "row %zu: alert %d", i, alert);
    }
}

/* RFC 6066 section 3 has no such names; a hostile one must end in an alert and nothing else. */
Test(tls_server, sni_with_a_zero_octet_is_harmless)
{
    struct setting set = {0};
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    scratch_open(&set.scratch);
    add(&set, "a.example", "P-256", NOW);
    struct tls_server *server = start_good(&set);
    SSL *client = good_client(ctx, "a.example");
    SSL *ssl = tls_server_connection(server);
    BIO *from_client = BIO_new(BIO_s_mem());
    SSL_set_bio(client, BIO_new(BIO_s_mem()), from_client);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    cr_assert_eq(SSL_do_handshake(client), -1);
    char hello[4096];
    int n = BIO_read(from_client, hello, sizeof(hello));
    char *name = memmem(hello, (size_t)n, "a.example", 9);
    cr_assert_not_null(name);
    name[4] = '\0';
    cr_assert_eq(BIO_write(SSL_get_rbio(ssl), hello, n), n);
    cr_assert_eq(SSL_do_handshake(ssl), -1);
    cr_assert_eq(SSL_get_error(ssl, -1), SSL_ERROR_SSL);
    cr_assert(BIO_pending(SSL_get_wbio(ssl)) > 0);
    ERR_clear_error();
    SSL_free(client);
    SSL_free(ssl);
    tls_server_free(server);
    SSL_CTX_free(ctx);
    scratch_close(&set.scratch);
}

static int sessions; /* written by on_session(), in the one test that uses it */

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    (void)session;
    sessions++;
    return 0;
}

Test(tls_server, no_tickets_no_early_data_no_client_certificate)
{
    struct setting set = {0};
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
    scratch_open(&set.scratch);
    add(&set, "a.example", "P-256", NOW);
    add(&set, "b.example", "P-256", NOW);
    struct tls_server *server = start_good(&set);
    struct shake s;
    shake_join(&s, good_client(ctx, "b.example"), tls_server_connection(server));
    cr_assert(shake_run(&s));
    char byte;
    cr_assert_eq(SSL_read(s.client, &byte, 1), -1);
    cr_assert_eq(SSL_get_error(s.client, -1), SSL_ERROR_WANT_READ);
    cr_assert_eq(sessions, 0);
    cr_assert_eq(SSL_SESSION_is_resumable(SSL_get0_session(s.client)), 0);
    cr_assert_eq(SSL_get_num_tickets(s.server), 0);
    cr_assert_eq(SSL_get_max_early_data(s.server), 0);
    cr_assert_eq(SSL_CTX_sess_number(SSL_get_SSL_CTX(s.server)), 0);
    cr_assert_eq(SSL_get_verify_mode(s.server), SSL_VERIFY_NONE);
    shake_free(&s);
    tls_server_free(server);
    SSL_CTX_free(ctx);
    scratch_close(&set.scratch);
}

Test(tls_server, running_handshake_finishes_on_the_old_context)
{
    struct setting set = {0};
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    scratch_open(&set.scratch);
    add(&set, "a.example", "P-256", NOW);
    add(&set, "b.example", "P-256", NOW);
    add(&set, "c.example", "P-256", NOW);
    /* The server goes away before it has seen anything, then between the two flights. */
    for (int after_hello = 0; after_hello < 2; after_hello++) {
        struct tls_server *server = start_good(&set);
        struct shake s;
        char names[CERT_NAMES_TEXT_MAX];
        shake_join(&s, good_client(ctx, "c.example"), tls_server_connection(server));
        shake_client(&s);
        if (after_hello == 1) {
            shake_server(&s);
        }
        tls_server_free(server);
        cr_assert(shake_run(&s));
        names_seen(&s, names);
        cr_assert_str_eq(names, "DNS:c.example");
        shake_free(&s);
    }
    SSL_CTX_free(ctx);
    scratch_close(&set.scratch);
    tls_server_free(NULL);
}

Test(tls_server, dates_are_a_fault_at_start_and_a_warning_at_reload)
{
    const int64_t day = 86400;
    const struct {
        int64_t not_before;
        enum cert_fault_kind kind;
    } rows[] = {
        {NOW - 91 * day, CERT_EXPIRED},
        {NOW + day, CERT_NOT_YET_VALID},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct setting set = {0};
        struct tls_server *server;
        struct tls_server_info info;
        struct cert_fault fault;
        scratch_open(&set.scratch);
        add(&set, "good.example", "P-256", NOW);
        add(&set, "bad.example", "P-256", rows[i].not_before);
        cr_assert_eq(start(&set, false, &server, &info, &fault), NTS_EAUTH);
        cr_assert_null(server);
        cr_assert_eq(info.count, 0);
        cr_assert_eq(fault.kind, rows[i].kind);
        cr_assert_not_null(strstr(fault.text, set.files[1].cert), "%s", fault.text);

        cr_assert_eq(start(&set, true, &server, &info, &fault), NTS_OK, "%s", fault.text);
        cr_assert_eq(fault.kind, CERT_OK);
        cr_assert_eq(info.warning.kind, rows[i].kind);
        cr_assert_not_null(strstr(info.warning.text, set.files[1].cert));
        cr_assert_eq(info.count, 2);
        cr_assert_str_eq(info.pair[1].names, "DNS:bad.example");
        cr_assert_eq(info.pair[1].not_before, rows[i].not_before);
        cr_assert_eq(info.pair[1].not_after, rows[i].not_before + 90 * day);
        tls_server_free(server);
        scratch_close(&set.scratch);
    }
}

Test(tls_server, bad_files_make_no_server)
{
    struct setting set = {0};
    struct tls_server *server;
    struct tls_server_info info;
    struct cert_fault fault;
    scratch_open(&set.scratch);
    add(&set, "a.example", "P-256", NOW);
    add(&set, "b.example", "P-256", NOW);
    const char *key = set.files[1].key;
    set.files[1].key = set.files[0].key;
    cr_assert_eq(start(&set, true, &server, &info, &fault), NTS_EAUTH);
    cr_assert_eq(fault.kind, CERT_KEY_MISMATCH);
    cr_assert_null(server);
    set.files[1].key = "/nonexistent/key";
    cr_assert_eq(start(&set, true, &server, &info, &fault), NTS_ESYSTEM);
    cr_assert_eq(fault.kind, CERT_UNREADABLE);
    set.files[1].key = key;
    set.count = 0;
    cr_assert_eq(start(&set, true, &server, &info, &fault), NTS_EINTERNAL);
    scratch_close(&set.scratch);
}
