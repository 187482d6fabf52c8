/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ntsctl's commands: each is a function that is given what stands behind the command's name, prints
 * what it did to standard output and what went wrong to standard error, and returns the program's
 * exit status. Shell modules.
 */
#ifndef NTSD_TOOLS_NTSCTL_H
#define NTSD_TOOLS_NTSCTL_H

#include "certs/devca.h"

enum { NTSCTL_DONE = 0, NTSCTL_FAILED = 1, NTSCTL_USAGE = 2 };

enum { NTSCTL_NAMES_MAX = 64 };

/* What `ntsctl certs dev` was asked to make. */
struct ntsctl_certs {
    const char *dir;
    const char *names[NTSCTL_NAMES_MAX];
    size_t name_count;
    const char *ips[NTSCTL_NAMES_MAX];
    size_t ip_count;
};

struct ntsctl_fault {
    char text[256];
};

/* Pure. NTS_EFORMAT: wrong usage, `fault` says which; the strings borrow from argv. */
NODISCARD enum nts_err ntsctl_certs_parse(int argc, char *const argv[], struct ntsctl_certs *asked,
                                          struct ntsctl_fault *fault);

/* `certs dev DIR [--name DNS]... [--ip ADDR]...`: argv[0] is "dev". */
int ntsctl_certs(int argc, char *const argv[]);

/* `keys init|add|show|prune|revoke|rotate ...`: argv[0] is the first of these words. */
int ntsctl_keys(int argc, char *const argv[]);

/* `fleet [--json] HOST...`: what stands behind `fleet`. Done: all answer and agree. */
int ntsctl_fleet(int argc, char *const argv[]);

/* Pure. `url` borrows from argv, or is the default. NTS_EFORMAT: wrong usage. */
NODISCARD enum nts_err ntsctl_status_parse(int argc, char *const argv[], const char **url,
                                           struct ntsctl_fault *fault);

/* `status [--url URL]`: what stands behind `status`. Done: time is served. */
int ntsctl_status(int argc, char *const argv[]);

#endif
