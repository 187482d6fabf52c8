/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the bad-input programs share: a running server's addresses, its counters over HTTP, honest
 * exchanges as canaries, and result lines. Test code: blocking, one thread, exits on its own
 * faults.
 */
#ifndef NTSD_TESTS_SUPPORT_PROBE_H
#define NTSD_TESTS_SUPPORT_PROBE_H

#include "ntp/query.h"
#include "nts-ke/ke_client.h"

struct probe {
    struct net_addr ntp;
    struct net_addr ke;
    struct net_addr http;
    SSL_CTX *tls;
    struct rng *rng;
    struct session_keys keys;
    size_t cookie_count;
    struct ke_client_cookie cookie[KE_COOKIES];
    unsigned passed;
    unsigned failed;
};

/* argv: --ca FILE --host ADDR --port N --ke-port N --http-port N */
void probe_init(struct probe *probe, int argc, char **argv);
/* Prints nothing; returns the program's exit status. */
int probe_finish(struct probe *probe);

/* A new KE exchange: session keys and eight cookies. False and `why` when it failed. */
bool probe_establish(struct probe *probe, uint16_t aead, struct ke_client_why *why);
/* Takes one cookie, establishing anew when none is left. */
struct ke_client_cookie probe_cookie(struct probe *probe);

/* A connected UDP socket to the server with a receive timeout. */
int probe_udp(const struct probe *probe);
/* One honest authenticated exchange on a socket of its own. */
bool probe_honest_ntp(struct probe *probe);
/* One honest key establishment. */
bool probe_honest_ke(struct probe *probe);

/* The value of `NAME{label="value"}` on /metrics; exits when the server does not answer. */
uint64_t probe_counter(const struct probe *probe, const char *name_and_label);

/* "ok - name" or "not ok - name: reason" in printf form. */
void probe_result(struct probe *probe, bool good, const char *name, const char *reason, ...)
    __attribute__((format(printf, 4, 5)));

#endif
