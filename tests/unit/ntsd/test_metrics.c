/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metrics as text: format, sums, completeness.
 */
#include "tests/unit/ntsd/snapshot_sample.h"

#include "ntp/clock/ntp_source.h"
#include "ntp/clock/phc_source.h"
#include "ntp/ntp_service.h"
#include "nts-ke/ke_outcome.h"
#include "ntsd/metrics.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct sample s;
static char text[METRICS_LEN_MAX + 1];

static void write_metrics(void)
{
    struct wr w = wr_init((uint8_t *)text, METRICS_LEN_MAX);
    metrics_write(&s.snapshot, &w);
    cr_assert_not(w.bad);
    text[w.n] = '\0';
}

static bool has_line(const char *line)
{
    size_t len = strlen(line);
    for (const char *at = text; at != NULL && *at != '\0';) {
        if (strncmp(at, line, len) == 0 && at[len] == '\n') {
            return true;
        }
        at = strchr(at, '\n');
        at = at == NULL ? NULL : at + 1;
    }
    return false;
}

Test(metrics, counters_are_summed_over_workers)
{
    sample_make(&s);
    stats_add(&s.worker[0], NTP_ANSWER_NTS, 3);
    stats_add(&s.worker[1], NTP_ANSWER_NTS, 4);
    stats_add(&s.worker[1], NTP_COUNT_RECEIVED, 9);
    stats_add(&s.ke[0], KE_COUNT_SERVED, 5);
    stats_add(&s.ke[1], KE_COUNT_SERVED, 6);
    stats_add(&s.ke[1], KE_COUNT_RELOADS, 2);
    s.snapshot.supervisor.child[ROLE_KE].restarts = 7;
    write_metrics();
    cr_expect(has_line("ntsd_ntp_datagrams_total{verdict=\"answer_nts\"} 7"));
    cr_expect(has_line("ntsd_ntp_datagrams_total{verdict=\"drop_short\"} 0"));
    cr_expect(has_line("ntsd_ntp_received_total 9"));
    cr_expect(has_line("ntsd_ke_connections_total{outcome=\"served\"} 11"));
    cr_expect(has_line("ntsd_ke_reloads_total{result=\"loaded\"} 2"));
    cr_expect(has_line("ntsd_process_restarts_total{process=\"ke\",index=\"0\"} 7"));
}

Test(metrics, state)
{
    sample_make(&s);
    write_metrics();
    cr_expect(has_line("ntsd_clock_state{state=\"synchronised\"} 1"));
    cr_expect(has_line("ntsd_clock_state{state=\"lost\"} 0"));
    cr_expect(has_line("ntsd_clock_trusted 1"));
    cr_expect(has_line("ntsd_clock_age_seconds 1"));
    cr_expect(has_line("ntsd_keys 3"));
    cr_expect(has_line("ntsd_key_issuing{id=\"010203\",fingerprint=\"deadbeef01020304\"} 1"));
    cr_expect(has_line("ntsd_keys_next_change_seconds 3600"));
    cr_expect(has_line("ntsd_certificate_expires_seconds{pair=\"1\"} 1811000000"));
    cr_expect(has_line("ntsd_start_time_seconds 1799999000"));
    cr_expect(has_line("ntsd_ready{service=\"ntp\"} 1"));
    cr_expect(has_line("ntsd_build_info{version=\"" NTSD_VERSION "\"} 1"));
}

Test(metrics, keys_and_where_they_come_from)
{
    sample_make(&s);
    s.config.keys = CONFIG_KEYS_AWS_AGENT;
    s.snapshot.boot.ns = 500 * NS_PER_S;
    s.snapshot.keys.issues_from = s.snapshot.now_s - 77;
    s.snapshot.keys.held[2] =
        (struct key_held){.id = 0x010204, .fingerprint = {0xca, 0xfe, 0, 1, 2, 3, 4, 5}};
    struct key_provider_status *provider = &s.snapshot.keys.provider;
    provider->used = 1;
    provider->failing = 3;
    provider->from_cache = 1;
    provider->cache_failed = 1;
    provider->outcome[PROVIDER_THROTTLED] = 4;
    provider->change[KEYCHANGE_FORGOTTEN] = 5;
    provider->malformed = 6;
    stats_add(&s.worker[1], NTP_COUNT_AGE_0, 7);
    stats_add(&s.worker[0], NTP_COUNT_AGE_0 + 6, 8);
    write_metrics();
    cr_expect_null(strstr(text, "provider_age"), "no answer yet");
    provider->fetched_boot_ns = 380 * NS_PER_S;
    write_metrics();
    cr_expect(has_line("ntsd_key_held{id=\"010204\",fingerprint=\"cafe000102030405\"} 1"));
    cr_expect(has_line("ntsd_keys_issuing_age_seconds 77"));
    cr_expect(has_line("ntsd_keys_provider_info{provider=\"agent\"} 1"));
    cr_expect(has_line("ntsd_keys_provider_age_seconds 120"));
    cr_expect(has_line("ntsd_keys_provider_failing 3"));
    cr_expect(has_line("ntsd_keys_from_cache 1"));
    cr_expect(has_line("ntsd_keys_cache_failed 1"));
    cr_expect(has_line("ntsd_keys_fetches_total{outcome=\"throttled\"} 4"));
    cr_expect(has_line("ntsd_keys_documents_total{change=\"forgotten\"} 5"));
    cr_expect(has_line("ntsd_keys_documents_total{change=\"malformed\"} 6"));
    cr_expect(has_line("ntsd_ntp_cookies_opened_total{age=\"next\"} 7"));
    cr_expect(has_line("ntsd_ntp_cookies_opened_total{age=\"8+\"} 8"));
}

