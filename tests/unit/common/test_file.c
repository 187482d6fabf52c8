/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files read with a limit and replaced whole: every refusal, and a writer killed at any moment.
 */
#include "common/base/file.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLS = 200, BIG = 20000 };

static char dir[64];
static char path[128];

static const char *in_dir(const char *name)
{
    static char full[PATH_MAX];
    (void)snprintf(full, sizeof(full), "%s/%s", dir, name);
    return full;
}

static void enter(void)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/test_file.XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/file", dir);
}

/* Removes what is left and returns how many entries that were. */
static size_t empty_dir(void)
{
    DIR *d = opendir(dir);
    cr_assert_not_null(d);
    size_t count = 0;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            cr_assert_eq(remove(in_dir(e->d_name)), 0, "%s", e->d_name);
            count++;
        }
    }
    (void)closedir(d);
    return count;
}

static void leave(void)
{
    (void)empty_dir();
    (void)rmdir(dir);
}

TestSuite(file, .init = enter, .fini = leave, .timeout = 60);

static mode_t mode_of(const char *name)
{
    struct stat st;
    cr_assert_eq(lstat(name, &st), 0);
    return st.st_mode & 07777;
}

/* The contents, whatever they are, as NTS_OK and a span into a static buffer. */
static struct span contents(const char *name)
{
    static uint8_t buf[BIG + 1];
    size_t n = 0;
    cr_assert_eq(file_read(name, buf, sizeof(buf), &n), NTS_OK);
    return span_of(buf, n);
}

Test(file, what_is_written_is_read_with_the_mode_asked_for)
{
    static const mode_t modes[] = {0600, 0640, 0644, 0400};
    (void)umask(077); /* the mode asked for is the mode given */
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        uint8_t bytes[4] = {(uint8_t)i, 0, '\n', 0xff};
        cr_assert_eq(file_replace(path, span_of(bytes, sizeof(bytes)), modes[i]), NTS_OK);
        cr_assert_eq(mode_of(path), modes[i]);
        cr_assert(span_is(contents(path), bytes, sizeof(bytes)));
    }
    cr_assert_eq(file_replace(path, span_of(NULL, 0), 0600), NTS_OK);
    cr_assert_eq(contents(path).n, 0);
    cr_assert_eq(empty_dir(), 1, "nothing but the file itself");
}

Test(file, only_new_never_replaces)
{
    const struct file_new as = {.mode = 0640, .uid = (uid_t)-1, .gid = (gid_t)-1, .only_new = true};
    cr_assert_eq(file_put(path, span_of("first", 5), &as), NTS_OK);
    cr_assert_eq(mode_of(path), 0640);
    cr_assert_eq(file_put(path, span_of("second", 6), &as), NTS_ESYSTEM);
    cr_assert_eq(errno, EEXIST);
    cr_assert(span_is(contents(path), "first", 5));
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(symlink("nowhere", path), 0); /* a link without a target is something, too */
    cr_assert_eq(file_put(path, span_of("second", 6), &as), NTS_ESYSTEM);
    cr_assert_eq(errno, EEXIST);
    cr_assert_eq(empty_dir(), 1, "nothing is left behind");
}

Test(file, the_owner_asked_for)
{
    const struct file_new mine = {.mode = 0600, .uid = geteuid(), .gid = getegid()};
    const struct file_new given = {.mode = 0640, .uid = 65534, .gid = 65534};
    struct stat st;
    cr_assert_eq(file_put(path, span_of("mine", 4), &mine), NTS_OK);
    enum nts_err err = file_put(path, span_of("given", 5), &given);
    cr_assert_eq(stat(path, &st), 0);
    if (geteuid() == 0) {
        cr_assert_eq(err, NTS_OK);
        cr_assert(st.st_uid == 65534 && st.st_gid == 65534);
        cr_assert_eq(mode_of(path), 0640);
    } else {
        cr_assert_eq(err, NTS_ESYSTEM);
        cr_assert(span_is(contents(path), "mine", 4));
    }
    cr_assert_eq(empty_dir(), 1, "nothing but the file itself");
}

Test(file, what_is_open_is_read_to_its_end)
{
    uint8_t buf[8];
    size_t n = 0;
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "1234", 4), 4);
    (void)close(ends[1]);
    cr_assert_eq(file_read_fd(ends[0], buf, sizeof(buf), &n), NTS_OK);
    cr_assert(span_is(span_of(buf, n), "1234", 4));
    (void)close(ends[0]);
    cr_assert_eq(file_read_fd(ends[0], buf, sizeof(buf), &n), NTS_ESYSTEM);
    cr_assert_eq(errno, EBADF);
    cr_assert_eq(n, 0);
    cr_assert_eq(buf[0], 0, "wiped on failure");
}

