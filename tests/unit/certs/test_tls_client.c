/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/tls_client.h"

#include "certs/devca.h"
#include "certs/tls_server.h"
#include "tests/unit/certs/made.h"
#include "tests/unit/certs/scratch.h"
#include "tests/unit/certs/shake.h"

#include <time.h>

static const char ALPN[] = "ntske/1";
static const int64_t DAY = 86400;

/* A server with one certificate, made at the path of `scratch`. */
struct setting {
    struct scratch scratch;
    char ca[PATH_MAX];
    struct tls_server *server;
};

static void set_up(struct setting *s, int64_t not_before)
{
    static const char *const names[] = {"time.example", "*.wild.example"};
    static const char *const ips[] = {"192.0.2.1", "2001:db8::1"};
    char cert[PATH_MAX];
    char key[PATH_MAX];
    struct cert_fault fault;
    struct tls_server_info info;
    scratch_open(&s->scratch);
    const struct devca_options made = {
        .dir = s->scratch.dir,
        .names = names,
        .name_count = 2,
        .ips = ips,
        .ip_count = 2,
        .not_before = not_before,
    };
    cr_assert_eq(devca_make(&made, &fault), NTS_OK, "%s", fault.text);
    (void)snprintf(s->ca, sizeof(s->ca), "%s/ca.pem", s->scratch.dir);
    (void)snprintf(cert, sizeof(cert), "%s/server.pem", s->scratch.dir);
    (void)snprintf(key, sizeof(key), "%s/server.key", s->scratch.dir);
    const struct tls_pair_files files = {.cert = cert, .key = key};
    const struct tls_server_options options = {
        .files = &files,
        .count = 1,
        .alpn = ALPN,
        .now_s = not_before,
    };
    cr_assert_eq(tls_server_new(&options, &s->server, &info, &fault), NTS_OK, "%s", fault.text);
}

static void tear_down(struct setting *s)
{
    tls_server_free(s->server);
    scratch_close(&s->scratch);
}

static SSL_CTX *client_ctx(const char *ca_file, bool ignore_dates)
{
    SSL_CTX *ctx;
    struct cert_fault fault;
    const struct tls_client_options options = {
        .ca_file = ca_file,
        .alpn = ALPN,
        .ignore_dates = ignore_dates,
    };
    cr_assert_eq(tls_client_new(&options, &ctx, &fault), NTS_OK, "%s", fault.text);
    return ctx;
}

/* The kind of fault that a handshake under this name ends with. */
static enum cert_fault_kind meet(const struct setting *s, SSL_CTX *ctx, const char *host,
                                 struct cert_fault *fault)
{
    struct shake shake;
    shake_join(&shake, tls_client_connection(ctx, host), tls_server_connection(s->server));
    bool done = shake_run(&shake);
    bool refused = tls_client_failure(shake.client, fault);
    cr_assert_eq(done, !refused, "%s: %d %d", host, shake.client_error, shake.server_error);
    shake_free(&shake);
    return fault->kind;
}

Test(tls_client, names_and_addresses)
{
    static const struct {
        const char *host;
        enum cert_fault_kind kind;
    } rows[] = {
        {"time.example", CERT_OK},
        {"TIME.example", CERT_OK},
        {"time.example.", CERT_OK},
        {"x.wild.example", CERT_OK},
        {"192.0.2.1", CERT_OK},
        {"2001:db8::1", CERT_OK},
        {"[2001:db8::1]", CERT_OK},
        {"2001:DB8:0:0::1", CERT_OK},
        {"other.example", CERT_NO_NAMES},
        {"example", CERT_NO_NAMES},
        {"wild.example", CERT_NO_NAMES},
        {"x.y.wild.example", CERT_NO_NAMES},
        {"ntsd development server", CERT_NO_NAMES}, /* the common name is no name */
        {"192.0.2.2", CERT_NO_NAMES},
        {"2001:db8::2", CERT_NO_NAMES},
        {"::ffff:192.0.2.1", CERT_NO_NAMES},
    };
    struct setting set;
    set_up(&set, time(NULL) - 3600);
    SSL_CTX *ctx = client_ctx(set.ca, false);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cert_fault fault;
        enum cert_fault_kind kind = meet(&set, ctx, rows[i].host, &fault);
        cr_assert_eq(kind, rows[i].kind, "%s: %s", rows[i].host, fault.text);
        if (kind != CERT_OK) {
            cr_assert_not_null(strstr(fault.text, "DNS:time.example"), "%s", fault.text);
            cr_assert_not_null(strstr(fault.text, "mismatch"), "%s", fault.text);
        }
    }
    SSL_CTX_free(ctx);
    tear_down(&set);
}

