/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret document that a command prints: for stores that have a program of their own. Shell
 * module.
 *
 * There is no shell: argv[0] is a program, by its path or by PATH, and the rest its words. It runs
 * as a child in a process group of its own, with the caller's environment and directory, standard
 * input from /dev/null, no other descriptor, and default signals. Its standard output is the
 * document. Of its standard error the last line, 160 octets at most, goes into the fault when it
 * fails, and nothing when it does not.
 *
 * It is over when it ends, whoever may still hold its pipes. At the deadline, at too much output,
 * when its caller dies, and for what it left running, there is SIGKILL for the whole group.
 */
#ifndef NTSD_COMMON_KEYS_PROVIDER_COMMAND_H
#define NTSD_COMMON_KEYS_PROVIDER_COMMAND_H

#include "common/keys/provider.h"

/*
 * As provider_fetch(), within `deadline_ms`. `argv` ends with NULL and has at least one word.
 * Descriptors 0 to 2 have to be open in the calling process, and nobody else may wait for its
 * children without saying for which. PROVIDER_NOT_FOUND, PROVIDER_DENIED: no such program, or none
 * that may be run. PROVIDER_FAILED: it ended with another status than 0, or by a signal.
 */
enum provider_outcome provider_command_fetch(const char *const *argv, int64_t deadline_ms,
                                             struct provider_text *text,
                                             struct provider_fault *fault);

/* Is there such a program, and may it be run? Runs nothing. */
enum provider_outcome provider_command_look(const char *name, struct provider_fault *fault);

#endif