Test(file, a_relative_name_lies_in_the_working_directory)
{
    cr_assert_eq(chdir(dir), 0);
    cr_assert_eq(file_replace("file", span_of("x", 1), 0600), NTS_OK);
    cr_assert(span_is(contents("file"), "x", 1));
    cr_assert(span_is(contents(path), "x", 1));
}

Test(file, the_limit_is_exact)
{
    uint8_t bytes[64];
    memset(bytes, 0x33, sizeof(bytes));
    cr_assert_eq(file_replace(path, span_of(bytes, sizeof(bytes)), 0600), NTS_OK);
    for (size_t cap = 0; cap <= sizeof(bytes) + 1; cap++) {
        uint8_t buf[sizeof(bytes) + 2];
        memset(buf, 0x77, sizeof(buf));
        size_t n = 999;
        enum nts_err want = cap < sizeof(bytes) ? NTS_ELIMIT : NTS_OK;
        cr_assert_eq(file_read(path, buf, cap, &n), want, "room %zu", cap);
        cr_assert_eq(n, want == NTS_OK ? sizeof(bytes) : 0);
        cr_assert_eq(buf[cap], 0x77, "nothing past the room");
        for (size_t i = 0; want != NTS_OK && i < cap; i++) {
            cr_assert_eq(buf[i], 0, "wiped on failure");
        }
    }
}

Test(file, what_is_no_regular_file_is_refused)
{
    uint8_t buf[16];
    size_t n = 9;
    cr_assert_eq(file_read(path, buf, sizeof(buf), &n), NTS_ENOTFOUND);
    cr_assert_eq(errno, ENOENT);
    cr_assert_eq(file_read(dir, buf, sizeof(buf), &n), NTS_EFORMAT);
    cr_assert_eq(file_read("/dev/zero", buf, sizeof(buf), &n), NTS_EFORMAT);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_assert_eq(file_read(path, buf, sizeof(buf), &n), NTS_EFORMAT, "and without waiting");
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(symlink(path, path), 0);
    cr_assert_eq(file_read(path, buf, sizeof(buf), &n), NTS_ESYSTEM);
    cr_assert_eq(errno, ELOOP);
    cr_assert_eq(file_read(in_dir("file/below"), buf, sizeof(buf), &n), NTS_ESYSTEM);
}

Test(file, a_leftover_of_a_killed_writer_is_replaced)
{
    /* The name is part of what a restart relies on: it is overwritten, not piled up. */
    const char *leftover = in_dir(".file.new");
    int fd = open(leftover, O_WRONLY | O_CREAT, 0644);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, "half", 4), 4);
    (void)close(fd);
    cr_assert_eq(file_replace(path, span_of("whole", 5), 0600), NTS_OK);
    cr_assert(span_is(contents(path), "whole", 5));
    cr_assert_eq(mode_of(path), 0600);
    cr_assert_eq(access(in_dir(".file.new"), F_OK), -1);
}

Test(file, a_link_in_the_way_of_the_new_file_is_not_followed)
{
    char victim[128];
    (void)snprintf(victim, sizeof(victim), "%s/victim", dir);
    cr_assert_eq(file_replace(victim, span_of("mine", 4), 0600), NTS_OK);
    cr_assert_eq(symlink(victim, in_dir(".file.new")), 0);
    cr_assert_eq(file_replace(path, span_of("new", 3), 0600), NTS_OK);
    cr_assert(span_is(contents(victim), "mine", 4));
    cr_assert(span_is(contents(path), "new", 3));
}

Test(file, a_failed_replacement_leaves_the_old_file)
{
    cr_assert_eq(file_replace(path, span_of("old", 3), 0600), NTS_OK);
    cr_assert_eq(mkdir(in_dir(".file.new"), 0700), 0); /* the new file cannot be made */
    cr_assert_eq(file_replace(path, span_of("new", 3), 0600), NTS_ESYSTEM);
    cr_assert(span_is(contents(path), "old", 3));
    cr_assert_eq(rmdir(in_dir(".file.new")), 0);

    cr_assert_eq(mkdir(in_dir("folder"), 0700), 0);
    cr_assert_eq(file_replace(in_dir("folder"), span_of("new", 3), 0600), NTS_ESYSTEM);
    cr_assert_eq(access(in_dir(".folder.new"), F_OK), -1, "nothing is left behind");
}

