/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floods the NTP service: datagrams made beforehand, sent at a rate that does not depend on what
 * comes back, from four million loopback addresses in turn (127.64.0.0/10), or from one.
 *
 *   flood CA KE_PORT SECONDS KIND[,KIND...] RATE[,RATE...] [SOURCE]
 *
 *   random  octets of any length       forged  NTS requests whose cookie is not the server's
 *   fields  a header and junk fields   replay  one authentic request, over and over
 *   plain   what a client sends        valid   authentic requests of sixteen sessions
 *   hungry  like valid, and each wants eight cookies: the dearest thing one may ask for
 *
 * Each rate is kept for SECONDS; then a line, per second:
 *
 *   offered N sent N answers N naks N kisses N checked N bad N longer N
 *
 * Sent is less than offered when this program cannot keep up. Answers carry time; of authentic ones
 * each sixteenth is `checked` with its key. `longer` are replies longer than their request, of any
 * kind: every one is looked at. The last three are sums and not per second.
 */
#include "common/base/time.h"
#include "common/crypto/rng.h"
#include "common/net/addr.h"
#include "ntp/query.h"
#include "nts-ke/ke_client.h"
#include "nts-ke/ke_proto.h"

#include <arpa/inet.h>
#include <netinet/udp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MADE = 4096,
    FOUND = 4 * MADE, /* a power of two */
    SESSIONS = 16,
    BATCH = 64,
    BURST = 16, /* of one length and from one address: a single message to the kernel */
    READS = 4,  /* batches of replies between two of requests */
    CHECK_EACH = 16,
    BUFFER_LEN = 32 << 20,
    LATE_NS = 5 * NS_PER_MS, /* what was not sent by then is not sent at all */
    ORIGIN_OFFSET = 24,
    TRANSMIT_OFFSET = 40,
};

enum kind { RANDOM, FIELDS, FORGED, REPLAY, PLAIN, VALID, HUNGRY, KINDS };
static const char *const kind_names[KINDS] = {"random", "fields", "forged", "replay",
                                              "plain",  "valid",  "hungry"};

struct session {
    struct session_keys keys;
    struct ke_client_cookie cookie[KE_COOKIES];
};

struct datagram {
    size_t len;
    struct query query;
    const struct session *session; /* NULL: not authentic */
    uint8_t bytes[QUERY_PLAIN_MAX];
};

struct count {
    uint64_t sent;
    uint64_t answers;
    uint64_t naks;
    uint64_t kisses;
    uint64_t checked;
    uint64_t bad;
    uint64_t longer;
};

struct out {
    struct iovec iov[BURST];
    _Alignas(struct cmsghdr)
        uint8_t control[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
};

struct flood {
    struct rng *rng;
    int fd;
    struct net_addr to;
    bool one_source;
    size_t burst; /* datagrams in a message, from one address: BURST when all are of one length */
    struct in_addr source;
    enum kind kind[MADE];
    struct session session[SESSIONS];
    struct datagram made[MADE];
    const struct datagram *found[FOUND]; /* by transmit timestamp, open addressing */
    struct count count;
    struct mmsghdr out[BATCH];
    struct out out_data[BATCH];
    struct mmsghdr in[BATCH];
    struct iovec in_iov[BATCH];
    uint8_t in_bytes[BATCH][QUERY_PLAIN_MAX];
};

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "flood: %s: %s\n", what, why);
    exit(1);
}

/* ---- what is sent */

static void random_bytes(struct flood *flood, uint8_t *p, size_t n)
{
    if (rng_bytes(flood->rng, p, n) != NTS_OK) {
        give_up("random", "the kernel gives none");
    }
}

static size_t random_below(struct flood *flood, size_t n)
{
    uint32_t value;
    random_bytes(flood, (uint8_t *)&value, sizeof(value));
    return value % n;
}

static void make_nts(struct flood *flood, struct datagram *d, size_t i, size_t placeholders)
{
    const struct session *session = &flood->session[i % SESSIONS];
    const struct ke_client_cookie *cookie = &session->cookie[i / SESSIONS % KE_COOKIES];
    struct wr out = wr_init(d->bytes, sizeof(d->bytes));
    if (query_write_nts(flood->rng, &session->keys, span_of(cookie->bytes, cookie->len),
                        placeholders, &d->query, &out) != NTS_OK) {
        give_up("request", "cannot be written");
    }
    d->len = out.n;
    d->session = session;
}

