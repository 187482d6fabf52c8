/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See probe.h.
 */
#include "tests/support/probe.h"

#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

enum { TIMEOUT_MS = 2000, METRICS_MAX = 256 * 1024 };

static void die(const char *what)
{
    printf("not ok - probe: %s\n", what);
    exit(1);
}

static struct net_addr address(const char *host, const char *port)
{
    struct net_addr addr;
    if (net_addr_parse(host, (uint16_t)atoi(port), &addr) != NTS_OK) {
        die("bad address");
    }
    return addr;
}

void probe_init(struct probe *probe, int argc, char **argv)
{
    const char *ca = NULL;
    const char *host = "127.0.0.1";
    const char *port[3] = {"123", "4460", "80"};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--ca") == 0) {
            ca = argv[i + 1];
        } else if (strcmp(argv[i], "--host") == 0) {
            host = argv[i + 1];
        } else if (strcmp(argv[i], "--port") == 0) {
            port[0] = argv[i + 1];
        } else if (strcmp(argv[i], "--ke-port") == 0) {
            port[1] = argv[i + 1];
        } else if (strcmp(argv[i], "--http-port") == 0) {
            port[2] = argv[i + 1];
        } else {
            die("usage: --ca FILE [--host ADDR] --port N --ke-port N --http-port N");
        }
    }
    *probe = (struct probe){.rng = rng_new()};
    probe->ntp = address(host, port[0]);
    probe->ke = address(host, port[1]);
    probe->http = address(host, port[2]);
    struct cert_fault fault;
    struct tls_client_options options = {.ca_file = ca, .alpn = KE_ALPN};
    if (probe->rng == NULL || tls_client_new(&options, &probe->tls, &fault) != NTS_OK) {
        die("no random pool or no TLS context");
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
}

int probe_finish(struct probe *probe)
{
    SSL_CTX_free(probe->tls);
    rng_free(probe->rng);
    session_keys_wipe(&probe->keys);
    return probe->failed == 0 && probe->passed > 0 ? 0 : 1;
}

bool probe_establish(struct probe *probe, uint16_t aead, struct ke_client_why *why)
{
    static struct ke_client_result result;
    char host[NET_ADDR_TEXT_MAX];
    net_addr_format(&probe->ke, host);
    *strrchr(host, ':') = '\0';
    size_t skip = host[0] == '[' ? 1 : 0;
    host[strcspn(host, "]")] = '\0';
    struct ke_client_options options = {
        .tls = probe->tls,
        .host = host + skip,
        .addr = &probe->ke,
        .timeout_ms = TIMEOUT_MS,
        .aeads = &aead,
        .aead_count = 1,
    };
    enum nts_err err = ke_client_exchange(&options, &result, why);
    bool good = err == NTS_OK && !result.answer.has_error && result.cookie_count == KE_COOKIES;
    if (good) {
        probe->keys = result.keys;
        probe->cookie_count = result.cookie_count;
        memcpy(probe->cookie, result.cookie, sizeof(probe->cookie));
    }
    ke_client_result_wipe(&result);
    return good;
}

struct ke_client_cookie probe_cookie(struct probe *probe)
{
    struct ke_client_why why;
    uint16_t aead = probe->keys.alg != NULL ? probe->keys.alg->id : AEAD_AES_SIV_CMAC_256;
    if (probe->cookie_count == 0 && !probe_establish(probe, aead, &why)) {
        die(why.text);
    }
    return probe->cookie[--probe->cookie_count];
}

static int connected(const struct net_addr *addr, int type)
{
    int fd = socket(addr->sa.sa_family, type | SOCK_CLOEXEC, 0);
    struct timeval timeout = {.tv_sec = TIMEOUT_MS / 1000};
    if (fd < 0 || connect(fd, &addr->sa, net_addr_len(addr)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) != 0) {
        die("cannot connect");
    }
    return fd;
}

int probe_udp(const struct probe *probe)
{
    return connected(&probe->ntp, SOCK_DGRAM);
}

bool probe_honest_ntp(struct probe *probe)
{
    static struct query_reply reply;
    uint8_t packet[NTP_DATAGRAM_MAX];
    struct ke_client_cookie cookie = probe_cookie(probe);
    struct wr w = wr_init(packet, sizeof(packet));
    struct query query;
    if (query_write_nts(probe->rng, &probe->keys, span_of(cookie.bytes, cookie.len), 0, &query,
                        &w) != NTS_OK) {
        return false;
    }
    int fd = probe_udp(probe);
    bool good = send(fd, packet, w.n, 0) == (ssize_t)w.n;
    ssize_t got = good ? recv(fd, packet, sizeof(packet), 0) : -1;
    (void)close(fd);
    return got > 0 && (size_t)got <= w.n &&
           query_judge(&query, &probe->keys, span_of(packet, (size_t)got), &reply) == QUERY_OK;
}

bool probe_honest_ke(struct probe *probe)
{
    struct ke_client_why why;
    return probe_establish(probe, AEAD_AES_SIV_CMAC_256, &why);
}

uint64_t probe_counter(const struct probe *probe, const char *name_and_label)
{
    static char page[METRICS_MAX];
    static const char get[] = "GET /metrics HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n";
    int fd = connected(&probe->http, SOCK_STREAM);
    size_t n = 0;
    if (send(fd, get, sizeof(get) - 1, MSG_NOSIGNAL) < 0) {
        die("metrics: send failed");
    }
    for (ssize_t got = 1; got > 0 && n<sizeof(page) - 1; n += got> 0 ? (size_t)got : 0) {
        got = recv(fd, page + n, sizeof(page) - 1 - n, 0);
    }
    page[n] = '\0';
    (void)close(fd);
    for (char *at = strstr(page, name_and_label); at != NULL; at = strstr(at + 1, name_and_label)) {
        char *value = at + strlen(name_and_label);
        if ((at == page || at[-1] == '\n') && *value == ' ') {
            return strtoull(value, NULL, 10);
        }
    }
    printf("# no %s on /metrics\n", name_and_label);
    return UINT64_MAX;
}

void probe_result(struct probe *probe, bool good, const char *name, const char *reason, ...)
{
    printf("%s - %s", good ? "ok" : "not ok", name);
    if (!good) {
        va_list args;
        va_start(args, reason);
        printf(": ");
        vprintf(reason, args);
        va_end(args);
    }
    printf("\n");
    *(good ? &probe->passed : &probe->failed) += 1;
}
