/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts of a fleet, made for comparing. Test code.
 */
#ifndef NTSD_TESTS_UNIT_TOOLS_FLEET_SAMPLE_H
#define NTSD_TESTS_UNIT_TOOLS_FLEET_SAMPLE_H

#include "tools/fleet_compare.h"

/* Key `id` of the secret that `secret` names. */
static inline struct fleet_key sample_key(uint32_t id, uint8_t secret)
{
    struct fleet_key key = {.id = id};
    for (size_t i = 0; i < sizeof(key.fingerprint); i++) {
        key.fingerprint[i] = (uint8_t)(id * 31 + secret * 7 + i);
    }
    return key;
}

/* A host whose clock is in period `now`: it holds three past keys and the next one. */
static inline struct fleet_host sample_host(const char *name, uint8_t secret, uint32_t now)
{
    struct fleet_host host = {.name = name, .reached = true};
    struct fleet_facts *facts = &host.facts;
    (void)memcpy(facts->version, "0.1.0", 6);
    (void)memcpy(facts->state, "synchronised", 13);
    (void)memcpy(facts->provider, "file", 5);
    facts->provider_age_s = 30;
    facts->has_keys = true;
    facts->issuing = sample_key(now, secret);
    for (uint32_t id = now - 3; id <= now + 1; id++) {
        facts->held[facts->held_count++] = sample_key(id, secret);
    }
    return host;
}

#endif
