/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which stamps are believed. See ntp_stamp.h.
 */
#include "ntp/ntp_stamp.h"

#include "ntp/saturate.h"

static bool stepped(const struct clock_pair *from, const struct clock_pair *to)
{
    int64_t elapsed = sat_sub(to->raw_ns, from->raw_ns);
    int64_t gained = sat_sub(sat_sub(to->wall_ns, from->wall_ns), elapsed);
    int64_t allowed = sat_add(sat_ppb(elapsed, NTP_STAMP_RATE_PPB), NTP_STAMP_MOVE_NS);
    return elapsed < 0 || sat_abs(gained) > allowed;
}

bool ntp_stamp_look(struct ntp_stamp_watch *watch, const struct clock_pair *look)
{
    if (look->window_ns > NTP_STAMP_WINDOW_MAX_NS) {
        return false; /* and the look before stays the one to compare with */
    }
    if (!watch->known) {
        *watch = (struct ntp_stamp_watch){
            .known = true, .last = *look, .doubt_until_raw_ns = look->raw_ns};
        return true;
    }
    /* The queue may hold more than this batch from before the step, and a stamp does not tell on
     * which side of it it was made: not one is believed until all of them are too old anyway. */
    if (stepped(&watch->last, look)) {
        watch->doubt_until_raw_ns = sat_add(look->raw_ns, NTP_STAMP_AGE_MAX_NS);
    }
    watch->last = *look;
    return look->raw_ns >= watch->doubt_until_raw_ns;
}

bool ntp_stamp_received(const struct ntp_stamp_moment *now, const struct wall_ns *stamp,
                        struct wall_ns *received)
{
    *received = now->served;
    if (stamp == NULL || !now->believed) {
        return false;
    }
    int64_t age = sat_sub(now->real.ns, stamp->ns);
    if (age < 0 || age > NTP_STAMP_AGE_MAX_NS) {
        return false;
    }
    received->ns = sat_sub(now->served.ns, age);
    return true;
}

struct wall_ns ntp_stamp_transmit(struct wall_ns now, struct wall_ns received)
{
    return now.ns < received.ns ? received : now;
}
