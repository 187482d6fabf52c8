/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bad datagrams against a running ntsd, row by row: what is sent, what must come back, which
 * counter must move; after each row an honest authenticated exchange. `badinput_ntp --table` prints
 * the rows as the table of docs/bad-input.md, so the document cannot drift from what is tested.
 *
 * Whether the server stayed silent is seen without waiting: after each bad datagram a plain request
 * leaves on the same socket, which the same worker answers next.
 */
#include "ntp/ntp_auth.h"
#include "ntp/ntp_service.h"
#include "tests/support/bad_datagrams.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const answer_names[] = {[SILENT] = "silence",
                                           [PLAIN] = "plain time",
                                           [NAK] = "NTSN",
                                           [AUTHENTIC] = "authenticated time"};

/* What a reply carries, found by walking its fields. */
struct found {
    struct span uid;
    bool authentic;
    bool other; /* a field that has no business in a reply */
};

static struct found walk_reply(const struct bench *bench, struct span packet)
{
    static uint8_t plain[NTP_DATAGRAM_MAX];
    struct found found = {0};
    struct rd r = rd_init(packet);
    struct ntp_ef ef;
    struct ntp_authenticator auth;
    const struct session_keys *keys = &bench->probe.keys;
    rd_skip(&r, NTP_HEADER_LEN);
    while (ntp_ef_next(&r, packet.n, &ef) == NTS_OK) {
        if (ef.type == NTP_EF_UNIQUE_IDENTIFIER) {
            found.uid = ef.body;
        } else if (ef.type == NTP_EF_AUTHENTICATOR &&
                   ntp_authenticator_parse(ef.body, &auth) == NTS_OK) {
            struct span ad = span_of(packet.p, ef.offset);
            found.authentic =
                ntp_auth_open(keys->alg, &keys->s2c, &auth, ad, plain) == NTS_OK && r.left == 0;
        } else {
            found.other = true;
        }
    }
    found.other = found.other || r.left > 0;
    return found;
}

/* 0: a reply that must not be, whatever was asked. */
static enum answer classify(const struct bench *bench, size_t sent, size_t got)
{
    struct span packet = span_of(bench->reply, got);
    struct rd r = rd_init(packet);
    struct ntp_header header = ntp_header_read(&r);
    uint8_t version = bench->packet[0] >> 3 & 7;
    struct found found = walk_reply(bench, packet);
    if (got > sent || header.mode != NTP_MODE_SERVER || header.version != version || found.other ||
        memcmp(bench->reply + 24, bench->packet + NTP_TRANSMIT_OFFSET, 8) != 0) {
        return 0;
    }
    bool echoed = found.uid.n > 0 && memcmp(found.uid.p, bench->uid, found.uid.n) == 0;
    if (header.stratum == NTP_STRATUM_KISS) {
        bool nak = header.reference_id == NTP_KISS_NTSN && echoed && !found.authentic;
        return nak ? NAK : 0;
    }
    if (found.authentic) {
        return echoed ? AUTHENTIC : 0;
    }
    return got == NTP_HEADER_LEN ? PLAIN : 0;
}

/* Sends the bad datagram, then a marker; what arrives before the marker's reply is its answer. */
static enum answer exchange(struct bench *bench, int fd, size_t len)
{
    uint8_t marker[NTP_HEADER_LEN] = {0x23};
    if (rng_bytes(bench->probe.rng, marker + NTP_TRANSMIT_OFFSET, 8) != NTS_OK) {
        exit(1);
    }
    if (send(fd, bench->packet, len, 0) != (ssize_t)len ||
        send(fd, marker, sizeof(marker), 0) != sizeof(marker)) {
        return 0;
    }
    enum answer answer = SILENT;
    for (;;) {
        ssize_t got = recv(fd, bench->reply, sizeof(bench->reply), 0);
        if (got < NTP_HEADER_LEN) {
            return 0;
        }
        if (memcmp(bench->reply + 24, marker + NTP_TRANSMIT_OFFSET, 8) == 0) {
            return answer;
        }
        answer = classify(bench, len, (size_t)got);
    }
}

static uint64_t verdict_counter(const struct probe *probe, unsigned verdict)
{
    char label[128];
    (void)snprintf(label, sizeof(label), "ntsd_ntp_datagrams_total{verdict=\"%s\"}",
                   ntp_count_name(verdict));
    return probe_counter(probe, label);
}

/* What was sent before this row may still be on its way into the counters. */
static void settle(const struct probe *probe)
{
    uint64_t last = UINT64_MAX;
    for (int i = 0; i < 50; i++) {
        uint64_t now = probe_counter(probe, "ntsd_ntp_sent_total");
        if (now == last) {
            return;
        }
        last = now;
        (void)usleep(3000);
    }
}

static uint64_t row_counters(const struct bench *bench, const struct bad_datagram *row)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < row->counters; i++) {
        if (row->counter[i] < NTP_VERDICTS) {
            sum += verdict_counter(&bench->probe, row->counter[i]);
        }
    }
    return sum;
}

/* Plain answers the row causes besides its own: one marker each. */
static uint64_t markers_in(const struct bad_datagram *row, unsigned sent)
{
    for (size_t i = 0; i < row->counters; i++) {
        if (row->counter[i] == NTP_ANSWER_PLAIN) {
            return sent;
        }
    }
    return 0;
}