static void make_plain(struct flood *flood, struct datagram *d)
{
    struct wr out = wr_init(d->bytes, sizeof(d->bytes));
    if (query_write_plain(flood->rng, &d->query, &out) != NTS_OK) {
        give_up("request", "cannot be written");
    }
    d->len = out.n;
}

/* A good header; behind it fields of a random type each, and the last one's length is a lie. */
static void make_fields(struct flood *flood, struct datagram *d)
{
    make_plain(flood, d);
    for (size_t n = 1 + random_below(flood, 8); n > 0; n--) {
        uint8_t *field = d->bytes + d->len;
        size_t len = 16 + 4 * random_below(flood, 16);
        random_bytes(flood, field, len);
        field[2] = 0;
        field[3] = (uint8_t)(n > 1 ? len : len + 4);
        d->len += len;
    }
}

static void make(struct flood *flood, size_t i)
{
    struct datagram *d = &flood->made[i];
    switch (flood->kind[i]) {
    case RANDOM:
        d->len = 1 + random_below(flood, sizeof(d->bytes));
        random_bytes(flood, d->bytes, d->len);
        break;
    case FIELDS:
        make_fields(flood, d);
        break;
    case FORGED: /* the cookie's identifiers are right, its seal is not */
        make_nts(flood, d, i, 0);
        random_bytes(flood, d->bytes + d->len - 80, 40);
        d->session = NULL;
        break;
    case REPLAY:
    case VALID:
        make_nts(flood, d, i, 0);
        break;
    case HUNGRY:
        make_nts(flood, d, i, KE_COOKIES - 1);
        break;
    case PLAIN:
        make_plain(flood, d);
        break;
    case KINDS:
        break;
    }
}

static size_t place_of(const uint8_t transmit[8])
{
    uint64_t value;
    memcpy(&value, transmit, sizeof(value));
    return (size_t)(value * UINT64_C(0x9e3779b97f4a7c15) >> 40) % FOUND;
}

static void remember(struct flood *flood, const struct datagram *d)
{
    if (d->len < TRANSMIT_OFFSET + 8) {
        return;
    }
    size_t place = place_of(d->bytes + TRANSMIT_OFFSET);
    while (flood->found[place] != NULL) {
        place = (place + 1) % FOUND;
    }
    flood->found[place] = d;
}

static const struct datagram *find(const struct flood *flood, const uint8_t *origin)
{
    size_t place = place_of(origin);
    const struct datagram *d = flood->found[place];
    while (d != NULL && memcmp(d->bytes + TRANSMIT_OFFSET, origin, 8) != 0) {
        place = (place + 1) % FOUND;
        d = flood->found[place];
    }
    return d;
}

static void make_all(struct flood *flood)
{
    const struct datagram *replayed = NULL;
    for (size_t i = 0; i < MADE; i++) {
        if (flood->kind[i] == REPLAY && replayed != NULL) {
            flood->made[i] = *replayed;
            continue;
        }
        make(flood, i);
        remember(flood, &flood->made[i]);
        replayed = flood->kind[i] == REPLAY ? &flood->made[i] : replayed;
    }
    flood->burst = BURST;
    for (size_t i = 1; i < MADE; i++) {
        flood->burst = flood->made[i].len == flood->made[0].len ? flood->burst : 1;
    }
}

/* ---- sending and looking at what comes back */

static struct in_addr next_source(struct flood *flood)
{
    static uint32_t walk;
    walk = walk * 1664525U + 1013904223U;
    return flood->one_source ? flood->source
                             : (struct in_addr){.s_addr = htonl(0x7f400000U | walk >> 10)};
}

