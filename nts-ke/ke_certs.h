/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates of the KE service: loaded at its start, on SIGHUP and when a file changes. What
 * is bad on disk leaves what is good in service, and is logged once. Shell module; one thread, that
 * of the loop.
 */
#ifndef NTSD_NTS_KE_KE_CERTS_H
#define NTSD_NTS_KE_KE_CERTS_H

#include "certs/watch.h"
#include "nts-ke/ke_service.h"

enum { KE_CERTS_DELAY_MS = 100 }; /* a burst of SIGHUP is one reload */

struct ke_certs {
    const struct ke_service_options *options;
    struct tls_server **tls;  /* the one in service; the caller's, who frees it in the end */
    struct ke_status *status; /* filled in at each reload, and then `changed` is called */
    void (*changed)(void *ctx);
    void *ctx;
    /* The rest is the module's own. */
    uv_timer_t burst;
    uv_timer_t retry;
    struct cert_watch watch;
    bool watching;
    bool over;
    bool overdue;                 /* it was said that a list of revoked certificates is */
    enum cert_fault_kind refused; /* why the last reload failed */
};

/* Starts to watch the files, so that from here on no change is missed. */
void ke_certs_open(struct ke_certs *certs, uv_loop_t *loop);

/* Loads the files for the first time. False: not to be served; logged. */
bool ke_certs_start(struct ke_certs *certs);

/* SIGHUP. */
void ke_certs_reload(struct ke_certs *certs);

/* No more reloads. */
void ke_certs_stop(struct ke_certs *certs);

/* Closes all handles; the struct must live until the loop ran its close callbacks. */
void ke_certs_close(struct ke_certs *certs);

#endif
