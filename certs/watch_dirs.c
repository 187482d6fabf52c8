/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories on the way to a file. See watch_dirs.h.
 */
#include "certs/watch_dirs.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINKS_MAX = 40 }; /* the kernel's own limit */

struct way {
    char dir[PATH_MAX];  /* walked so far, free of symlinks */
    char rest[PATH_MAX]; /* still to walk */
    unsigned links;
};

/* printf into a path that may not be cut. */
#define FITS(buf, ...) ((size_t)snprintf(buf, sizeof(buf), __VA_ARGS__) < sizeof(buf))

/* Puts a symlink's target in front of the rest. A target that begins with '/' starts over. */
static bool follow(struct way *way, const char *target, const char *after)
{
    char rest[PATH_MAX];
    if (++way->links > LINKS_MAX || !FITS(rest, "%s/%s", target, after)) {
        return false;
    }
    if (target[0] == '/') {
        (void)FITS(way->dir, "/");
    }
    memcpy(way->rest, rest, sizeof(rest));
    return true;
}

/* Takes the first component of the rest. False: nothing is left, or it cannot be walked. */
static bool step(struct way *way)
{
    char *name = way->rest + strspn(way->rest, "/");
    char *after = name + strcspn(name, "/");
    char full[PATH_MAX];
    char target[PATH_MAX];
    if (*name == '\0') {
        return false;
    }
    if (*after != '\0') {
        *after++ = '\0';
    }
    if (!FITS(full, "%s/%s", strcmp(way->dir, "/") == 0 ? "" : way->dir, name)) {
        return false;
    }
    ssize_t n = readlink(full, target, sizeof(target) - 1);
    if (n > 0) {
        target[n] = '\0';
        return follow(way, target, after);
    }
    memcpy(way->dir, full, sizeof(full));
    memmove(way->rest, after, strlen(after) + 1);
    return true;
}

void watch_dirs_walk(const char *path, void (*visit)(void *ctx, const char *dir), void *ctx)
{
    struct way way = {.links = 0};
    if (!FITS(way.dir, "%s", path[0] == '/' ? "/" : ".") || !FITS(way.rest, "%s", path)) {
        return;
    }
    do {
        visit(ctx, way.dir);
    } while (step(&way));
}
