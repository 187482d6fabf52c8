/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One child process: made by fork, stripped to what its role needs, and run. Shell module.
 */
#ifndef NTSD_NTSD_CHILD_H
#define NTSD_NTSD_CHILD_H

#include "ntsd/role.h"
#include "ntsd/sockets.h"

struct child_world {
    const struct config *config;
    const struct boards *boards;
    const struct sockets *sockets;
};

struct child_which {
    enum role role;
    size_t index;   /* within the role */
    bool restarted; /* takes the place of one that died */
};

/*
 * Starts a process and returns its pid, or -1 (errno). The child
 *  - dies with its parent, whatever kills that;
 *  - ignores SIGINT (a terminal sends it to all; the supervisor decides) and SIGHUP until its role
 *    asks for them, SIGPIPE and what nobody has use for;
 *  - maps the boards of its role and closes every other descriptor but its sockets and 0 to 2.
 * To be called from a single-threaded process.
 */
pid_t child_start(const struct child_which *which, const struct child_world *world);

/* Signals that the daemon's processes ignore; called once by the parent and inherited. */
void child_ignore_signals(void);

#endif