Test(tls_client, hosts_that_can_be_no_name)
{
    char longest[300];
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    const char *const hosts[] = {"", ".", ".example", longest};
    struct setting set;
    set_up(&set, time(NULL) - 3600);
    SSL_CTX *ctx = client_ctx(set.ca, false);
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        cr_assert_null(tls_client_connection(ctx, hosts[i]), "%zu", i);
    }
    SSL_CTX_free(ctx);
    tear_down(&set);
}

Test(tls_client, addresses_are_not_sent_as_sni)
{
    struct setting set;
    struct shake s;
    set_up(&set, time(NULL) - 3600);
    SSL_CTX *ctx = client_ctx(set.ca, false);
    shake_join(&s, tls_client_connection(ctx, "192.0.2.1"), tls_server_connection(set.server));
    cr_assert(shake_run(&s));
    cr_assert_null(SSL_get_servername(s.server, TLSEXT_NAMETYPE_host_name));
    shake_free(&s);
    shake_join(&s, tls_client_connection(ctx, "time.example."), tls_server_connection(set.server));
    cr_assert(shake_run(&s));
    cr_assert_str_eq(SSL_get_servername(s.server, TLSEXT_NAMETYPE_host_name), "time.example");
    shake_free(&s);
    SSL_CTX_free(ctx);
    tear_down(&set);
}

Test(tls_client, other_authority_is_refused)
{
    struct setting ours;
    struct setting theirs;
    struct cert_fault fault;
    set_up(&ours, time(NULL) - 3600);
    set_up(&theirs, time(NULL) - 3600);
    SSL_CTX *ctx = client_ctx(ours.ca, false);
    SSL_CTX *system = client_ctx(NULL, false);
    cr_assert_eq(meet(&theirs, ctx, "time.example", &fault), CERT_CHAIN_ORDER, "%s", fault.text);
    cr_assert_eq(meet(&ours, system, "time.example", &fault), CERT_CHAIN_ORDER, "%s", fault.text);
    cr_assert_eq(meet(&ours, ctx, "time.example", &fault), CERT_OK, "%s", fault.text);
    SSL_CTX_free(ctx);
    SSL_CTX_free(system);
    tear_down(&ours);
    tear_down(&theirs);
}

/* A device without a clock ignores the dates, learns the time and then asks again. */
Test(tls_client, dates_now_or_later)
{
    const int64_t now = time(NULL);
    const struct {
        int64_t not_before;
        enum cert_fault_kind kind;
    } rows[] = {
        {now - 3600, CERT_OK},
        {now - 91 * DAY, CERT_EXPIRED},
        {now + DAY, CERT_NOT_YET_VALID},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct setting set;
        struct cert_fault fault;
        struct shake s;
        set_up(&set, rows[i].not_before);
        SSL_CTX *strict = client_ctx(set.ca, false);
        SSL_CTX *patient = client_ctx(set.ca, true);
        cr_assert_eq(meet(&set, strict, "time.example", &fault), rows[i].kind, "%s", fault.text);
        cr_assert_eq(meet(&set, patient, "other.example", &fault), CERT_NO_NAMES);
        shake_join(&s, tls_client_connection(patient, "time.example"),
                   tls_server_connection(set.server));
        cr_assert(shake_run(&s));
        cr_assert_eq(tls_client_check_dates(s.client, now, &fault),
                     rows[i].kind == CERT_OK ? NTS_OK : NTS_EAUTH);
        cr_assert_eq(fault.kind, rows[i].kind, "%s", fault.text);
        cr_assert_eq(tls_client_check_dates(s.client, rows[i].not_before, &fault), NTS_OK);
        shake_free(&s);
        SSL_CTX_free(strict);
        SSL_CTX_free(patient);
        tear_down(&set);
    }
}

