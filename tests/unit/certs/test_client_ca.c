/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshakes with servers that want a certificate of a fleet: who gets in, and what the others are
 * told.
 */
#include "certs/client_ca.h"

#include "certs/devca.h"
#include "certs/info.h"
#include "certs/tls_server.h"
#include "tests/unit/certs/fleet.h"
#include "tests/unit/certs/scratch.h"
#include "tests/unit/certs/shake.h"

#include <limits.h>

static const unsigned char ALPN_WIRE[] = "\x07ntske/1";

enum { PAIRS = 2, CHAIN_MAX = 32 };

static struct scratch scratch;
static struct tls_server *server;
static struct tls_server_info info;
static SSL_CTX *client_ctx;
static struct made root;
static struct made below[CLIENT_CHAIN_DEPTH + 1]; /* each issued by the one before */
static struct made stranger;

static void set_up(void)
{
    scratch_open(&scratch);
    client_ctx = SSL_CTX_new(TLS_client_method());
    root = fleet_authority("fleet", NULL);
    for (size_t i = 0; i <= CLIENT_CHAIN_DEPTH; i++) {
        below[i] = fleet_authority("below", i == 0 ? &root : &below[i - 1]);
    }
    stranger = fleet_authority("stranger", NULL);
    for (size_t i = 0; i < PAIRS; i++) {
        static const char *const names[PAIRS] = {"a.example", "b.example"};
        struct cert_fault fault;
        char dir[PATH_MAX];
        (void)snprintf(dir, sizeof(dir), "%s/%zu", scratch.dir, i);
        const struct devca_options options = {
            .dir = dir, .names = &names[i], .name_count = 1, .not_before = time(NULL)};
        cr_assert_eq(devca_make(&options, &fault), NTS_OK, "%s", fault.text);
    }
}

static void tear_down(void)
{
    tls_server_free(server);
    server = NULL;
    SSL_CTX_free(client_ctx);
    made_free(&root);
    made_free(&stranger);
    for (size_t i = 0; i <= CLIENT_CHAIN_DEPTH; i++) {
        made_free(&below[i]);
    }
    scratch_close(&scratch);
}

TestSuite(client_ca, .init = set_up, .fini = tear_down);

static enum nts_err try_to_serve(bool lists, struct cert_fault *fault)
{
    static char path[2 * PAIRS + 2][PATH_MAX];
    struct tls_pair_files files[PAIRS];
    for (size_t i = 0; i < PAIRS; i++) {
        (void)snprintf(path[2 * i], PATH_MAX, "%s/%zu/server.pem", scratch.dir, i);
        (void)snprintf(path[2 * i + 1], PATH_MAX, "%s/%zu/server.key", scratch.dir, i);
        files[i] = (struct tls_pair_files){.cert = path[2 * i], .key = path[2 * i + 1]};
    }
    (void)snprintf(path[4], PATH_MAX, "%s/ca.pem", scratch.dir);
    (void)snprintf(path[5], PATH_MAX, "%s/crl.pem", scratch.dir);
    const struct tls_server_options options = {
        .files = files,
        .count = PAIRS,
        .alpn = "ntske/1",
        .now_s = time(NULL),
        .clients = {.ca = path[4], .crl = lists ? path[5] : NULL},
    };
    return tls_server_new(&options, &server, &info, fault);
}

static void serve(bool lists)
{
    struct cert_fault fault;
    cr_assert_eq(try_to_serve(lists, &fault), NTS_OK, "%s", fault.text);
}

static void trust(const struct made *authority)
{
    FLEET_PUT(&scratch, "ca.pem", made_cert_text(authority->cert));
}

/* What came of a visit. */
struct visit {
    bool let_in;
    int alert; /* -1: none */
    enum client_refusal refusal;
    size_t place;
    char subject[CLIENT_CA_TEXT_MAX]; /* of the certificate the server saw */
};

