/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See metrics_clock.h.
 */
#include "ntsd/metrics_clock.h"

#include "ntp/clock/ntp_source.h"
#include "ntp/clock/phc_source.h"
#include "ntsd/metrics_text.h"

#include <inttypes.h>

static void write_state(const struct snapshot *s, struct wr *out)
{
    enum clock_state state = s->has_clock ? (enum clock_state)s->clock.state : CLOCK_STARTING;
    const char *name = "ntsd_clock_state";
    metrics_head(out, name, "gauge", "1 for the state that the clock is in.");
    for (int i = CLOCK_STARTING; i <= CLOCK_LOST; i++) {
        metrics_put(out, "%s{state=\"%s\"} %d\n", name, clock_state_name((enum clock_state)i),
                    i == (int)state);
    }
    metrics_gauge(out, "ntsd_clock_trusted", "1: time is served from the published clock.",
                  s->has_clock && clock_model_is_trusted(&s->clock, s->raw));
    name = "ntsd_clock_transitions_total";
    metrics_head(out, name, "counter", "How often the clock entered a state.");
    for (int i = CLOCK_STARTING; i <= CLOCK_LOST; i++) {
        metrics_put(out, "%s{state=\"%s\"} %" PRIu64 "\n", name,
                    clock_state_name((enum clock_state)i),
                    stats_get(&s->clock_stats[0], CLOCK_COUNT_ENTERED_0 + (unsigned)i));
    }
    name = "ntsd_clock_state_write_failures_total";
    metrics_head(out, name, "counter", "How often the state for the next start was not written.");
    metrics_put(out, "%s %" PRIu64 "\n", name, stats_get(&s->clock_stats[0], CLOCK_COUNT_NOT_KEPT));
}

static void write_model(const struct snapshot *s, struct wr *out)
{
    const struct clock_model *clock = &s->clock;
    const char *name = "ntsd_clock_reference";
    metrics_head(out, name, "gauge", "1, labelled with the reference id that replies name.");
    metrics_put(out, "%s{id=\"%08" PRIx32 "\"} 1\n", name, clock->reference_id);
    metrics_gauge(out, "ntsd_clock_stratum", "Stratum of the published clock.", clock->stratum);
    metrics_gauge(out, "ntsd_clock_leap", "Leap indicator of the published clock.", clock->leap);
    metrics_gauge(out, "ntsd_clock_age_seconds", "Since the clock was published last.",
                  metrics_seconds(s->raw.ns - clock->anchor_raw_ns));
    metrics_gauge(out, "ntsd_clock_root_delay_seconds", "Root delay.",
                  metrics_seconds(clock->root_delay_ns));
    metrics_gauge(out, "ntsd_clock_rate_ppm", "Rate of the served line over the raw clock.",
                  (double)clock->rate_ppb / 1e3);
    int64_t bound = clock_model_bound_ns(clock, s->raw);
    if (bound != INT64_MAX) {
        metrics_gauge(out, "ntsd_clock_error_bound_seconds",
                      "Bound on the error of the served time.", metrics_seconds(bound));
    }
}

static void write_discipline(const struct snapshot *s, struct wr *out)
{
    metrics_gauge(out, "ntsd_clock_remaining_seconds",
                  "What is still to be slewed: the sources' time less the served one.",
                  metrics_seconds(s->report.remaining_ns));
    metrics_gauge(out, "ntsd_clock_frequency_ppm",
                  "Frequency of the sources' time over the raw clock.",
                  (double)s->report.frequency_ppb / 1e3);
    const char *name = "ntsd_clock_events_total";
    metrics_head(out, name, "counter", "Changes of state and steps of the clock by their reason.");
    for (int i = CLOCK_REASON_NONE + 1; i < CLOCK_REASONS; i++) {
        metrics_put(out, "%s{reason=\"%s\"} %" PRIu64 "\n", name,
                    clock_reason_name((enum clock_reason)i),
                    stats_get(&s->clock_stats[0], CLOCK_COUNT_REASON_0 + (unsigned)i));
    }
}

/* One metric of every source. */
struct field {
    const char *name;
    const char *help;
    double (*value)(const struct snapshot *s, const struct clock_source_report *r);
};

static double offset_of(const struct snapshot *s, const struct clock_source_report *r)
{
    (void)s;
    return metrics_seconds(r->offset_ns);
}

static double deviation_of(const struct snapshot *s, const struct clock_source_report *r)
{
    (void)s;
    return metrics_seconds(r->sd_ns);
}

static double delay_of(const struct snapshot *s, const struct clock_source_report *r)
{
    (void)s;
    return metrics_seconds(r->delay_ns);
}

static double distance_of(const struct snapshot *s, const struct clock_source_report *r)
{
    (void)s;
    return metrics_seconds(r->root_distance_ns);
}

static double poll_of(const struct snapshot *s, const struct clock_source_report *r)
{
    (void)s;
    return metrics_seconds(r->poll_ns);
}

/* -1: nothing came yet. */
static double age_of(const struct snapshot *s, const struct clock_source_report *r)
{
    return r->last_raw_ns == 0 ? -1 : metrics_seconds(s->raw.ns - r->last_raw_ns);
}

