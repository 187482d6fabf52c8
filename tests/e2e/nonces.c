/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the nonce of each of 20,000 authenticated replies, asked for over 64 sockets so that every
 * worker answers some: one line of hex each, for `sort | uniq -d`.
 */
#include "ntp/ntp_ef.h"
#include "tests/support/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { REPLIES = 20000, SOCKETS = 64 };

static void print_nonce(struct span packet)
{
    struct rd r = rd_init(packet);
    struct ntp_ef ef;
    struct ntp_authenticator auth;
    rd_skip(&r, NTP_HEADER_LEN);
    while (ntp_ef_next(&r, packet.n, &ef) == NTS_OK) {
        if (ef.type == NTP_EF_AUTHENTICATOR && ntp_authenticator_parse(ef.body, &auth) == NTS_OK) {
            for (size_t i = 0; i < auth.nonce.n; i++) {
                printf("%02x", auth.nonce.p[i]);
            }
            printf("\n");
        }
    }
}

int main(int argc, char **argv)
{
    static struct probe probe;
    int fd[SOCKETS];
    uint8_t packet[NTP_DATAGRAM_MAX];
    probe_init(&probe, argc, argv);
    struct ke_client_cookie cookie = probe_cookie(&probe); /* replay is legal */
    for (size_t i = 0; i < SOCKETS; i++) {
        fd[i] = probe_udp(&probe);
    }
    for (size_t i = 0; i < REPLIES; i++) {
        struct query query;
        struct wr w = wr_init(packet, sizeof(packet));
        if (query_write_nts(probe.rng, &probe.keys, span_of(cookie.bytes, cookie.len), 0, &query,
                            &w) != NTS_OK ||
            send(fd[i % SOCKETS], packet, w.n, 0) != (ssize_t)w.n) {
            return EXIT_FAILURE;
        }
        ssize_t got = recv(fd[i % SOCKETS], packet, sizeof(packet), 0);
        print_nonce(span_of(packet, got > 0 ? (size_t)got : 0));
    }
    return EXIT_SUCCESS;
}
