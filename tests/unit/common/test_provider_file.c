/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A document in a file: what is read, what is refused and in which words.
 */
#include "common/keys/provider_file.h"

#include "common/base/cursor.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static char dir[64];
static struct provider_text text;
static struct provider_fault fault;

static void set_up(void)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/ntsd-test-file.XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void tear_down(void)
{
    (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(provider_file, .init = set_up, .fini = tear_down, .timeout = 60);

static const char *path_of(const char *name)
{
    static char path[2][128];
    static unsigned next;
    char *p = path[next++ % 2];
    (void)snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
    return p;
}

static void put(const char *path, size_t n, char octet, mode_t mode)
{
    static char bytes[KEYDOC_TEXT_MAX + 1];
    memset(bytes, octet, n);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, bytes, n), (ssize_t)n);
    cr_assert_eq(fchmod(fd, mode), 0);
    (void)close(fd);
}

static enum provider_outcome fetch(const char *path)
{
    memset(&text, 0x5a, sizeof(text));
    enum provider_outcome outcome = provider_file_fetch(path, &text, &fault);
    for (size_t i = outcome == PROVIDER_OK ? text.len : 0; i < sizeof(text.bytes); i++) {
        cr_assert_eq(text.bytes[i], 0, "octet %zu behind the end", i);
    }
    cr_assert(outcome == PROVIDER_OK || text.len == 0);
    return outcome;
}

static bool lies_in_memory(const char *path)
{
    struct statfs fs;
    cr_assert_eq(statfs(path, &fs), 0);
    return fs.f_type == TMPFS_MAGIC;
}

Test(provider_file, every_length)
{
    static const size_t lengths[] = {0, 1, 4096, KEYDOC_TEXT_MAX};
    const char *path = path_of("doc");
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        put(path, lengths[i], 'd', 0600);
        cr_expect_eq(fetch(path), PROVIDER_OK, "%s", fault.text);
        cr_expect_eq(text.len, lengths[i]);
        cr_expect(lengths[i] == 0 || text.bytes[lengths[i] - 1] == 'd');
    }
    put(path, KEYDOC_TEXT_MAX + 1, 'd', 0600);
    cr_expect_eq(fetch(path), PROVIDER_TOO_LONG);
    cr_expect_not_null(strstr(fault.text, "65536"), "%s", fault.text);
}

Test(provider_file, modes)
{
    static const struct {
        mode_t mode;
        enum provider_outcome on_disk;
        enum provider_outcome in_memory;
    } cases[] = {
        {0400, PROVIDER_OK, PROVIDER_OK},         {0600, PROVIDER_OK, PROVIDER_OK},
        {0640, PROVIDER_OK, PROVIDER_OK},         {0440, PROVIDER_OK, PROVIDER_OK},
        {0644, PROVIDER_DENIED, PROVIDER_OK},     {0444, PROVIDER_DENIED, PROVIDER_OK},
        {0660, PROVIDER_DENIED, PROVIDER_DENIED}, {0602, PROVIDER_DENIED, PROVIDER_DENIED},
        {0666, PROVIDER_DENIED, PROVIDER_DENIED},
    };
    char memory[] = "/dev/shm/ntsd-test-file.XXXXXX";
    int fd = mkstemp(memory);
    const char *const paths[] = {path_of("doc"), fd < 0 ? NULL : memory};
    for (size_t p = 0; p < 2; p++) {
        for (size_t i = 0; paths[p] != NULL && i < sizeof(cases) / sizeof(cases[0]); i++) {
            put(paths[p], 5, 'd', cases[i].mode | S_IRUSR);
            enum provider_outcome want =
                lies_in_memory(paths[p]) ? cases[i].in_memory : cases[i].on_disk;
            cr_expect_eq(fetch(paths[p]), want, "%s %o", paths[p], cases[i].mode);
            cr_expect(want == PROVIDER_OK || strstr(fault.text, ": chmod ") != NULL, "%s",
                      fault.text);
            (void)unlink(paths[p]);
        }
    }
    (void)close(fd);
}

