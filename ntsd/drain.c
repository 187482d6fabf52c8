/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See drain.h.
 */
#include "ntsd/drain.h"

enum drain_phase drain_next(enum drain_phase phase, const struct drain_facts *facts)
{
    size_t alive = facts->services_alive + facts->others_alive;
    bool hurry = facts->signals > 1 || facts->elapsed_ms >= DRAIN_TOTAL_MS;
    switch (phase) {
    case DRAIN_RUNNING:
        return facts->signals > 0 ? DRAIN_SERVICES : DRAIN_RUNNING;
    case DRAIN_SERVICES:
        if (hurry && alive > 0) {
            return DRAIN_KILL;
        }
        return facts->services_alive == 0 || facts->elapsed_ms >= DRAIN_SERVICES_MS
                   ? DRAIN_REST
                   : DRAIN_SERVICES;
    case DRAIN_REST:
        if (hurry && alive > 0) {
            return DRAIN_KILL;
        }
        return alive == 0 ? DRAIN_DONE : DRAIN_REST;
    case DRAIN_KILL:
        return alive == 0 ? DRAIN_DONE : DRAIN_KILL;
    case DRAIN_DONE:
        return DRAIN_DONE;
    }
    return DRAIN_DONE;
}

uint64_t drain_deadline_ms(enum drain_phase phase)
{
    return phase == DRAIN_SERVICES ? DRAIN_SERVICES_MS : DRAIN_TOTAL_MS;
}