static void run_row(struct bench *bench, const struct bad_datagram *row)
{
    char name[160];
    (void)snprintf(name, sizeof(name), "%s %s", row->id, row->input);
    bench->cookie = probe_cookie(&bench->probe);
    struct shape good = shape_default();
    unsigned variants = row->variants > 0 ? row->variants : (unsigned)shape_write(bench, &good) * 8;
    settle(&bench->probe);
    uint64_t before = row_counters(bench, row);
    int fd = probe_udp(&bench->probe);
    for (unsigned v = 0; v < variants; v++) {
        size_t len = row->build(bench, v);
        enum answer answer = exchange(bench, fd, len);
        if ((answer & row->answers) == 0) {
            probe_result(&bench->probe, false, name, "variant %u: %s", v,
                         answer == 0 ? "a reply that must not be" : answer_names[answer]);
            (void)close(fd);
            return;
        }
    }
    (void)close(fd);
    uint64_t expected = variants + markers_in(row, variants);
    uint64_t moved = row_counters(bench, row) - before;
    for (int i = 0; moved < expected && i < 50; i++) { /* counted after the reply has left */
        (void)usleep(10000);
        moved = row_counters(bench, row) - before;
    }
    if (row->counter[0] != NTP_VERDICTS && moved != expected) {
        probe_result(&bench->probe, false, name, "counters moved by %llu, not %llu",
                     (unsigned long long)moved, (unsigned long long)expected);
        return;
    }
    probe_result(&bench->probe, probe_honest_ntp(&bench->probe), name,
                 "no honest exchange afterwards");
}

/* Source ports: any is answered, but 0, which needs a raw socket to send. */
static void source_ports(struct bench *bench)
{
    static const uint16_t port[] = {7, 19, 53, 69, 123};
    const char *name = "A7 source ports 7, 19, 53, 69 and 123 are answered";
    if (geteuid() != 0 || bench->probe.ntp.sa.sa_family != AF_INET) {
        printf("skip - %s: needs root and IPv4\n", name);
        return;
    }
    bool good = true;
    for (size_t i = 0; i < sizeof(port) / sizeof(port[0]); i++) {
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in from = {.sin_family = AF_INET,
                                   .sin_port = htons(port[i]),
                                   .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK + 76)}};
        if (bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
            connect(fd, &bench->probe.ntp.sa, sizeof(from)) != 0) {
            printf("# port %u: %s\n", port[i], strerror(errno));
            (void)close(fd);
            continue;
        }
        good = good && exchange(bench, fd, bad_datagram_none(bench, 3)) == PLAIN;
        (void)close(fd);
    }
    probe_result(&bench->probe, good, name, "one was not");
}

static void source_port_zero(struct bench *bench)
{
    const char *name = "A7 source port 0 is dropped";
    int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
    if (fd < 0 || bench->probe.ntp.sa.sa_family != AF_INET) {
        printf("skip - %s: needs root and IPv4\n", name);
        return;
    }
    uint64_t before = verdict_counter(&bench->probe, NTP_DROP_PORT);
    uint8_t datagram[8 + NTP_HEADER_LEN] = {0};
    struct wr w = wr_init(datagram, sizeof(datagram));
    wr_u16(&w, 0);
    wr_u16(&w, net_addr_port(&bench->probe.ntp));
    wr_u16(&w, sizeof(datagram));
    wr_u16(&w, 0); /* no checksum */
    wr_u8(&w, 0x23);
    bool sent = sendto(fd, datagram, sizeof(datagram), 0, &bench->probe.ntp.sa,
                       net_addr_len(&bench->probe.ntp)) == sizeof(datagram);
    (void)close(fd);
    uint64_t after = before;
    for (int i = 0; sent && after == before && i < 100; i++) {
        (void)usleep(10000);
        after = verdict_counter(&bench->probe, NTP_DROP_PORT);
    }
    probe_result(&bench->probe, after == before + 1, name, "counter moved by %llu",
                 (unsigned long long)(after - before));
}

/* All verdicts together are all datagrams received: nothing goes uncounted. */
static void counters_add_up(struct bench *bench)
{
    uint64_t sum = 0;
    settle(&bench->probe);
    for (unsigned v = 0; v < NTP_VERDICTS; v++) {
        sum += verdict_counter(&bench->probe, v);
    }
    uint64_t received = probe_counter(&bench->probe, "ntsd_ntp_received_total");
    probe_result(&bench->probe, sum == received, "verdicts add up to datagrams received",
                 "%llu of %llu", (unsigned long long)sum, (unsigned long long)received);
}

static void print_table(void)
{
    printf("| row | datagram | answer | counter |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < bad_datagram_count; i++) {
        printf("| %s | %s | ", bad_datagrams[i].id, bad_datagrams[i].input);
        const char *separator = "";
        for (unsigned a = SILENT; a <= AUTHENTIC; a <<= 1) {
            if ((bad_datagrams[i].answers & a) != 0) {
                printf("%s%s", separator, answer_names[a]);
                separator = " or ";
            }
        }
        separator = " | ";
        for (size_t c = 0; c < bad_datagrams[i].counters; c++) {
            printf("%s%s", separator,
                   bad_datagrams[i].counter[c] == NTP_VERDICTS
                       ? "by its kind"
                       : ntp_verdict_name(bad_datagrams[i].counter[c]));
            separator = ", ";
        }
        printf(" |\n");
    }
    printf("| A7 | source ports 7, 19, 53, 69 and 123 | plain time | answer_plain |\n"
           "| A7 | source port 0 | silence | drop_port |\n");
}

int main(int argc, char **argv)
{
    static struct bench bench;
    if (argc == 2 && strcmp(argv[1], "--table") == 0) {
        print_table();
        return 0;
    }
    probe_init(&bench.probe, argc, argv);
    probe_result(&bench.probe, probe_honest_ntp(&bench.probe), "an honest exchange first",
                 "no answer");
    for (size_t i = 0; i < bad_datagram_count; i++) {
        run_row(&bench, &bad_datagrams[i]);
    }
    source_ports(&bench);
    source_port_zero(&bench);
    counters_add_up(&bench);
    return probe_finish(&bench.probe);
}
