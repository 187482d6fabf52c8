/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches files for change (inotify on their directories, so that rename, symlink swap and
 * re-creation are seen) and calls back once they have been quiet for a second. Shell module on a
 * libuv loop; one thread.
 */
#ifndef NTSD_CERTS_WATCH_H
#define NTSD_CERTS_WATCH_H

#include "common/base/err.h"

#include <stddef.h>
#include <uv.h>

enum { CERT_WATCH_SETTLE_MS = 1000, CERT_WATCH_DIRS_MAX = 64 };

struct cert_watch {
    uv_poll_t poll;
    uv_timer_t settle;
    int fd; /* inotify */
    void (*changed)(void *ctx);
    void *ctx;
    /* ... implementation adds what it needs here: watch descriptors and base names */
};

/* Starts watching; paths are copied. NTS_ESYSTEM: no inotify (errno); the caller goes on without.
 */
NODISCARD enum nts_err cert_watch_open(struct cert_watch *watch, uv_loop_t *loop,
                                       const char *const *paths, size_t count,
                                       void (*changed)(void *ctx), void *ctx);

/* Stops; the struct must live until the loop ran its close callbacks. Safe to call twice. */
void cert_watch_close(struct cert_watch *watch);

#endif