/* The end of the handshake is the client's; what the server makes of it comes behind. */
static int alert_read(struct shake *s)
{
    char octet;
    ERR_clear_error();
    if (s->client_done && SSL_read(s->client, &octet, 1) <= 0) {
        unsigned long code = ERR_peek_error();
        s->client_error = ERR_GET_REASON(code);
    }
    ERR_clear_error();
    return shake_alert(s);
}

static void step_server(struct shake *s, struct visit *visit)
{
    if (s->server_done || s->server_error != 0) {
        return;
    }
    ERR_clear_error();
    int got = SSL_do_handshake(s->server);
    s->server_done = got == 1;
    if (got != 1 && SSL_get_error(s->server, got) != SSL_ERROR_WANT_READ) {
        s->server_error = -1;
        visit->refusal = client_ca_refusal(s->server);
    }
}

static struct visit meet(SSL *client)
{
    struct shake s;
    struct visit visit = {.alert = -1};
    cr_assert_eq(SSL_set_alpn_protos(client, ALPN_WIRE, sizeof(ALPN_WIRE) - 1), 0);
    SSL_set_connect_state(client);
    shake_join(&s, client, tls_server_connection(server));
    for (int i = 0; i < SHAKE_ROUNDS; i++) {
        shake_client(&s);
        step_server(&s, &visit);
    }
    visit.let_in = s.server_done;
    visit.alert = alert_read(&s);
    visit.place = visit.let_in ? client_ca_place(s.server) : CLIENT_CA_MAX;
    const X509 *cert = client_ca_certificate(s.server);
    if (cert != NULL) {
        cert_subject_text(cert, visit.subject, sizeof(visit.subject));
    }
    shake_free(&s);
    return visit;
}

/* A client with this certificate, and these behind it. Releases `device`. */
static struct visit visit_as(struct made device, const struct made *const *chain)
{
    SSL *client = SSL_new(client_ctx);
    cr_assert_eq(SSL_use_certificate(client, device.cert), 1);
    cr_assert_eq(SSL_use_PrivateKey(client, device.key), 1);
    for (; chain != NULL && *chain != NULL; chain++) {
        cr_assert_eq(SSL_add1_chain_cert(client, (*chain)->cert), 1);
    }
    made_free(&device);
    return meet(client);
}

static void expect_refused(struct visit visit, enum client_refusal refusal, int alert,
                           const char *what)
{
    cr_expect_not(visit.let_in, "%s", what);
    cr_expect_eq(visit.refusal, refusal, "%s: %d", what, visit.refusal);
    cr_expect_eq(visit.alert, alert, "%s: alert %d", what, visit.alert);
}

Test(client_ca, without_authorities_nobody_is_asked)
{
    struct cert_fault fault;
    char cert[PATH_MAX];
    char key[PATH_MAX];
    (void)snprintf(cert, sizeof(cert), "%s/0/server.pem", scratch.dir);
    (void)snprintf(key, sizeof(key), "%s/0/server.key", scratch.dir);
    const struct tls_pair_files files = {.cert = cert, .key = key};
    const struct tls_server_options options = {
        .files = &files, .count = 1, .alpn = "ntske/1", .now_s = time(NULL)};
    cr_assert_eq(tls_server_new(&options, &server, &info, &fault), NTS_OK, "%s", fault.text);
    cr_expect_eq(info.clients.count, 0);
    struct visit visit = visit_as(fleet_device("device", &stranger), NULL);
    cr_expect(visit.let_in);
    cr_expect_eq(visit.place, CLIENT_CA_MAX);
    cr_expect_str_eq(visit.subject, "", "it was not asked for and not sent");
}

