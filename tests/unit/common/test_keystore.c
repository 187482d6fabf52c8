/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state directory: what is made, what is believed, and what a fault says. Each test works in a
 * new directory under /tmp. Some need root (other owners, a full disk) and are skipped without.
 */
#include "common/keys/keystore.h"

#include "common/base/file.h"
#include "tests/unit/common/keys_sample.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, KILLS = 60 };
#define NOW (SAMPLE_BEGIN + 12345)

static char root[64];
static char dir[PATH_MAX];
static char file[PATH_MAX];
static uint64_t random_state = 5;
static struct rng rng;

static void set_up(void)
{
    (void)snprintf(root, sizeof(root), "/tmp/ntsd-test-keystore.XXXXXX");
    cr_assert_not_null(mkdtemp(root));
    (void)snprintf(dir, sizeof(dir), "%s/state", root);
    (void)snprintf(file, sizeof(file), "%s/state/" KEYSTORE_FILE, root);
    rng_init_from(&rng, sample_fill, &random_state);
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
    (void)nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

TestSuite(keystore, .init = set_up, .fini = tear_down);

static bool may_create = true;

static enum nts_err open_as(int64_t now_s, uint32_t rotate_s, struct keydoc *doc,
                            struct keystore_fault *fault)
{
    const struct keystore_options options = {
        .dir = dir, .now_s = now_s, .rotate_s = rotate_s, .may_create = may_create};
    return keystore_open(&options, &rng, doc, fault);
}

static struct keydoc open_ok(int64_t now_s, uint32_t rotate_s)
{
    struct keydoc doc;
    struct keystore_fault fault;
    enum nts_err err = open_as(now_s, rotate_s, &doc, &fault);
    cr_assert_eq(err, NTS_OK, "%s", fault.text);
    cr_assert_str_empty(fault.text);
    return doc;
}

/* The fault names `path` and says `what` and `remedy`. */
static void expect_fault(enum nts_err want, const char *path, const char *what, const char *remedy)
{
    struct keydoc zero;
    struct keydoc doc = sample_doc();
    struct keystore_fault fault;
    memset(&zero, 0, sizeof(zero));
    enum nts_err err = open_as(NOW, SAMPLE_ROTATE_S, &doc, &fault);
    cr_expect_eq(err, want, "%s: %s", nts_err_name(err), fault.text);
    cr_expect_not_null(strstr(fault.text, path), "%s", fault.text);
    cr_expect_not_null(strstr(fault.text, what), "%s", fault.text);
    cr_expect_not_null(strstr(fault.text, remedy), "%s", fault.text);
    cr_expect_null(strchr(fault.text, '\n'));
    cr_expect_eq(memcmp(&doc, &zero, sizeof(doc)), 0, "the document is wiped");
}

struct contents {
    size_t n;
    uint8_t bytes[KEYDOC_TEXT_MAX];
};

static void file_get(struct contents *c)
{
    cr_assert_eq(file_read(file, c->bytes, sizeof(c->bytes), &c->n), NTS_OK);
}

static void put_file(const void *bytes, size_t n)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, bytes, n), (ssize_t)n);
    cr_assert_eq(close(fd), 0);
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    cr_assert_eq(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

Test(keystore, the_first_start_makes_a_document)
{
    mode_t old = umask(0);
    struct keydoc doc = open_ok(NOW, SAMPLE_ROTATE_S);
    (void)umask(old);
    cr_expect_eq(doc.count, 1);
    cr_expect_eq(doc.epoch[0].not_before, SAMPLE_BEGIN);
    cr_expect_eq(doc.epoch[0].rotate_s, SAMPLE_ROTATE_S);
    cr_expect_eq(doc.epoch[0].index, 0);
    cr_expect_eq(mode_of(dir), 0700);
    cr_expect_eq(mode_of(file), 0600);
}

Test(keystore, the_next_start_finds_it)
{
    static struct contents before;
    static struct contents after;
    struct keydoc first = open_ok(NOW, SAMPLE_ROTATE_S);
    file_get(&before);
    struct keydoc second = open_ok(NOW + 1000000, SAMPLE_ROTATE_S);
    file_get(&after);
    cr_expect(sample_docs_are_same(&first, &second));
    cr_expect(span_is(span_of(before.bytes, before.n), after.bytes, after.n), "not written again");
}

Test(keystore, two_hosts_make_different_secrets)
{
    struct keydoc a = open_ok(NOW, SAMPLE_ROTATE_S);
    cr_assert_eq(unlink(file), 0);
    struct keydoc b = open_ok(NOW, SAMPLE_ROTATE_S);
    cr_expect_neq(memcmp(a.epoch[0].chain, b.epoch[0].chain, KEYDOC_CHAIN_LEN), 0);
    cr_expect_neq(a.epoch[0].id, b.epoch[0].id, "by the random octets of this test");
}

Test(keystore, what_is_saved_is_found)
{
    struct keystore_fault fault;
    struct keydoc doc = open_ok(SAMPLE_BEGIN, SAMPLE_ROTATE_S);
    cr_assert(keydoc_advance(&doc, NOW + 100 * SAMPLE_ROTATE_S, SAMPLE_LIFETIME_S));
    cr_assert_eq(keystore_save(dir, &doc, &fault), NTS_OK, "%s", fault.text);
    struct keydoc read = open_ok(NOW, SAMPLE_ROTATE_S);
    cr_expect(sample_docs_are_same(&doc, &read));
    cr_expect_eq(mode_of(file), 0600);
}

/* What a start finds is what it gives: no clock has been looked at yet. */
Test(keystore, another_clock_or_rotation_changes_nothing)
{
    static const int64_t clocks[] = {0, NOW, KEYDOC_NOT_BEFORE_MAX};
    struct keydoc made = open_ok(NOW, 60);
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        struct keydoc found = open_ok(clocks[i], SAMPLE_ROTATE_S);
        cr_expect(sample_docs_are_same(&made, &found));
    }
}

