/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the kernel's word to the published line: the pure half of clock_system.h. What is said
 * about stratum, reference id and error, and why, is in docs/clock.md.
 */
#include "ntp/clock/clock_system.h"

#include "ntp/saturate.h"

/* adjtimex knows no stratum. Ten is worse than that of any server with a real chain to a
 * reference, so it never claims to be nearer than it is. */
enum { STRATUM_UNKNOWN = 10 };

/* 127.127.1.u is the local clock, by a convention as old as NTP; no server has such an address. */
#define REFERENCE_ID_SYSTEM UINT32_C(0x7f7f0100) /* u = 0: kept by another program */
#define REFERENCE_ID_LOCAL  UINT32_C(0x7f7f0101) /* u = 1: on the operator's word */
#define REFERENCE_ID_LOCL   UINT32_C(0x4c4f434c) /* "LOCL": four letters at stratum 1 */

#define RATE_MAX_PPB INT64_C(500000)    /* what a clock's frequency can be; more is a step */
#define SLEW_MAX_PPB INT64_C(100000000) /* how fast the kernel turns its clock at most: 10 % */
#define DRIFT_PPB    INT64_C(15000)     /* RFC 5905's PHI */

/* How the clock moved against the raw one between two samples. */
struct motion {
    int64_t elapsed_ns; /* on the raw clock; 0: no usable previous sample */
    int64_t gained_ns;  /* by CLOCK_REALTIME on it */
};

static struct motion motion_between(const struct clock_system_sample *from,
                                    const struct clock_system_sample *to)
{
    if (from == NULL || to->raw_ns <= from->raw_ns) {
        return (struct motion){0};
    }
    int64_t elapsed = sat_sub(to->raw_ns, from->raw_ns);
    int64_t moved = sat_sub(to->wall_ns, from->wall_ns);
    return (struct motion){.elapsed_ns = elapsed, .gained_ns = sat_sub(moved, elapsed)};
}

/* 0 for a step, and for a slew too fast to be extrapolated. */
static int64_t rate_of(const struct motion *motion)
{
    if (motion->elapsed_ns == 0 ||
        sat_abs(motion->gained_ns) > sat_ppb(motion->elapsed_ns, RATE_MAX_PPB)) {
        return 0;
    }
    double rate = (double)motion->gained_ns * 1e9 / (double)motion->elapsed_ns;
    return (int64_t)rate;
}

/*
 * How far the line was off that was served until now. It goes into the dispersion, because the next
 * one may be off as much: the kernel may be turning its clock. A real step is followed and done
 * with; it is told by being more than the kernel can turn.
 */
static int64_t miss_ns(const struct motion *motion, const struct clock_system_sample *sample,
                       const struct clock_model *before)
{
    if (before == NULL || motion->elapsed_ns == 0 ||
        sat_abs(motion->gained_ns) > sat_ppb(motion->elapsed_ns, SLEW_MAX_PPB)) {
        return 0;
    }
    struct wall_ns said = clock_model_at(before, (struct mono_ns){.ns = sample->raw_ns});
    int64_t miss = sat_abs(sat_sub(said.ns, sample->wall_ns));
    return miss > sat_ppb(motion->elapsed_ns, SLEW_MAX_PPB) ? 0 : miss;
}

/* Whoever keeps the clock sets maxerror when it has looked; between, it only grows. */
static int64_t reference_wall_ns(const struct clock_system_sample *sample,
                                 const struct clock_system_sample *previous,
                                 const struct clock_model *before)
{
    bool unchanged = before != NULL && previous != NULL && before->reference_wall_ns != 0 &&
                     previous->synchronised && sample->max_error_ns > previous->max_error_ns;
    /* Not later than now, also when the clock was set back. */
    return unchanged && before->reference_wall_ns <= sample->wall_ns ? before->reference_wall_ns
                                                                     : sample->wall_ns;
}

static uint32_t reference_id(uint8_t stratum, uint32_t above_one)
{
    return stratum == 1 ? REFERENCE_ID_LOCL : above_one;
}

static void claim_system(const struct clock_system_options *options,
                         const struct clock_system_sample *sample, struct clock_model *model)
{
    model->state = sample->drifting ? CLOCK_HOLDOVER : CLOCK_SYNCHRONISED;
    model->leap = sample->leap;
    model->stratum = options->local_stratum != 0 ? options->local_stratum : STRATUM_UNKNOWN;
    model->reference_id = reference_id(model->stratum, REFERENCE_ID_SYSTEM);
    model->root_dispersion_ns = sat_add(model->root_dispersion_ns, sample->max_error_ns);
}

static void claim_local(const struct clock_system_options *options, struct clock_model *model)
{
    model->state = CLOCK_SYNCHRONISED;
    model->leap = NTP_LEAP_NONE;
    model->stratum = options->local_stratum;
    model->reference_id = reference_id(model->stratum, REFERENCE_ID_LOCAL);
}

static void claim_nothing(const struct clock_model *before, struct clock_model *model)
{
    bool was = before != NULL && before->state != CLOCK_STARTING;
    model->state = was ? CLOCK_LOST : CLOCK_STARTING;
    model->leap = NTP_LEAP_UNKNOWN;
    model->stratum = 0;
    model->reference_wall_ns = was ? before->reference_wall_ns : 0;
}

struct clock_model clock_system_model(const struct clock_system_options *options,
                                      const struct clock_system_sample *sample,
                                      const struct clock_system_sample *previous,
                                      const struct clock_model *before)
{
    struct motion motion = motion_between(previous, sample);
    struct clock_model model = {
        .anchor_raw_ns = sample->raw_ns,
        .anchor_wall_ns = sample->wall_ns,
        .rate_ppb = rate_of(&motion),
        .root_dispersion_ns = sat_add(sample->window_ns / 2, miss_ns(&motion, sample, before)),
        .drift_ppb = DRIFT_PPB,
        .reference_wall_ns = reference_wall_ns(sample, previous, before),
        .precision = options->precision,
    };
    if (options->trust_kernel && sample->synchronised) {
        claim_system(options, sample, &model);
    } else if (options->local_stratum != 0) {
        claim_local(options, &model);
        model.reference_wall_ns = sample->wall_ns;
    } else {
        claim_nothing(before, &model);
    }
    return model;
}

struct clock_model clock_local_model(const struct clock_system_options *options,
                                     const struct clock_model *line)
{
    struct clock_model model = *line;
    claim_local(options, &model);
    return model;
}

bool clock_model_is_local(const struct clock_model *model)
{
    return model->reference_id == REFERENCE_ID_LOCAL ||
           (model->stratum == 1 && model->reference_id == REFERENCE_ID_LOCL);
}
