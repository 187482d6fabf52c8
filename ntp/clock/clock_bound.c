/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ClockBound's file, layout 2. See clock_bound.h.
 */
#include "ntp/clock/clock_bound.h"

#include "ntp/saturate.h"

/* Two words in the host's order, not eight octets: on a little-endian host they stand reversed. */
#define MAGIC_FIRST  UINT32_C(0x414d5a4e)
#define MAGIC_SECOND UINT32_C(0x43420200)

#define DRIFT_MAX_PPB  UINT32_C(1000000000)
#define FRESH_NS       (5 * NS_PER_S) /* written each second; older: its daemon has gone */
#define BOUND_MAX_NS   (3600 * NS_PER_S)
#define AS_OF_AHEAD_NS NS_PER_S /* more in the future: another boot's */

enum { HEAD_LEN = 16, STATUS_SYNCHRONISED = 1, STATUS_FREE_RUNNING = 2, STATUS_DISRUPTED = 3 };

/* The cursors of the wire are big-endian; this is memory of the same host. */
static uint64_t host_uint(struct rd *r, size_t n)
{
    uint8_t word[sizeof(uint64_t)] = {0};
    uint16_t two = 0;
    uint32_t four = 0;
    uint64_t eight = 0;
    struct span bytes = rd_span(r, n);
    if (bytes.n > 0) {
        memcpy(word, bytes.p, bytes.n);
    }
    memcpy(&two, word, sizeof(two));
    memcpy(&four, word, sizeof(four));
    memcpy(&eight, word, sizeof(eight));
    return n == sizeof(two) ? two : n == sizeof(four) ? four : eight;
}

static int64_t host_time(struct rd *r)
{
    int64_t s = (int64_t)host_uint(r, 8);
    int64_t ns = (int64_t)host_uint(r, 8);
    return sat_add(sat_mul(s, NS_PER_S), ns);
}

static bool makes_sense(const struct clock_bound *bound)
{
    return bound->bound_ns >= 0 && bound->bound_ns <= BOUND_MAX_NS &&
           bound->drift_ppb < DRIFT_MAX_PPB && bound->status >= 0 &&
           bound->status <= STATUS_DISRUPTED && bound->as_of_ns >= 0;
}

NODISCARD enum nts_err clock_bound_parse(struct span copy, struct clock_bound *bound)
{
    struct rd r = rd_init(copy);
    *bound = (struct clock_bound){0};
    uint32_t first = (uint32_t)host_uint(&r, 4);
    uint32_t second = (uint32_t)host_uint(&r, 4);
    uint32_t size = (uint32_t)host_uint(&r, 4);
    bound->version = (uint16_t)host_uint(&r, 2);
    bound->generation = (uint16_t)host_uint(&r, 2);
    if (r.bad) {
        return NTS_ESHORT;
    }
    if (first != MAGIC_FIRST || second != MAGIC_SECOND) {
        return NTS_EFORMAT;
    }
    if (bound->version == 0 || bound->generation == 0 || bound->generation % 2 != 0) {
        return NTS_ENOTFOUND;
    }
    if (bound->version != CLOCK_BOUND_VERSION) {
        return NTS_ELIMIT;
    }
    bound->as_of_ns = host_time(&r);
    bound->void_after_ns = host_time(&r);
    bound->bound_ns = (int64_t)host_uint(&r, 8);
    rd_skip(&r, 8); /* disruption marker: a disruption also shows in the status */
    bound->drift_ppb = (uint32_t)host_uint(&r, 4);
    bound->status = (int32_t)(uint32_t)host_uint(&r, 4);
    rd_skip(&r, 8);
    /* What is behind belongs to nobody we know: the file may be longer. */
    if (r.bad || size < CLOCK_BOUND_LEN) {
        return NTS_ESHORT;
    }
    return makes_sense(bound) ? NTS_OK : NTS_EFORMAT;
}

enum clock_bound_trust clock_bound_at(const struct clock_bound *bound, struct mono_ns now,
                                      int64_t *bound_ns)
{
    int64_t age = sat_sub(now.ns, bound->as_of_ns);
    bool known = bound->status == STATUS_SYNCHRONISED || bound->status == STATUS_FREE_RUNNING;
    *bound_ns = INT64_MAX;
    if (!known || age < -AS_OF_AHEAD_NS || now.ns >= bound->void_after_ns) {
        return CLOCK_BOUND_NONE;
    }
    /* Its clock is a coarse one, so the age may come out a little below nothing. */
    int64_t growth = age > 0 ? sat_ppb(age, bound->drift_ppb) : 0;
    *bound_ns = sat_add(bound->bound_ns, growth);
    return bound->status == STATUS_SYNCHRONISED && age < FRESH_NS ? CLOCK_BOUND_KEPT
                                                                  : CLOCK_BOUND_DRIFTING;
}

void clock_bound_apply(const struct clock_bound *bound, struct mono_ns now,
                       struct clock_system_sample *sample)
{
    int64_t bound_ns = 0;
    enum clock_bound_trust trust = clock_bound_at(bound, now, &bound_ns);
    sample->synchronised = trust != CLOCK_BOUND_NONE;
    sample->drifting = trust == CLOCK_BOUND_DRIFTING;
    if (sample->synchronised) {
        sample->max_error_ns = bound_ns;
    }
}
