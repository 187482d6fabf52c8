/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shakes hands over and over: load for the KE service, and a witness of which certificate it
 * serves. Prints `leaf NAMES` whenever the names in the certificate change, `failed WHY` for a
 * handshake that fails, and at the end
 *
 *   handshakes N failed N median_ms N p95_ms N slowest_ms N
 *
 * With a rate, so many a second; otherwise one after the other.
 */
#include "common/base/time.h"
#include "common/net/addr.h"
#include "nts-ke/ke_client.h"
#include "nts-ke/ke_proto.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TIMES_MAX = 100000 };

struct witness {
    struct ke_client_options options;
    char names[sizeof(((struct tls_client_info *)0)->names)];
    size_t done;
    size_t failed;
    double times_ms[TIMES_MAX];
};

static void shake_hands(struct witness *witness)
{
    static struct ke_client_result result;
    struct ke_client_why why = {{0}};
    enum nts_err err = ke_client_exchange(&witness->options, &result, &why);
    if (err != NTS_OK || result.cookie_count == 0) {
        witness->failed++;
        printf("failed %s\n", why.text);
    } else if (strcmp(witness->names, result.tls.names) != 0) {
        memcpy(witness->names, result.tls.names, sizeof(witness->names));
        printf("leaf %s\n", witness->names);
    }
    witness->times_ms[witness->done++] = result.total_ms;
    ke_client_result_wipe(&result);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void wait_until(struct mono_ns moment)
{
    int64_t ns = moment.ns - mono_now().ns;
    if (ns > 0) {
        struct timespec wait = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
        (void)nanosleep(&wait, NULL);
    }
}

int main(int argc, char **argv)
{
    static struct witness witness;
    static const uint16_t aeads[] = {AEAD_AES_SIV_CMAC_256};
    struct net_addr addr;
    struct cert_fault fault;
    SSL_CTX *ctx = NULL;
    if (argc < 4) {
        fprintf(stderr, "usage: handshaker CA KE_PORT SECONDS [PER_SECOND]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct tls_client_options tls = {.ca_file = argv[1], .alpn = KE_ALPN};
    if (net_addr_parse("127.0.0.1", (uint16_t)atoi(argv[2]), &addr) != NTS_OK ||
        tls_client_new(&tls, &ctx, &fault) != NTS_OK) {
        fprintf(stderr, "handshaker: cannot use %s\n", argv[1]);
        return 1;
    }
    witness.options = (struct ke_client_options){.tls = ctx,
                                                 .host = "localhost",
                                                 .addr = &addr,
                                                 .timeout_ms = 3000,
                                                 .aeads = aeads,
                                                 .aead_count = 1};
    struct mono_ns end = {mono_now().ns + atoi(argv[3]) * NS_PER_S};
    int64_t space_ns = argc > 4 ? (int64_t)(1e9 / atof(argv[4])) : 0;
    struct mono_ns next = mono_now();
    while (mono_now().ns < end.ns && witness.done < TIMES_MAX) {
        shake_hands(&witness);
        next.ns += space_ns;
        wait_until(next);
    }
    SSL_CTX_free(ctx);
    qsort(witness.times_ms, witness.done, sizeof(double), by_size);
    printf("handshakes %zu failed %zu median_ms %.1f p95_ms %.1f slowest_ms %.1f\n", witness.done,
           witness.failed, witness.times_ms[witness.done / 2],
           witness.times_ms[witness.done * 95 / 100], witness.times_ms[witness.done - 1]);
    return 0;
}