Test(provider_file, what_is_no_file)
{
    cr_expect_eq(fetch(path_of("none")), PROVIDER_NOT_FOUND);
    cr_expect_not_null(strstr(fault.text, "/none: No such file"), "%s", fault.text);
    cr_expect_eq(fetch(dir), PROVIDER_SENSELESS, "a directory");
    cr_assert_eq(mkfifo(path_of("fifo"), 0600), 0);
    cr_expect_eq(fetch(path_of("fifo")), PROVIDER_SENSELESS);
    cr_expect_eq(fetch("/dev/zero"), PROVIDER_SENSELESS);
    put(path_of("doc"), 1, 'd', 0600);
    cr_expect_eq(fetch(path_of("doc/x")), PROVIDER_NOT_FOUND);
    cr_assert_eq(symlink("loop", path_of("loop")), 0);
    cr_expect_eq(fetch(path_of("loop")), PROVIDER_NOT_FOUND);
    cr_assert_eq(symlink("gone", path_of("dangling")), 0);
    cr_expect_eq(fetch(path_of("dangling")), PROVIDER_NOT_FOUND);
}

Test(provider_file, no_right)
{
    if (geteuid() == 0) {
        cr_assert_eq(seteuid(65534), 0);
        cr_expect_eq(fetch("/etc/shadow"), PROVIDER_DENIED);
        cr_assert_eq(seteuid(0), 0);
        return;
    }
    put(path_of("doc"), 1, 'd', 0000);
    cr_expect_eq(fetch(path_of("doc")), PROVIDER_DENIED);
}

Test(provider_file, strange_names_stay_printable_and_short)
{
    char name[PATH_MAX + 1];
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    cr_expect_eq(fetch(name), PROVIDER_FAILED, "a name that is too long");
    cr_expect_eq(fetch("/x\n\x1b[31m\xc3\xa9"), PROVIDER_NOT_FOUND);
    cr_expect_not_null(strstr(fault.text, "/x??[31m??:"), "%s", fault.text);
}

static atomic_bool is_over;

/* As kubelet does it: ..data is a symbolic link that is replaced by renaming another over it. */
static void *swap(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2000; i++) {
        char next[160];
        char data[160];
        (void)snprintf(next, sizeof(next), "%s/..next", dir);
        (void)snprintf(data, sizeof(data), "%s/..data", dir);
        cr_assert_eq(symlink(i % 2 == 0 ? "a" : "b", next), 0);
        cr_assert_eq(rename(next, data), 0);
    }
    atomic_store(&is_over, true);
    return NULL;
}

Test(provider_file, a_swap_gives_one_or_the_other)
{
    enum { LEN = 40000 };
    pthread_t thread;
    size_t seen[2] = {0, 0};
    cr_assert_eq(mkdir(path_of("a"), 0700), 0);
    cr_assert_eq(mkdir(path_of("b"), 0700), 0);
    put(path_of("a/doc"), LEN, 'a', 0600);
    put(path_of("b/doc"), LEN - 1, 'b', 0600);
    cr_assert_eq(symlink("a", path_of("..data")), 0);
    cr_assert_eq(symlink("..data/doc", path_of("doc")), 0);
    char path[160];
    (void)snprintf(path, sizeof(path), "%s/doc", dir);
    cr_assert_eq(pthread_create(&thread, NULL, swap, NULL), 0);
    do {
        cr_assert_eq(provider_file_fetch(path, &text, &fault), PROVIDER_OK, "%s", fault.text);
        bool first = text.bytes[0] == 'a';
        cr_assert_eq(text.len, first ? LEN : LEN - 1);
        for (size_t i = 0; i < text.len; i++) {
            cr_assert_eq(text.bytes[i], first ? 'a' : 'b');
        }
        seen[first ? 0 : 1]++;
    } while (!atomic_load(&is_over));
    (void)pthread_join(thread, NULL);
    cr_expect_gt(seen[0] + seen[1], 0);
}
