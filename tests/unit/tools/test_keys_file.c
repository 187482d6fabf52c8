/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document's file: what is refused and with which words, what is kept, and that of changes at
 * the same time none is lost.
 */
#include "tools/keys_file.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WRITERS = 12 };

static char dir[64];
static char path[128];
static struct keys_file_fault fault;
static struct keys_file file;

static void enter(void)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/test_keys_file.XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/fleet.json", dir);
}

static size_t empty_dir(void)
{
    DIR *d = opendir(dir);
    size_t count = 0;
    char name[512];
    cr_assert_not_null(d);
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            (void)snprintf(name, sizeof(name), "%s/%s", dir, e->d_name);
            cr_assert_eq(remove(name), 0);
            count++;
        }
    }
    (void)closedir(d);
    return count;
}

static void leave(void)
{
    (void)chmod(dir, 0700);
    (void)empty_dir();
    (void)rmdir(dir);
}

TestSuite(keys_file, .init = enter, .fini = leave, .timeout = 60);

static struct keydoc sample(void)
{
    struct keydoc doc = {.count = 1};
    doc.epoch[0] = (struct keydoc_epoch){.id = 1, .not_before = 1767225600, .rotate_s = 86400};
    memset(doc.epoch[0].chain, 0x5a, KEYDOC_CHAIN_LEN);
    return doc;
}

static void make(void)
{
    const struct keydoc doc = sample();
    cr_assert_eq(keys_file_make(path, &doc, &fault), NTS_OK, "%s", fault.text);
}

static void add_one(struct keydoc *doc)
{
    doc->epoch[doc->count] = doc->epoch[doc->count - 1];
    doc->epoch[doc->count].id++;
    doc->epoch[doc->count].not_before++;
    doc->count++;
}

static void expect_refusal(const char *name, enum nts_err want, const char *words)
{
    fault.text[0] = '\0';
    cr_expect_eq(keys_file_open(name, &file, &fault), want, "%s", fault.text);
    cr_expect_not_null(strstr(fault.text, words), "%s", fault.text);
    cr_expect_null(strstr(fault.text, "5a5a"));
}

static struct stat stat_of(const char *name)
{
    struct stat st;
    cr_assert_eq(lstat(name, &st), 0);
    return st;
}

static void write_text(const char *text, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, n), (ssize_t)n);
    (void)close(fd);
}

Test(keys_file, made_once_and_0600)
{
    const struct keydoc doc = sample();
    (void)umask(0);
    make();
    cr_expect_eq(stat_of(path).st_mode & 07777, 0600);
    cr_expect_eq(keys_file_make(path, &doc, &fault), NTS_EAUTH);
    cr_expect_not_null(strstr(fault.text, "exists and is not replaced; move it away"));
    cr_expect_eq(unlink(path), 0);
    cr_expect_eq(symlink("nowhere", path), 0);
    cr_expect_eq(keys_file_make(path, &doc, &fault), NTS_EAUTH);
    cr_expect_eq(empty_dir(), 1, "nothing but the link");
    char missing[160];
    (void)snprintf(missing, sizeof(missing), "%s/sub/f", dir);
    cr_expect_eq(keys_file_make(missing, &doc, &fault), NTS_ENOTFOUND);
    cr_expect_not_null(strstr(fault.text, "cannot open the directory"));
}

Test(keys_file, changed_and_read_again)
{
    struct keydoc doc;
    make();
    cr_assert_eq(keys_file_open(path, &file, &fault), NTS_OK, "%s", fault.text);
    cr_expect_eq(file.doc.count, 1);
    add_one(&file.doc);
    cr_assert_eq(keys_file_save(&file, &fault), NTS_OK, "%s", fault.text);
    keys_file_close(&file);
    cr_expect_eq(file.doc.count, 0, "wiped");
    cr_assert_eq(keys_file_read(path, &doc, stderr, &fault), NTS_OK, "%s", fault.text);
    cr_expect_eq(doc.count, 2);
    cr_expect_eq(empty_dir(), 1);
}

Test(keys_file, mode_and_owner_stay)
{
    static const mode_t modes[][2] = {{0600, 0600}, {0400, 0400}, {0640, 0640},
                                      {0440, 0440}, {0700, 0600}, {0500, 0400}};
    make();
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        cr_assert_eq(chmod(path, modes[i][0]), 0);
        cr_assert(geteuid() != 0 || chown(path, 65534, 65533) == 0);
        struct stat before = stat_of(path);
        cr_assert_eq(keys_file_open(path, &file, &fault), NTS_OK, "%s", fault.text);
        cr_assert_eq(keys_file_save(&file, &fault), NTS_OK, "%s", fault.text);
        keys_file_close(&file);
        struct stat after = stat_of(path);
        cr_expect_eq(after.st_mode & 07777, modes[i][1], "%o", modes[i][0]);
        cr_expect_eq(after.st_uid, before.st_uid);
        cr_expect_eq(after.st_gid, before.st_gid);
        cr_expect_neq(after.st_ino, before.st_ino);
    }
}

Test(keys_file, rights_that_give_it_away)
{
    static const mode_t modes[] = {0604, 0602, 0601, 0620, 0660, 0666, 0644};
    make();
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        char remedy[200];
        (void)snprintf(remedy, sizeof(remedy), "(mode %04o), so its secret may be known; if you",
                       (unsigned)modes[i]);
        cr_assert_eq(chmod(path, modes[i]), 0);
        expect_refusal(path, NTS_EAUTH, remedy);
        (void)snprintf(remedy, sizeof(remedy), "chmod 0600 %s", path);
        expect_refusal(path, NTS_EAUTH, remedy);
    }
}