/* Whence, and for bursts how long each datagram of it is. */
static size_t put_control(struct flood *flood, struct msghdr *msg, uint16_t len)
{
    struct in_pktinfo info = {.ipi_spec_dst = next_source(flood)};
    struct cmsghdr *c = msg->msg_control;
    *c = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(info)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
    memcpy(CMSG_DATA(c), &info, sizeof(info));
    if (flood->burst == 1) {
        return CMSG_SPACE(sizeof(info));
    }
    c = (struct cmsghdr *)((uint8_t *)msg->msg_control + CMSG_SPACE(sizeof(info)));
    *c = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(len)), .cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT};
    memcpy(CMSG_DATA(c), &len, sizeof(len));
    return CMSG_SPACE(sizeof(info)) + CMSG_SPACE(sizeof(len));
}

static void prepare_out(struct flood *flood, size_t i)
{
    struct out *data = &flood->out_data[i];
    struct msghdr *msg = &flood->out[i].msg_hdr;
    size_t first = (flood->count.sent + i * flood->burst) % MADE;
    for (size_t k = 0; k < flood->burst; k++) {
        struct datagram *d = &flood->made[(first + k) % MADE];
        data->iov[k] = (struct iovec){.iov_base = d->bytes, .iov_len = d->len};
    }
    *msg = (struct msghdr){.msg_name = &flood->to.sa,
                           .msg_namelen = net_addr_len(&flood->to),
                           .msg_iov = data->iov,
                           .msg_iovlen = flood->burst,
                           .msg_control = data->control};
    msg->msg_controllen = put_control(flood, msg, (uint16_t)flood->made[first].len);
}

static void send_some(struct flood *flood, size_t n)
{
    size_t messages = n / flood->burst;
    for (size_t i = 0; i < messages; i++) {
        prepare_out(flood, i);
    }
    int sent = sendmmsg(flood->fd, flood->out, (unsigned)messages, 0);
    flood->count.sent += sent > 0 ? (uint64_t)sent * flood->burst : 0;
}

static void check(struct flood *flood, const struct datagram *d, struct span reply)
{
    static struct query_reply judged;
    flood->count.checked++;
    flood->count.bad +=
        query_judge(&d->query, &d->session->keys, reply, &judged) != QUERY_OK ? 1 : 0;
}

static void judge(struct flood *flood, struct span reply)
{
    struct count *count = &flood->count;
    const struct datagram *d = reply.n < 48 ? NULL : find(flood, reply.p + ORIGIN_OFFSET);
    if (d == NULL) {
        count->bad++;
        return;
    }
    count->longer += reply.n > d->len ? 1 : 0;
    if (reply.p[1] == 0) { /* a kiss: its code is where the reference is */
        *(memcmp(reply.p + 12, "NTSN", 4) == 0 ? &count->naks : &count->kisses) += 1;
        return;
    }
    count->answers++;
    if (d->session != NULL && count->answers % CHECK_EACH == 0) {
        check(flood, d, reply);
    }
}

static void read_some(struct flood *flood)
{
    for (int round = 0; round < READS; round++) {
        for (size_t i = 0; i < BATCH; i++) {
            flood->in_iov[i] = (struct iovec){flood->in_bytes[i], sizeof(flood->in_bytes[i])};
            flood->in[i].msg_hdr = (struct msghdr){.msg_iov = &flood->in_iov[i], .msg_iovlen = 1};
        }
        int n = recvmmsg(flood->fd, flood->in, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) {
            judge(flood, span_of(flood->in_bytes[i], flood->in[i].msg_len));
        }
        if (n < BATCH) {
            return;
        }
    }
}

static void keep_rate(struct flood *flood, double rate, double seconds)
{
    flood->count = (struct count){0};
    struct mono_ns start = mono_now();
    int64_t end_ns = start.ns + (int64_t)(seconds * NS_PER_S);
    double skipped = 0;
    for (int64_t now = start.ns; now < end_ns; now = mono_now().ns) {
        double due = (double)(now - start.ns) * rate / NS_PER_S - skipped;
        due -= (double)flood->count.sent;
        double most = BATCH + rate * LATE_NS / NS_PER_S;
        skipped += due > most ? due - most : 0;
        if (due >= (double)flood->burst) {
            send_some(flood, due < BATCH ? (size_t)due : BATCH);
        }
        read_some(flood);
        if (due < BATCH / 4.0) {
            (void)usleep(100);
        }
    }
    double took = (double)(mono_now().ns - start.ns) / NS_PER_S;
    struct count c = flood->count;
    printf("offered %.0f sent %.0f answers %.0f naks %.0f kisses %.0f checked %llu bad %llu "
           "longer %llu\n",
           rate, (double)c.sent / took, (double)c.answers / took, (double)c.naks / took,
           (double)c.kisses / took, (unsigned long long)c.checked, (unsigned long long)c.bad,
           (unsigned long long)c.longer);
    /* What belongs to this rate shall not be counted to the next one. */
    for (int i = 0; i < 20; i++) {
        (void)usleep(5000);
        read_some(flood);
    }
}