/* Keys are in service: a new secret in place of theirs would refuse all cookies. */
Test(keystore, a_document_in_use_is_never_made_anew)
{
    struct keydoc made = open_ok(NOW, SAMPLE_ROTATE_S);
    may_create = false;
    struct keydoc found = open_ok(NOW, SAMPLE_ROTATE_S);
    cr_expect(sample_docs_are_same(&made, &found));
    cr_assert_eq(unlink(file), 0);
    expect_fault(NTS_ENOTFOUND, file, "is gone while its keys are in use",
                 "restore it from a backup, or restart ntsd");
    cr_expect(access(file, F_OK) != 0 && errno == ENOENT);
    cr_assert_eq(rmdir(dir), 0);
    expect_fault(NTS_ENOTFOUND, file, "is gone while its keys are in use", "restore it");
    cr_expect(access(dir, F_OK) != 0 && errno == ENOENT);
    may_create = true;
}

Test(keystore, any_clock_makes_a_document_that_can_be_read)
{
    static const int64_t clocks[] = {INT64_MIN, -1, 0, 253402300799, 253402300800, INT64_MAX};
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        struct keydoc made = open_ok(clocks[i], SAMPLE_ROTATE_S);
        struct keydoc read = open_ok(NOW, SAMPLE_ROTATE_S);
        cr_expect(sample_docs_are_same(&made, &read));
        cr_assert_eq(unlink(file), 0);
    }
    (void)open_ok(INT64_MAX, KEYDOC_ROTATE_MAX_S);
    (void)unlink(file);
}

/* Whatever the file holds that is no document: told, and left as it is. */
static void expect_kept(const void *bytes, size_t n, const char *what)
{
    static struct contents after;
    put_file(bytes, n);
    expect_fault(NTS_EFORMAT, file, what, "restore it from a backup, or move it away (all cookies");
    file_get(&after);
    cr_assert(span_is(span_of(bytes, n), after.bytes, after.n), "the file is untouched");
}

Test(keystore, a_damaged_or_foreign_file_is_kept_and_named)
{
    static struct contents good;
    static uint8_t long_text[KEYDOC_TEXT_MAX];
    (void)open_ok(NOW, SAMPLE_ROTATE_S);
    file_get(&good);
    expect_kept("", 0, "it is empty");
    expect_kept("{}", 2, "\"ntsd_keys\" is missing");
    expect_kept("#chronyd keys\n1 MD5 abc\n", 24, "it is not JSON");
    expect_kept("{\"ntsd_keys\":2}", 15, "made by a newer ntsd");
    for (size_t len = 1; len + 1 < good.n; len += 7) {
        expect_kept(good.bytes, len, "ends in the middle");
    }
    uint8_t *secret = memmem(good.bytes, good.n, "\"secret\": \"", 11);
    cr_assert_not_null(secret);
    secret[20] = secret[20] == '0' ? '1' : '0';
    expect_kept(good.bytes, good.n, "\"check\" does not fit");
    memset(long_text, ' ', sizeof(long_text));
    expect_kept(long_text, sizeof(long_text), "ends in the middle");
    int fd = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
    cr_assert(fd >= 0 && write(fd, " ", 1) == 1 && close(fd) == 0);
    expect_fault(NTS_EFORMAT, file, "far too long", "restore it from a backup");
}

