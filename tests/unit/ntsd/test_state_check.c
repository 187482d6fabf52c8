/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state directory: looked at without a trace, made when a start needs it.
 */
#include "tests/unit/ntsd/scratch.h"

#include "ntsd/state_check.h"

static struct scratch s;
static struct state_fault fault;

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
