/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose account, and that there is no way back. Dropping for real needs root; without it that part
 * has nothing to show and is left out.
 */
#include "ntsd/privileges.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct account account;
static struct account_fault fault;

Test(privileges, root_becomes_somebody)
{
    cr_assert_eq(account_find("nobody", 0, &account, &fault), NTS_OK);
    cr_expect(account.change);
    cr_expect_not(account.root);
    cr_expect_eq(account.uid, getpwnam("nobody")->pw_uid);
    cr_expect_str_eq(account.name, "nobody");
    cr_expect_neq(account.group[0], '\0');
}

Test(privileges, root_stays_root_only_when_told)
{
    cr_assert_eq(account_find("root", 0, &account, &fault), NTS_OK);
    cr_expect_not(account.change);
    cr_expect(account.root);
    if (getpwnam(ACCOUNT_DEFAULT) == NULL) {
        cr_expect_eq(account_find(NULL, 0, &account, &fault), NTS_ENOTFOUND);
        cr_expect_not_null(strstr(fault.text, "useradd --system"));
        cr_expect_not_null(strstr(fault.text, "user NAME"));
    } else {
        cr_expect_eq(account_find(NULL, 0, &account, &fault), NTS_OK);
        cr_expect(account.change);
    }
}

Test(privileges, accounts_that_do_not_exist)
{
    cr_expect_eq(account_find("no-such-user", 0, &account, &fault), NTS_ENOTFOUND);
    cr_expect_not_null(strstr(fault.text, "useradd --system --no-create-home --shell "
                                          "/usr/sbin/nologin no-such-user"));
    cr_expect_eq(account_find("no-such-user", 12345, &account, &fault), NTS_ENOTFOUND);
}

Test(privileges, others_stay_who_they_are)
{
    uid_t nobody = getpwnam("nobody")->pw_uid;
    cr_expect_eq(account_find("root", nobody, &account, &fault), NTS_EAUTH);
    cr_expect_not_null(strstr(fault.text, "only root"));
    cr_expect_eq(account_find("nobody", nobody, &account, &fault), NTS_OK);
    cr_expect_not(account.change);
    cr_expect_not(account.root);
    cr_expect_eq(account_find(NULL, nobody, &account, &fault), NTS_OK);
    cr_expect_str_eq(account.name, "nobody");
    cr_expect_eq(account_find(NULL, 3999999999U, &account, &fault), NTS_OK, "a nameless uid");
    cr_expect_str_eq(account.name, "3999999999");
}

/* In a child: an exit status that tells what did not hold. */
static int drop_and_look(const struct account *to)
{
    struct rlimit core;
    if (privileges_drop(to) != NTS_OK) {
        return 1;
    }
    if (to->change && (setuid(0) == 0 || seteuid(0) == 0 || getuid() != to->uid)) {
        return 2;
    }
    if (to->change && open("/etc/shadow", O_RDONLY | O_CLOEXEC) >= 0) {
        return 3;
    }
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return 4;
    }
    return getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 ? 0 : 5;
}

Test(privileges, dropped_for_good)
{
    int status = 0;
    const char *user = geteuid() == 0 ? "nobody" : NULL;
    cr_assert_eq(account_find(user, geteuid(), &account, &fault), NTS_OK);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(drop_and_look(&account));
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect_eq(status, 0, "check %d failed", WEXITSTATUS(status));
}

Test(privileges, limit_of_files)
{
    struct rlimit files;
    size_t limit = 0;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = 20;
    files.rlim_max = files.rlim_max > 200 ? 200 : files.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
    cr_expect(privileges_raise_files(10, &limit));
    cr_expect_eq(limit, 20);
    cr_expect(privileges_raise_files(100, &limit));
    cr_expect_eq(limit, 100);
    cr_expect_not(privileges_raise_files(1000, &limit));
    cr_expect_eq(limit, files.rlim_max);
}