static double stratum_of(const struct snapshot *s, const struct clock_source_report *r)
{
    (void)s;
    return r->stratum;
}

static double leap_of(const struct snapshot *s, const struct clock_source_report *r)
{
    (void)s;
    return r->leap;
}

static double reach_of(const struct snapshot *s, const struct clock_source_report *r)
{
    (void)s;
    return r->reach;
}

static const struct field fields[] = {
    {"offset_seconds", "Time of the source less served time.", offset_of},
    {"deviation_seconds", "Random part of that offset.", deviation_of},
    {"delay_seconds", "Least delay of the measurements in use.", delay_of},
    {"root_distance_seconds", "All that is known about the error of the source.", distance_of},
    {"poll_seconds", "Poll interval.", poll_of},
    {"age_seconds", "Since the newest measurement; -1: there was none yet.", age_of},
    {"stratum", "Stratum of the source.", stratum_of},
    {"leap", "Leap indicator of the source.", leap_of},
    {"reach", "The last eight polls as bits, newest in the lowest.", reach_of},
};

/* Counters of every source that the discipline keeps. */
static uint64_t discipline_count(const struct clock_source_report *r, unsigned index)
{
    const uint64_t counts[] = {r->samples, r->misses,   r->unusable,
                               r->delayed, r->outliers, r->breaks};
    return counts[index];
}

static const char *const discipline_names[] = {"sample",  "miss",    "unusable",
                                               "delayed", "outlier", "step"};

static const char *kind_of(const struct config_source *source)
{
    if (source->phc) {
        return "phc";
    }
    return source->nts ? "nts" : "ntp";
}

static const char *event_name(const struct config_source *source, unsigned index)
{
    return source->phc ? phc_count_name(index) : ntp_source_count_name(index);
}

static void write_values(const struct snapshot *s, struct wr *out)
{
    char label[METRICS_LABEL_MAX];
    for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]); f++) {
        char name[METRICS_LABEL_MAX] = "ntsd_source_";
        struct wr w = wr_init((uint8_t *)name, sizeof(name));
        metrics_put(&w, "ntsd_source_%s", fields[f].name);
        metrics_head(out, name, "gauge", fields[f].help);
        for (size_t i = 0; i < s->config->source_count; i++) {
            const struct clock_source_report *r = &s->report.source[i];
            metrics_put(out, "%s{source=\"%s\"} %.9g\n", name,
                        metrics_label(s->config->source[i].name, label), fields[f].value(s, r));
        }
    }
}

static void write_verdicts(const struct snapshot *s, struct wr *out)
{
    char label[METRICS_LABEL_MAX];
    const char *name = "ntsd_source_info";
    metrics_head(out, name, "gauge", "1, labelled with what kind of source it is.");
    for (size_t i = 0; i < s->config->source_count; i++) {
        const struct config_source *source = &s->config->source[i];
        metrics_put(out, "%s{source=\"%s\",kind=\"%s\"} 1\n", name,
                    metrics_label(source->name, label), kind_of(source));
    }
    name = "ntsd_source_verdict";
    metrics_head(out, name, "gauge", "1 for what the selection made of the source.");
    for (size_t i = 0; i < s->config->source_count; i++) {
        (void)metrics_label(s->config->source[i].name, label);
        for (int v = 0; v < CLOCK_VERDICTS; v++) {
            metrics_put(out, "%s{source=\"%s\",verdict=\"%s\"} %d\n", name, label,
                        clock_verdict_name((enum clock_verdict)v),
                        v == s->report.source[i].verdict);
        }
    }
}

static void write_events(const struct snapshot *s, struct wr *out)
{
    char label[METRICS_LABEL_MAX];
    const char *name = "ntsd_source_measurements_total";
    metrics_head(out, name, "counter", "Polls and measurements by what was made of them.");
    for (size_t i = 0; i < s->config->source_count; i++) {
        (void)metrics_label(s->config->source[i].name, label);
        for (unsigned e = 0; e < sizeof(discipline_names) / sizeof(discipline_names[0]); e++) {
            metrics_put(out, "%s{source=\"%s\",result=\"%s\"} %" PRIu64 "\n", name, label,
                        discipline_names[e], discipline_count(&s->report.source[i], e));
        }
    }
    name = "ntsd_source_events_total";
    metrics_head(out, name, "counter", "What happened between this host and the source.");
    for (size_t i = 0; i < s->config->source_count; i++) {
        const struct config_source *source = &s->config->source[i];
        (void)metrics_label(source->name, label);
        for (unsigned e = 0; event_name(source, e) != NULL; e++) {
            metrics_put(out, "%s{source=\"%s\",event=\"%s\"} %" PRIu64 "\n", name, label,
                        event_name(source, e), stats_get(&s->clock_stats[1 + i], e));
        }
    }
}

void metrics_clock_write(const struct snapshot *snapshot, struct wr *out)
{
    write_state(snapshot, out);
    if (snapshot->has_clock) {
        write_model(snapshot, out);
    }
    if (snapshot->has_report) {
        write_discipline(snapshot, out);
        write_verdicts(snapshot, out);
        write_values(snapshot, out);
        write_events(snapshot, out);
    }
}
