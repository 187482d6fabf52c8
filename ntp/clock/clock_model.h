/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The published clock: a line over CLOCK_MONOTONIC_RAW, and what is known about its error. Core.
 *
 *   served(raw) = anchor_wall + (raw - anchor_raw) x (1 + rate_ppb / 1e9)
 *   dispersion(raw) = root_dispersion + (raw - anchor_raw) x drift_ppb / 1e9
 */
#ifndef NTSD_NTP_CLOCK_CLOCK_MODEL_H
#define NTSD_NTP_CLOCK_CLOCK_MODEL_H

#include "common/base/board.h"
#include "common/base/time.h"
#include "ntp/answer.h"

enum clock_state {
    CLOCK_STARTING, /* nothing published that could be served */
    CLOCK_SYNCHRONISED,
    CLOCK_HOLDOVER, /* the sources are silent; served all the same, while the bound allows it */
    CLOCK_LOST,     /* was synchronised; the source went away or became untrusted */
};
const char *clock_state_name(enum clock_state state);

/* Fixed size, whole words: the value on the clock board. */
struct clock_model {
    int64_t anchor_raw_ns;  /* CLOCK_MONOTONIC_RAW */
    int64_t anchor_wall_ns; /* served time at the anchor, since 1970 */
    int64_t rate_ppb;       /* |rate| up to 500000 */
    int64_t root_delay_ns;
    int64_t root_dispersion_ns; /* at the anchor */
    int64_t drift_ppb;          /* how fast the dispersion grows; 15000 by RFC 5905 */
    int64_t reference_wall_ns;  /* when the clock was last set or corrected */
    uint32_t reference_id;
    uint8_t state; /* enum clock_state */
    uint8_t leap;
    uint8_t stratum;
    int8_t precision;
};
_Static_assert(sizeof(struct clock_model) % 8 == 0, "board values are whole words");

/* A model older than this is not served: the clock process has died and nobody knows better. */
#define CLOCK_MODEL_AGE_MAX_NS (INT64_C(60) * NS_PER_S)

/* Served time at a raw monotonic moment. */
struct wall_ns clock_model_at(const struct clock_model *model, struct mono_ns raw);

/* True when the model may be served at `raw`: synchronised or in holdover, and not too old. */
bool clock_model_is_trusted(const struct clock_model *model, struct mono_ns raw);

/* The header fields of a reply at `raw`. Not trusted: leap 3, stratum 0, zero reference id, largest
 * dispersion the format has. */
struct ntp_clock_fields clock_model_fields(const struct clock_model *model, struct mono_ns raw);

/* Bound on the error at `raw`: root delay / 2 + dispersion, grown with age. INT64_MAX: unknown. */
int64_t clock_model_bound_ns(const struct clock_model *model, struct mono_ns raw);

#endif