Test(keystore, rights_of_others_are_refused)
{
    static const mode_t modes[] = {0601, 0602, 0604, 0610, 0620, 0640, 0644, 0666, 0777};
    char remedy[PATH_MAX + 32];
    (void)open_ok(NOW, SAMPLE_ROTATE_S);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        (void)snprintf(remedy, sizeof(remedy), "chmod 0600 %s", file);
        cr_assert_eq(chmod(file, modes[i]), 0);
        expect_fault(NTS_EAUTH, file, "is open to other users", remedy);
        cr_assert_eq(mode_of(file), modes[i]);
        cr_assert_eq(chmod(file, 0600), 0);

        (void)snprintf(remedy, sizeof(remedy), "chmod 0700 %s", dir);
        cr_assert_eq(chmod(dir, modes[i] | 0100), 0);
        expect_fault(NTS_EAUTH, dir, "is open to other users", remedy);
        cr_assert_eq(chmod(dir, 0700), 0);
    }
    cr_assert_eq(chmod(file, 0400), 0);
    (void)open_ok(NOW, SAMPLE_ROTATE_S);
}

Test(keystore, another_owner_is_refused)
{
    if (geteuid() != 0) {
        cr_skip_test("needs root");
    }
    char remedy[PATH_MAX + 32];
    (void)open_ok(NOW, SAMPLE_ROTATE_S);
    cr_assert_eq(chown(file, NOBODY, NOBODY), 0);
    (void)snprintf(remedy, sizeof(remedy), "chown 0 %s", file);
    expect_fault(NTS_EAUTH, file, "belongs to uid 65534 and ntsd runs as uid 0", remedy);
    cr_assert_eq(chown(dir, NOBODY, NOBODY), 0);
    (void)snprintf(remedy, sizeof(remedy), "chown 0 %s", dir);
    expect_fault(NTS_EAUTH, dir, "belongs to uid 65534 and ntsd runs as uid 0", remedy);
}

