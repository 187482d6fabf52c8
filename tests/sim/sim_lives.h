/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lives nobody thought of: an oscillator, ways and sources drawn by chance, as bad as they may be
 * while what the clock assumes of them holds. Then the true error is within the bound.
 */
#ifndef NTSD_TESTS_SIM_SIM_LIVES_H
#define NTSD_TESTS_SIM_SIM_LIVES_H

#include "tests/sim/sim_run.h"

/* Up to four sources, all honest; or three or four of which one lies by more than what the others
 * leave open. */
enum sim_company { SIM_HONEST, SIM_ONE_LIES };

/* The same for the same number. */
struct sim_scenario sim_life(uint64_t number, enum sim_company company);

#endif