Test(metrics, keys_of_this_host_have_no_store)
{
    sample_make(&s);
    write_metrics();
    cr_expect(has_line("ntsd_keys_provider_info{provider=\"auto\"} 1"));
    cr_expect_null(strstr(text, "ntsd_keys_fetches_total"));
}

/* A store that has not answered yet: its metrics are there before any key is. */
Test(metrics, no_keys_yet)
{
    sample_make(&s);
    s.config.keys = CONFIG_KEYS_FILE;
    s.snapshot.keys.count = 0;
    s.snapshot.keys.provider.used = 1;
    s.snapshot.keys.provider.failing = 2;
    write_metrics();
    cr_expect(has_line("ntsd_keys 0"));
    cr_expect(has_line("ntsd_keys_provider_failing 2"));
    cr_expect_null(strstr(text, "ntsd_key_issuing"));
}

Test(metrics, sources)
{
    sample_make(&s);
    sample_add_sources(&s);
    stats_add(&s.clock[0], CLOCK_COUNT_ENTERED_0 + CLOCK_HOLDOVER, 4);
    stats_add(&s.clock[0], CLOCK_COUNT_NOT_KEPT, 6);
    stats_add(&s.clock[0], CLOCK_COUNT_REASON_0 + CLOCK_REASON_SILENT, 5);
    stats_add(&s.clock[1], NTP_EXCHANGE_DENY, 6);
    stats_add(&s.clock[2], NTP_SOURCE_NO_KEYS, 7);
    stats_add(&s.clock[3], PHC_COUNT_NO_DEVICE, 8);
    write_metrics();
    cr_expect(has_line("ntsd_clock_transitions_total{state=\"holdover\"} 4"));
    cr_expect(has_line("ntsd_clock_events_total{reason=\"silent\"} 5"));
    cr_expect(has_line("ntsd_clock_state_write_failures_total 6"));
    cr_expect(has_line("ntsd_source_info{source=\"ntp.example\",kind=\"nts\"} 1"));
    cr_expect(has_line("ntsd_source_info{source=\"/dev/ptp_ena\",kind=\"phc\"} 1"));
    cr_expect(has_line("ntsd_source_verdict{source=\"169.254.169.123\",verdict=\"selected\"} 1"));
    cr_expect(has_line("ntsd_source_verdict{source=\"ntp.example\",verdict=\"falseticker\"} 1"));
    cr_expect(has_line("ntsd_source_verdict{source=\"ntp.example\",verdict=\"selected\"} 0"));
    cr_expect(has_line("ntsd_source_offset_seconds{source=\"169.254.169.123\"} -2.5e-06"));
    cr_expect(has_line("ntsd_source_age_seconds{source=\"169.254.169.123\"} 3"));
    cr_expect(has_line("ntsd_source_age_seconds{source=\"/dev/ptp_ena\"} -1"));
    cr_expect(has_line("ntsd_source_poll_seconds{source=\"ntp.example\"} 16"));
    cr_expect(has_line("ntsd_source_reach{source=\"169.254.169.123\"} 255"));
    cr_expect(has_line("ntsd_source_events_total{source=\"169.254.169.123\",event=\"deny\"} 6"));
    cr_expect(has_line("ntsd_source_events_total{source=\"ntp.example\",event=\"no_keys\"} 7"));
    cr_expect(has_line("ntsd_source_events_total{source=\"/dev/ptp_ena\",event=\"no_device\"} 8"));
}

Test(metrics, a_label_cannot_break_out)
{
    sample_make(&s);
    sample_add_sources(&s);
    s.config.source[2].name = "/dev/a\"} 1\\\n\xc3";
    write_metrics();
    cr_expect(has_line("ntsd_source_info{source=\"/dev/a?} 1???\",kind=\"phc\"} 1"));
}

Test(metrics, nothing_published_yet)
{
    sample_make(&s);
    s.snapshot.has_clock = false;
    s.snapshot.has_keys = false;
    s.snapshot.has_ke = false;
    write_metrics();
    cr_expect(has_line("ntsd_clock_state{state=\"starting\"} 1"));
    cr_expect(has_line("ntsd_clock_trusted 0"));
    cr_expect(has_line("ntsd_keys 0"));
    cr_expect_null(strstr(text, "ntsd_certificate_expires"));
    cr_expect(has_line("ntsd_ready{service=\"ke\"} 0"));
}

