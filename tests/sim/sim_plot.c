/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The picture in docs/clock.svg. See sim_plot.h. Each panel is a scenario, a stretch of its time
 * and a range of errors; where nothing is served, nothing is drawn.
 */
#include "tests/sim/sim_plot.h"

#include "tests/sim/sim_scenarios.h"

#include <math.h>
#include <stdio.h>

enum {
    MOMENTS_MAX = 1000,
    WIDTH = 900,
    PANEL_HEIGHT = 190,
    PLOT_LEFT = 80,
    PLOT_RIGHT = 880,
    PLOT_TOP = 30,
    PLOT_BOTTOM = 160,
};

struct panel {
    const char *scenario;
    const char *title;
    double until_s;
    double every_s;
    double range_us; /* from the middle to the edge */
};

static const struct panel panels[] = {
    {"steady-20ppm", "start: oscillator 20 ppm off, 50 us of jitter, a burst and then every 16 s",
     1800.0, 4.0, 2000.0},
    {"steady-20ppm", "the same, near to: the error alone", 7200.0, 16.0, 60.0},
    {"hourly-swing-1ppm", "temperature: the frequency swings by 1 ppm each hour", 14400.0, 32.0,
     150.0},
    {"detour", "the way there is 2 ms longer for an hour, from 3600 s on", 10800.0, 24.0, 2500.0},
    {"silent-for-an-hour", "the source is silent from 3600 s to 7200 s: holdover, lost, back",
     10800.0, 24.0, 52000.0},
};
enum { PANELS = sizeof(panels) / sizeof(panels[0]) };

struct canvas {
    FILE *file;
    const struct panel *panel;
    double top;
};

static double x_of(const struct canvas *c, double at_s)
{
    return PLOT_LEFT + (PLOT_RIGHT - PLOT_LEFT) * at_s / c->panel->until_s;
}

static double y_of(const struct canvas *c, double error_us)
{
    double share = fmax(-1.0, fmin(1.0, error_us / c->panel->range_us));
    double middle = (PLOT_TOP + PLOT_BOTTOM) / 2.0;
    return c->top + middle - share * (PLOT_BOTTOM - PLOT_TOP) / 2.0;
}

static void draw_frame(const struct canvas *c)
{
    fprintf(c->file,
            "<text x='%d' y='%.0f' class='title'>%s</text>\n"
            "<rect x='%d' y='%.0f' width='%d' height='%d' class='frame'/>\n"
            "<line x1='%d' x2='%d' y1='%.1f' y2='%.1f' class='zero'/>\n",
            PLOT_LEFT, c->top + 22, c->panel->title, PLOT_LEFT, c->top + PLOT_TOP,
            PLOT_RIGHT - PLOT_LEFT, PLOT_BOTTOM - PLOT_TOP, PLOT_LEFT, PLOT_RIGHT, y_of(c, 0.0),
            y_of(c, 0.0));
    for (int i = -1; i <= 1; i++) {
        double error_us = i * c->panel->range_us;
        fprintf(c->file, "<text x='%d' y='%.1f' class='left'>%g us</text>\n", PLOT_LEFT - 6,
                y_of(c, error_us) + 4, error_us);
    }
    for (int i = 0; i <= 4; i++) {
        double at_s = c->panel->until_s * i / 4.0;
        fprintf(c->file, "<text x='%.1f' y='%.1f' class='below'>%g s</text>\n", x_of(c, at_s),
                c->top + PLOT_BOTTOM + 15, at_s);
    }
}

static bool is_served(const struct sim_moment *m)
{
    return m->state == CLOCK_SYNCHRONISED || m->state == CLOCK_HOLDOVER;
}

/* Both sides of the bound, as bars wide enough to touch. */
static void draw_bounds(const struct canvas *c, const struct sim_trace *trace)
{
    fprintf(c->file, "<path class='bound' d='");
    for (size_t i = 0; i < trace->count; i++) {
        const struct sim_moment *m = &trace->moment[i];
        if (is_served(m)) {
            fprintf(c->file, "M%.1f %.1fV%.1f", x_of(c, m->at_s), y_of(c, m->bound_us),
                    y_of(c, -m->bound_us));
        }
    }
    fprintf(c->file, "'/>\n");
}

static void draw_errors(const struct canvas *c, const struct sim_trace *trace)
{
    bool pen_down = false;
    fprintf(c->file, "<path class='error' d='");
    for (size_t i = 0; i < trace->count; i++) {
        const struct sim_moment *m = &trace->moment[i];
        if (is_served(m)) {
            fprintf(c->file, "%c%.1f %.1f", pen_down ? 'L' : 'M', x_of(c, m->at_s),
                    y_of(c, m->error_us));
        }
        pen_down = is_served(m);
    }
    fprintf(c->file, "'/>\n");
}

static void draw_panel(FILE *file, size_t number)
{
    static struct sim_moment moments[MOMENTS_MAX];
    const struct panel *panel = &panels[number];
    struct sim_trace trace = {.moment = moments, .room = MOMENTS_MAX, .every_s = panel->every_s};
    struct sim_scenario scenario = *sim_scenario_named(panel->scenario);
    scenario.hours = panel->until_s / 3600.0;
    (void)sim_run(&scenario, SIM_SEED, &trace);
    const struct canvas canvas = {
        .file = file, .panel = panel, .top = (double)number * PANEL_HEIGHT};
    draw_bounds(&canvas, &trace);
    draw_frame(&canvas);
    draw_errors(&canvas, &trace);
}

bool sim_plot_write(const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return false;
    }
    fprintf(file,
            "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' "
            "font-family='sans-serif' font-size='11'>\n"
            "<title>Served time: error (line) within its published bound (band)</title>\n"
            "<style>.title{font-size:13px}.left{text-anchor:end}.below{text-anchor:middle}"
            ".frame{fill:none;stroke:#888}.zero{stroke:#888;stroke-dasharray:2 4}"
            ".bound{fill:none;stroke:#cfe0f3;stroke-width:2.3}"
            ".error{fill:none;stroke:#b03020;stroke-width:1}</style>\n"
            "<rect width='100%%' height='100%%' fill='white'/>\n",
            WIDTH, PANELS * PANEL_HEIGHT);
    for (size_t i = 0; i < PANELS; i++) {
        draw_panel(file, i);
    }
    fprintf(file, "</svg>\n");
    return fclose(file) == 0;
}
