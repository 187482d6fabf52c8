/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See readiness.h.
 */
#include "ntsd/readiness.h"

const char *readiness_text(enum readiness readiness)
{
    switch (readiness) {
    case READY:
        return "ok";
    case READY_DRAINING:
        return "draining";
    case READY_NOT_CONFIGURED:
        return "service not configured";
    case READY_NTP_DOWN:
        return "ntp process not running";
    case READY_KE_DOWN:
        return "ke process not running";
    case READY_NO_KEYS:
        return "no keys";
    case READY_CLOCK_STARTING:
        return "clock not synchronised yet";
    case READY_CLOCK_LOST:
        return "clock lost its source";
    case READY_CLOCK_OLD:
        return "clock not updated";
    case READY_NO_CERTIFICATE:
        return "no certificate in service";
    case READY_CERTIFICATE_EXPIRED:
        return "certificate expired";
    case READY_CERTIFICATE_EARLY:
        return "certificate not yet valid";
    case READY_REASONS:
        break;
    }
    return "unknown";
}

static bool is_running(const struct snapshot *s, enum role role)
{
    const struct supervisor_status *supervisor = &s->supervisor;
    for (size_t i = 0; i < supervisor->count && i < ROLE_CHILDREN_MAX; i++) {
        if (supervisor->child[i].role == (uint32_t)role && supervisor->child[i].pid > 0) {
            return true;
        }
    }
    return false;
}

static bool has_keys(const struct snapshot *s)
{
    return s->has_keys && s->keys.count > 0;
}

static enum readiness of_clock(const struct snapshot *s)
{
    if (!s->has_clock || s->clock.state == CLOCK_STARTING) {
        return READY_CLOCK_STARTING;
    }
    if (s->clock.state == CLOCK_LOST) {
        return READY_CLOCK_LOST;
    }
    return clock_model_is_trusted(&s->clock, s->raw) ? READY : READY_CLOCK_OLD;
}

static enum readiness of_ntp(const struct snapshot *s)
{
    if (!is_running(s, ROLE_NTP)) {
        return READY_NTP_DOWN;
    }
    return has_keys(s) ? of_clock(s) : READY_NO_KEYS;
}

static enum readiness of_ke(const struct snapshot *s)
{
    if (!is_running(s, ROLE_KE)) {
        return READY_KE_DOWN;
    }
    if (!has_keys(s)) {
        return READY_NO_KEYS;
    }
    if (!s->has_ke || s->ke.ready == 0 || s->ke.pair_count == 0) {
        return READY_NO_CERTIFICATE;
    }
    if (s->now_s > s->ke.not_after[0]) {
        return READY_CERTIFICATE_EXPIRED;
    }
    return s->now_s < s->ke.not_before[0] ? READY_CERTIFICATE_EARLY : READY;
}

enum readiness readiness_of(const struct snapshot *snapshot, enum readiness_service service)
{
    bool ntp = service != READINESS_KE && snapshot->ntp_wanted;
    bool ke = service != READINESS_NTP && snapshot->ke_wanted;
    if (snapshot->supervisor.draining != 0) {
        return READY_DRAINING;
    }
    if (!ntp && !ke) {
        return READY_NOT_CONFIGURED;
    }
    enum readiness first = ntp ? of_ntp(snapshot) : READY;
    return first == READY && ke ? of_ke(snapshot) : first;
}

bool readiness_is_healthy(const struct snapshot *snapshot, enum role *missing)
{
    const struct supervisor_status *supervisor = &snapshot->supervisor;
    for (size_t i = 0; i < supervisor->count && i < ROLE_CHILDREN_MAX; i++) {
        if (supervisor->child[i].pid <= 0) {
            *missing = (enum role)supervisor->child[i].role;
            return false;
        }
    }
    return supervisor->count > 0;
}
