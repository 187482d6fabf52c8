/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service where clients need a certificate: no cookie for anyone before it is verified, every
 * refusal counted once, lists of revoked ones exchanged while it runs.
 */
#include "tests/unit/certs/fleet.h"
#include "tests/unit/certs/scratch.h"
#include "tests/unit/nts-ke/ke_visit.h"

static struct ke_fixture fixture;
static struct scratch scratch;
static char ca_path[PATH_MAX];
static char crl_path[PATH_MAX];
static struct made root;
static struct made below;
static struct made stranger;
static const uint8_t REQUEST[] = {0x80, 1, 0, 2, 0, 0, 0x80, 4, 0, 2, 0, 15, 0x80, 0, 0, 0};

static void run(void)
{
    struct ke_service_options options = fixture_prepare(&fixture);
    (void)signal(SIGPIPE, SIG_IGN); /* those who are refused find out while they write */
    scratch_open(&scratch);
    root = fleet_authority("fleet", NULL);
    below = fleet_authority("below", &root);
    stranger = fleet_authority("stranger", NULL);
    FLEET_PUT(&scratch, "ca.pem", made_cert_text(root.cert));
    FLEET_PUT(&scratch, "ca.pem", made_cert_text(below.cert));
    FLEET_PUT(&scratch, "crl.pem", fleet_list_text(&(struct fleet_list){.by = &root}));
    FLEET_PUT(&scratch, "crl.pem", fleet_list_text(&(struct fleet_list){.by = &below}));
    (void)snprintf(ca_path, sizeof(ca_path), "%s/ca.pem", scratch.dir);
    (void)snprintf(crl_path, sizeof(crl_path), "%s/crl.pem", scratch.dir);
    options.clients = (struct client_ca_files){.ca = ca_path, .crl = crl_path};
    fixture_run(&fixture, &options);
    FIXTURE_AWAIT(fixture_status(&fixture).ready == 1);
}

static void stop(void)
{
    fixture_stop(&fixture);
    made_free(&root);
    made_free(&below);
    made_free(&stranger);
    scratch_close(&scratch);
}

TestSuite(ke_devices, .init = run, .fini = stop);

/* From now on the fixture's client is this device, or nobody. Its files are removed at once. */
static void become(const struct made *device)
{
    struct cert_fault fault;
    char cert[PATH_MAX];
    char key[PATH_MAX];
    (void)snprintf(cert, sizeof(cert), "%s/cert.pem", scratch.dir);
    (void)snprintf(key, sizeof(key), "%s/key.pem", scratch.dir);
    struct tls_client_options options = {.ca_file = fixture.ca, .alpn = KE_ALPN};
    if (device != NULL) {
        FLEET_PUT(&scratch, "cert.pem", made_cert_text(device->cert));
        FLEET_PUT(&scratch, "key.pem", made_key_text(device->key, NULL, false));
        options.cert_file = cert;
        options.key_file = key;
    }
    SSL_CTX_free(fixture.tls);
    cr_assert_eq(tls_client_new(&options, &fixture.tls, &fault), NTS_OK, "%s", fault.text);
    (void)unlink(cert);
    (void)unlink(key);
}

/* A client whose last flight and request leave in one piece. */
static void visit_in_one_piece(struct peer *peer)
{
    char buf[4096];
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    peer->fd = peer_connect(&fixture);
    peer->len = 0;
    peer->ssl = tls_client_connection(fixture.tls, "localhost");
    SSL_set_bio(peer->ssl, in, out);
    while (SSL_do_handshake(peer->ssl) != 1) {
        char *p = NULL;
        long n = BIO_get_mem_data(out, &p);
        cr_assert_eq(send(peer->fd, p, (size_t)n, 0), n);
        (void)BIO_reset(out);
        ssize_t got = recv(peer->fd, buf, sizeof(buf), 0);
        cr_assert_gt(got, 0);
        cr_assert_eq(BIO_write(in, buf, (int)got), got);
    }
    peer_say(peer, REQUEST, sizeof(REQUEST));
    char *p = NULL;
    long n = BIO_get_mem_data(out, &p);
    cr_assert_eq(send(peer->fd, p, (size_t)n, 0), n);
    for (ssize_t got; (got = recv(peer->fd, buf, sizeof(buf), 0)) > 0;) {
        cr_assert_eq(BIO_write(in, buf, (int)got), got);
    }
    (void)peer_listen(peer);
}

static uint64_t count(enum ke_count index)
{
    return fixture_count(&fixture, index);
}

static void expect_refused(const struct made *device, enum ke_count counter)
{
    struct peer peer;
    uint64_t before = count(counter);
    uint64_t failed = count(KE_COUNT_TLS_FAILED);
    become(device);
    visit_in_one_piece(&peer);
    cr_expect_eq(peer.len, 0, "%s: %zu octets of an answer", ke_count_name(counter), peer.len);
    peer_leave(&peer);
    FIXTURE_AWAIT(count(counter) == before + 1);
    cr_expect_eq(count(KE_COUNT_TLS_FAILED), failed, "counted once");
}

