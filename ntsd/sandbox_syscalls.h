/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seccomp layer of the sandbox. Shell module.
 */
#ifndef NTSD_NTSD_SANDBOX_SYSCALLS_H
#define NTSD_NTSD_SANDBOX_SYSCALLS_H

#include "ntsd/sandbox_rules.h"

/* False: this kernel has no seccomp filters. */
bool sandbox_syscalls_exist(void);

/* Leaves the process the system calls of its role; any other one ends it. `told`: it is named in
 * the log first. NTS_ESYSTEM: errno. */
NODISCARD enum nts_err sandbox_syscalls_enter(enum role role, const struct config *config,
                                              bool told);

#endif
