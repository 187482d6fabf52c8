/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device that shakes hands once and then only asks for the time, for ever with the cookies it
 * has: what ntsq, which shakes hands each time, cannot show. It never shakes hands again, so every
 * interruption of the service and every cookie refused shows in the counts of its last line:
 *
 *   answered N lost N nak N gap_ms N
 *
 * `gap_ms` is the longest time between two answers, the end included. The first line, "ready",
 * says that the first answer came. With DUMP, the datagrams are written there for text2pcap -D.
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
#include <time.h>
#include <unistd.h>

enum { REPLY_WAIT_MS = 50 };

struct device {
    struct rng *rng;
    struct session_keys keys;
    int fd;
    FILE *dump;
    size_t cookie_count;
    struct ke_client_cookie cookie[KE_COOKIES];
    unsigned long answered;
    unsigned long lost;
    unsigned long nak;
    struct mono_ns last_answer;
    int64_t gap_ns;
};

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "cookiekeeper: %s: %s\n", what, why);
    return 1;
}

/* Shakes hands with 127.0.0.1, whose certificate says localhost, and connects to its NTP port. */
static int device_init(struct device *device, const char *ca, uint16_t ke_port)
{
    static struct ke_client_result result;
    const uint16_t aeads[] = {AEAD_AES_SIV_CMAC_256};
    struct ke_client_options options = {
        .host = "localhost", .timeout_ms = 3000, .aeads = aeads, .aead_count = 1};
    struct tls_client_options tls = {.ca_file = ca, .alpn = KE_ALPN};
    struct net_addr addr;
    SSL_CTX *ctx = NULL;
    struct cert_fault fault;
    struct ke_client_why why = {{0}};

    if (net_addr_parse("127.0.0.1", ke_port, &addr) != NTS_OK ||
        tls_client_new(&tls, &ctx, &fault) != NTS_OK) {
        return fail("CA", ca);
    }
    options.tls = ctx;
    options.addr = &addr;
    enum nts_err err = ke_client_exchange(&options, &result, &why);
    if (err != NTS_OK || result.cookie_count == 0) {
        return fail("handshake", why.text);
    }
    device->keys = result.keys;
    device->cookie_count = result.cookie_count;
    memcpy(device->cookie, result.cookie, sizeof(device->cookie));
    addr.v4.sin_port = htons(result.answer.port);
    ke_client_result_wipe(&result);
    SSL_CTX_free(ctx);

    device->rng = rng_new();
    device->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (device->rng == NULL || connect(device->fd, &addr.sa, net_addr_len(&addr)) != 0) {
        return fail("NTP socket", "cannot connect");
    }
    return 0;
}

static void dump(FILE *out, char direction, struct span packet)
{
    if (out == NULL) {
        return;
    }
    fputc(direction, out);
    for (size_t i = 0; i < packet.n; i++) {
        if (i % 16 == 0) {
            fprintf(out, "\n%06zx", i);
        }
        fprintf(out, " %02x", packet.p[i]);
    }
    fprintf(out, "\n\n");
}

/* The oldest cookie; it is used up, unless it is the last one: then a lost reply must not end us.
 */
static struct ke_client_cookie take_cookie(struct device *device)
{
    struct ke_client_cookie cookie = device->cookie[0];
    if (device->cookie_count > 1) {
        device->cookie_count--;
        memmove(device->cookie, device->cookie + 1,
                device->cookie_count * sizeof(device->cookie[0]));
    }
    return cookie;
}

static void keep_cookies(struct device *device, const struct query_reply *reply)
{
    for (size_t i = 0; i < reply->cookie_count && device->cookie_count < KE_COOKIES; i++) {
        struct span fresh = reply->cookie[i];
        if (fresh.n <= KE_CLIENT_COOKIE_MAX) {
            struct ke_client_cookie *slot = &device->cookie[device->cookie_count++];
            slot->len = fresh.n;
            memcpy(slot->bytes, fresh.p, fresh.n);
        }
    }
}

