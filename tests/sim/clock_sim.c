/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock_sim [--plot FILE] [--seed N] [--lives N] [SCENARIO]...: lives through the scenarios (all,
 * when none is named), prints a table of what came of them and then, a scenario a line, `ok - ` or
 * `not ok - `. When none is named, N (30) lives drawn by chance follow, and as many with a liar.
 * Ends with status 1 if one failed, 2 if it was called wrongly. Nothing here depends on the
 * machine's clock.
 */
#include "tests/sim/sim_lives.h"
#include "tests/sim/sim_plot.h"
#include "tests/sim/sim_scenarios.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCENARIOS_MAX = 64, LIVES = 30 };

static void print_head(void)
{
    printf("| scenario | hours | RMS us | worst us | mean bound us | inside | error < 1 ms after | "
           "bound < 10 ms after | synchronised | holdover | lost | steps |\n");
    printf(
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
}

static void print_after(double s)
{
    if (s < 0.0) {
        printf(" never |");
    } else {
        printf(" %g s |", s);
    }
}

static void print_row(const struct sim_scenario *s, const struct sim_figures *f)
{
    printf("| %s | %g |", s->name, s->hours);
    if (f->judged > 0) {
        printf(" %.1f | %.1f | %.0f | %.6g %% |", f->rms_us, f->worst_us, f->bound_us,
               100.0 * f->inside_share);
    } else {
        printf(" - | - | - | - |");
    }
    print_after(f->first_ms_s);
    print_after(f->bound_10ms_s);
    printf(" %g s | %g s | %g s | %" PRId64 " |\n", f->state_s[CLOCK_SYNCHRONISED],
           f->state_s[CLOCK_HOLDOVER], f->state_s[CLOCK_LOST], f->steps);
}

/* One complaint a line, indented below the `not ok`. */
static size_t complain_if(bool wrong, const char *what, double is, double limit)
{
    if (wrong) {
        printf("    %s: %g, must be %g\n", what, is, limit);
    }
    return wrong;
}

static bool is_over(double is, double limit)
{
    return limit > 0.0 && (is < 0.0 || is > limit);
}

static size_t judge(const struct sim_scenario *s, const struct sim_figures *f)
{
    const struct sim_limits *l = &s->limits;
    double served_s = f->state_s[CLOCK_SYNCHRONISED] + f->state_s[CLOCK_HOLDOVER];
    size_t wrong = 0;
    wrong += complain_if(is_over(f->rms_us, l->rms_us), "RMS in us at most", f->rms_us, l->rms_us);
    wrong += complain_if(is_over(f->worst_us, l->worst_us), "worst error in us at most",
                         f->worst_us, l->worst_us);
    wrong += complain_if(is_over(f->first_ms_s, l->first_ms_s), "seconds to an error under 1 ms",
                         f->first_ms_s, l->first_ms_s);
    wrong += complain_if(is_over(f->bound_10ms_s, l->bound_10ms_s),
                         "seconds to a bound under 10 ms", f->bound_10ms_s, l->bound_10ms_s);
    wrong += complain_if(f->inside_share < 1.0, "share inside the bound", f->inside_share, 1.0);
    wrong += complain_if(f->steps != l->steps, "steps", (double)f->steps, (double)l->steps);
    wrong += complain_if(f->jumps > 0, "jumps not announced", (double)f->jumps, 0.0);
    wrong += complain_if(f->untold > 0, "changes not told", (double)f->untold, 0.0);
    wrong += complain_if(f->marks_missed > 0, "wrong states", (double)f->marks_missed, 0.0);
    wrong += complain_if((served_s == 0.0) != l->never_starts, "seconds served", served_s, 0.0);
    bool leap_wanted = s->scale.leap != 0 && s->scale.smear_from_s == 0.0;
    wrong += complain_if(f->leap_was_said != leap_wanted, "leap announced", f->leap_was_said,
                         leap_wanted);
    return wrong;
}

struct request {
    const char *plot; /* NULL: none */
    uint64_t seed;
    uint64_t lives;
    int count; /* of names; 0: all scenarios */
    char **names;
};

static bool is_wanted(const struct sim_scenario *s, const struct request *request)
{
    for (int i = 0; i < request->count; i++) {
        if (strcmp(request->names[i], s->name) == 0) {
            return true;
        }
    }
    return request->count == 0;
}

static bool run_all(const struct request *request)
{
    static struct sim_figures figures[SCENARIOS_MAX];
    size_t failed = 0;
    size_t ran = 0;
    print_head();
    for (size_t i = 0; i < sim_scenario_count && i < SCENARIOS_MAX; i++) {
        if (is_wanted(&sim_scenarios[i], request)) {
            figures[i] = sim_run(&sim_scenarios[i], request->seed, NULL);
            print_row(&sim_scenarios[i], &figures[i]);
        }
    }
    for (size_t i = 0; i < sim_scenario_count && i < SCENARIOS_MAX; i++) {
        if (is_wanted(&sim_scenarios[i], request)) {
            bool wrong = judge(&sim_scenarios[i], &figures[i]) > 0;
            printf("%s - %s\n", wrong ? "not ok" : "ok", sim_scenarios[i].name);
            failed += wrong;
            ran++;
        }
    }
    return ran > 0 && failed == 0;
}

static bool live(const struct request *request, enum sim_company company, const char *what)
{
    uint64_t outside = 0;
    for (uint64_t i = 0; i < request->lives; i++) {
        uint64_t number = request->seed + i;
        struct sim_scenario life = sim_life(number, company);
        struct sim_figures f = sim_run(&life, number, NULL);
        if (f.inside_share < 1.0 || f.untold > 0) {
            printf("    --seed %" PRIu64 " --lives 1: share inside %.6g, changes not told %" PRIu64
                   "\n",
                   number, f.inside_share, f.untold);
            outside++;
        }
    }
    printf("%s - %" PRIu64 " lives at random %s\n", outside > 0 ? "not ok" : "ok", request->lives,
           what);
    return outside == 0;
}

static bool live_all(const struct request *request)
{
    if (request->count > 0) {
        return true;
    }
    bool honest = live(request, SIM_HONEST, "with honest sources");
    return live(request, SIM_ONE_LIES, "of which one source lies") && honest;
}

static bool parse_arguments(int argc, char **argv, struct request *request)
{
    int i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        if (strcmp(argv[i], "--plot") == 0) {
            request->plot = argv[i + 1];
        } else if (strcmp(argv[i], "--seed") == 0) {
            request->seed = strtoull(argv[i + 1], NULL, 0);
        } else if (strcmp(argv[i], "--lives") == 0) {
            request->lives = strtoull(argv[i + 1], NULL, 0);
        } else {
            return false;
        }
    }
    request->count = argc - i;
    request->names = argv + i;
    for (; i < argc; i++) {
        if (sim_scenario_named(argv[i]) == NULL) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct request request = {.seed = SIM_SEED, .lives = LIVES};
    if (!parse_arguments(argc, argv, &request)) {
        fprintf(stderr, "usage: clock_sim [--plot FILE] [--seed N] [--lives N] [SCENARIO]...\n");
        return 2;
    }
    if (request.plot != NULL && !sim_plot_write(request.plot)) {
        perror(request.plot);
        return 1;
    }
    bool good = run_all(&request);
    return live_all(&request) && good ? 0 : 1;
}
