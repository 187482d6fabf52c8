/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices behind one address: each shakes hands once, then asks over NTS at its interval, all of
 * them spread evenly over it. What they lose is lost to honest clients.
 *
 *   pollers CA KE_PORT SESSIONS SECONDS INTERVAL_MS [SOURCE]
 *
 * "ready" says that all have their cookies and begin to ask. The last line:
 *
 *   asked N answered N lost N kisses N naks N longer N median_ms N slowest_ms N
 *
 * Lost: no good answer before it asks again. `longer` are replies longer than their request.
 */
#include "common/base/time.h"
#include "common/crypto/rng.h"
#include "common/net/addr.h"
#include "ntp/query.h"
#include "nts-ke/ke_client.h"
#include "nts-ke/ke_proto.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SESSIONS_MAX = 1000, TIMES_MAX = 1 << 20 };

struct session {
    struct session_keys keys;
    size_t cookie_count;
    struct ke_client_cookie cookie[KE_COOKIES];
    struct query query;
    size_t asked_len; /* 0: nothing under way */
    struct mono_ns asked;
    struct mono_ns next;
};

struct crowd {
    struct ke_client_options ke;
    struct net_addr source;
    struct rng *rng;
    size_t count;
    int64_t interval_ns;
    struct session session[SESSIONS_MAX];
    struct pollfd wait[SESSIONS_MAX];
    unsigned long asked;
    unsigned long answered;
    unsigned long lost;
    unsigned long kisses;
    unsigned long naks;
    unsigned long longer;
    size_t time_count;
    double time_ms[TIMES_MAX];
};

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "pollers: %s: %s\n", what, why);
    exit(1);
}

static int open_socket(const struct crowd *crowd, uint16_t port)
{
    struct net_addr to = *crowd->ke.addr;
    to.v4.sin_port = htons(port);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, &crowd->source.sa, net_addr_len(&crowd->source)) != 0 ||
        connect(fd, &to.sa, net_addr_len(&to)) != 0) {
        give_up("socket", "cannot bind or connect");
    }
    return fd;
}

static void establish(struct crowd *crowd, size_t i)
{
    static struct ke_client_result result;
    struct session *session = &crowd->session[i];
    struct ke_client_why why = {{0}};
    enum nts_err err = ke_client_exchange(&crowd->ke, &result, &why);
    if (err != NTS_OK || result.cookie_count == 0) {
        give_up("handshake", why.text);
    }
    session->keys = result.keys;
    session->cookie_count = result.cookie_count;
    memcpy(session->cookie, result.cookie, sizeof(session->cookie));
    crowd->wait[i] =
        (struct pollfd){.fd = open_socket(crowd, result.answer.port), .events = POLLIN};
    ke_client_result_wipe(&result);
}

/* The oldest cookie; the last one is kept, a lost reply shall not end the device. */
static struct ke_client_cookie take_cookie(struct session *session)
{
    struct ke_client_cookie cookie = session->cookie[0];
    if (session->cookie_count > 1) {
        session->cookie_count--;
        memmove(session->cookie, session->cookie + 1, session->cookie_count * sizeof(cookie));
    }
    return cookie;
}

static void ask(struct crowd *crowd, size_t i, struct mono_ns now)
{
    struct session *session = &crowd->session[i];
    struct ke_client_cookie cookie = take_cookie(session);
    uint8_t packet[QUERY_PLAIN_MAX];
    struct wr out = wr_init(packet, sizeof(packet));
    crowd->lost += session->asked_len != 0 ? 1 : 0;
    if (query_write_nts(crowd->rng, &session->keys, span_of(cookie.bytes, cookie.len),
                        KE_COOKIES - 1 - session->cookie_count, &session->query, &out) != NTS_OK) {
        give_up("request", "cannot be written");
    }
    crowd->asked++;
    session->asked_len = out.n;
    session->asked = now;
    (void)send(crowd->wait[i].fd, packet, out.n, 0); /* what does not leave is lost */
}

static void keep_cookies(struct session *session, const struct query_reply *reply)
{
    for (size_t i = 0; i < reply->cookie_count && session->cookie_count < KE_COOKIES; i++) {
        struct ke_client_cookie *slot = &session->cookie[session->cookie_count];
        if (reply->cookie[i].n <= sizeof(slot->bytes)) {
            slot->len = reply->cookie[i].n;
            memcpy(slot->bytes, reply->cookie[i].p, slot->len);
            session->cookie_count++;
        }
    }
}