/* Waits for the reply to `query`; what is no reply to it (a late one) is passed over. */
static enum query_verdict await_reply(struct device *device, const struct query *query,
                                      struct query_reply *reply)
{
    uint8_t packet[QUERY_PLAIN_MAX];
    struct pollfd wait = {.fd = device->fd, .events = POLLIN};
    while (poll(&wait, 1, REPLY_WAIT_MS) > 0) {
        ssize_t n = recv(device->fd, packet, sizeof(packet), 0);
        if (n < 0) {
            break; /* nobody listens */
        }
        struct span bytes = span_of(packet, (size_t)n);
        enum query_verdict verdict = query_judge(query, &device->keys, bytes, reply);
        if (verdict == QUERY_OK || verdict == QUERY_NAK) {
            dump(device->dump, 'I', bytes);
            return verdict;
        }
    }
    return QUERY_SHORT;
}

static void count_answer(struct device *device)
{
    struct mono_ns now = mono_now();
    if (device->answered++ == 0) {
        puts("ready");
    } else if (now.ns - device->last_answer.ns > device->gap_ns) {
        device->gap_ns = now.ns - device->last_answer.ns;
    }
    device->last_answer = now;
}

static void ask(struct device *device)
{
    uint8_t packet[QUERY_PLAIN_MAX];
    struct wr out = wr_init(packet, sizeof(packet));
    struct query query;
    struct query_reply reply;
    struct ke_client_cookie cookie = take_cookie(device);
    size_t wanted = KE_COOKIES - 1 - device->cookie_count;
    if (query_write_nts(device->rng, &device->keys, span_of(cookie.bytes, cookie.len), wanted,
                        &query, &out) != NTS_OK) {
        device->lost++;
        return;
    }
    dump(device->dump, 'O', span_of(packet, out.n));
    if (send(device->fd, packet, out.n, 0) != (ssize_t)out.n) {
        device->lost++; /* nobody listens: the error of the send before */
        return;
    }
    switch (await_reply(device, &query, &reply)) {
    case QUERY_OK:
        count_answer(device);
        keep_cookies(device, &reply);
        break;
    case QUERY_NAK:
        device->nak++;
        break;
    case QUERY_SHORT:
    case QUERY_NOT_A_REPLY:
    case QUERY_ORIGIN:
    case QUERY_NO_UID:
    case QUERY_WRONG_UID:
    case QUERY_NO_AUTHENTICATOR:
    case QUERY_BAD_FIELD:
    case QUERY_NOT_AUTHENTIC:
    case QUERY_KISS:
    case QUERY_UNSYNCHRONISED:
    case QUERY_VERDICTS:
        device->lost++;
        break;
    }
}

int main(int argc, char **argv)
{
    static struct device device;
    if (argc < 5) {
        fprintf(stderr, "usage: cookiekeeper CA KE_PORT SECONDS INTERVAL_MS [DUMP]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (device_init(&device, argv[1], (uint16_t)atoi(argv[2])) != 0) {
        return 1;
    }
    device.dump = argc > 5 ? fopen(argv[5], "w") : NULL;
    struct mono_ns end = {mono_now().ns + atoi(argv[3]) * NS_PER_S};
    const struct timespec pause = {.tv_nsec = atoi(argv[4]) * NS_PER_MS};
    device.last_answer = mono_now();
    while (mono_now().ns < end.ns) {
        ask(&device);
        (void)nanosleep(&pause, NULL);
    }
    int64_t since = mono_now().ns - device.last_answer.ns;
    int64_t gap = since > device.gap_ns ? since : device.gap_ns;
    printf("answered %lu lost %lu nak %lu gap_ms %lld\n", device.answered, device.lost, device.nak,
           (long long)(gap / NS_PER_MS));
    if (device.dump != NULL) {
        (void)fclose(device.dump);
    }
    (void)close(device.fd);
    session_keys_wipe(&device.keys);
    rng_free(device.rng);
    return 0;
}
