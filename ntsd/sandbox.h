/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process can still do when its code has been taken over: nothing but its duty. Shell
 * module, called once in each child, when all it needs is mapped and open and before it reads a
 * stranger's first octet.
 *
 * Two layers on top of those of privileges.h. Landlock: which files can be reached, and that no TCP
 * connection can be made; signals and abstract sockets of processes outside are out of reach.
 * seccomp: which system calls there are; any other one ends the process at once. Both are
 * inherited by threads and cannot be undone. The tables are sandbox_rules.h's.
 */
#ifndef NTSD_NTSD_SANDBOX_H
#define NTSD_NTSD_SANDBOX_H

#include "common/base/err.h"
#include "ntsd/role.h"

enum sandbox_layer {
    SANDBOX_FILES = 1,    /* Landlock, ABI 1 */
    SANDBOX_NETWORK = 2,  /* Landlock, ABI 4: TCP */
    SANDBOX_SCOPE = 4,    /* Landlock, ABI 6: signals, abstract sockets */
    SANDBOX_SYSCALLS = 8, /* seccomp */
};

/*
 * Locks the calling process for its role. `layers` receives those in force: what the kernel does
 * not know is left out, and the caller says so. With loglevel debug a forbidden system call is
 * named in the log before it ends the process.
 * NTS_ESYSTEM: a layer that the kernel has could not be put in place; the process must end. errno.
 */
NODISCARD enum nts_err sandbox_enter(enum role role, const struct config *config, unsigned *layers);

#endif