static void judge(struct crowd *crowd, struct session *session, struct span packet)
{
    static struct query_reply reply;
    crowd->longer += packet.n > session->asked_len ? 1 : 0;
    enum query_verdict verdict = query_judge(&session->query, &session->keys, packet, &reply);
    crowd->kisses += verdict == QUERY_KISS && reply.authentic ? 1 : 0;
    crowd->naks += verdict == QUERY_NAK ? 1 : 0;
    if (verdict != QUERY_OK) {
        return;
    }
    crowd->answered++;
    session->asked_len = 0;
    keep_cookies(session, &reply);
    if (crowd->time_count < TIMES_MAX) {
        crowd->time_ms[crowd->time_count++] =
            (double)(mono_now().ns - session->asked.ns) / NS_PER_MS;
    }
}

static void take_reply(struct crowd *crowd, size_t i)
{
    uint8_t packet[QUERY_PLAIN_MAX];
    ssize_t n = recv(crowd->wait[i].fd, packet, sizeof(packet), 0);
    if (n >= 0 && crowd->session[i].asked_len != 0) {
        judge(crowd, &crowd->session[i], span_of(packet, (size_t)n));
    }
}

/* Who is due asks; returns how long nobody is, in milliseconds. */
static int ask_all(struct crowd *crowd, struct mono_ns end)
{
    struct mono_ns now = mono_now();
    int64_t first = now.ns + NS_PER_S;
    for (size_t i = 0; i < crowd->count; i++) {
        struct mono_ns *next = &crowd->session[i].next;
        if (next->ns <= now.ns && next->ns < end.ns) {
            ask(crowd, i, now);
            next->ns += crowd->interval_ns;
        }
        first = next->ns < first ? next->ns : first;
    }
    int64_t wait_ms = (first - now.ns) / NS_PER_MS;
    return wait_ms < 0 ? 0 : (int)wait_ms;
}

static void run(struct crowd *crowd, int seconds)
{
    struct mono_ns start = mono_now();
    struct mono_ns end = {start.ns + seconds * NS_PER_S};
    for (size_t i = 0; i < crowd->count; i++) {
        crowd->session[i].next.ns =
            start.ns + crowd->interval_ns * (int64_t)i / (int64_t)crowd->count;
    }
    /* A second more for the last answers. */
    while (mono_now().ns < end.ns + NS_PER_S) {
        int wait_ms = ask_all(crowd, end);
        if (poll(crowd->wait, crowd->count, wait_ms < 50 ? wait_ms : 50) <= 0) {
            continue;
        }
        for (size_t i = 0; i < crowd->count; i++) {
            if (crowd->wait[i].revents != 0) {
                take_reply(crowd, i);
            }
        }
    }
    for (size_t i = 0; i < crowd->count; i++) {
        crowd->lost += crowd->session[i].asked_len != 0 ? 1 : 0;
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static struct crowd crowd;
    static const uint16_t aeads[] = {AEAD_AES_SIV_CMAC_256};
    struct net_addr ke;
    struct cert_fault fault;
    SSL_CTX *tls = NULL;
    if (argc < 6) {
        fprintf(stderr, "usage: pollers CA KE_PORT SESSIONS SECONDS INTERVAL_MS [SOURCE]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct tls_client_options options = {.ca_file = argv[1], .alpn = KE_ALPN};
    crowd.count = (size_t)atoi(argv[3]);
    crowd.interval_ns = atoi(argv[5]) * NS_PER_MS;
    crowd.rng = rng_new();
    if (crowd.count == 0 || crowd.count > SESSIONS_MAX || crowd.rng == NULL ||
        net_addr_parse("127.0.0.1", (uint16_t)atoi(argv[2]), &ke) != NTS_OK ||
        net_addr_parse(argc > 6 ? argv[6] : "127.0.0.1", 0, &crowd.source) != NTS_OK ||
        tls_client_new(&options, &tls, &fault) != NTS_OK) {
        give_up("arguments", argv[1]);
    }
    crowd.ke = (struct ke_client_options){.tls = tls,
                                          .host = "localhost",
                                          .addr = &ke,
                                          .timeout_ms = 5000,
                                          .aeads = aeads,
                                          .aead_count = 1};
    for (size_t i = 0; i < crowd.count; i++) {
        establish(&crowd, i);
    }
    puts("ready");
    run(&crowd, atoi(argv[4]));
    SSL_CTX_free(tls);
    rng_free(crowd.rng);
    qsort(crowd.time_ms, crowd.time_count, sizeof(double), by_size);
    size_t last = crowd.time_count > 0 ? crowd.time_count - 1 : 0;
    printf("asked %lu answered %lu lost %lu kisses %lu naks %lu longer %lu median_ms %.2f "
           "slowest_ms %.1f\n",
           crowd.asked, crowd.answered, crowd.lost, crowd.kisses, crowd.naks, crowd.longer,
           crowd.time_ms[last / 2], crowd.time_ms[last]);
    return 0;
}
