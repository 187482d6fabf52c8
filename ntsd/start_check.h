/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a start has to find in order before anything runs: certificates, keys and state directory,
 * as the account that will use them sees them. Shell module.
 *
 * The checks run in a process of their own, which becomes that account and ends afterwards. So a
 * file that only root can read is found before root is given up, and neither TLS keys nor the
 * master secret ever pass through the memory of the parent, from which all children are copied.
 */
#ifndef NTSD_NTSD_START_CHECK_H
#define NTSD_NTSD_START_CHECK_H

#include "ntsd/config.h"
#include "ntsd/privileges.h"

/* START_CHECK_ONLY changes nothing on disk and tells on standard output what it found; at a start
 * the state directory and the secret are made when missing, and it is logged. */
enum start_check_mode { START_CHECK_ONLY, START_CHECK_START };

/* True when all is in order. Otherwise each fault is a line on standard error. */
bool start_check_run(const struct config *config, const struct account *account,
                     enum start_check_mode mode);

#endif