Test(keystore, what_is_no_regular_file_is_refused)
{
    char elsewhere[PATH_MAX];
    (void)open_ok(NOW, SAMPLE_ROTATE_S);
    (void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", root);
    cr_assert_eq(rename(file, elsewhere), 0);
    cr_assert_eq(symlink(elsewhere, file), 0);
    expect_fault(NTS_EAUTH, file, "is a symbolic link", "put the file itself there");
    cr_assert_eq(unlink(file), 0);
    cr_assert_eq(symlink("/nowhere/at/all", file), 0);
    expect_fault(NTS_EAUTH, file, "is a symbolic link", "put the file itself there");
    cr_assert_eq(unlink(file), 0);
    cr_assert_eq(mkdir(file, 0700), 0);
    expect_fault(NTS_EFORMAT, file, "is not a regular file", "move it away");
    cr_assert_eq(rmdir(file), 0);
    cr_assert_eq(mkfifo(file, 0600), 0);
    expect_fault(NTS_EFORMAT, file, "is not a regular file", "move it away");
}

Test(keystore, the_directory_may_be_reached_by_a_link)
{
    char real[PATH_MAX];
    (void)snprintf(real, sizeof(real), "%s/real", root);
    cr_assert(mkdir(real, 0700) == 0 && symlink("real", dir) == 0);
    (void)open_ok(NOW, SAMPLE_ROTATE_S);
    cr_expect_eq(mode_of(file), 0600);
}

Test(keystore, a_directory_that_cannot_be_is_told)
{
    (void)snprintf(dir, sizeof(dir), "%s/no/parent", root);
    expect_fault(NTS_ESYSTEM, dir, "cannot create", "create the parent directory");
    (void)snprintf(dir, sizeof(dir), "%s/file", root);
    int fd = open(dir, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    cr_assert(fd >= 0 && close(fd) == 0);
    expect_fault(NTS_ESYSTEM, dir, "Not a directory", "a file is where a directory has to be");
    memset(dir, 'a', sizeof(dir) - 1);
    expect_fault(NTS_ESYSTEM, "", "too long", "");
}

static int fill_fails(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    memset(out, 0, n);
    return -1;
}

Test(keystore, without_randomness_nothing_is_made)
{
    rng_init_from(&rng, fill_fails, NULL);
    expect_fault(NTS_ESYSTEM, file, "no random octets", "");
    cr_expect(access(file, F_OK) != 0 && errno == ENOENT);
}

/* The old document survives every failure to write a new one. */
static void expect_save_fails(const struct keydoc *doc, const char *what, const char *remedy)
{
    static struct contents before;
    static struct contents after;
    struct keystore_fault fault;
    file_get(&before);
    cr_expect_eq(keystore_save(dir, doc, &fault), NTS_ESYSTEM);
    cr_expect_not_null(strstr(fault.text, file), "%s", fault.text);
    cr_expect_not_null(strstr(fault.text, what), "%s", fault.text);
    cr_expect_not_null(strstr(fault.text, remedy), "%s", fault.text);
    file_get(&after);
    cr_expect(span_is(span_of(before.bytes, before.n), after.bytes, after.n));
}

Test(keystore, a_file_size_limit_is_told)
{
    (void)open_ok(NOW, SAMPLE_ROTATE_S);
    struct keydoc doc = sample_doc_of_three();
    struct rlimit limit = {.rlim_cur = 100, .rlim_max = RLIM_INFINITY};
    cr_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_save_fails(&doc, "File too large", "make room on its file system");
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(keystore, a_directory_that_may_not_be_written_is_told)
{
    (void)open_ok(NOW, SAMPLE_ROTATE_S);
    struct keydoc doc = sample_doc_of_three();
    if (geteuid() == 0) {
        cr_assert(chown(file, NOBODY, NOBODY) == 0 && chown(dir, NOBODY, NOBODY) == 0);
        cr_assert_eq(chmod(root, 0755), 0);
        cr_assert_eq(seteuid(NOBODY), 0);
    }
    cr_assert_eq(chmod(dir, 0500), 0);
    expect_save_fails(&doc, "Permission denied", "give the directory to the user ntsd runs as");
    cr_assert_eq(chmod(dir, 0700), 0);
    cr_assert_eq(seteuid(getuid()), 0);
}

/* In a mount namespace of its own: nobody else sees the little disk. */
static bool mount_small_disk(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mkdir(dir, 0700) == 0 && mount("none", dir, "tmpfs", 0, "size=16k,mode=0700") == 0;
}

Test(keystore, a_full_or_read_only_disk_is_told)
{
    if (geteuid() != 0 || !mount_small_disk()) {
        cr_skip_test("needs root and a mount namespace");
    }
    static const uint8_t zeros[65536];
    char filler[PATH_MAX + 8];
    struct keydoc doc = sample_doc_of_three();
    (void)open_ok(NOW, SAMPLE_ROTATE_S);
    (void)snprintf(filler, sizeof(filler), "%s/filler", dir);
    int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    while (write(fd, zeros, sizeof(zeros)) > 0) {
    }
    cr_assert_eq(close(fd), 0);
    expect_save_fails(&doc, "No space left on device", "make room on its file system");
    cr_assert_eq(unlink(filler), 0);
    cr_assert_eq(mount("none", dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    expect_save_fails(&doc, "Read-only file system", "make its file system writable");
    cr_assert_eq(umount(dir), 0);
}

/* Saves two documents in turn, for ever; counts what it has done. */
static _Noreturn void save_for_ever(const struct keydoc *docs, _Atomic unsigned *saves)
{
    struct keystore_fault fault;
    for (unsigned i = 0;; i++) {
        if (keystore_save(dir, &docs[i % 2], &fault) != NTS_OK) {
            _exit(1);
        }
        *saves = i + 1;
    }
}

Test(keystore, killed_at_any_moment_it_leaves_the_old_or_the_new)
{
    struct keydoc docs[2] = {sample_doc(), sample_doc_of_three()};
    docs[1].epoch[2].rotate_s = SAMPLE_ROTATE_S; /* so that opening adds nothing */
    _Atomic unsigned *saves =
        mmap(NULL, sizeof(*saves), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq((void *)saves, MAP_FAILED);
    (void)open_ok(SAMPLE_BEGIN, SAMPLE_ROTATE_S);
    size_t seen[2] = {0};
    for (int i = 0; i < KILLS; i++) {
        *saves = 0;
        pid_t pid = fork();
        cr_assert_geq(pid, 0);
        if (pid == 0) {
            save_for_ever(docs, saves);
        }
        uint64_t spins = sample_random(&random_state) % 300000;
        /* An odd and an even count in turn: where writing takes longer than the spin, the kill
         * comes into the save of one document and then of the other. */
        while (*saves < 2U + (unsigned)i % 2) {
            (void)sched_yield();
        }
        for (volatile uint64_t spin = 0; spin < spins; spin++) {
        }
        int status;
        cr_assert_eq(kill(pid, SIGKILL), 0);
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert(WIFSIGNALED(status), "the child failed to save");
        struct keydoc found = open_ok(SAMPLE_BEGIN, SAMPLE_ROTATE_S);
        bool is_new = sample_docs_are_same(&found, &docs[1]);
        cr_assert(is_new || sample_docs_are_same(&found, &docs[0]));
        seen[is_new]++;
    }
    cr_expect(seen[0] > 0 && seen[1] > 0);
}