Test(tls_client, nothing_was_verified_before_the_handshake)
{
    struct setting set;
    struct cert_fault fault;
    set_up(&set, time(NULL) - 3600);
    SSL_CTX *ctx = client_ctx(set.ca, false);
    SSL *ssl = tls_client_connection(ctx, "time.example");
    cr_assert_eq(tls_client_check_dates(ssl, time(NULL), &fault), NTS_EAUTH);
    cr_assert_not(tls_client_failure(ssl, &fault));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    tear_down(&set);
}

/* Chooses what it is told to, offered or not. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    (void)ssl;
    (void)in;
    (void)in_len;
    const char *name = arg;
    if (name == NULL) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = (const unsigned char *)name;
    *out_len = (unsigned char)strlen(name);
    return SSL_TLSEXT_ERR_OK;
}

Test(tls_client, server_that_does_not_agree_to_the_protocol_is_refused)
{
    static const struct {
        const char *chosen;
        bool good;
    } rows[] = {{"ntske/1", true}, {NULL, false}, {"h2", false}, {"ntske/10", false}};
    struct setting set;
    set_up(&set, time(NULL) - 3600);
    SSL_CTX *ctx = client_ctx(set.ca, false);
    SSL_CTX *other = SSL_CTX_new(TLS_server_method());
    cr_assert_eq(SSL_CTX_use_certificate_file(other, scratch_path(&set.scratch, "server.pem"),
                                              SSL_FILETYPE_PEM),
                 1);
    cr_assert_eq(SSL_CTX_use_PrivateKey_file(other, scratch_path(&set.scratch, "server.key"),
                                             SSL_FILETYPE_PEM),
                 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct shake s;
        struct cert_fault fault;
        SSL_CTX_set_alpn_select_cb(other, choose_alpn, (void *)(uintptr_t)rows[i].chosen);
        SSL *server = SSL_new(other);
        SSL_set_accept_state(server);
        shake_join(&s, tls_client_connection(ctx, "time.example"), server);
        cr_assert_eq(shake_run(&s), rows[i].good, "row %zu", i);
        /* A name that was not offered may be refused by the library itself. */
        cr_assert(rows[i].chosen != NULL || tls_client_failure(s.client, &fault));
        cr_assert(rows[i].chosen != NULL || strstr(fault.text, "ALPN") != NULL, "%s", fault.text);
        shake_free(&s);
    }
    SSL_CTX_set_max_proto_version(other, TLS1_2_VERSION);
    struct shake s;
    SSL *server = SSL_new(other);
    SSL_set_accept_state(server);
    shake_join(&s, tls_client_connection(ctx, "time.example"), server);
    cr_assert_not(shake_run(&s));
    shake_free(&s);
    SSL_CTX_free(other);
    SSL_CTX_free(ctx);
    tear_down(&set);
}

Test(tls_client, facts_of_a_connection)
{
    const int64_t from = time(NULL) - 3600;
    struct setting set;
    struct tls_client_info info;
    struct shake s;
    set_up(&set, from);
    SSL_CTX *ctx = client_ctx(set.ca, false);
    shake_join(&s, tls_client_connection(ctx, "time.example"), tls_server_connection(set.server));
    cr_assert(shake_run(&s));
    tls_client_describe(s.client, &info);
    cr_assert_str_eq(info.version, "TLSv1.3");
    cr_assert_str_eq(info.group, "x25519");
    cr_assert_str_eq(info.cipher, "TLS_AES_256_GCM_SHA384");
    cr_assert_str_eq(info.names, "DNS:time.example DNS:*.wild.example IP:192.0.2.1 IP:2001:db8::1");
    cr_assert_str_eq(info.issuer, "CN=ntsd development CA");
    cr_assert_eq(info.not_after, from + 90 * DAY);
    shake_free(&s);
    SSL *idle = tls_client_connection(ctx, "time.example");
    tls_client_describe(idle, &info);
    cr_assert_str_eq(info.names, "");
    SSL_free(idle);
    SSL_CTX_free(ctx);
    tear_down(&set);
}

