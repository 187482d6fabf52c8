/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches files for change (inotify on their directories, so that rename, symlink swap and
 * re-creation are seen) and calls back once they have been quiet for a second. Shell module on a
 * libuv loop; one thread.
 *
 * Every directory on the way to a file is watched, through all symlinks. An event is only a reason
 * to look: what counts as a change is that stat(2) of a file says something else than before. While
 * it looks (four times a second) no further event is read, so a busy directory costs no more than
 * that, and never delays the callback.
 */
#ifndef NTSD_CERTS_WATCH_H
#define NTSD_CERTS_WATCH_H

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
    CERT_WATCH_SETTLE_MS = 1000,
    CERT_WATCH_LOOK_MS = 250,
    CERT_WATCH_DIRS_MAX = 64,
    CERT_WATCH_PATHS_MAX = 34
};

/* What tells one state of a file from another; all zero: there is none. */
struct cert_watch_sight {
    uint64_t device;
    uint64_t inode;
    int64_t size;
    int64_t modified_ns;
    int64_t changed_ns;
};

struct cert_watch {
    uv_poll_t poll;
    uv_timer_t settle;
    int fd; /* inotify */
    void (*changed)(void *ctx);
    void *ctx;
    /* The rest is the module's own. */
    bool open;
    bool dirty;        /* a file changed since `changed` was called last */
    unsigned quiet_ms; /* for how long none has changed */
    size_t path_count;
    char *path[CERT_WATCH_PATHS_MAX];
    struct cert_watch_sight sight[CERT_WATCH_PATHS_MAX];
    size_t dir_count;
    int dir[CERT_WATCH_DIRS_MAX]; /* watch descriptors */
};

/*
 * Starts watching; paths are copied. Open it before the files are loaded for the first time, then
 * no change is missed. The struct must be zeroed. NTS_ESYSTEM: no inotify (errno); the caller goes
 * on without. NTS_ELIMIT: more than CERT_WATCH_PATHS_MAX paths. On failure nothing is to be closed.
 */
NODISCARD enum nts_err cert_watch_open(struct cert_watch *watch, uv_loop_t *loop,
                                       const char *const *paths, size_t count,
                                       void (*changed)(void *ctx), void *ctx);

/* Stops; the struct must live until the loop ran its close callbacks. Safe to call twice, also from
 * within `changed`. */
void cert_watch_close(struct cert_watch *watch);

#endif
