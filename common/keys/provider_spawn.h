/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program started with its outputs in pipes, and ended. See provider_command.h for the rules.
 * Shell module.
 */
#ifndef NTSD_COMMON_KEYS_PROVIDER_SPAWN_H
#define NTSD_COMMON_KEYS_PROVIDER_SPAWN_H

#include "common/keys/provider.h"

#include <sys/types.h>

struct provider_child {
    pid_t pid;
    int ended; /* descriptor, readable when it has ended */
    int out;   /* its standard output and error, non-blocking to read */
    int err;
};

/* PROVIDER_OK: there is such a program, which may be run. Otherwise see `fault`. */
enum provider_outcome provider_spawn_look(const char *name, struct provider_fault *fault);

/* PROVIDER_OK: it runs, and has to be ended with provider_reap(). Otherwise see `fault`. */
enum provider_outcome provider_spawn(const char *const *argv, struct provider_child *child,
                                     struct provider_fault *fault);

/* What is left of its process group. Its outputs end with it, unless a descendant that left the
 * group holds them. */
void provider_kill(const struct provider_child *child);

/* After provider_kill(): waits for it, closes its descriptors. False: its exit `status`, as
 * waitpid(2) has it, is not to be had. */
bool provider_reap(struct provider_child *child, int *status);

#endif
