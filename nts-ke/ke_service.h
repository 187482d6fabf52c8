/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `ke` process: answers TLS connections on sockets it is handed. Shell module.
 *
 * One libuv loop, one thread, a fixed pool of connections, a deadline per connection from accept.
 * SIGHUP and a change of the certificate files load the new ones; a bad new file leaves the old in
 * service and is logged once, and so does one that is expired or not yet valid while the old is
 * valid. What time alone may mend is tried again every reload_retry_ms. SIGTERM closes the
 * listeners for good, lets running exchanges finish within drain_ms, and returns.
 */
#ifndef NTSD_NTS_KE_KE_SERVICE_H
#define NTSD_NTS_KE_KE_SERVICE_H

#include "certs/tls_server.h"
#include "common/base/board.h"
#include "common/base/stats.h"
#include "nts-ke/ke_admission.h"
#include "nts-ke/ke_negotiate.h"

enum { KE_LISTENERS_MAX = 16, KE_TIMEOUT_MS = 2000, KE_DRAIN_MS = 3000, KE_RETRY_MS = 60000 };

/* What the ke process says about itself on its board. */
struct ke_status {
    uint64_t ready; /* 1: listening with a certificate */
    uint64_t pair_count;
    int64_t not_before[TLS_PAIRS_MAX];
    int64_t not_after[TLS_PAIRS_MAX];
    char names[TLS_PAIRS_MAX][CERT_NAMES_TEXT_MAX];
    struct client_ca_info clients;
    uint64_t last_reload_failed; /* 1: the files on disk are not the ones in service */
};
_Static_assert(sizeof(struct ke_status) % 8 == 0, "board values are whole words");

struct ke_service_options {
    int listener[KE_LISTENERS_MAX]; /* bound, listening, non-blocking; owned by the caller */
    size_t listener_count;
    struct tls_pair_files pair[TLS_PAIRS_MAX];
    size_t pair_count;
    struct client_ca_files clients;
    struct ke_policy policy;
    /* A process that takes the place of one that died: it starts with an expired certificate, with
     * a warning, because an outage would not make it any more valid. From then on as any other. */
    bool restarted;
    const char *ntp_server; /* record 6, or NULL */
    uint16_t ntp_port;      /* record 7, or 0 for none (123 needs none) */
    size_t connections_max;
    struct ke_admission_options admission;
    unsigned timeout_ms;      /* accept to close; 0: KE_TIMEOUT_MS */
    unsigned drain_ms;        /* 0: KE_DRAIN_MS */
    unsigned reload_retry_ms; /* 0: KE_RETRY_MS */
    const struct board *key_board;
    struct board *status_board; /* of struct ke_status; NULL in processes after the first */
    struct stats *stats;        /* indices: enum ke_count */
};

/* Runs until SIGTERM. Returns the process's exit status: 0 after a drain, 1 when it could not
 * start (logged). */
int ke_service_run(const struct ke_service_options *options);

/* Opens a listening TCP socket: SO_REUSEADDR, SO_REUSEPORT, IPV6_V6ONLY, non-blocking, close on
 * exec. NTS_ESYSTEM: errno. */
struct net_addr;
NODISCARD enum nts_err ke_listener_open(const struct net_addr *addr, int *fd);

#endif
