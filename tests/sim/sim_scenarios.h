/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scenarios and what each must come to.
 */
#ifndef NTSD_TESTS_SIM_SIM_SCENARIOS_H
#define NTSD_TESTS_SIM_SIM_SCENARIOS_H

#include "tests/sim/sim_run.h"

extern const struct sim_scenario sim_scenarios[];
extern const size_t sim_scenario_count;

/* NULL when there is none of that name. */
const struct sim_scenario *sim_scenario_named(const char *name);

#endif
