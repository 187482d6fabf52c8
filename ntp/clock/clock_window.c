/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Weights, noise and length of the window. See clock_window.h; the reasons are in docs/clock.md.
 */
#include "ntp/clock/clock_window.h"

#include "common/base/time.h"
#include "ntp/saturate.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    LEARN_POINTS_MIN = 16, /* fewer do not tell noise from chance */
    LEARN_GROUP_MIN = 4,
    SHRINK_POINTS_MIN = 8, /* below, curves are not looked for */
    SHRINK_PART = 8,       /* the window loses an eighth at a time */
};

/* A crystal is within 100 ppm of its name, and a hypervisor's idea of it hardly worse. */
#define PRIOR_SD_PPB 100000.0
/* What a rate once known may have become during an interruption. */
#define RATE_WANDER_PPB 1000.0

/* So exactly known a rate is the usual one, which others replace within about an hour. */
#define USUAL_BOUND_PPB 10000.0
#define USUAL_S         3600.0

#define LEARN_PART        0.125
#define NOISE_SD_MIN_NS   50.0         /* finer than clocks are read */
#define EXCESS_SHARE_FLAT (1.0 / 12.0) /* an excess spread evenly over both ways */
#define EXCESS_SHARE_MAX  0.25         /* all of it on one way, always */
#define ROOT_FACTOR_MAX   3.0
#define GUESS_WORTH       4.0 /* as many points as the first guess of the noise counts for */

void clock_window_init(struct clock_window *window)
{
    *window = (struct clock_window){.prior = {.rate_ppb = 0.0, .sd_ppb = PRIOR_SD_PPB}};
}

static double seconds_from(int64_t raw_ns, int64_t reference_raw_ns)
{
    return (double)sat_sub(raw_ns, reference_raw_ns) / (double)NS_PER_S;
}

static const struct clock_point *newest(const struct clock_window *window)
{
    return &window->point[window->count - 1];
}

static double excess_ns(const struct clock_window *window, const struct clock_point *point)
{
    return (double)sat_sub(point->delay_ns, window->delay_min_ns);
}

static int64_t least_root_ns(const struct clock_window *window)
{
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < window->count; i++) {
        least = window->point[i].root_ns < least ? window->point[i].root_ns : least;
    }
    return least;
}

/* A source that says it knows its time less well now weighs less, by the distance as a whole: a
 * dispersion that merely grows between the source's own polls must not throw its samples away. */
static double root_factor(const struct clock_window *window, const struct clock_point *point,
                          int64_t least_ns)
{
    double usual = (double)least_ns + (double)window->delay_min_ns / 2.0 + NOISE_SD_MIN_NS;
    return fmin(1.0 + (double)sat_sub(point->root_ns, least_ns) / usual, ROOT_FACTOR_MAX);
}

static void points_of(const struct clock_window *window, struct clock_fit_point *points)
{
    int64_t least_root = least_root_ns(window);
    for (size_t i = 0; i < window->count; i++) {
        const struct clock_point *point = &window->point[i];
        double excess = excess_ns(window, point);
        double var = window->noise.noise_var + window->noise.excess_share * excess * excess;
        points[i] = (struct clock_fit_point){
            .x_s = seconds_from(point->raw_ns, newest(window)->raw_ns),
            .y_ns = (double)sat_sub(point->offset_ns, newest(window)->offset_ns),
            .sd_ns = sqrt(var) * root_factor(window, point, least_root),
        };
    }
}

static void measure_delays(struct clock_window *window)
{
    int64_t least = INT64_MAX;
    double sum = 0.0;
    for (size_t i = 0; i < window->count; i++) {
        least = window->point[i].delay_ns < least ? window->point[i].delay_ns : least;
        sum += (double)window->point[i].delay_ns;
    }
    window->delay_min_ns = least;
    window->excess_mean_ns = sum / (double)window->count - (double)least;
}

/* Before anything is known about it: a twentieth of the way, and a delay that is shared evenly. */
static struct clock_noise guess_noise(const struct clock_window *window)
{
    double sd = (double)window->delay_min_ns / 20.0 + 2.0 * NOISE_SD_MIN_NS;
    return (struct clock_noise){.noise_var = sd * sd, .excess_share = EXCESS_SHARE_FLAT};
}

/* Mean squares of residual and excess over half of the points. */
struct group {
    double count;
    double residual2;
    double excess2;
};

static void group_add(struct group *group, double residual, double excess)
{
    group->count += 1.0;
    group->residual2 += (residual * residual - group->residual2) / group->count;
    group->excess2 += (excess * excess - group->excess2) / group->count;
}

/*
 * Does a long delay go with a large error? Queues on one way at a time make it so; jitter that
 * strikes both ways alike does not, and then weighting by delay would throw samples away. So the
 * points with little excess are compared with those with much.
 */
