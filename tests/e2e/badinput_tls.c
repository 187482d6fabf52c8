/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bad TLS and bare TCP connections to a running ntsd's NTS-KE service, row by row: what is sent,
 * what must come back, which counter must move; honest key establishments in between. `badinput_tls
 * --table` prints the rows as the table of docs/bad-input.md.
 */
#include "tests/support/ke_probe.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* Whether a client with `tune` applied completes a handshake and is served. */
static bool handshake(const struct probe *probe, void (*tune)(SSL *), const char *sni)
{
    uint8_t bytes[64];
    uint8_t answer[KE_REQUEST_MAX];
    struct wr w = wr_init(bytes, sizeof(bytes));
    ke_probe_good_request(&w);
    SSL *ssl = ke_probe_tls(probe, probe->tls, "127.0.0.1");
    tune(ssl);
    if (sni != NULL) {
        (void)SSL_set_tlsext_host_name(ssl, sni);
    }
    bool done = SSL_connect(ssl) == 1 && ke_probe_send(ssl, wr_done(&w), WHOLE) &&
                ke_probe_understand(span_of(answer, ke_probe_read(ssl, answer, sizeof(answer)))) ==
                    REPLY_OK;
    ke_probe_close(ssl);
    return done;
}

static void tune_nothing(SSL *ssl)
{
    (void)ssl;
}

static void tune_tls12(SSL *ssl)
{
    (void)SSL_set_min_proto_version(ssl, TLS1_VERSION);
    (void)SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
}

static void tune_tls11(SSL *ssl)
{
    SSL_set_security_level(ssl, 0);
    (void)SSL_set_min_proto_version(ssl, TLS1_VERSION);
    (void)SSL_set_max_proto_version(ssl, TLS1_1_VERSION);
}

static void tune_no_alpn(SSL *ssl)
{
    (void)SSL_set_alpn_protos(ssl, NULL, 0);
}

static void tune_wrong_alpn(SSL *ssl)
{
    (void)SSL_set_alpn_protos(ssl, (const uint8_t *)"\2h2", 3);
}

static void tune_two_alpn(SSL *ssl)
{
    (void)SSL_set_alpn_protos(ssl, (const uint8_t *)"\2h2\7ntske/1", 11);
}

static void tune_many_alpn(SSL *ssl)
{
    static uint8_t list[200 * 9];
    for (size_t i = 0; i < 200; i++) {
        memcpy(list + i * 9, "\10proto-xx", 9);
    }
    memcpy(list + 199 * 9, "\10ntske/1x", 9);
    (void)SSL_set_alpn_protos(ssl, list, sizeof(list));
}

static void tune_ffdhe(SSL *ssl)
{
    (void)SSL_set1_groups_list(ssl, "ffdhe2048");
}

static void tune_p521(SSL *ssl)
{
    (void)SSL_set1_groups_list(ssl, "P-521");
}

static void tune_p256(SSL *ssl)
{
    (void)SSL_set1_groups_list(ssl, "P-256");
}

static void tune_p384(SSL *ssl)
{
    (void)SSL_set1_groups_list(ssl, "P-384");
}

static void tune_retry(SSL *ssl)
{
    (void)SSL_set1_groups_list(ssl, "P-521:P-256"); /* key share for P-521: a retry request */
}

struct handshake_row {
    const char *id;
    const char *input;
    bool completes;
    void (*tune)(SSL *ssl);
    const char *sni;
};

static char long_name[256];

static const struct handshake_row handshakes[] = {
    {"D1", "TLS 1.2 only", false, tune_tls12, NULL},
    {"D1", "TLS 1.0 and 1.1 only", false, tune_tls11, NULL},
    {"D2", "no ALPN", false, tune_no_alpn, NULL},
    {"D2", "ALPN h2 only", false, tune_wrong_alpn, NULL},
    {"D2", "ALPN h2 and ntske/1", true, tune_two_alpn, NULL},
    {"D2", "ALPN of 200 entries, none ours", false, tune_many_alpn, NULL},
    {"D11", "group ffdhe2048 only", false, tune_ffdhe, NULL},
    {"D11", "group P-521 only", false, tune_p521, NULL},
    {"D11", "group P-256 only", true, tune_p256, NULL},
    {"D11", "group P-384 only", true, tune_p384, NULL},
    {"D11", "a key share we do not take: one retry request", true, tune_retry, NULL},
    {"D12", "a server name that is not ours: default certificate", true, tune_nothing,
     "elsewhere.example"},
    {"D12", "a server name of 255 octets", true, tune_nothing, long_name},
    {"D12", "no server name: default certificate", true, tune_nothing, NULL},
};

