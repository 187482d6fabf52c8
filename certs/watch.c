/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches files for change. See watch.h.
 */
#include "certs/watch.h"

#include "certs/watch_dirs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DRAIN_READS_MAX = 1024 }; /* more than the kernel's queue holds */

#define DIR_EVENTS                                                                                 \
    (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE |            \
     IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

static bool has_dir(const int *dirs, size_t count, int wd)
{
    for (size_t i = 0; i < count; i++) {
        if (dirs[i] == wd) {
            return true;
        }
    }
    return false;
}

/* The set of directories that is being made. */
struct dirs {
    int fd;
    size_t count;
    int wd[CERT_WATCH_DIRS_MAX];
};

/* Watching a directory that is watched gives the same descriptor again. One that cannot be watched
 * (no read permission, no directory) is left out: the others still show most changes. */
static void add_dir(void *ctx, const char *path)
{
    struct dirs *dirs = ctx;
    if (dirs->count == CERT_WATCH_DIRS_MAX) {
        return;
    }
    int wd = inotify_add_watch(dirs->fd, path, DIR_EVENTS);
    if (wd >= 0 && !has_dir(dirs->wd, dirs->count, wd)) {
        dirs->wd[dirs->count++] = wd;
    }
}

/* Directories come and go, symlinks turn: watch those that matter now and no others. */
static void watch_dirs(struct cert_watch *watch)
{
    struct dirs dirs = {.fd = watch->fd, .count = 0};
    for (size_t i = 0; i < watch->path_count; i++) {
        watch_dirs_walk(watch->path[i], add_dir, &dirs);
    }
    for (size_t i = 0; i < watch->dir_count; i++) {
        if (!has_dir(dirs.wd, dirs.count, watch->dir[i])) {
            (void)inotify_rm_watch(watch->fd, watch->dir[i]); /* may be gone by itself */
        }
    }
    memcpy(watch->dir, dirs.wd, sizeof(watch->dir));
    watch->dir_count = dirs.count;
}

static int64_t ns_of(const struct timespec *ts)
{
    return (int64_t)ts->tv_sec * 1000000000 + ts->tv_nsec;
}

static struct cert_watch_sight sight_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return (struct cert_watch_sight){0};
    }
    return (struct cert_watch_sight){
        .device = st.st_dev,
        .inode = st.st_ino,
        .size = st.st_size,
        .modified_ns = ns_of(&st.st_mtim),
        .changed_ns = ns_of(&st.st_ctim),
    };
}

static bool sight_is(const struct cert_watch_sight *a, const struct cert_watch_sight *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

/* Looks at all files; true when one is not as it was the last time. */
static bool look(struct cert_watch *watch)
{
    bool changed = false;
    for (size_t i = 0; i < watch->path_count; i++) {
        struct cert_watch_sight now = sight_of(watch->path[i]);
        changed = changed || !sight_is(&now, &watch->sight[i]);
        watch->sight[i] = now;
    }
    return changed;
}

/* What the events say does not matter, see watch.h. */
static void drain(int fd)
{
    char events[4096];
    for (unsigned i = 0; i < DRAIN_READS_MAX && read(fd, events, sizeof(events)) > 0; i++) {
    }
}

/* Reads nothing until the looking is over. */
static void on_event(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct cert_watch *watch = poll->data;
    watch->quiet_ms = 0;
    (void)uv_poll_stop(poll);
    (void)uv_timer_again(&watch->settle);
}

static void on_look(uv_timer_t *timer)
{
    struct cert_watch *watch = timer->data;
    /* In this order: what happens after the look finds its event still to be read. */
    drain(watch->fd);
    watch_dirs(watch);
    if (look(watch)) {
        watch->dirty = true;
        watch->quiet_ms = 0;
        return;
    }
    watch->quiet_ms += CERT_WATCH_LOOK_MS;
    if (watch->dirty && watch->quiet_ms < CERT_WATCH_SETTLE_MS) {
        return;
    }
    bool tell = watch->dirty;
    watch->dirty = false;
    (void)uv_timer_stop(&watch->settle);
    (void)uv_poll_start(&watch->poll, UV_READABLE, on_event);
    if (tell) {
        watch->changed(watch->ctx);
    }
}

static void free_paths(struct cert_watch *watch)
{
    for (size_t i = 0; i < watch->path_count; i++) {
        free(watch->path[i]);
        watch->path[i] = NULL;
    }
    watch->path_count = 0;
}

static bool copy_paths(struct cert_watch *watch, const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        watch->path[i] = strdup(paths[i]);
        if (watch->path[i] == NULL) {
            return false;
        }
        watch->path_count = i + 1;
    }
    return true;
}

/* Undoes a start that did not succeed; keeps errno. */
static enum nts_err give_up(struct cert_watch *watch)
{
    int saved = errno;
    free_paths(watch);
    if (watch->fd >= 0) {
        (void)close(watch->fd);
    }
    *watch = (struct cert_watch){0};
    errno = saved;
    return NTS_ESYSTEM;
}

NODISCARD enum nts_err cert_watch_open(struct cert_watch *watch, uv_loop_t *loop,
                                       const char *const *paths, size_t count,
                                       void (*changed)(void *ctx), void *ctx)
{
    *watch = (struct cert_watch){.changed = changed, .ctx = ctx};
    if (count > CERT_WATCH_PATHS_MAX) {
        return NTS_ELIMIT;
    }
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd < 0 || !copy_paths(watch, paths, count)) {
        return give_up(watch);
    }
    int failed = uv_poll_init(loop, &watch->poll, watch->fd);
    if (failed != 0) {
        errno = -failed;
        return give_up(watch);
    }
    (void)uv_timer_init(loop, &watch->settle);
    watch->poll.data = watch;
    watch->settle.data = watch;
    watch->open = true;
    watch_dirs(watch);
    (void)look(watch);
    (void)uv_timer_start(&watch->settle, on_look, CERT_WATCH_LOOK_MS, CERT_WATCH_LOOK_MS);
    return NTS_OK;
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct cert_watch *watch = handle->data;
    (void)close(watch->fd);
    watch->fd = -1;
    free_paths(watch);
}

void cert_watch_close(struct cert_watch *watch)
{
    if (!watch->open) {
        return;
    }
    watch->open = false;
    uv_close((uv_handle_t *)&watch->settle, NULL);
    uv_close((uv_handle_t *)&watch->poll, on_poll_closed);
}