/* ---- before it begins */

static void establish(struct flood *flood, const char *ca, uint16_t ke_port)
{
    static struct ke_client_result result;
    static const uint16_t aeads[] = {AEAD_AES_SIV_CMAC_256};
    struct tls_client_options tls = {.ca_file = ca, .alpn = KE_ALPN};
    struct ke_client_options options = {.host = "localhost",
                                        .addr = &flood->to,
                                        .timeout_ms = 5000,
                                        .aeads = aeads,
                                        .aead_count = 1};
    struct cert_fault fault;
    struct ke_client_why why = {{0}};
    SSL_CTX *ctx = NULL;
    if (net_addr_parse("127.0.0.1", ke_port, &flood->to) != NTS_OK ||
        tls_client_new(&tls, &ctx, &fault) != NTS_OK) {
        give_up("CA", ca);
    }
    options.tls = ctx;
    uint16_t port = 0;
    for (size_t i = 0; i < SESSIONS; i++) {
        if (ke_client_exchange(&options, &result, &why) != NTS_OK ||
            result.cookie_count != KE_COOKIES) {
            give_up("handshake", why.text);
        }
        flood->session[i].keys = result.keys;
        memcpy(flood->session[i].cookie, result.cookie, sizeof(result.cookie));
        port = result.answer.port;
        ke_client_result_wipe(&result);
    }
    flood->to.v4.sin_port = htons(port);
    SSL_CTX_free(ctx);
}

static void open_socket(struct flood *flood)
{
    struct net_addr any = {.v4 = {.sin_family = AF_INET}};
    int len = BUFFER_LEN;
    flood->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (flood->fd < 0 || bind(flood->fd, &any.sa, sizeof(any.v4)) != 0) {
        give_up("socket", "cannot open");
    }
    /* Without the right to this it is as long as anybody's. */
    if (setsockopt(flood->fd, SOL_SOCKET, SO_RCVBUFFORCE, &len, sizeof(len)) != 0) {
        (void)setsockopt(flood->fd, SOL_SOCKET, SO_RCVBUF, &len, sizeof(len));
    }
}

/* The kinds take turns. */
static void parse_kinds(struct flood *flood, char *list)
{
    enum kind named[KINDS];
    size_t n = 0;
    for (char *word = strtok(list, ","); word != NULL; word = strtok(NULL, ",")) {
        size_t k = 0;
        while (k < KINDS && strcmp(word, kind_names[k]) != 0) {
            k++;
        }
        if (k == KINDS || n == KINDS) {
            give_up("kind", word);
        }
        named[n++] = (enum kind)k;
    }
    for (size_t i = 0; i < MADE && n > 0; i++) {
        flood->kind[i] = named[i % n];
    }
}

int main(int argc, char **argv)
{
    static struct flood flood;
    if (argc < 6) {
        fprintf(stderr, "usage: flood CA KE_PORT SECONDS KIND,... RATE,... [SOURCE]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    flood.rng = rng_new();
    flood.one_source = argc > 6;
    if (flood.rng == NULL || (argc > 6 && inet_pton(AF_INET, argv[6], &flood.source) != 1)) {
        give_up("source", "not an IPv4 address");
    }
    parse_kinds(&flood, argv[4]);
    establish(&flood, argv[1], (uint16_t)atoi(argv[2]));
    open_socket(&flood);
    make_all(&flood);
    puts("ready");
    for (char *word = strtok(argv[5], ","); word != NULL; word = strtok(NULL, ",")) {
        keep_rate(&flood, atof(word), atof(argv[3]));
    }
    rng_free(flood.rng);
    return 0;
}
