/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run comes to. See ntsq_verdict.h.
 */
#include "tools/ntsq_verdict.h"

#include "tools/ntsq_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t median(const int64_t *sorted, size_t n)
{
    int64_t low = sorted[(n - 1) / 2];
    int64_t high = sorted[n / 2];
    return low + (high - low) / 2;
}

/* Offsets or delays of the good answers, sorted into `out`; returns how many there are. */
static size_t collect(const struct ntsq_facts *facts, bool delays, int64_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < facts->sample_count; i++) {
        const struct ntsq_sample *s = &facts->sample[i];
        if (s->outcome == NTSQ_ANSWERED) {
            out[n++] = delays ? s->times.delay_ns : s->times.offset_ns;
        }
    }
    if (n > 0) {
        qsort(out, n, sizeof(*out), compare);
    }
    return n;
}

struct ntsq_summary ntsq_summarise(const struct ntsq_facts *facts, int64_t *scratch)
{
    struct ntsq_summary summary = {.sent = facts->sample_count};
    for (size_t i = 0; i < facts->sample_count; i++) {
        summary.outcome[facts->sample[i].outcome]++;
        summary.late += facts->sample[i].late;
        summary.foreign += facts->sample[i].foreign;
    }
    size_t n = collect(facts, true, scratch);
    if (n == 0) {
        return summary;
    }
    summary.delay_min_ns = scratch[0];
    summary.delay_median_ns = median(scratch, n);
    summary.delay_max_ns = scratch[n - 1];
    (void)collect(facts, false, scratch);
    summary.offset_min_ns = scratch[0];
    summary.offset_median_ns = median(scratch, n);
    summary.offset_max_ns = scratch[n - 1];
    return summary;
}

/* The last sample that did not end well, or the last of all. */
static const struct ntsq_sample *worst(const struct ntsq_facts *facts)
{
    const struct ntsq_sample *found = &facts->sample[facts->sample_count - 1];
    for (size_t i = facts->sample_count; i-- > 0;) {
        if (facts->sample[i].outcome != NTSQ_ANSWERED) {
            return &facts->sample[i];
        }
    }
    return found;
}

static void refusal_text(const struct ntsq_sample *s, struct ntsq_verdict *out)
{
    char code[5] = "";
    if (s->verdict == QUERY_NAK) {
        out->hint =
            "the server's cookie keys changed or are not shared by all servers of this name";
        (void)snprintf(out->text, sizeof(out->text),
                       "the server could not use our cookie (NTS NAK)%s",
                       s->new_keys ? ", nor a fresh one" : "");
        return;
    }
    if (s->verdict == QUERY_KISS) {
        ntsq_reference_code(s->header.reference_id, code);
        out->hint = s->header.reference_id == NTP_KISS_RATE ? "ask less often" : NULL;
        (void)snprintf(out->text, sizeof(out->text), "the server sent the kiss code %s", code);
        return;
    }
    (void)snprintf(out->text, sizeof(out->text), "reply refused: %s",
                   query_verdict_text(s->verdict));
}

/* Why one query got no good answer. */
static void sample_text(const struct ntsq_facts *facts, const struct ntsq_sample *s,
                        struct ntsq_verdict *out)
{
    char server[NET_ADDR_TEXT_MAX];
    net_addr_format(&facts->server, server);
    switch (s->outcome) {
    case NTSQ_ANSWERED:
        break;
    case NTSQ_LOST:
        out->hint = "is UDP to this port filtered on the way?";
        (void)snprintf(out->text, sizeof(out->text), "no reply from %s to %u request%s%s", server,
                       s->tries, s->tries == 1 ? "" : "s",
                       s->foreign + s->late > 0 ? ", only datagrams that are none" : "");
        break;
    case NTSQ_UNSYNCHRONISED:
        (void)snprintf(out->text, sizeof(out->text),
                       "%s reply, but the server's clock is not synchronised (stratum %u, leap %u)",
                       facts->options->plain ? "a" : "an authentic", s->header.stratum,
                       s->header.leap);
        break;
    case NTSQ_REFUSED:
        refusal_text(s, out);
        break;
    case NTSQ_UNREACHABLE:
        out->hint = "is the NTP service running on this port?";
        (void)snprintf(out->text, sizeof(out->text), "%s: %s", server, strerror(s->system_error));
        break;
    case NTSQ_OUTCOMES:
        break;
    }
}

/* "authenticated: offset +0.000012 s, delay 0.000110 s, stratum 1, 8 cookies left" */
static void good_text(const struct ntsq_facts *facts, const struct ntsq_summary *summary,
                      struct ntsq_verdict *out)
{
    const struct ntsq_sample *last = &facts->sample[facts->sample_count - 1];
    bool plain = facts->options->plain;
    bool many = facts->sample_count > 1;
    char counts[64] = "";
    char cookies[32] = "";
    if (many) {
        (void)snprintf(counts, sizeof(counts), "%zu of %zu answered, ",
                       summary->outcome[NTSQ_ANSWERED], summary->sent);
    }
    if (!plain) {
        (void)snprintf(cookies, sizeof(cookies), ", %zu cookie%s left", last->cookies_left,
                       last->cookies_left == 1 ? "" : "s");
    }
    (void)snprintf(out->text, sizeof(out->text),
                   "%s: %s%soffset %+.6f s, %sdelay %.6f s, stratum %u%s",
                   plain ? "NOT authenticated" : "authenticated", counts, many ? "median " : "",
                   (double)summary->offset_median_ns / 1e9, many ? "median " : "",
                   (double)summary->delay_median_ns / 1e9, last->header.stratum, cookies);
}

/* Prefixes a cause, with the counts when there were several queries. */
static void failed_text(const struct ntsq_facts *facts, const struct ntsq_summary *summary,
                        const char *cause, struct ntsq_verdict *out)
{
    char counts[64] = "";
    if (facts->options->count > 1 && summary->sent > 0) {
        (void)snprintf(counts, sizeof(counts), "%zu of %u answered; ",
                       summary->outcome[NTSQ_ANSWERED], facts->options->count);
    }
    (void)snprintf(out->text, sizeof(out->text), "failed: %s%s", counts, cause);
}

struct ntsq_verdict ntsq_judge(const struct ntsq_facts *facts, const struct ntsq_summary *summary)
{
    struct ntsq_verdict out = {.ok = false};
    size_t good = summary->outcome[NTSQ_ANSWERED];
    out.authenticated = !facts->options->plain && facts->dates != NTSQ_DATES_FAIL &&
                        facts->dates != NTSQ_DATES_PENDING &&
                        good + summary->outcome[NTSQ_UNSYNCHRONISED] > 0;
    if (facts->failure.stage != NTSQ_STAGE_NONE) {
        char clean[sizeof(facts->failure.text)];
        ntsq_clean(facts->failure.text, clean, sizeof(clean));
        failed_text(facts, summary, clean, &out);
        out.hint = facts->failure.hint;
        return out;
    }
    if (facts->sample_count == 0) {
        failed_text(facts, summary, "nothing was asked", &out);
        return out;
    }
    if (good == facts->options->count) {
        out.ok = true;
        good_text(facts, summary, &out);
        return out;
    }
    struct ntsq_verdict cause = {.text = ""};
    sample_text(facts, worst(facts), &cause);
    failed_text(facts, summary, cause.text, &out);
    out.hint = cause.hint;
    return out;
}
