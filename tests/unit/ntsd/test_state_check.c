/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state directory: looked at without a trace, made when a start needs it.
 */
#include "tests/unit/ntsd/scratch.h"

#include "ntsd/state_check.h"

#include <sys/syscall.h>

static struct scratch s;
static struct state_fault fault;
static void (*after_mkdir)(int parent, const char *name); /* what a stranger does at that moment */
static const char *victim;

/* In the place of libc's, so that a stranger can be quicker than the code under test. */
int mkdirat(int parent, const char *name, mode_t mode)
{
    int rc = (int)syscall(SYS_mkdirat, parent, name, mode);
    if (rc == 0 && after_mkdir != NULL) {
        after_mkdir(parent, name);
    }
    return rc;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

static void setup(void)
{
    scratch_make(&s);
}

static void teardown(void)
{
    scratch_remove(&s);
}

TestSuite(state_check, .init = setup, .fini = teardown);

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

Test(state_check, what_is_not_there_yet)
{
    cr_expect(state_check(scratch_path(&s, "new"), false, &fault), "%s", fault.text);
    cr_expect(state_check(scratch_path(&s, "new/"), true, &fault));
    cr_expect_not(exists(scratch_path(&s, "new")), "a check leaves no trace");
    cr_expect_not(state_check(scratch_path(&s, "a/b"), true, &fault));
    cr_expect_not_null(strstr(fault.text, "/a/: No such file"), "%s", fault.text);
    cr_expect(state_check("ntsd-unit-relative", true, &fault));
}

Test(state_check, prepared_then_good)
{
    const char *dir = scratch_path(&s, "state");
    cr_assert(state_prepare(dir, 86400, &fault), "%s", fault.text);
    cr_expect(exists(scratch_path(&s, "state/keys.json")));
    cr_expect(state_check(dir, false, &fault), "%s", fault.text);
    cr_expect(state_prepare(dir, 86400, &fault), "again");
}

Test(state_check, a_damaged_document)
{
    const char *dir = scratch_path(&s, "state");
    cr_assert_eq(mkdir(dir, 0700), 0);
    scratch_write(&s, "state/keys.json", "{}", 0600);
    cr_expect_not(state_check(dir, false, &fault));
    cr_expect_not_null(strstr(fault.text, "/keys.json cannot be used: "), "%s", fault.text);
    cr_expect_not(state_prepare(dir, 86400, &fault));
    cr_expect_not_null(strstr(fault.text, "/keys.json"), "%s", fault.text);
}

Test(state_check, rights)
{
    const char *dir = scratch_path(&s, "state");
    cr_assert(state_prepare(dir, 86400, &fault));
    cr_assert_eq(chmod(scratch_path(&s, "state/keys.json"), 0640), 0);
    cr_expect_not(state_check(dir, false, &fault));
    cr_expect_not_null(strstr(fault.text, "chmod 0600 "), "%s", fault.text);
    cr_assert_eq(chmod(dir, 0750), 0);
    cr_expect_not(state_check(dir, false, &fault));
    cr_expect_not_null(strstr(fault.text, "chmod 0700 "), "%s", fault.text);
    if (geteuid() == 0) {
        cr_assert_eq(chmod(dir, 0700), 0);
        cr_assert_eq(chown(dir, 65534, 65534), 0);
        cr_expect_not(state_check(dir, false, &fault));
        cr_expect_not_null(strstr(fault.text, "chown 0 "), "%s", fault.text);
    }
}

Test(state_check, the_directory_alone)
{
    const char *dir = scratch_path(&s, "state");
    cr_expect(state_check_dir(dir, false, &fault), "%s", fault.text);
    cr_expect_not(exists(dir), "a check leaves no trace");
    cr_assert(state_prepare_dir(dir, &fault), "%s", fault.text);
    cr_expect(state_prepare_dir(dir, &fault), "again: %s", fault.text);
    scratch_write(&s, "state/keys.json", "{}", 0644);
    cr_expect(state_check_dir(dir, false, &fault), "of no interest: %s", fault.text);
    cr_assert_eq(chmod(dir, 0750), 0);
    cr_expect_not(state_check_dir(dir, false, &fault));
    cr_expect_not(state_prepare_dir(dir, &fault));
    cr_expect_not_null(strstr(fault.text, "chmod 0700 "), "%s", fault.text);
    cr_expect_not(state_prepare_dir(scratch_path(&s, "a/b"), &fault));
    cr_expect_not_null(strstr(fault.text, "cannot create "), "%s", fault.text);
    scratch_write(&s, "file", "x", 0600);
    cr_expect_not(state_prepare_dir(scratch_path(&s, "file"), &fault));
    cr_expect_not_null(strstr(fault.text, "Not a directory"), "%s", fault.text);
}

Test(state_check, not_a_directory)
{
    scratch_write(&s, "file", "x", 0600);
    cr_expect_not(state_check(scratch_path(&s, "file"), false, &fault));
    cr_expect_not_null(strstr(fault.text, "Not a directory"), "%s", fault.text);
    cr_expect_not(state_check(scratch_path(&s, "file/x"), false, &fault));
}

Test(state_check, made_for_an_account)
{
    struct stat st;
    struct account account = {.uid = geteuid(), .gid = getegid(), .name = "me"};
    const char *dir = scratch_path(&s, "new");
    if (geteuid() == 0) {
        account.uid = 65534;
        account.gid = 65534;
    }
    cr_expect_eq(state_create(dir, &account, &fault), NTS_OK);
    cr_assert_eq(stat(dir, &st), 0);
    cr_expect_eq(st.st_uid, account.uid);
    cr_expect_eq(st.st_mode & 0777, 0700);
    cr_expect_eq(state_create(dir, &account, &fault), NTS_OK, "one that is there is left alone");
    cr_expect_eq(state_create(scratch_path(&s, "a/b"), &account, &fault), NTS_ESYSTEM);
    cr_expect_not_null(strstr(fault.text, "cannot create "), "%s", fault.text);
}

Test(state_check, made_where_the_path_says)
{
    struct stat st;
    const struct account account = {.uid = geteuid(), .gid = getegid(), .name = "me"};
    cr_assert_eq(mkdir(scratch_path(&s, "group"), 0700), 0);
    cr_assert_eq(chmod(scratch_path(&s, "group"), 02770), 0);
    static const char *const names[] = {"a", "b/", "c//", "group/d", "group//e/"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *dir = scratch_path(&s, names[i]);
        cr_expect_eq(state_create(dir, &account, &fault), NTS_OK, "%s: %s", dir, fault.text);
        cr_expect(stat(dir, &st) == 0 && S_ISDIR(st.st_mode), "%s", dir);
    }
    cr_assert_eq(chdir(s.dir), 0);
    cr_expect_eq(state_create("relative", &account, &fault), NTS_OK, "%s", fault.text);
    cr_expect(exists(scratch_path(&s, "relative")));
    cr_expect_eq(state_create("/", &account, &fault), NTS_OK, "it is there");
    cr_expect_eq(state_create("", &account, &fault), NTS_ESYSTEM);
}

static void put_link(int parent, const char *name)
{
    const char *path = scratch_path(&s, "new");
    (void)parent;
    (void)name;
    cr_assert_eq(rmdir(path), 0);
    cr_assert_eq(symlink(victim, path), 0);
}

static void put_open_directory(int parent, const char *name)
{
    cr_assert_eq(fchmodat(parent, name, 0755, 0), 0);
}

static void put_directory_of_another(int parent, const char *name)
{
    cr_assert_eq(fchownat(parent, name, 65533, 65533, 0), 0);
}

/* Who owns the parent may put something else in the place of the new directory: nothing that a
 * stranger chose is given away, and nothing is removed. */
Test(state_check, what_was_put_in_its_place_is_left_alone)
{
    static const struct {
        const char *name;
        void (*act)(int parent, const char *name);
        bool as_root_only;
    } cases[] = {
        {"new", put_link, false},
        {"new/", put_link, false},
        {"new//", put_link, false},
        {"open", put_open_directory, false},
        {"other", put_directory_of_another, true},
    };
    struct stat st;
    const bool is_root = geteuid() == 0;
    const struct account account = {
        .uid = is_root ? 65534 : geteuid(), .gid = is_root ? 65534 : getegid(), .name = "nobody"};
    char target[PATH_MAX];
    (void)snprintf(target, sizeof(target), "%s", scratch_path(&s, "victim"));
    victim = target;
    cr_assert_eq(mkdir(victim, 0700), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (cases[i].as_root_only && !is_root) {
            continue;
        }
        const char *dir = scratch_path(&s, cases[i].name);
        after_mkdir = cases[i].act;
        cr_expect_eq(state_create(dir, &account, &fault), NTS_ESYSTEM, "%s", cases[i].name);
        after_mkdir = NULL;
        cr_expect_not_null(strstr(fault.text, cases[i].name), "%s", fault.text);
        cr_expect_eq(stat(victim, &st), 0);
        cr_expect_eq(st.st_uid, geteuid(), "%s: the victim was given away", cases[i].name);
        cr_expect(exists(dir), "%s was removed", dir);
        cr_expect(stat(dir, &st) == 0 && (st.st_uid != 65534 || !is_root), "%s was given away",
                  dir);
        (void)unlink(scratch_path(&s, "new"));
    }
}
