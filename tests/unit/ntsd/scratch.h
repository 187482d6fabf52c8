/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of its own for a test, and files in it. What is made is removed by scratch_remove().
 */
#ifndef NTSD_TESTS_UNIT_NTSD_SCRATCH_H
#define NTSD_TESTS_UNIT_NTSD_SCRATCH_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch {
    char dir[64];
};

static inline void scratch_make(struct scratch *s)
{
    strcpy(s->dir, "/tmp/ntsd-unit-XXXXXX");
    cr_assert_not_null(mkdtemp(s->dir));
}

static inline int scratch_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void scratch_remove(struct scratch *s)
{
    (void)nftw(s->dir, scratch_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

/* "DIR/name"; static storage of one of four, so that a few may be in use at once. */
static inline const char *scratch_path(const struct scratch *s, const char *name)
{
    static char path[4][PATH_MAX];
    static unsigned next;
    char *p = path[next++ % 4];
    (void)snprintf(p, PATH_MAX, "%s/%s", s->dir, name);
    return p;
}

static inline void scratch_write(const struct scratch *s, const char *name, const char *text,
                                 mode_t mode)
{
    const char *path = scratch_path(s, name);
    FILE *f = fopen(path, "we");
    cr_assert_not_null(f);
    cr_assert_geq(fputs(text, f), 0);
    cr_assert_eq(fclose(f), 0);
    cr_assert_eq(chmod(path, mode), 0);
}

#endif
