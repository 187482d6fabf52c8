/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A picture of some scenarios: the error within its bound over time, as an SVG.
 */
#ifndef NTSD_TESTS_SIM_SIM_PLOT_H
#define NTSD_TESTS_SIM_SIM_PLOT_H

#include <stdbool.h>

/* False: the file cannot be written (errno). */
bool sim_plot_write(const char *path);

#endif
