/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judging samples. See clock_filter.h; the reasons are in docs/clock.md.
 */
#include "ntp/clock/clock_filter.h"

#include "common/base/time.h"
#include "ntp/clock/clock_number.h"
#include "ntp/saturate.h"

#include <math.h>

enum {
    STRATUM_MAX = 14, /* ours is one more, and 16 means not synchronised: RFC 5905 §7.3 */
    LEAP_MAX = 2,
    DELAY_POINTS_MIN = 8, /* fewer do not tell what delay is usual */
};

/* No honest clock shows a time before this was written, and none of today's will live to see the
 * end: servers that came up in 1970 or 2000 have been believed before. */
#define WALL_MIN_NS (INT64_C(1735689600) * NS_PER_S) /* 2025-01-01 */
#define WALL_MAX_NS (INT64_C(7258118400) * NS_PER_S) /* 2200-01-01 */
#define RAW_MAX_NS  (INT64_C(1) << 62)

#define DISTANCE_MAX_NS  (16 * NS_PER_S) /* RFC 5905 §7.2: MAXDISP */
#define GRANULARITY_NS   INT64_C(10000)  /* by which coarse clocks make a delay negative */
#define TOLERANCE_SD     5.0             /* beyond it is not chance */
#define WANDER_PPB       500.0           /* what a rate may change by between two samples */
#define BREAK_RATE_PPB   100000.0        /* within which two looks at a new line's rate differ */
#define BREAK_TURN_PPB   500000.0        /* within which that rate may differ from the old one */
#define DELAY_LIMIT_MEAN 6.0             /* so many times the mean excess is too much */
#define DELAY_LIMIT_PART 20              /* ... but never less than this part of the way */
#define DELAY_LIMIT_NS   1000.0          /* ... and than what reading clocks takes */

void clock_filter_init(struct clock_filter *filter)
{
    *filter = (struct clock_filter){0};
    clock_window_init(&filter->window);
}

static bool is_distance(int64_t ns)
{
    return ns >= 0 && ns <= DISTANCE_MAX_NS;
}

static bool is_sane(const struct clock_sample *sample)
{
    return sample->raw_ns > 0 && sample->raw_ns <= RAW_MAX_NS && sample->wall_ns >= WALL_MIN_NS &&
           sample->wall_ns <= WALL_MAX_NS && sample->delay_ns >= -GRANULARITY_NS &&
           sample->delay_ns <= DISTANCE_MAX_NS && is_distance(sample->root_delay_ns) &&
           is_distance(sample->root_dispersion_ns) && sample->stratum <= STRATUM_MAX &&
           sample->leap <= LEAP_MAX;
}

static struct clock_point point_of(const struct clock_sample *sample)
{
    return (struct clock_point){
        .raw_ns = sample->raw_ns,
        .offset_ns = sat_sub(sample->wall_ns, sample->raw_ns),
        .delay_ns = sat_abs(sample->delay_ns),
        .root_ns = sat_add(sample->root_delay_ns / 2, sample->root_dispersion_ns),
    };
}

static const struct clock_point *newest(const struct clock_window *window)
{
    return &window->point[window->count - 1];
}

/* How far the point is from the line, and how far it could be without meaning anything. */
struct residual {
    int64_t shift_ns;
    int64_t tolerance_ns;
};

static struct residual residual_of(const struct clock_window *window,
                                   const struct clock_point *point)
{
    double seconds = (double)sat_sub(point->raw_ns, newest(window)->raw_ns) / (double)NS_PER_S;
    double ahead = clock_window_ahead_ns(window, point->raw_ns);
    double offset = (double)sat_sub(point->offset_ns, newest(window)->offset_ns);
    double sd = hypot(clock_window_sd_ns(window, point->raw_ns), window->scatter_ns);
    /* What the way took longer than usual may all have been on one side. */
    double late = (double)sat_sub(point->delay_ns, window->delay_min_ns) / 2.0;
    return (struct residual){
        .shift_ns = clock_number_ns(offset - ahead),
        .tolerance_ns = clock_number_ns(TOLERANCE_SD * sd + late + WANDER_PPB * seconds),
    };
}

static bool is_delayed(const struct clock_window *window, const struct clock_point *point)
{
    if (window->count < DELAY_POINTS_MIN) {
        return false;
    }
    double excess = (double)sat_sub(point->delay_ns, window->delay_min_ns);
    double part = (double)window->delay_min_ns / DELAY_LIMIT_PART + DELAY_LIMIT_NS;
    return excess > fmax(DELAY_LIMIT_MEAN * window->excess_mean_ns, part);
}

static enum clock_filter_verdict use(struct clock_filter *filter, const struct clock_point *point)
{
    filter->held_count = 0;
    filter->slow_count = 0;
    filter->accepted = filter->last;
    filter->confirmed_raw_ns = point->raw_ns;
    clock_window_push(&filter->window, point);
    return CLOCK_FILTER_USED;
}

/* The way may have become longer for good; then waiting for the old one would be in vain. */
static enum clock_filter_verdict reject_slow(struct clock_filter *filter,
                                             const struct clock_point *point)
{
    filter->confirmed_raw_ns = point->raw_ns;
    filter->slow[filter->slow_count++] = *point;
    if (filter->slow_count < CLOCK_FILTER_SLOW_SAMPLES) {
        filter->counts.delayed++;
        return CLOCK_FILTER_DELAYED;
    }
    clock_window_restart(&filter->window, filter->slow, filter->slow_count);
    filter->accepted = filter->last;
    filter->held_count = 0;
    filter->slow_count = 0;
    return CLOCK_FILTER_USED;
}

