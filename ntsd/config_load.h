/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration file: read, parsed, its faults told. Shell module.
 */
#ifndef NTSD_NTSD_CONFIG_LOAD_H
#define NTSD_NTSD_CONFIG_LOAD_H

#include "ntsd/config.h"

#include <stdio.h>

/*
 * A new configuration, or NULL when the file cannot be read or has faults: all of them are then
 * written to `errors`, one `FILE:LINE: NAME: what is wrong, what is allowed` a line.
 */
struct config *config_load(const char *path, FILE *errors);
void config_free(struct config *config);

#endif