Test(tls_client, authority_files_with_faults)
{
    static const struct {
        const char *text;
        enum cert_fault_kind kind;
    } rows[] = {
        {"", CERT_EMPTY},
        {"no PEM in here\n", CERT_EMPTY},
        {"-----BEGIN CERTIFICATE-----\nMIIB\n", CERT_MALFORMED},
        {"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", CERT_MALFORMED},
    };
    struct scratch scratch;
    struct cert_fault fault;
    SSL_CTX *ctx;
    scratch_open(&scratch);
    struct tls_client_options options = {.ca_file = scratch_path(&scratch, "ca.pem"), .alpn = ALPN};
    cr_assert_eq(tls_client_new(&options, &ctx, &fault), NTS_ESYSTEM);
    cr_assert_eq(fault.kind, CERT_UNREADABLE);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        scratch_put(&scratch, "ca.pem", rows[i].text, O_TRUNC);
        cr_assert_eq(tls_client_new(&options, &ctx, &fault), NTS_EFORMAT);
        cr_assert_null(ctx);
        cr_assert_eq(fault.kind, rows[i].kind, "row %zu: %s", i, fault.text);
        cr_assert_not_null(strstr(fault.text, options.ca_file));
    }
    scratch_close(&scratch);
}

/* A certificate of ours: the chain and the key in files, or what is wrong with them. */
Test(tls_client, own_files_with_faults)
{
    struct made own = made_leaf("device", "P-256", NULL);
    struct made other = made_leaf("device", "P-256", NULL);
    char *const texts[] = {made_cert_text(own.cert), made_key_text(own.key, NULL, false),
                           made_key_text(other.key, NULL, false),
                           made_key_text(own.key, "secret", false), strdup("")};
    enum { CERT, KEY, OTHER_KEY, SECRET_KEY, NOTHING, TEXTS };
    static const struct {
        int cert;
        int key;
        enum cert_fault_kind kind;
    } rows[] = {
        {CERT, KEY, CERT_OK},
        {CERT, OTHER_KEY, CERT_KEY_MISMATCH},
        {CERT, SECRET_KEY, CERT_KEY_ENCRYPTED},
        {CERT, NOTHING, CERT_EMPTY},
        {NOTHING, KEY, CERT_EMPTY},
    };
    struct scratch scratch;
    struct cert_fault fault;
    char cert[PATH_MAX];
    char key[PATH_MAX];
    SSL_CTX *ctx;
    scratch_open(&scratch);
    (void)snprintf(cert, sizeof(cert), "%s/cert.pem", scratch.dir);
    (void)snprintf(key, sizeof(key), "%s/key.pem", scratch.dir);
    const struct tls_client_options options = {.cert_file = cert, .key_file = key, .alpn = ALPN};
    cr_expect_eq(tls_client_new(&options, &ctx, &fault), NTS_ESYSTEM);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        scratch_put(&scratch, "cert.pem", texts[rows[i].cert], O_TRUNC);
        scratch_put(&scratch, "key.pem", texts[rows[i].key], O_TRUNC);
        enum nts_err err = tls_client_new(&options, &ctx, &fault);
        cr_expect_eq(err == NTS_OK, rows[i].kind == CERT_OK, "row %zu", i);
        cr_expect_eq(fault.kind, rows[i].kind, "row %zu: %s", i, fault.text);
        cr_expect_eq(ctx != NULL, rows[i].kind == CERT_OK);
        SSL_CTX_free(ctx);
    }
    for (size_t i = 0; i < TEXTS; i++) {
        free(texts[i]);
    }
    made_free(&own);
    made_free(&other);
    scratch_close(&scratch);
}