Test(client_ca, devices_come_from_one_of_the_authorities)
{
    static const char *const names[] = {NULL, "a.example", "b.example", "c.example"};
    trust(&stranger);
    trust(&root);
    serve(false);
    cr_expect_eq(info.clients.count, 2);
    cr_expect_str_eq(info.clients.ca[1].subject, "CN=fleet");
    cr_expect_gt(info.clients.ca[1].not_after, time(NULL));
    for (size_t i = 0; i < 4; i++) { /* whichever pair answers */
        struct made device = fleet_device("device", &root);
        SSL *client = SSL_new(client_ctx);
        cr_assert_eq(SSL_use_certificate(client, device.cert), 1);
        cr_assert_eq(SSL_use_PrivateKey(client, device.key), 1);
        cr_assert(names[i] == NULL || SSL_set_tlsext_host_name(client, names[i]) == 1);
        made_free(&device);
        struct visit visit = meet(client);
        cr_expect(visit.let_in, "%zu", i);
        cr_expect_eq(visit.place, 1);
        cr_expect_str_eq(visit.subject, "CN=device");
        client = SSL_new(client_ctx);
        cr_assert(names[i] == NULL || SSL_set_tlsext_host_name(client, names[i]) == 1);
        expect_refused(meet(client), CLIENT_NO_CERTIFICATE, SSL_AD_CERTIFICATE_REQUIRED, "none");
    }
    cr_expect_eq(visit_as(fleet_device("device", &stranger), NULL).place, 0);
}

Test(client_ca, refusals_have_their_reasons_and_alerts)
{
    static const char *const host[] = {"a.example"};
    const struct cert_request website = {.common_name = "website",
                                         .names = host,
                                         .name_count = 1,
                                         .not_before = time(NULL) - FLEET_DAY,
                                         .not_after = time(NULL) + FLEET_DAY};
    const struct made *const chain[] = {&below[0], NULL};
    trust(&root);
    serve(false);
    expect_refused(visit_as(fleet_device("device", &stranger), NULL), CLIENT_UNKNOWN_CA,
                   SSL_AD_UNKNOWN_CA, "another fleet's");
    expect_refused(visit_as(fleet_device("device", &below[0]), NULL), CLIENT_UNKNOWN_CA,
                   SSL_AD_UNKNOWN_CA, "its issuer is missing");
    expect_refused(visit_as(fleet_device_at("device", &root, -9, -8), NULL), CLIENT_EXPIRED,
                   SSL_AD_CERTIFICATE_EXPIRED, "expired");
    expect_refused(visit_as(fleet_device_at("device", &root, 8, 9), NULL), CLIENT_NOT_YET_VALID,
                   SSL_AD_BAD_CERTIFICATE, "not yet valid");
    expect_refused(visit_as(made_from(&website, "P-256", &root), NULL), CLIENT_PURPOSE,
                   SSL_AD_UNSUPPORTED_CERTIFICATE, "a server's");
    expect_refused(visit_as(fleet_authority("device", NULL), NULL), CLIENT_UNKNOWN_CA,
                   SSL_AD_UNKNOWN_CA, "its own");
    cr_expect(visit_as(fleet_device("device", &below[0]), chain).let_in);
}

/* Signed by a key that is not its issuer's, though it bears the name. */
Test(client_ca, a_forged_certificate_is_invalid)
{
    struct made forger = fleet_authority("fleet", NULL);
    struct made device = fleet_device("device", &root);
    X509 *forged = X509_dup(device.cert);
    trust(&root);
    serve(false);
    cr_assert_gt(X509_sign(forged, forger.key, EVP_sha256()), 0);
    X509_free(device.cert);
    device.cert = forged;
    expect_refused(visit_as(device, NULL), CLIENT_INVALID, SSL_AD_DECRYPT_ERROR, "forged");
    made_free(&forger);
}

Test(client_ca, an_intermediate_is_an_anchor_of_its_own)
{
    trust(&below[0]);
    serve(false);
    cr_expect(visit_as(fleet_device("device", &below[0]), NULL).let_in);
    expect_refused(visit_as(fleet_device("device", &root), NULL), CLIENT_UNKNOWN_CA,
                   SSL_AD_UNKNOWN_CA, "what is above it is not trusted");
}

