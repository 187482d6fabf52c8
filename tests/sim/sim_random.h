/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers that are the same each time: splitmix64 and what the simulation draws from it.
 */
#ifndef NTSD_TESTS_SIM_SIM_RANDOM_H
#define NTSD_TESTS_SIM_SIM_RANDOM_H

#include <math.h>
#include <stdint.h>

struct sim_random {
    uint64_t state;
};

static inline uint64_t sim_random_u64(struct sim_random *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = random->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Above 0, up to 1. */
static inline double sim_random_share(struct sim_random *random)
{
    return ((double)(sim_random_u64(random) >> 11) + 1.0) / 9007199254740992.0; /* 2^53 */
}

static inline double sim_random_exponential(struct sim_random *random, double mean)
{
    return -mean * log(sim_random_share(random));
}

static inline double sim_random_gaussian(struct sim_random *random, double sd)
{
    double radius = sqrt(-2.0 * log(sim_random_share(random)));
    return sd * radius * cos(6.283185307179586 * sim_random_share(random));
}

#endif