static bool measure_noise(const struct clock_window *window, const struct clock_fit_point *points,
                          struct clock_noise *noise)
{
    struct group near = {0};
    struct group far = {0};
    for (size_t i = 0; i < window->count; i++) {
        double residual = points[i].y_ns - clock_fit_at(&window->fit, points[i].x_s);
        double excess = excess_ns(window, &window->point[i]);
        group_add(excess <= window->excess_mean_ns ? &near : &far, residual, excess);
    }
    if (near.count < LEARN_GROUP_MIN || far.count < LEARN_GROUP_MIN) {
        return false;
    }
    double share = (far.residual2 - near.residual2) / (far.excess2 - near.excess2);
    noise->excess_share = fmin(fmax(share, 0.0), EXCESS_SHARE_MAX);
    double rest = near.residual2 - noise->excess_share * near.excess2;
    /* At least a tenth, or the few fastest samples would be all that counts. */
    double var = fmax(rest, near.residual2 / 10.0);
    noise->noise_var = fmax(var, NOISE_SD_MIN_NS * NOISE_SD_MIN_NS);
    return true;
}

/* Slowly: weights that follow each sample's chance make the line follow it, too. */
static void learn_noise(struct clock_window *window, const struct clock_fit_point *points)
{
    struct clock_noise now;
    if (window->count < LEARN_POINTS_MIN || !measure_noise(window, points, &now)) {
        return;
    }
    double part = window->learned ? LEARN_PART : 1.0;
    window->noise.noise_var += part * (now.noise_var - window->noise.noise_var);
    window->noise.excess_share += part * (now.excess_share - window->noise.excess_share);
    window->learned = true;
}

/* Scatter beyond what was assumed makes everything less certain; less scatter is chance. */
static void admit_scatter(struct clock_window *window)
{
    double n = (double)window->count;
    double guess = window->learned ? 0.0 : GUESS_WORTH;
    double freedom = guess + fmax(n - 2.0, 1.0);
    double scale = sqrt(fmax((guess + window->fit.chi2) / freedom, 1.0));
    window->scatter_ns = scale * sqrt(window->noise.noise_var);
    window->fit.mean_sd_ns *= scale;
    /* The prior is not less true for it. */
    window->fit.rate_sd_ppb = fmin(window->fit.rate_sd_ppb * scale, window->prior.sd_ppb);
}

/* Each point alone proves something, however the others scatter: when it was measured, the truth
 * was within half of its delay and what the source says of itself, and the line so far from it. */
static double proof_ns(const struct clock_window *window, const struct clock_fit_point *points,
                       size_t i)
{
    const struct clock_point *point = &window->point[i];
    double residual = fabs(points[i].y_ns - clock_fit_at(&window->fit, points[i].x_s));
    return residual + (double)point->root_ns + (double)point->delay_ns / 2.0;
}

/* How far the rate is off at most: what chance may have done, or, while the points are few and what
 * is known of chance is a guess, what two of them prove. Never more than was known before. */
static double rate_bound_ppb(const struct clock_window *window,
                             const struct clock_fit_point *points, size_t surest)
{
    double least = window->learned ? 0.0 : INFINITY;
    for (size_t i = 0; i < window->count; i++) {
        double apart_s = fabs(points[i].x_s - points[surest].x_s);
        double both = proof_ns(window, points, i) + proof_ns(window, points, surest);
        least = i != surest ? fmin(least, both / apart_s) : least;
    }
    double chance = CLOCK_CHANCE_SD * window->fit.rate_sd_ppb;
    return fmin(fmax(chance, least), CLOCK_CHANCE_SD * window->prior.sd_ppb);
}

static size_t surest_of(const struct clock_window *window, const struct clock_fit_point *points)
{
    size_t surest = 0;
    double least = INFINITY;
    for (size_t i = 0; i < window->count; i++) {
        double now = proof_ns(window, points, i) - (double)CLOCK_DRIFT_PPB * points[i].x_s;
        surest = now < least ? i : surest;
        least = fmin(least, now);
    }
    return surest;
}

/*
 * The strongest proof counts; since then line and truth went apart no faster than the drift. Beyond
 * that an oscillator does not leave its rate, so if the rate is another than it was, the source is
 * being turned, and may stop being so at any moment.
 */
static void measure_bound(struct clock_window *window, const struct clock_fit_point *points)
{
    assert(window->count > 0);
    size_t surest = surest_of(window, points);
    double rate_bound = rate_bound_ppb(window, points, surest);
    if (!window->has_usual && rate_bound < USUAL_BOUND_PPB) {
        window->has_usual = true;
        window->usual_ppb = window->fit.rate_ppb;
    }
    double unusual = window->has_usual ? fabs(window->fit.rate_ppb - window->usual_ppb) : 0.0;
    window->growth_ppb = (double)CLOCK_DRIFT_PPB + rate_bound + unusual;
    window->sure_ns = proof_ns(window, points, surest) - window->growth_ppb * points[surest].x_s;
}