Test(client_ca, chains_are_as_long_as_they_may_be_and_no_longer)
{
    const struct made *const longest[] = {&below[2], &below[1], &below[0], NULL};
    const struct made *const longer[] = {&below[3], &below[2], &below[1], &below[0], NULL};
    trust(&root);
    serve(false);
    cr_expect(visit_as(fleet_device("device", &below[2]), longest).let_in);
    expect_refused(visit_as(fleet_device("device", &below[3]), longer), CLIENT_INVALID,
                   SSL_AD_UNKNOWN_CA, "one more");
}

/* Whether the message that long is needed or not. */
Test(client_ca, messages_are_no_longer_than_allowed)
{
    const struct made *chain[CHAIN_MAX + 1] = {NULL};
    unsigned char *der = NULL;
    int len = i2d_X509(below[0].cert, &der);
    OPENSSL_free(der);
    size_t fit = CLIENT_CHAIN_MAX / (size_t)(len + 5) - 2; /* the device's takes as much */
    trust(&root);
    serve(false);
    for (size_t i = 0; i < CHAIN_MAX; i++) {
        chain[i] = i < fit ? &below[0] : NULL;
    }
    cr_expect(visit_as(fleet_device("device", &root), chain).let_in, "%zu of %d", fit, len);
    for (size_t i = 0; i < CHAIN_MAX; i++) {
        chain[i] = i < fit + 2 ? &below[0] : NULL;
    }
    expect_refused(visit_as(fleet_device("device", &root), chain), CLIENT_INVALID,
                   SSL_AD_ILLEGAL_PARAMETER, "two more");
}

Test(client_ca, revoked_devices_are_refused_also_by_a_list_past_its_date)
{
    struct made stolen = fleet_device("stolen", &root);
    const struct made *const chain[] = {&below[0], NULL};
    trust(&root);
    FLEET_PUT(
        &scratch, "crl.pem",
        fleet_list_text(&(struct fleet_list){.by = &root, .revoked = {stolen.cert}, .until = -2}));
    serve(true);
    cr_expect_eq(info.clients.revoked, 1);
    cr_expect_lt(info.clients.crl_until, time(NULL));
    expect_refused(visit_as(stolen, NULL), CLIENT_REVOKED, SSL_AD_CERTIFICATE_REVOKED, "stolen");
    cr_expect(visit_as(fleet_device("device", &root), NULL).let_in);
    struct visit visit = visit_as(fleet_device("device", &below[0]), chain);
    cr_expect_not(visit.let_in);
    cr_expect_eq(visit.refusal, CLIENT_NO_CRL, "its issuer has no list");
}

Test(client_ca, files_with_faults)
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
    struct cert_fault fault;
    cr_expect_eq(try_to_serve(false, &fault), NTS_ESYSTEM);
    cr_expect_eq(fault.kind, CERT_UNREADABLE);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        scratch_put(&scratch, "ca.pem", rows[i].text, O_TRUNC);
        cr_expect_neq(try_to_serve(false, &fault), NTS_OK);
        cr_expect_eq(fault.kind, rows[i].kind, "row %zu: %s", i, fault.text);
        cr_expect_null(server);
        cr_expect_eq(info.clients.count, 0);
    }
    scratch_put(&scratch, "ca.pem", "", O_TRUNC);
    struct made device = fleet_device("device", &root);
    trust(&root);
    trust(&device);
    made_free(&device);
    cr_expect_eq(try_to_serve(false, &fault), NTS_EAUTH);
    cr_expect_eq(fault.kind, CERT_NOT_CA);
    cr_expect_not_null(strstr(fault.text, "certificate 2 (CN=device)"), "%s", fault.text);
    scratch_put(&scratch, "ca.pem", "", O_TRUNC);
    for (size_t i = 0; i < CLIENT_CA_MAX; i++) {
        trust(&root);
    }
    cr_expect_eq(try_to_serve(false, &fault), NTS_OK, "%s", fault.text);
    tls_server_free(server);
    cr_expect_eq(try_to_serve(true, &fault), NTS_ESYSTEM, "the lists are not there");
    trust(&root);
    cr_expect_eq(try_to_serve(false, &fault), NTS_EFORMAT, "one more");
}
