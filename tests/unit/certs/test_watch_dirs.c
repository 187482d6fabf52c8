/* SPDX-License-Identifier: Apache-2.0 */
#include "certs/watch_dirs.h"

#include "tests/unit/certs/scratch.h"

#include <sys/stat.h>

struct seen {
    const char *base; /* left out of the text */
    char text[4096];
};

static void visit(void *ctx, const char *dir)
{
    struct seen *seen = ctx;
    size_t n = strlen(seen->base);
    if (strncmp(dir, seen->base, n) == 0) {
        (void)strncat(seen->text, dir[n] == '\0' ? "/" : dir + n,
                      sizeof(seen->text) - strlen(seen->text) - 1);
        (void)strncat(seen->text, " ", sizeof(seen->text) - strlen(seen->text) - 1);
    }
}

Test(watch_dirs, ways_through_symlinks)
{
    static const struct {
        const char *path;
        const char *visited;
    } rows[] = {
        {"/file", "/ /file "},
        {"/none/x", "/ /none /none/x "},
        {"//d///file", "/ /d /d/file "},
        {"/d/../file", "/ /d /d/.. /d/../file "},
        {"/to-file", "/ / /d /d/file "},
        {"/to-d/file", "/ / /d /d/file "},
        {"/d/up/file", "/ /d /d /d/.. /d/../file "},
        {"/absolute/file", "/ / /d /d/file "},
        {"/absolute", "/ / /d "},
    };
    struct scratch s;
    char absolute[PATH_MAX];
    scratch_open(&s);
    cr_assert_eq(mkdir(scratch_path(&s, "d"), 0755), 0);
    (void)snprintf(absolute, sizeof(absolute), "%s", s.path);
    cr_assert_eq(symlink(absolute, scratch_path(&s, "absolute")), 0);
    cr_assert_eq(symlink("d/file", scratch_path(&s, "to-file")), 0);
    cr_assert_eq(symlink("d", scratch_path(&s, "to-d")), 0);
    cr_assert_eq(symlink("..", scratch_path(&s, "d/up")), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct seen seen = {.base = s.dir};
        char path[PATH_MAX];
        (void)snprintf(path, sizeof(path), "%s%s", s.dir, rows[i].path);
        watch_dirs_walk(path, visit, &seen);
        cr_assert_str_eq(seen.text, rows[i].visited, "row %zu: %s", i, seen.text);
    }
    scratch_close(&s);
}

Test(watch_dirs, relative_paths_begin_here)
{
    struct seen seen = {.base = "."};
    watch_dirs_walk("no/such", visit, &seen);
    cr_assert_str_eq(seen.text, "/ /no /no/such ");
}

static void count(void *ctx, const char *dir)
{
    (void)dir;
    (*(unsigned *)ctx)++;
}

Test(watch_dirs, loops_and_long_ways_end)
{
    struct scratch s;
    unsigned visits = 0;
    char longest[2 * PATH_MAX];
    scratch_open(&s);
    cr_assert_eq(symlink("b", scratch_path(&s, "a")), 0);
    cr_assert_eq(symlink("a", scratch_path(&s, "b")), 0);
    watch_dirs_walk(s.path, count, &visits);
    cr_assert(visits > 3 && visits < 60, "%u", visits);
    memset(longest, 'x', sizeof(longest));
    longest[0] = '/';
    longest[sizeof(longest) - 1] = '\0';
    visits = 0;
    watch_dirs_walk(longest, count, &visits);
    cr_assert_eq(visits, 0);
    scratch_close(&s);
}
