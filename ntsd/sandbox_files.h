/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Landlock layer of the sandbox. Shell module.
 */
#ifndef NTSD_NTSD_SANDBOX_FILES_H
#define NTSD_NTSD_SANDBOX_FILES_H

#include "ntsd/sandbox_rules.h"

/* The layers of enum sandbox_layer that this kernel's Landlock has; 0: it has none, or it is
 * switched off. */
unsigned sandbox_files_layers(void);

/* Locks the calling thread, which has to be the only one, to the paths of its role. A path that
 * does not exist is left out. NTS_ESYSTEM: errno. */
NODISCARD enum nts_err sandbox_files_enter(enum role role, const struct config *config);

#endif
