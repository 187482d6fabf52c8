/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes connections from listening sockets and hands them on. Shell module; one thread.
 *
 * No failure of accept(2) is fatal and none makes it spin. Out of descriptors, it takes the
 * connection with one held in reserve for that and closes it at once: a client that is refused can
 * go elsewhere, one that is left in the queue cannot. Out of memory, it pauses for a moment.
 */
#ifndef NTSD_NTS_KE_KE_ACCEPTOR_H
#define NTSD_NTS_KE_KE_ACCEPTOR_H

#include "common/base/err.h"
#include "common/base/stats.h"
#include "common/net/addr.h"
#include "nts-ke/ke_service.h"

#include <uv.h>

enum {
    KE_ACCEPT_BATCH = 64, /* connections taken from a socket before others have their turn */
    KE_ACCEPT_PAUSE_MS = 100,
};

struct ke_acceptor_options {
    uv_loop_t *loop;
    const int *listener; /* stay the caller's */
    size_t count;        /* at most KE_LISTENERS_MAX */
    struct stats *stats;
    void (*accepted)(void *ctx, int fd, const struct net_addr *peer); /* owns `fd` */
    void *ctx;
};

struct ke_acceptor {
    struct ke_acceptor_options options;
    uv_poll_t poll[KE_LISTENERS_MAX];
    uv_timer_t pause;
    uv_poll_cb readable; /* set once; a pause ends with it */
    size_t open;         /* polls that were started */
    int spare_fd;
    bool closed;
};

/* Also opens sockets again that were drained. NTS_ESYSTEM: errno. Then, too, ke_acceptor_close()
 * and the loop clean up. */
NODISCARD enum nts_err ke_acceptor_open(struct ke_acceptor *acceptor,
                                        const struct ke_acceptor_options *options);

/* Nobody will accept any more, in this process or any other that has these sockets: refuses those
 * in the queue and all who come, who then go elsewhere, and closes. For a drain only; a process
 * that ends for any other reason leaves the sockets as they are for the one that takes its place.
 */
void ke_acceptor_drain(struct ke_acceptor *acceptor);

/* Stops accepting; the struct must live until the loop ran its close callbacks. May be called
 * twice. */
void ke_acceptor_close(struct ke_acceptor *acceptor);

#endif
