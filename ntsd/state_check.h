/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state directory before the start: made for the account by root, examined without a trace by
 * `ntsd -t`, opened once by a real start. Shell module.
 */
#ifndef NTSD_NTSD_STATE_CHECK_H
#define NTSD_NTSD_STATE_CHECK_H

#include "ntsd/privileges.h"

#include <stdbool.h>
#include <stdint.h>

struct state_fault {
    char text[600];
};

/* As root, for an account that could not make it itself: the directory with mode 0700. One that is
 * there is left as it is. NTS_ESYSTEM: see `fault`. */
NODISCARD enum nts_err state_create(const char *dir, const struct account *account,
                                    struct state_fault *fault);

/* As the account: could a start use it? Writes nothing. `made_by_root`: a missing directory will
 * be made by state_create(), whatever the account may do. */
bool state_check(const char *dir, bool made_by_root, struct state_fault *fault);

/* The same of the directory alone, for who keeps no document of his own in it. */
bool state_check_dir(const char *dir, bool made_by_root, struct state_fault *fault);

/* As the account: the directory alone, made when it is missing. */
bool state_prepare_dir(const char *dir, struct state_fault *fault);

/* As the account: opens the key store as the keys process will, which makes the secret when there
 * is none. */
bool state_prepare(const char *dir, uint32_t rotate_s, struct state_fault *fault);

#endif
