/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose rights the daemon runs with. Shell module; before threads exist.
 */
#ifndef NTSD_NTSD_PRIVILEGES_H
#define NTSD_NTSD_PRIVILEGES_H

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { ACCOUNT_NAME_MAX = 33 };

/* The default of `user` when root starts ntsd. */
#define ACCOUNT_DEFAULT "ntsd"

struct account {
    bool change; /* the process is root and becomes somebody else */
    bool root;   /* it is root and stays root, as the operator asked */
    uid_t uid;
    gid_t gid;
    char name[ACCOUNT_NAME_MAX];
    char group[ACCOUNT_NAME_MAX]; /* name or number of gid */
};

struct account_fault {
    char text[256];
};

/*
 * The account that `user` (NULL: not given) means for a process of this effective uid. Root becomes
 * `user`, or ntsd; anybody else stays who he is, and `user` may only say so.
 * NTS_ENOTFOUND, NTS_EAUTH: `fault` says why and what to do.
 */
NODISCARD enum nts_err account_find(const char *user, uid_t uid, struct account *account,
                                    struct account_fault *fault);

/*
 * For good: groups, gid, uid, capabilities, no new privileges, no core dump, no ptrace by others of
 * the same user. Verified afterwards. NTS_ESYSTEM: errno, and the process must end.
 */
NODISCARD enum nts_err privileges_drop(const struct account *account);

/* Raises the soft limit of open files to `count` if it is lower. False: the hard limit is lower
 * still, and `limit` is what there is. */
bool privileges_raise_files(size_t count, size_t *limit);

#endif
