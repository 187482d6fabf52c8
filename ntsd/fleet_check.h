/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fleet's provider before the start, as the account that will ask it. Shell module.
 *
 * A store that cannot be reached is no reason not to start: the daemon waits for it. So a start
 * only looks at what no store can mend. `ntsd -t` asks more, because somebody is there to read it:
 * a file has to be there and to be a document, a command to be a program. It runs no command and
 * asks no network.
 */
#ifndef NTSD_NTSD_FLEET_CHECK_H
#define NTSD_NTSD_FLEET_CHECK_H

#include "ntsd/config.h"
#include "ntsd/state_check.h"

/* For `ntsd -t`. `made_by_root` as for state_check(). */
bool fleet_check(const struct config *config, bool made_by_root, struct state_fault *fault);

/* For a start. Makes the state directory when it is missing; that it cannot be had is a fault only
 * where the sealed copy is to be kept in it. */
bool fleet_prepare(const struct config *config, struct state_fault *fault);

#endif
