/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of a test's own, and small files in it. For tests only; failures end the test.
 */
#ifndef NTSD_TESTS_CERTS_SCRATCH_H
#define NTSD_TESTS_CERTS_SCRATCH_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scratch {
    char dir[64];
    char path[PATH_MAX]; /* of scratch_path() */
};

static inline void scratch_open(struct scratch *s)
{
    (void)snprintf(s->dir, sizeof(s->dir), "/tmp/ntsd-test-XXXXXX");
    cr_assert_not_null(mkdtemp(s->dir));
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int kind,
                                     struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static inline void scratch_close(struct scratch *s)
{
    cr_assert_eq(nftw(s->dir, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* DIR/name; overwritten by the next call on the same struct. */
static inline const char *scratch_path(struct scratch *s, const char *name)
{
    (void)snprintf(s->path, sizeof(s->path), "%s/%s", s->dir, name);
    return s->path;
}

/* Opens with `flags` and writes the text: O_TRUNC for a new file, O_APPEND for more of one. */
static inline void scratch_put(struct scratch *s, const char *name, const char *text, int flags)
{
    int fd = open(scratch_path(s, name), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
    cr_assert(fd >= 0, "%s", s->path);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    cr_assert_eq(close(fd), 0);
}

#endif