Test(file, names_that_cannot_be_are_refused)
{
    static char deep[PATH_MAX + 16];
    memset(deep, 'a', sizeof(deep) - 1);
    deep[0] = '/';
    deep[sizeof(deep) - 2] = '/';
    cr_assert_eq(file_replace(deep, span_of("x", 1), 0600), NTS_ESYSTEM);
    cr_assert_eq(errno, ENAMETOOLONG);
    char name[NAME_MAX + 1];
    memset(name, 'n', NAME_MAX);
    name[NAME_MAX] = '\0'; /* itself possible, but not with the new file's dots */
    cr_assert_eq(file_replace(in_dir(name), span_of("x", 1), 0600), NTS_ESYSTEM);
    cr_assert_eq(errno, ENAMETOOLONG);
    cr_assert_eq(file_replace(in_dir("missing/file"), span_of("x", 1), 0600), NTS_ESYSTEM);
    cr_assert_eq(errno, ENOENT);
    cr_assert_eq(file_replace("", span_of("x", 1), 0600), NTS_ESYSTEM);
}

/* Runs in a child: rights that were given up do not come back. */
static int replace_without_rights(void)
{
    if (geteuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0)) {
        return 1;
    }
    enum nts_err err = file_replace(path, span_of("new", 3), 0600);
    return err == NTS_ESYSTEM && errno == EACCES ? 0 : 2;
}

Test(file, a_directory_that_may_not_be_written_is_an_error)
{
    cr_assert_eq(file_replace(path, span_of("old", 3), 0644), NTS_OK);
    cr_assert_eq(chmod(dir, 0555), 0);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        _exit(replace_without_rights());
    }
    int status = 0;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
    cr_assert_eq(chmod(dir, 0700), 0);
    cr_assert(span_is(contents(path), "old", 3));
}

Test(file, a_full_disk_leaves_the_old_file)
{
    static uint8_t big[BIG];
    cr_assert_eq(file_replace(path, span_of("old", 3), 0600), NTS_OK);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        /* A file size limit stands in for the full disk: the write stops half way. */
        struct rlimit limit = {.rlim_cur = 4096, .rlim_max = 4096};
        (void)signal(SIGXFSZ, SIG_IGN);
        (void)setrlimit(RLIMIT_FSIZE, &limit);
        enum nts_err err = file_replace(path, span_of(big, sizeof(big)), 0600);
        _exit(err == NTS_ESYSTEM && errno == EFBIG ? 0 : 1);
    }
    int status = 0;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_assert(span_is(contents(path), "old", 3));
    cr_assert_eq(empty_dir(), 1, "no half file is left");
}

/* Two documents that differ in every octet and in length. */
static struct span document(unsigned which)
{
    static uint8_t even[BIG];
    static uint8_t odd[BIG - 4321];
    memset(even, 'e', sizeof(even));
    memset(odd, 'o', sizeof(odd));
    return which % 2 == 0 ? span_of(even, sizeof(even)) : span_of(odd, sizeof(odd));
}

static bool is_a_document(struct span found)
{
    struct span even = document(0);
    struct span odd = document(1);
    return span_is(found, even.p, even.n) || span_is(found, odd.p, odd.n);
}

static pid_t writer_start(void)
{
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        for (unsigned i = 0;; i++) {
            if (file_replace(path, document(i), 0600) != NTS_OK) {
                _exit(1);
            }
        }
    }
    return pid;
}

Test(file, a_writer_killed_at_any_moment_leaves_one_whole_file)
{
    unsigned leftovers = 0;
    srandom(1);
    cr_assert_eq(file_replace(path, document(0), 0600), NTS_OK);
    for (unsigned round = 0; round < KILLS; round++) {
        pid_t pid = writer_start();
        for (long reads = random() % 64; reads >= 0; reads--) {
            cr_assert(is_a_document(contents(path)), "while it was being replaced");
        }
        int status = 0;
        cr_assert_eq(kill(pid, SIGKILL), 0);
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert(WIFSIGNALED(status), "the writer itself met no error");
        cr_assert(is_a_document(contents(path)), "after kill %u", round);
        cr_assert_eq(mode_of(path), 0600);
        leftovers += access(in_dir(".file.new"), F_OK) == 0;
    }
    cr_assert_gt(leftovers, 0, "some kills did hit a write");
    cr_assert_eq(file_replace(path, document(1), 0600), NTS_OK);
    cr_assert_eq(empty_dir(), 1, "the next writer cleared up");
}
