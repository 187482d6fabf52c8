/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drawing lives. See sim_lives.h.
 */
#include "tests/sim/sim_lives.h"

#define HOURS 1.0
#define END_S (HOURS * 3600.0)

static double between(struct sim_random *random, double low, double high)
{
    return low + (high - low) * sim_random_share(random);
}

/* Each order of magnitude as likely as the other. */
static double order(struct sim_random *random, double low, double high)
{
    return low * pow(high / low, sim_random_share(random));
}

static bool happens(struct sim_random *random, double share)
{
    return sim_random_share(random) < share;
}

static double sign(struct sim_random *random)
{
    return happens(random, 0.5) ? 1.0 : -1.0;
}

/* Once, or again and again. */
static struct sim_span draw_span(struct sim_random *random)
{
    double lasts_s = order(random, 5, END_S / 4);
    double from_s = between(random, 0, END_S - lasts_s);
    if (happens(random, 0.3)) {
        double every_s = between(random, lasts_s + 10, END_S / 2);
        from_s = between(random, 0, every_s - lasts_s);
        return (struct sim_span){.from_s = from_s, .to_s = from_s + lasts_s, .every_s = every_s};
    }
    return (struct sim_span){.from_s = from_s, .to_s = from_s + lasts_s};
}

static void draw_way(struct sim_random *random, struct sim_source *source)
{
    source->forward_us = happens(random, 0.1) ? 0 : order(random, 1, 20000);
    source->back_us = happens(random, 0.1) ? 0 : order(random, 1, 20000);
    source->jitter_us = order(random, 0.1, 500);
    source->jitter = happens(random, 0.5) ? SIM_JITTER_GAUSSIAN : SIM_JITTER_EXPONENTIAL;
    if (happens(random, 0.4)) {
        source->queue = draw_span(random);
        source->queue_us = order(random, 10, 50000);
    }
    if (happens(random, 0.4)) {
        source->detour = draw_span(random);
        source->detour_us = happens(random, 0.5) ? order(random, 10, 20000)
                                                 : -between(random, 0, source->forward_us);
    }
}

/* What it does not say, is late to say, or says too much of. */
static void draw_gaps(struct sim_random *random, struct sim_source *source)
{
    source->loss = happens(random, 0.4) ? between(random, 0, 0.6) : 0;
    source->silent = happens(random, 0.3) ? draw_span(random) : source->silent;
    source->answers_each = happens(random, 0.1) ? (int)between(random, 2, 12) : 0;
    source->prefer = happens(random, 0.05);
    if (happens(random, 0.2)) {
        source->confess = draw_span(random);
        source->confess_us = order(random, 10, 1e6);
    }
}

static struct sim_source draw_source(struct sim_random *random)
{
    static const double polls_s[] = {1, 2, 16, 16, 16, 64};
    struct sim_source source = {.poll_s = polls_s[(int)between(random, 0, 5.999)]};
    draw_way(random, &source);
    source.root_delay_us = order(random, 1, 5000);
    source.root_dispersion_us = order(random, 1, 5000);
    double open_us = source.root_delay_us / 2 + source.root_dispersion_us;
    source.error_us = happens(random, 0.5) ? between(random, -open_us, open_us) : 0;
    if (happens(random, 0.2)) {
        source.recovery = draw_span(random);
        source.recovery.every_s = 0;
        source.recovery_us = sign(random) * order(random, 10, 50000);
    }
    return source;
}

static void make_liar(struct sim_random *random, struct sim_source *source)
{
    double lie_s = sign(random) * order(random, 0.3, 3600);
    source->recovery_us = 0;
    switch ((int)between(random, 0, 3.999)) {
    case 0: /* single answers */
        source->glitch = draw_span(random);
        source->glitch_s = lie_s;
        return;
    case 1:
        source->frozen = draw_span(random);
        source->frozen.every_s = 0;
        return;
    case 2: /* from then on, and claims to be exact */
        source->lie_from_s = between(random, 0, END_S);
        source->lie_s = lie_s;
        source->boast =
            (struct sim_span){.from_s = source->lie_from_s, .to_s = END_S + source->lie_from_s};
        return;
    default:
        source->lie_from_s = happens(random, 0.5) ? between(random, 0, END_S) : 0;
        source->lie_s = lie_s;
        return;
    }
}

static void draw_company(struct sim_random *random, enum sim_company company,
                         struct sim_scenario *life)
{
    bool liar = company == SIM_ONE_LIES;
    life->source_count = (size_t)(liar ? between(random, 3, 4.4) : between(random, 1, 4.999));
    for (size_t i = 0; i < life->source_count; i++) {
        life->source[i] = draw_source(random);
        /* A majority has to be there to be one. */
        if (!liar) {
            draw_gaps(random, &life->source[i]);
        } else if (life->source[i].poll_s > 16) {
            life->source[i].poll_s = 16;
        }
    }
    if (liar) {
        make_liar(random, &life->source[(size_t)between(random, 0, 2.999)]);
    }
}

struct sim_scenario sim_life(uint64_t number, enum sim_company company)
{
    struct sim_random random = {.state = number * 2 + (company == SIM_ONE_LIES)};
    (void)sim_random_u64(&random);
    struct sim_scenario life = {.name = "life", .hours = HOURS, .settle_s = 600};
    life.max_error_ms = happens(&random, 0.5) ? 50 : 1000;
    life.oscillator.ppm = between(&random, -100, 100);
    if (happens(&random, 0.4)) {
        life.oscillator.swing_ppm = order(&random, 0.1, 5);
        life.oscillator.swing_period_s = order(&random, 600, 86400);
    }
    life.oscillator.walk_ppb = happens(&random, 0.3) ? order(&random, 0.1, 10) : 0;
    life.restart_at_s = happens(&random, 0.1) ? floor(between(&random, 600, END_S)) : 0;
    draw_company(&random, company, &life);
    return life;
}
