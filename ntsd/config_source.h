/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the configuration says about one source of the clock: a `server` or a `refclock`.
 */
#ifndef NTSD_NTSD_CONFIG_SOURCE_H
#define NTSD_NTSD_CONFIG_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

/* Of the servers' leap seconds. */
enum config_smeared { CONFIG_SMEARED_BY_NAME, CONFIG_SMEARED_YES, CONFIG_SMEARED_NO };

/* One `server` or `refclock`. */
struct config_source {
    bool phc;         /* a hardware clock, otherwise an NTP server */
    const char *name; /* of its device; or a host name or numeric address */
    uint16_t port;
    uint16_t ke_port;
    int8_t minpoll; /* log2 seconds; of a hardware clock both are its poll */
    int8_t maxpoll;
    bool iburst;
    bool prefer;
    bool nts;
    bool smeared;      /* its leap seconds are; decided when all lines are read */
    int64_t offset_ns; /* of a hardware clock: added to what it shows */
    unsigned line;     /* where it was given */
};

#endif