Test(ke_devices, nobody_gets_a_cookie_before_its_certificate_is_verified)
{
    struct made device = fleet_device("device", &root);
    struct made foreign = fleet_device("foreign", &stranger);
    struct made expired = fleet_device_at("expired", &root, -9, -8);
    expect_refused(NULL, KE_COUNT_CLIENT_NO_CERTIFICATE);
    expect_refused(&foreign, KE_COUNT_CLIENT_UNKNOWN_CA);
    expect_refused(&expired, KE_COUNT_CLIENT_EXPIRED);
    cr_expect_eq(count(KE_COUNT_SERVED), 0);
    cr_expect_eq(count(KE_COUNT_CLIENT_CA_0), 0);
    struct peer peer;
    become(&device); /* in the same way, to show that it is one that works */
    visit_in_one_piece(&peer);
    cr_expect_gt(peer.len, 800);
    peer_leave(&peer);
    FIXTURE_AWAIT(count(KE_COUNT_SERVED) == 1);
    cr_expect_eq(count(KE_COUNT_CLIENT_CA_0), 1);
    made_free(&device);
    made_free(&foreign);
    made_free(&expired);
}

Test(ke_devices, devices_are_counted_by_authority)
{
    struct made device = fleet_device("device", &below);
    become(&device);
    fixture_canary(&fixture);
    fixture_canary(&fixture);
    cr_expect_eq(count(KE_COUNT_CLIENT_CA_0), 0);
    cr_expect_eq(count(KE_COUNT_CLIENT_CA_0 + 1), 2);
    struct ke_status status = fixture_status(&fixture);
    cr_expect_eq(status.clients.count, 2);
    cr_expect_str_eq(status.clients.ca[1].subject, "CN=below");
    cr_expect_eq(status.clients.crl_count, 2);
    made_free(&device);
}

/* The limits on input are above what the longest chain takes, also in small records. */
Test(ke_devices, a_long_chain_in_small_records_fits)
{
    struct peer peer;
    struct made device = fleet_device("device", &root);
    unsigned char *der = NULL;
    int len = i2d_X509(below.cert, &der);
    OPENSSL_free(der);
    become(&device);
    for (int room = CLIENT_CHAIN_MAX - 2 * (len + 5); room > len + 5; room -= len + 5) {
        cr_assert_eq(SSL_CTX_add1_chain_cert(fixture.tls, below.cert), 1);
    }
    cr_assert_eq(SSL_CTX_set_max_send_fragment(fixture.tls, 512), 1);
    visit_in_one_piece(&peer);
    cr_expect_gt(peer.len, 800);
    peer_leave(&peer);
    made_free(&device);
}

/* Handshakes that go on for ever are cut, as they are where no certificate is needed. */
Test(ke_devices, a_chain_without_end_is_cut)
{
    struct made device = fleet_device("device", &root);
    struct ke_client_result *result = calloc(1, sizeof(*result));
    static const uint16_t aeads[] = {15};
    become(&device);
    for (int i = 0; i < 200; i++) {
        cr_assert_eq(SSL_CTX_add1_chain_cert(fixture.tls, below.cert), 1);
    }
    cr_expect_neq(fixture_exchange(&fixture, aeads, 1, result), NTS_OK);
    ke_client_result_wipe(result);
    FIXTURE_AWAIT(count(KE_COUNT_CLIENT_INVALID) == 1);
    free(result);
    made_free(&device);
}

static void replace_lists(const struct made *revoked)
{
    const struct fleet_list list = {.by = &root, .revoked = {revoked->cert}};
    scratch_put(&scratch, "crl.pem", "", O_TRUNC);
    FLEET_PUT(&scratch, "crl.pem", fleet_list_text(&list));
    FLEET_PUT(&scratch, "crl.pem", fleet_list_text(&(struct fleet_list){.by = &below}));
}

static void ask_for_reload(enum ke_count outcome)
{
    uint64_t before = count(outcome);
    cr_assert_eq(kill(fixture.pid, SIGHUP), 0);
    FIXTURE_AWAIT(count(outcome) > before);
}

Test(ke_devices, lists_are_exchanged_and_bad_ones_are_not_taken)
{
    struct made device = fleet_device("device", &root);
    struct made stolen = fleet_device("stolen", &root);
    become(&stolen);
    fixture_canary(&fixture);
    replace_lists(&stolen);
    ask_for_reload(KE_COUNT_RELOADS);
    FIXTURE_AWAIT(fixture_status(&fixture).clients.revoked == 1);
    expect_refused(&stolen, KE_COUNT_CLIENT_REVOKED);

    scratch_put(&scratch, "crl.pem", "-----BEGIN X509 CRL-----\nMIIB\n", O_TRUNC);
    ask_for_reload(KE_COUNT_RELOAD_FAILED);
    FIXTURE_AWAIT(fixture_status(&fixture).last_reload_failed == 1);
    expect_refused(&stolen, KE_COUNT_CLIENT_REVOKED);
    become(&device);
    fixture_canary(&fixture);

    scratch_put(&scratch, "ca.pem", "no authority", O_TRUNC);
    replace_lists(&device);
    ask_for_reload(KE_COUNT_RELOAD_FAILED);
    become(&device);
    fixture_canary(&fixture); /* all of the new or all of the old */
    made_free(&device);
    made_free(&stolen);
}

/* What is on disk is looked at without a signal, too. */
Test(ke_devices, changed_lists_are_loaded_by_themselves)
{
    struct made stolen = fleet_device("stolen", &root);
    replace_lists(&stolen);
    FIXTURE_AWAIT(fixture_status(&fixture).clients.revoked == 1);
    made_free(&stolen);
}
