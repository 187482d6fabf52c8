/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of directives as text for people. Shell module.
 */
#ifndef NTSD_NTSD_CONFIG_PRINT_H
#define NTSD_NTSD_CONFIG_PRINT_H

#include <stdio.h>

/* For `ntsd --help`: a line of syntax and one with default and range, for each directive. */
void config_print_help(FILE *out);

/* For ntsd.conf(5): the items of an mdoc list. */
void config_print_mdoc(FILE *out);

#endif
