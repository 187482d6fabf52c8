/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The remedy for files out of reach. Root can reach all; the looking is then done as nobody.
 */
#include "tests/unit/ntsd/scratch.h"

#include "ntsd/file_access.h"

#include <sys/wait.h>

static struct scratch s;
static struct account account = {.name = "me", .group = "us"};

static void setup(void)
{
    scratch_make(&s);
    cr_assert_eq(chmod(s.dir, 0755), 0);
}

static void teardown(void)
{
    scratch_remove(&s);
}

TestSuite(file_access, .init = setup, .fini = teardown);

/* In a child that is not root. 0: readable; 1: not, and the fault's text has `remedy`; 2: not. */
static int look(const char *path, const char *remedy)
{
    static struct file_access_fault fault;
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
            _exit(9);
        }
        if (file_access_is_readable(path, &account, &fault)) {
            _exit(0);
        }
        _exit(strstr(fault.text, remedy) != NULL ? 1 : 2);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

Test(file_access, readable_or_not_ours_to_say)
{
    scratch_write(&s, "open", "x", 0644);
    cr_expect_eq(look(scratch_path(&s, "open"), ""), 0);
    cr_expect_eq(look(scratch_path(&s, "missing"), ""), 0);
    cr_expect_eq(look(s.dir, ""), 0);
}

Test(file_access, closed_file)
{
    char remedy[PATH_MAX + 32];
    scratch_write(&s, "closed", "x", 0000);
    const char *path = scratch_path(&s, "closed");
    (void)snprintf(remedy, sizeof(remedy), ": chown me %s", path);
    cr_expect_eq(look(path, remedy), 1);
}

Test(file_access, closed_directory_on_the_way)
{
    char remedy[3 * PATH_MAX];
    const char *dir = scratch_path(&s, "closed");
    cr_assert_eq(mkdir(dir, 0700), 0);
    scratch_write(&s, "closed/file", "x", 0644);
    cr_assert_eq(chmod(dir, 0000), 0);
    (void)snprintf(remedy, sizeof(remedy), "may not enter %s: chgrp us %s && chmod g+x %s", dir,
                   dir, dir);
    cr_expect_eq(look(scratch_path(&s, "closed/file"), remedy), 1);
    cr_assert_eq(chmod(dir, 0700), 0);
}
