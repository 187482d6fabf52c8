/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See privileges.h.
 */
#include "ntsd/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ADD_ACCOUNT "useradd --system --no-create-home --shell /usr/sbin/nologin"

static enum nts_err refuse_missing(const char *user, const char *name, struct account_fault *fault)
{
    (void)snprintf(fault->text, sizeof(fault->text),
                   "user %.32s: there is no such account: %s %.32s%s", name, ADD_ACCOUNT, name,
                   user == NULL ? ", or give `user NAME`" : "");
    return NTS_ENOTFOUND;
}

static void name_group(struct account *account)
{
    const struct group *gr = getgrgid(account->gid);
    if (gr != NULL) {
        (void)snprintf(account->group, sizeof(account->group), "%s", gr->gr_name);
    } else {
        (void)snprintf(account->group, sizeof(account->group), "%u", (unsigned)account->gid);
    }
}

NODISCARD enum nts_err account_find(const char *user, uid_t uid, struct account *account,
                                    struct account_fault *fault)
{
    *account = (struct account){.uid = uid, .gid = getegid()};
    name_group(account);
    const char *name = user == NULL && uid == 0 ? ACCOUNT_DEFAULT : user;
    const struct passwd *pw = name == NULL ? getpwuid(uid) : getpwnam(name);
    if (pw == NULL && name != NULL) {
        return refuse_missing(user, name, fault);
    }
    if (pw == NULL) { /* a uid without a name, as containers have it */
        (void)snprintf(account->name, sizeof(account->name), "%u", (unsigned)uid);
        return NTS_OK;
    }
    if (uid != 0 && pw->pw_uid != uid) {
        (void)snprintf(fault->text, sizeof(fault->text),
                       "user %.32s: only root can become somebody else: start as root, or leave "
                       "the directive out",
                       name);
        return NTS_EAUTH;
    }
    account->uid = pw->pw_uid;
    account->gid = pw->pw_gid;
    account->change = uid == 0 && pw->pw_uid != 0;
    account->root = uid == 0 && pw->pw_uid == 0;
    (void)snprintf(account->name, sizeof(account->name), "%s", pw->pw_name);
    name_group(account);
    return NTS_OK;
}

static bool change_ids(const struct account *account)
{
    if (initgroups(account->name, account->gid) != 0 ||
        setresgid(account->gid, account->gid, account->gid) != 0 ||
        setresuid(account->uid, account->uid, account->uid) != 0) {
        return false;
    }
    /* Believe it only when there is no way back. */
    if (setuid(0) == 0 || getuid() != account->uid || geteuid() != account->uid ||
        getegid() != account->gid) {
        errno = EPERM;
        return false;
    }
    return true;
}

/* Whoever is not root has no use for capabilities once the sockets are open; a service manager may
 * have given some for the ports. */
static bool drop_capabilities(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
    memset(none, 0, sizeof(none));
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &head, none) == 0;
}

NODISCARD enum nts_err privileges_drop(const struct account *account)
{
    static const struct rlimit no_core = {0};
    if (account->change && !change_ids(account)) {
        return NTS_ESYSTEM;
    }
    if (!account->root && !drop_capabilities()) {
        return NTS_ESYSTEM;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        setrlimit(RLIMIT_CORE, &no_core) != 0) {
        return NTS_ESYSTEM;
    }
    return NTS_OK;
}

bool privileges_raise_files(size_t count, size_t *limit)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
        *limit = 0;
        return false;
    }
    if (files.rlim_cur < count) {
        files.rlim_cur = files.rlim_max < count ? files.rlim_max : count;
        (void)setrlimit(RLIMIT_NOFILE, &files);
        (void)getrlimit(RLIMIT_NOFILE, &files);
    }
    *limit = files.rlim_cur;
    return files.rlim_cur >= count;
}