void clock_filter_break(struct clock_filter *filter)
{
    if (filter->held_count == 0) {
        return;
    }
    filter->accepted = filter->suspect;
    filter->confirmed_raw_ns = filter->suspect.raw_ns;
    clock_window_restart(&filter->window, filter->held, filter->held_count);
    filter->held_count = 0;
    filter->slow_count = 0;
    filter->counts.breaks++;
}

static double since_held_s(const struct clock_filter *filter, const struct clock_point *point)
{
    const struct clock_point *before = &filter->held[filter->held_count - 1];
    return (double)sat_sub(point->raw_ns, before->raw_ns) / (double)NS_PER_S;
}

/* Alike: on a line of their own, whose rate a clock can have. The second sample shows the rate, the
 * third one has to confirm it. */
static bool agrees_with_held(const struct clock_filter *filter, const struct clock_point *point,
                             const struct residual *residual)
{
    double passed_s = since_held_s(filter, point);
    double limit_ppb = filter->held_count == 1 ? BREAK_TURN_PPB : BREAK_RATE_PPB;
    double apart = (double)sat_sub(residual->shift_ns, filter->held_shift_ns);
    double tolerance = fmax((double)residual->tolerance_ns, (double)filter->held_tolerance_ns);
    return fabs(apart - filter->held_turn_ppb * passed_s) <= tolerance + limit_ppb * passed_s;
}

/* Noise is no rate. */
static double turn_ppb(const struct clock_filter *filter, const struct clock_point *point,
                       const struct residual *residual)
{
    double apart = (double)sat_sub(residual->shift_ns, filter->held_shift_ns);
    double passed_s = since_held_s(filter, point);
    bool steady = fabs(apart) <= (double)residual->tolerance_ns + BREAK_RATE_PPB * passed_s;
    return steady ? 0.0 : apart / passed_s;
}

static enum clock_filter_verdict hold(struct clock_filter *filter, const struct clock_point *point,
                                      const struct residual *residual)
{
    if (filter->held_count > 0 && !agrees_with_held(filter, point, residual)) {
        filter->held_count = 0;
    }
    filter->counts.outliers++;
    filter->held_turn_ppb = filter->held_count == 1 ? turn_ppb(filter, point, residual) : 0.0;
    filter->held[filter->held_count++] = *point;
    filter->suspect = filter->last;
    filter->held_shift_ns = residual->shift_ns;
    filter->held_tolerance_ns = residual->tolerance_ns;
    if (filter->held_count < CLOCK_FILTER_STEP_SAMPLES) {
        return CLOCK_FILTER_SUSPECT;
    }
    clock_filter_break(filter);
    return CLOCK_FILTER_BREAK;
}

enum clock_filter_verdict clock_filter_add(struct clock_filter *filter,
                                           const struct clock_sample *sample)
{
    filter->counts.samples++;
    bool first = filter->last.raw_ns == 0;
    if (!is_sane(sample) || (!first && sample->raw_ns <= filter->last.raw_ns)) {
        filter->counts.unusable++;
        return CLOCK_FILTER_UNUSABLE;
    }
    filter->last = *sample;
    filter->reach = (uint8_t)(filter->reach << 1 | 1);
    filter->misses_in_row = 0;
    struct clock_point point = point_of(sample);
    if (filter->window.count == 0) {
        return use(filter, &point);
    }
    /* On a copy: until it is believed, it has no part in the line, nor in what is said of it. */
    struct clock_window eased = filter->window;
    clock_window_lower_delay(&eased, point.delay_ns);
    struct residual residual = residual_of(&eased, &point);
    if (sat_abs(residual.shift_ns) > residual.tolerance_ns) {
        return hold(filter, &point, &residual);
    }
    if (is_delayed(&eased, &point)) {
        return reject_slow(filter, &point);
    }
    return use(filter, &point);
}

void clock_filter_miss(struct clock_filter *filter)
{
    filter->reach = (uint8_t)(filter->reach << 1);
    filter->misses_in_row++;
    filter->counts.misses++;
}

void clock_filter_expect(struct clock_filter *filter, const struct clock_fit_prior *prior)
{
    if (filter->window.count == 0 && prior->sd_ppb < filter->window.prior.sd_ppb) {
        filter->window.prior = *prior;
    }
}

void clock_filter_restart(struct clock_filter *filter)
{
    clock_window_restart(&filter->window, NULL, 0);
    filter->held_count = 0;
    filter->slow_count = 0;
}

static void shift_points(struct clock_point *points, size_t count, int64_t step_ns)
{
    for (size_t i = 0; i < count; i++) {
        points[i].offset_ns = sat_add(points[i].offset_ns, step_ns);
    }
}

void clock_filter_shift(struct clock_filter *filter, int64_t step_ns)
{
    shift_points(filter->window.point, filter->window.count, step_ns);
    shift_points(filter->held, filter->held_count, step_ns);
    shift_points(filter->slow, filter->slow_count, step_ns);
}

bool clock_filter_has_line(const struct clock_filter *filter)
{
    return filter->window.count > 0;
}

struct clock_filter_line clock_filter_line_at(const struct clock_filter *filter, int64_t raw_ns)
{
    const struct clock_window *window = &filter->window;
    return (struct clock_filter_line){
        .offset_ns = sat_add(newest(window)->offset_ns,
                             clock_number_ns(clock_window_ahead_ns(window, raw_ns))),
        .sd_ns = clock_window_sd_ns(window, raw_ns),
        .rate_ppb = window->fit.rate_ppb,
        .rate_sd_ppb = window->fit.rate_sd_ppb,
        .growth_ppb = window->growth_ppb,
        .used_raw_ns = newest(window)->raw_ns,
    };
}