/* Before the window changes: what it is worth for what is usual is how long it lasted. */
static void grow_used_to(struct clock_window *window, int64_t raw_ns)
{
    if (window->has_usual && window->count > 0) {
        double part = fmin(fabs(seconds_from(raw_ns, newest(window)->raw_ns)) / USUAL_S, 1.0);
        window->usual_ppb += part * (window->fit.rate_ppb - window->usual_ppb);
    }
}

static void fit_points(struct clock_window *window, struct clock_fit_point *points)
{
    measure_delays(window);
    if (!window->learned) {
        window->noise = guess_noise(window);
    }
    points_of(window, points);
    window->fit = clock_fit_line(points, window->count, &window->prior);
}

static void fit_anew(struct clock_window *window)
{
    struct clock_fit_point points[CLOCK_WINDOW_POINTS];
    fit_points(window, points);
    admit_scatter(window);
    measure_bound(window, points);
}

static void drop_oldest(struct clock_window *window, size_t count)
{
    window->count -= count;
    memmove(window->point, window->point + count, window->count * sizeof(window->point[0]));
}

void clock_window_push(struct clock_window *window, const struct clock_point *point)
{
    grow_used_to(window, point->raw_ns);
    if (window->count == CLOCK_WINDOW_POINTS) {
        drop_oldest(window, 1);
    }
    window->point[window->count++] = *point;
    struct clock_fit_point points[CLOCK_WINDOW_POINTS];
    fit_points(window, points);
    while (window->count > SHRINK_POINTS_MIN &&
           !clock_fit_is_line(&window->fit, points, window->count)) {
        drop_oldest(window, window->count / SHRINK_PART);
        fit_points(window, points);
    }
    learn_noise(window, points);
    fit_anew(window);
}

void clock_window_lower_delay(struct clock_window *window, int64_t delay_ns)
{
    if (window->count == 0 || delay_ns >= window->delay_min_ns) {
        return;
    }
    struct clock_fit_point points[CLOCK_WINDOW_POINTS];
    window->excess_mean_ns += (double)sat_sub(window->delay_min_ns, delay_ns);
    window->delay_min_ns = delay_ns;
    points_of(window, points);
    window->fit = clock_fit_line(points, window->count, &window->prior);
    admit_scatter(window);
    measure_bound(window, points);
}

/* The oscillator does not change because the source stepped; but if the points say it did, the old
 * rate would bend the new line for a long time. */
static void keep_rate(struct clock_window *window, const struct clock_fit_prior *known)
{
    double doubt = 3.0 * hypot(window->fit.rate_sd_ppb, known->sd_ppb);
    if (fabs(window->fit.rate_ppb - known->rate_ppb) <= doubt) {
        window->prior = *known;
    }
}

void clock_window_restart(struct clock_window *window, const struct clock_point *points,
                          size_t count)
{
    struct clock_fit_prior known = window->prior;
    if (window->count > 0) {
        known.rate_ppb = window->fit.rate_ppb;
        known.sd_ppb = fmin(3.0 * window->fit.rate_sd_ppb + RATE_WANDER_PPB, PRIOR_SD_PPB);
    }
    if (count > 0) {
        grow_used_to(window, points[count - 1].raw_ns);
    }
    bool has_usual = window->has_usual;
    double usual_ppb = window->usual_ppb;
    clock_window_init(window);
    window->has_usual = has_usual;
    window->usual_ppb = usual_ppb;
    if (count == 0) {
        window->prior = known;
        return;
    }
    memcpy(window->point, points, count * sizeof(*points));
    window->count = count;
    fit_anew(window);
    keep_rate(window, &known);
    fit_anew(window);
}

double clock_window_ahead_ns(const struct clock_window *window, int64_t raw_ns)
{
    return clock_fit_at(&window->fit, seconds_from(raw_ns, newest(window)->raw_ns));
}

double clock_window_sd_ns(const struct clock_window *window, int64_t raw_ns)
{
    return clock_fit_sd_at(&window->fit, seconds_from(raw_ns, newest(window)->raw_ns));
}

/* A source that leaves nothing open is still read by chance. */
double clock_window_bound_ns(const struct clock_window *window, int64_t raw_ns)
{
    double age_s = fabs(seconds_from(raw_ns, newest(window)->raw_ns));
    double chance = CLOCK_CHANCE_SD * clock_window_sd_ns(window, raw_ns);
    return fmax(window->sure_ns + window->growth_ppb * age_s, chance);
}
