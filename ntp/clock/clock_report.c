/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names, and the state of the sources as a value. See clock_report.h and clock_discipline.h.
 */
#include "ntp/clock/clock_discipline.h"
#include "ntp/clock/clock_number.h"
#include "ntp/saturate.h"

#include <string.h>

const char *clock_reason_name(enum clock_reason reason)
{
    static const char *const names[CLOCK_REASONS] = {
        [CLOCK_REASON_NONE] = "none",           [CLOCK_REASON_FIRST] = "first",
        [CLOCK_REASON_RETURNED] = "returned",   [CLOCK_REASON_SILENT] = "silent",
        [CLOCK_REASON_DISAGREE] = "disagree",   [CLOCK_REASON_BOUND] = "bound",
        [CLOCK_REASON_SUSPENDED] = "suspended", [CLOCK_REASON_STEP] = "step",
        [CLOCK_REASON_MAJORITY] = "majority",   [CLOCK_REASON_RESELECT] = "reselect",
        [CLOCK_REASON_LEAP] = "leap",           [CLOCK_REASON_FAR] = "far",
    };
    return (unsigned)reason < CLOCK_REASONS ? names[reason] : "unknown";
}

const char *clock_verdict_name(enum clock_verdict verdict)
{
    static const char *const names[CLOCK_VERDICTS] = {
        [CLOCK_SOURCE_SILENT] = "silent",
        [CLOCK_SOURCE_FAR] = "far",
        [CLOCK_SOURCE_FALSETICKER] = "falseticker",
        [CLOCK_SOURCE_CANDIDATE] = "candidate",
        [CLOCK_SOURCE_SPARE] = "spare",
        [CLOCK_SOURCE_COMBINED] = "combined",
        [CLOCK_SOURCE_SELECTED] = "selected",
    };
    return (unsigned)verdict < CLOCK_VERDICTS ? names[verdict] : "unknown";
}

static void report_line(const struct clock_discipline *d, const struct clock_filter *filter,
                        struct mono_ns raw, struct clock_source_report *report)
{
    struct clock_filter_line line = clock_filter_line_at(filter, raw.ns);
    int64_t served_offset_ns = sat_sub(clock_model_at(&d->model, raw).ns, raw.ns);
    report->offset_ns = sat_sub(line.offset_ns, served_offset_ns);
    report->sd_ns = clock_number_ns(line.sd_ns);
    report->rate_ppb = clock_number_ns(line.rate_ppb);
    report->rate_sd_ppb = clock_number_ns(line.rate_sd_ppb);
    report->delay_ns = filter->window.delay_min_ns;
    report->root_distance_ns = clock_target_distance_ns(filter, raw.ns);
    report->used_raw_ns = line.used_raw_ns;
    report->window = (uint32_t)filter->window.count;
}

static void report_source(const struct clock_discipline *d, size_t source, struct mono_ns raw,
                          struct clock_source_report *report)
{
    const struct clock_source_options *options = &d->options.source[source];
    const struct clock_filter *filter = &d->filter[source];
    *report = (struct clock_source_report){
        .poll_ns = d->poll_ns[source],
        .last_raw_ns = filter->last.raw_ns,
        .samples = filter->counts.samples,
        .unusable = filter->counts.unusable,
        .delayed = filter->counts.delayed,
        .outliers = filter->counts.outliers,
        .breaks = filter->counts.breaks,
        .misses = filter->counts.misses,
        .reference_id = filter->last.reference_id,
        .verdict = d->selection.verdict[source],
        .reach = filter->reach,
        .stratum = filter->last.stratum,
        .leap = filter->last.leap,
        .prefer = options->prefer,
        .smeared = options->smeared,
    };
    memcpy(report->name, options->name, sizeof(report->name));
    report->name[sizeof(report->name) - 1] = '\0';
    if (clock_filter_has_line(filter)) {
        report_line(d, filter, raw, report);
    }
}

void clock_discipline_report(const struct clock_discipline *d, struct mono_ns raw,
                             struct clock_report *report)
{
    *report = (struct clock_report){
        .count = d->options.source_count,
        .bound_ns = clock_model_bound_ns(&d->model, raw),
        .steps = d->steps,
    };
    if (d->target.valid) {
        int64_t served_offset_ns = sat_sub(clock_model_at(&d->model, raw).ns, raw.ns);
        report->remaining_ns =
            sat_sub(clock_target_offset_ns(&d->target, raw.ns), served_offset_ns);
        report->frequency_ppb = clock_number_ns(d->target.rate_ppb);
    }
    for (size_t i = 0; i < d->options.source_count; i++) {
        report_source(d, i, raw, &report->source[i]);
    }
}