Test(keys_file, shown_with_a_warning)
{
    char text[512] = {0};
    struct keydoc doc;
    make();
    cr_assert_eq(chmod(path, 0644), 0);
    FILE *warn = fmemopen(text, sizeof(text) - 1, "w");
    cr_assert_eq(keys_file_read(path, &doc, warn, &fault), NTS_OK, "%s", fault.text);
    (void)fclose(warn);
    cr_expect_not_null(strstr(text, "open to other users"), "%s", text);
}

Test(keys_file, a_directory_open_to_all)
{
    const struct keydoc doc = sample();
    make();
    cr_assert_eq(chmod(dir, 0777), 0);
    expect_refusal(path, NTS_EAUTH, "anybody may write in");
    cr_expect_eq(unlink(path), 0);
    cr_expect_eq(keys_file_make(path, &doc, &fault), NTS_EAUTH);
    cr_assert_eq(chmod(dir, 01777), 0);
    make();
    cr_assert_eq(keys_file_open(path, &file, &fault), NTS_OK, "%s", fault.text);
    keys_file_close(&file);
}

Test(keys_file, what_is_no_document)
{
    static char big[KEYDOC_TEXT_MAX + 1];
    expect_refusal(path, NTS_ENOTFOUND, "ntsctl keys init");
    write_text("", 0);
    expect_refusal(path, NTS_EFORMAT, "it is empty; restore it");
    write_text("{\"ntsd_keys\"", 12);
    expect_refusal(path, NTS_EFORMAT, "it ends in the middle");
    memset(big, ' ', sizeof(big));
    write_text(big, sizeof(big));
    expect_refusal(path, NTS_EFORMAT, "longer than 65536");
    cr_expect_eq(unlink(path), 0);
    cr_assert_eq(mkfifo(path, 0600), 0);
    expect_refusal(path, NTS_EFORMAT, "not a regular file");
    expect_refusal(dir, NTS_EFORMAT, "not a regular file");
}

Test(keys_file, a_link_is_not_changed)
{
    char link[160];
    struct keydoc doc;
    (void)snprintf(link, sizeof(link), "%s/link", dir);
    make();
    cr_assert_eq(symlink("fleet.json", link), 0);
    expect_refusal(link, NTS_EAUTH, "is a symbolic link to fleet.json");
    cr_expect_eq(keys_file_read(link, &doc, stderr, &fault), NTS_OK, "but shown");
}

/* Runs in a child: rights that were given up do not come back. */
static int open_without_rights(void)
{
    if (setegid(65534) != 0 || seteuid(65534) != 0) {
        return 1;
    }
    return keys_file_open(path, &file, &fault) == NTS_ENOTFOUND ? 2 : 0;
}

Test(keys_file, somebody_elses)
{
    make();
    if (geteuid() != 0) {
        cr_skip_test("needs root");
    }
    cr_assert_eq(chmod(dir, 0755), 0);
    cr_assert_eq(chmod(path, 0640), 0);
    cr_assert_eq(chown(path, 1, 65534), 0); /* may be read by its group */
    pid_t pid = fork();
    if (pid == 0) {
        int status = open_without_rights();
        _exit(status != 0 ? status : strstr(fault.text, "belongs to uid 1 and this runs") == NULL);
    }
    int status = 0;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
}

static int add_in_child(void)
{
    if (keys_file_open(path, &file, &fault) != NTS_OK) {
        return 1;
    }
    add_one(&file.doc);
    enum nts_err err = keys_file_save(&file, &fault);
    keys_file_close(&file);
    return err == NTS_OK ? 0 : 2;
}

Test(keys_file, of_changes_at_once_none_is_lost)
{
    pid_t pids[WRITERS];
    struct keydoc doc;
    make();
    for (size_t i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        cr_assert_geq(pids[i], 0);
        if (pids[i] == 0) {
            _exit(add_in_child());
        }
    }
    for (size_t i = 0; i < WRITERS; i++) {
        int status = 0;
        cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
        cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
    }
    cr_assert_eq(keys_file_read(path, &doc, stderr, &fault), NTS_OK, "%s", fault.text);
    cr_expect_eq(doc.count, 1 + WRITERS);
}

/* The kernel lets go of the lock of a process that was killed. */
Test(keys_file, a_killed_holder_leaves_no_lock)
{
    int ends[2];
    char word;
    make();
    cr_assert_eq(pipe(ends), 0);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        word = keys_file_open(path, &file, &fault) == NTS_OK ? 'y' : 'n';
        (void)!write(ends[1], &word, 1);
        (void)pause();
    }
    cr_assert_eq(read(ends[0], &word, 1), 1);
    cr_assert_eq(word, 'y');
    int other = open(dir, O_RDONLY | O_DIRECTORY);
    cr_expect_eq(flock(other, LOCK_EX | LOCK_NB), -1, "held");
    (void)close(other);
    cr_assert_eq(kill(pid, SIGKILL), 0);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    cr_expect_eq(keys_file_open(path, &file, &fault), NTS_OK, "%s", fault.text);
    keys_file_close(&file);
}