/* Every member of an enum that says no has a line of its own. */
Test(metrics, complete)
{
    sample_make(&s);
    for (unsigned i = 0; i < NTP_COUNTERS; i++) {
        stats_add(&s.worker[0], i, 10000 + i);
    }
    for (unsigned i = 0; i < KE_COUNTERS; i++) {
        stats_add(&s.ke[0], i, 20000 + i);
    }
    for (unsigned i = 0; i < HTTP_VERDICTS; i++) {
        s.http.verdict[i] = 30000 + i;
    }
    struct key_provider_status *provider = &s.snapshot.keys.provider;
    provider->used = 1;
    for (unsigned i = 0; i < PROVIDER_OUTCOMES; i++) {
        provider->outcome[i] = 40000 + i;
    }
    for (unsigned i = 0; i < KEYCHANGES; i++) {
        provider->change[i] = 50000 + i;
    }
    write_metrics();
    char number[32];
    for (unsigned i = 0; i < NTP_COUNTERS; i++) {
        (void)snprintf(number, sizeof(number), " %u\n", 10000 + i);
        cr_expect_not_null(strstr(text, number), "%s", ntp_count_name(i));
    }
    for (unsigned i = 0; i < KE_COUNTERS; i++) {
        if (i == KE_COUNT_REQUEST_FAULT_0 + KE_REQUEST_OK) {
            continue;
        }
        (void)snprintf(number, sizeof(number), " %u\n", 20000 + i);
        cr_expect_not_null(strstr(text, number), "%s", ke_count_name(i));
    }
    static const struct {
        unsigned from;
        unsigned count;
    } others[] = {{30000, HTTP_VERDICTS}, {40000, PROVIDER_OUTCOMES}, {50000, KEYCHANGES}};
    for (size_t o = 0; o < sizeof(others) / sizeof(others[0]); o++) {
        for (unsigned i = 0; i < others[o].count; i++) {
            (void)snprintf(number, sizeof(number), " %u\n", others[o].from + i);
            cr_expect_not_null(strstr(text, number), "%u", others[o].from + i);
        }
    }
}

/* Each line is a comment or a sample whose metric has HELP and TYPE before it; names are unique. */
Test(metrics, format)
{
    char metric[128] = "";
    sample_make(&s);
    sample_add_sources(&s);
    write_metrics();
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (strncmp(line, "# HELP ", 7) == 0) {
            cr_assert_eq(sscanf(line, "# HELP %127s", metric), 1);
            continue;
        }
        size_t len = strlen(metric);
        if (strncmp(line, "# TYPE ", 7) == 0) {
            cr_expect_eq(strncmp(line + 7, metric, len), 0, "%s", line);
            cr_expect(strcmp(line + 7 + len, " counter") == 0 ||
                          strcmp(line + 7 + len, " gauge") == 0,
                      "%s", line);
            bool total = len > 6 && strcmp(metric + len - 6, "_total") == 0;
            cr_expect_eq(total, strcmp(line + 7 + len, " counter") == 0, "%s", line);
            continue;
        }
        cr_expect_eq(strncmp(line, metric, len), 0, "%s", line);
        cr_expect(line[len] == ' ' || line[len] == '{', "%s", line);
    }
}

Test(metrics, no_room_is_noticed)
{
    sample_make(&s);
    struct wr w = wr_init((uint8_t *)text, 100);
    metrics_write(&s.snapshot, &w);
    cr_expect(w.bad);
    cr_expect_eq(wr_done(&w).n, 0);
}

/* The worst case of every count and number fits. */
Test(metrics, always_enough_room)
{
    sample_make(&s);
    s.snapshot.supervisor.count = ROLE_CHILDREN_MAX;
    for (unsigned i = 0; i < ROLE_CHILDREN_MAX; i++) {
        s.snapshot.supervisor.child[i].restarts = UINT64_MAX;
        s.snapshot.supervisor.child[i].index = UINT32_MAX;
    }
    for (unsigned i = 0; i < STATS_COUNTERS; i++) {
        stats_add(&s.worker[0], i, UINT64_MAX);
        stats_add(&s.ke[0], i, UINT64_MAX);
    }
    static char name[256];
    memset(name, 'x', sizeof(name) - 1);
    s.snapshot.has_report = true;
    memset(&s.snapshot.report, 0x9d, sizeof(s.snapshot.report));
    memset(s.clock, 0xff, sizeof(s.clock));
    s.config.source_count = CONFIG_SOURCES_MAX;
    for (size_t i = 0; i < CONFIG_SOURCES_MAX; i++) {
        s.config.source[i].name = name;
    }
    s.snapshot.ke.pair_count = UINT64_MAX;
    memset(&s.snapshot.keys, 0xff, sizeof(s.snapshot.keys));
    s.snapshot.clock.anchor_raw_ns = INT64_MIN / 2;
    write_metrics();
    cr_expect_lt(strlen(text), METRICS_LEN_MAX / 2);
}
