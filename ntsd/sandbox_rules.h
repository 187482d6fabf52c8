/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each role may do: which files it reaches and which system calls it has. Core: tables, and
 * what follows for them from the configuration.
 */
#ifndef NTSD_NTSD_SANDBOX_RULES_H
#define NTSD_NTSD_SANDBOX_RULES_H

#include "ntsd/role.h"

enum sandbox_reach {
    SANDBOX_READ_BENEATH,  /* a directory: all that is in it */
    SANDBOX_WRITE_BENEATH, /* and make, replace and remove files there */
    SANDBOX_DEVICE,        /* devices: open for reading and writing, ioctl */
};

/* `directory_of`: not the path itself counts but the directory it is in, because files are
 * replaced; and that of the file it leads to, when it is a symbolic link. */
struct sandbox_path {
    const char *path;
    enum sandbox_reach reach;
    bool directory_of;
};

enum { SANDBOX_PATHS_MAX = 2 * CONFIG_PAIRS_MAX + CONFIG_SOURCES_MAX + 24 };

/* Fills `path`; strings are the configuration's or static. How many. */
size_t sandbox_paths(enum role role, const struct config *config,
                     struct sandbox_path path[static SANDBOX_PATHS_MAX]);

/* May it make TCP connections? */
bool sandbox_connects(enum role role, const struct config *config);

/* Runs programs of the operator's choice, which no rule of ours would fit: only what no program
 * needs is taken from it. */
bool sandbox_is_loose(enum role role, const struct config *config);

/* Families of system calls; a role has some of them. Each is a list of names that ends with NULL;
 * names that an architecture does not have are passed over. */
enum sandbox_family {
    SANDBOX_CALLS_BASE,     /* memory, time, signals, descriptors: everyone */
    SANDBOX_CALLS_LOOP,     /* libuv */
    SANDBOX_CALLS_READ,     /* files */
    SANDBOX_CALLS_WRITE,    /* and change them */
    SANDBOX_CALLS_WATCH,    /* inotify */
    SANDBOX_CALLS_ACCEPT,   /* TCP connections that others make */
    SANDBOX_CALLS_DATAGRAM, /* on sockets that are open */
    SANDBOX_CALLS_CONNECT,  /* make sockets: clients */
    SANDBOX_CALLS_CLOCK,    /* the state of the kernel's clock */
    SANDBOX_FAMILIES
};

bool sandbox_role_has(enum role role, const struct config *config, enum sandbox_family family);
const char *const *sandbox_calls(enum sandbox_family family);

/* What not even a loose role has. */
const char *const *sandbox_calls_never(void);

#endif