static void run_handshake(struct probe *probe, const struct handshake_row *row)
{
    char name[160];
    (void)snprintf(name, sizeof(name), "%s %s", row->id, row->input);
    unsigned index = row->completes ? KE_COUNT_SERVED : KE_COUNT_TLS_FAILED;
    uint64_t before = ke_probe_counter(probe, index);
    bool done = handshake(probe, row->tune, row->sni);
    uint64_t moved = ke_probe_moved(probe, index, before);
    if (done != row->completes || moved != 1) {
        probe_result(probe, false, name, "handshake %s, %s moved by %llu",
                     done ? "completed" : "refused", ke_count_name(index),
                     (unsigned long long)moved);
        return;
    }
    probe_result(probe, probe_honest_ke(probe), name, "no honest exchange afterwards");
}

/* Octets on a bare TCP connection: the server must close it in time and stay well. */
struct raw_row {
    const char *id;
    const char *input;
    const char *bytes;
    size_t len;
    size_t repeat;
    bool at_once; /* refused without waiting for the deadline */
};

#define RAW(s) s, sizeof(s) - 1

static const struct raw_row raws[] = {
    {"D3", "a TCP connection and nothing more", RAW(""), 1, false},
    {"D3", "one octet of a ClientHello", RAW("\x16"), 1, false},
    {"D4", "a handshake head that claims 64 KiB", RAW("\x16\x03\x01\x00\x04\x01\x00\xff\xff"), 1,
     false},
    {"D4", "a handshake head that claims 16 MiB", RAW("\x16\x03\x01\x00\x04\x01\xff\xff\xff"), 1,
     true},
    {"D1", "a plain HTTP request", RAW("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 1, true},
    {"D1", "an SSLv2 hello",
     RAW("\x80\x1f\x01\x03\x01\x00\x06\x00\x00\x00\x10\x07\x00\xc0\x05\x00\x80\x03\x00\x80"
         "0123456789abcdef"),
     1, true},
    {"D1", "random octets", RAW("\xd1\x33\x7f\x00\x91\xe4\xaa\x00\x55\x0c\xfe\x1b\xa0\x77\x21"), 8,
     true},
    {"D14", "a flood of empty records", RAW("\x16\x03\x01\x00\x00"), 2000, true},
    {"D14", "a flood of alerts", RAW("\x15\x03\x01\x00\x02\x01\x5a"), 2000, true},
};
enum { RAWS = sizeof(raws) / sizeof(raws[0]) };

static int64_t elapsed_ms(struct mono_ns since)
{
    return (mono_now().ns - since.ns) / NS_PER_MS;
}

/* All of them at once, because some wait for the deadline. */
static void run_raws(struct probe *probe)
{
    int fd[RAWS];
    struct mono_ns start = mono_now();
    for (size_t i = 0; i < RAWS; i++) {
        fd[i] = ke_probe_tcp(probe);
        for (size_t k = 0; k < raws[i].repeat; k++) {
            if (send(fd[i], raws[i].bytes, raws[i].len, MSG_NOSIGNAL) < 0) {
                break;
            }
        }
    }
    for (int pass = 0; pass < 2; pass++) { /* those that close at once are looked at first */
        for (size_t i = 0; i < RAWS; i++) {
            if (raws[i].at_once != (pass == 0)) {
                continue;
            }
            char name[160];
            char sink[512];
            (void)snprintf(name, sizeof(name), "%s %s", raws[i].id, raws[i].input);
            ssize_t got = 1;
            while (got > 0) {
                got = recv(fd[i], sink, sizeof(sink), 0);
            }
            bool in_time = elapsed_ms(start) < (pass == 0 ? 1000 : KE_PROBE_IDLE_LIMIT_MS);
            (void)close(fd[i]);
            probe_result(probe, in_time, name, "still open after %lld ms",
                         (long long)elapsed_ms(start));
        }
    }
    probe_result(probe, probe_honest_ke(probe), "an honest exchange after all of these", "none");
}

/* ---- What takes more than a table row to do. Each returns whether it went as it should. ---- */

static unsigned tickets;

static int count_ticket(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    (void)session;
    tickets++;
    return 0;
}

/* A good request over `ssl`, which is closed; whether it was served. */
static bool is_served(SSL *ssl)
{
    uint8_t bytes[64];
    uint8_t answer[KE_REQUEST_MAX];
    struct wr w = wr_init(bytes, sizeof(bytes));
    ke_probe_good_request(&w);
    bool served = SSL_connect(ssl) == 1 && ke_probe_send(ssl, wr_done(&w), WHOLE) &&
                  ke_probe_understand(
                      span_of(answer, ke_probe_read(ssl, answer, sizeof(answer)))) == REPLY_OK;
    ke_probe_close(ssl);
    return served;
}

static bool no_tickets(struct probe *probe)
{
    SSL_CTX_set_session_cache_mode(probe->tls, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(probe->tls, count_ticket);
    bool served = is_served(ke_probe_tls(probe, probe->tls, "127.0.0.1"));
    SSL_CTX_sess_set_new_cb(probe->tls, NULL);
    return served && tickets == 0;
}

static bool key_update_flood(struct probe *probe)
{
    SSL *ssl = ke_probe_tls(probe, probe->tls, "127.0.0.1");
    bool ok = SSL_connect(ssl) == 1;
    unsigned sent = 0;
    struct mono_ns start = mono_now();
    while (ok && sent < 100000 && SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1 &&
           SSL_do_handshake(ssl) == 1) {
        sent++;
    }
    ke_probe_close(ssl);
    return ok && sent < 100000 && elapsed_ms(start) < KE_PROBE_IDLE_LIMIT_MS;
}

/* A ClientHello of some 20 KiB, more than we are ready to hold for a stranger. */
static bool long_hello(struct probe *probe)
{
    static uint8_t list[20000];
    for (size_t i = 0; i + 100 <= sizeof(list); i += 100) {
        memset(list + i, 'x', 100);
        list[i] = 99;
    }
    SSL *ssl = ke_probe_tls(probe, probe->tls, "127.0.0.1");
    (void)SSL_set_alpn_protos(ssl, list, sizeof(list));
    bool refused = SSL_connect(ssl) != 1;
    ke_probe_close(ssl);
    return refused;
}

/* The hello in records of one octet each is as good as in one. */
static bool hello_in_octets(struct probe *probe)
{
    SSL *ssl = tls_client_connection(probe->tls, "127.0.0.1");
    BIO *hello = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), hello);
    (void)SSL_connect(ssl); /* writes the hello and wants an answer */
    uint8_t *record = NULL;
    long len = BIO_get_mem_data(hello, (char **)&record);
    int fd = ke_probe_tcp(probe);
    uint8_t octet[6] = {0x16, 0x03, 0x01, 0x00, 0x01};
    bool ok = len > 5;
    for (long i = 5; ok && i < len; i++) {
        octet[5] = record[i];
        ok = send(fd, octet, sizeof(octet), MSG_NOSIGNAL) == sizeof(octet);
    }
    uint8_t answer[5] = {0};
    ok = ok && recv(fd, answer, sizeof(answer), MSG_WAITALL) == sizeof(answer);
    SSL_free(ssl);
    (void)close(fd);
    return ok && answer[0] == 0x16; /* a ServerHello, not an alert */
}

/* The server asks for no client certificate, so one that a client has is never sent. */
static bool client_certificate(struct probe *probe)
{
    SSL *ssl = ke_probe_tls(probe, probe->tls, "127.0.0.1");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    bool ok = X509_set_pubkey(cert, key) == 1 && X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
              X509_gmtime_adj(X509_getm_notAfter(cert), 60) != NULL &&
              X509_sign(cert, key, EVP_sha256()) > 0 && SSL_use_certificate(ssl, cert) == 1 &&
              SSL_use_PrivateKey(ssl, key) == 1;
    X509_free(cert);
    EVP_PKEY_free(key);
    return is_served(ssl) && ok;
}

/* FIN or RST after each step. */
static bool leave_at_each_step(struct probe *probe)
{
    for (int step = 0; step < 3; step++) {
        for (int manner = 0; manner < 2; manner++) {
            SSL *ssl = ke_probe_tls(probe, probe->tls, "127.0.0.1");
            if (step > 0) {
                (void)SSL_connect(ssl);
            }
            if (step > 1) {
                (void)SSL_write(ssl, "\x80\x01\x00", 3);
            }
            struct linger reset = {.l_onoff = manner, .l_linger = 0};
            (void)setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
            ke_probe_close(ssl);
        }
    }
    return true;
}

/* A client that holds its window shut keeps no connection longer than the deadline. */
static bool never_reads(struct probe *probe)
{
    uint8_t bytes[64];
    struct wr w = wr_init(bytes, sizeof(bytes));
    ke_probe_good_request(&w);
    SSL *ssl = ke_probe_tls(probe, probe->tls, "127.0.0.1");
    bool ok = SSL_connect(ssl) == 1 && ke_probe_send(ssl, wr_done(&w), WHOLE);
    struct pollfd gone = {.fd = SSL_get_fd(ssl), .events = POLLRDHUP};
    ok = ok && poll(&gone, 1, KE_PROBE_IDLE_LIMIT_MS) == 1;
    ke_probe_close(ssl);
    return ok;
}

struct special {
    const char *id;
    const char *input;
    const char *answer;
    bool (*holds)(struct probe *probe);
};

static const struct special specials[] = {
    {"D5", "a ClientHello of 20,000 octets", "closed at once", long_hello},
    {"D5", "a ClientHello in TLS records of one octet", "ServerHello", hello_in_octets},
    {"D6", "FIN or RST before, after and between the steps", "closed", leave_at_each_step},
    {"D7", "a flood of KeyUpdate", "closed after 64 KiB", key_update_flood},
    {"D8", "a client that takes session tickets", "served without any", no_tickets},
    {"D9", "a client that has a certificate", "served, not asked for it", client_certificate},
    {"C12", "a client that never reads its response", "closed at the deadline", never_reads},
};
enum { SPECIALS = sizeof(specials) / sizeof(specials[0]) };

static void run_special(struct probe *probe, const struct special *special)
{
    char name[160];
    (void)snprintf(name, sizeof(name), "%s %s", special->id, special->input);
    bool held = special->holds(probe);
    probe_result(probe, held && probe_honest_ke(probe), name, "not %s%s", special->answer,
                 held ? ": no honest exchange afterwards" : "");
}

static void print_table(void)
{
    printf("| row | connection | answer | counter |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < sizeof(handshakes) / sizeof(handshakes[0]); i++) {
        printf("| %s | %s | %s | %s |\n", handshakes[i].id, handshakes[i].input,
               handshakes[i].completes ? reply_names[REPLY_OK] : "TLS alert",
               ke_count_name(handshakes[i].completes ? KE_COUNT_SERVED : KE_COUNT_TLS_FAILED));
    }
    for (size_t i = 0; i < RAWS; i++) {
        printf("| %s | %s | %s | %s |\n", raws[i].id, raws[i].input,
               raws[i].at_once ? "closed at once" : "closed at the deadline",
               ke_count_name(raws[i].at_once ? KE_COUNT_TLS_FAILED : KE_COUNT_TLS_TIMEOUT));
    }
    for (size_t i = 0; i < SPECIALS; i++) {
        printf("| %s | %s | %s | - |\n", specials[i].id, specials[i].input, specials[i].answer);
    }
}

int main(int argc, char **argv)
{
    static struct probe probe;
    if (argc == 2 && strcmp(argv[1], "--table") == 0) {
        print_table();
        return 0;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    memset(long_name, 'a', sizeof(long_name) - 1);
    for (size_t i = 50; i < sizeof(long_name) - 1; i += 50) {
        long_name[i] = '.';
    }
    probe_init(&probe, argc, argv);
    probe_result(&probe, probe_honest_ke(&probe), "an honest exchange first", "no answer");
    for (size_t i = 0; i < sizeof(handshakes) / sizeof(handshakes[0]); i++) {
        run_handshake(&probe, &handshakes[i]);
    }
    run_raws(&probe);
    for (size_t i = 0; i < SPECIALS; i++) {
        run_special(&probe, &specials[i]);
    }
    return probe_finish(&probe);
}
