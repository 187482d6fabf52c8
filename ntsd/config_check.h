/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What no single directive can know: defaults that depend on others, and values that contradict
 * each other. Core.
 */
#ifndef NTSD_NTSD_CONFIG_CHECK_H
#define NTSD_NTSD_CONFIG_CHECK_H

#include "ntsd/config_table.h"

/* The line of each directive's last appearance, by its place in the table; 0: not given. */
struct config_lines {
    unsigned last; /* lines of the whole text: where what is missing is reported */
    const unsigned *given;
};

/* Fills in what was not given and adds a fault for each contradiction. */
void config_complete(struct config *config, const struct config_lines *lines,
                     struct config_faults *faults);

#endif
