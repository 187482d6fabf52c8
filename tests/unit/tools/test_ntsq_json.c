/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report for machines, from fixed facts, read back.
 */
#include "tools/ntsq_json.h"

#include "tests/unit/tools/ntsq_fixture.h"

#include <jansson.h>
#include <stdlib.h>

static json_t *report(struct fixture *f)
{
    char *bytes = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&bytes, &n);
    fixture_judge(f);
    cr_assert_eq(ntsq_json_write(out, &f->facts, &f->summary, &f->verdict), NTS_OK);
    (void)fclose(out);
    json_error_t error;
    json_t *json = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(json, "%s in %s", error.text, bytes);
    free(bytes);
    return json;
}

/* The member at "a.b.c"; list elements by number. */
static json_t *at(json_t *json, const char *path)
{
    char copy[128];
    char *rest = copy;
    (void)snprintf(copy, sizeof(copy), "%s", path);
    while (json != NULL && rest != NULL) {
        const char *key = strsep(&rest, ".");
        json = json_is_array(json) ? json_array_get(json, (size_t)atoi(key))
                                   : json_object_get(json, key);
    }
    return json;
}

static void expect_integer(json_t *json, const char *path, json_int_t value)
{
    cr_expect(json_is_integer(at(json, path)), "%s", path);
    cr_expect_eq(json_integer_value(at(json, path)), value, "%s", path);
}

static void expect_real(json_t *json, const char *path, double value)
{
    cr_expect(json_is_real(at(json, path)), "%s", path);
    cr_expect_float_eq(json_real_value(at(json, path)), value, 1e-12, "%s", path);
}

static void expect_text(json_t *json, const char *path, const char *value)
{
    cr_assert(json_is_string(at(json, path)), "%s", path);
    cr_expect_str_eq(json_string_value(at(json, path)), value);
}

static void expect_bool(json_t *json, const char *path, bool value)
{
    cr_expect(json_is_boolean(at(json, path)), "%s", path);
    cr_expect_eq(json_is_true(at(json, path)), value, "%s", path);
}

Test(ntsq_json, one_query)
{
    struct fixture f;
    fixture_init(&f, 1);
    json_t *json = report(&f);
    expect_text(json, "host", "time.example");
    expect_bool(json, "ok", true);
    expect_bool(json, "authenticated", true);
    expect_text(json, "verdict", f.verdict.text);
    expect_text(json, "resolved.0", "192.0.2.1:4460");
    expect_text(json, "tls.version", "TLSv1.3");
    expect_text(json, "tls.group", "X25519");
    expect_text(json, "tls.names", "DNS:time.example");
    expect_text(json, "tls.not_after", "2025-04-01T00:00:00.000000Z");
    expect_integer(json, "tls.days_left", 90);
    expect_text(json, "certificate_dates.checked", "local_clock");
    expect_text(json, "ke.server", "192.0.2.1:4460");
    expect_integer(json, "ke.exchanges", 1);
    expect_real(json, "ke.total_s", 0.003);
    expect_integer(json, "ke.aead", 15);
    expect_text(json, "ke.aead_name", "AES-SIV-CMAC-256");
    expect_integer(json, "ke.cookies", 8);
    cr_expect_eq(json_array_size(at(json, "ke.records")), 12);
    expect_integer(json, "ke.records.2.type", 7);
    expect_bool(json, "ke.records.2.critical", true);
    expect_text(json, "ke.records.2.value", "11123");
    expect_integer(json, "ke.records.3.length", 100);
    expect_text(json, "ntp_server", "192.0.2.1:11123");
    cr_expect_eq(json_array_size(at(json, "samples")), 1);
    expect_text(json, "samples.0.outcome", "answered");
    expect_bool(json, "samples.0.authenticated", true);
    expect_real(json, "samples.0.offset_s", 0.000012);
    expect_real(json, "samples.0.delay_s", 0.000110);
    expect_integer(json, "samples.0.stratum", 1);
    expect_integer(json, "samples.0.leap", 0);
    expect_integer(json, "samples.0.precision", -24);
    expect_text(json, "samples.0.reference", "GPS");
    expect_integer(json, "samples.0.cookies_left", 8);
    expect_integer(json, "samples.0.late", 0);
    expect_integer(json, "summary.sent", 1);
    expect_real(json, "summary.offset_median_s", 0.000012);
    cr_expect_null(at(json, "failure"));
    cr_expect_null(at(json, "hint"));
    json_decref(json);
}

Test(ntsq_json, several_queries)
{
    struct fixture f;
    fixture_init(&f, 5);
    f.sample[1] = (struct ntsq_sample){.outcome = NTSQ_LOST, .tries = 1, .foreign = 2};
    f.sample[2] = (struct ntsq_sample){
        .outcome = NTSQ_REFUSED, .verdict = QUERY_KISS, .header = {.reference_id = NTP_KISS_RATE}};
    f.sample[3] = (struct ntsq_sample){.outcome = NTSQ_UNREACHABLE, .system_error = ECONNREFUSED};
    json_t *json = report(&f);
    expect_bool(json, "ok", false);
    cr_expect_eq(json_array_size(at(json, "samples")), 5);
    expect_text(json, "samples.1.outcome", "lost");
    expect_integer(json, "samples.1.foreign", 2);
    cr_expect_null(at(json, "samples.1.offset_s"));
    expect_text(json, "samples.2.outcome", "refused");
    expect_text(json, "samples.2.refusal", "kiss");
    expect_text(json, "samples.2.kiss", "RATE");
    expect_bool(json, "samples.2.authenticated", false);
    expect_integer(json, "samples.3.errno", ECONNREFUSED);
    expect_integer(json, "summary.sent", 5);
    expect_integer(json, "summary.answered", 2);
    expect_integer(json, "summary.lost", 1);
    expect_integer(json, "summary.refused", 1);
    expect_integer(json, "summary.unreachable", 1);
    expect_integer(json, "summary.foreign", 2);
    expect_real(json, "summary.delay_min_s", 0.00007);
    expect_real(json, "summary.delay_max_s", 0.00011);
    json_decref(json);
}

Test(ntsq_json, a_plain_query)
{
    struct fixture f;
    fixture_init(&f, 1);
    f.options.plain = true;
    f.facts.ke = NULL;
    json_t *json = report(&f);
    expect_bool(json, "ok", true);
    expect_bool(json, "authenticated", false);
    expect_bool(json, "samples.0.authenticated", false);
    cr_expect_null(at(json, "tls"));
    cr_expect_null(at(json, "ke"));
    cr_expect_null(at(json, "samples.0.cookies_left"));
    json_decref(json);
}

Test(ntsq_json, a_failure_before_anything_was_asked)
{
    struct fixture f;
    fixture_init(&f, 1);
    f.facts.sample_count = 0;
    f.facts.ke = NULL;
    f.facts.has_server = false;
    f.facts.resolved.count = 0;
    f.facts.failure.hint = "try harder";
    fixture_fail(&f, NTSQ_STAGE_RESOLVE, "not known");
    json_t *json = report(&f);
    expect_text(json, "failure.stage", "resolve");
    expect_text(json, "failure.text", "not known");
    expect_text(json, "hint", "try harder");
    expect_text(json, "verdict", "failed: not known");
    cr_expect_eq(json_array_size(at(json, "samples")), 0);
    cr_expect_null(at(json, "summary.delay_min_s"));
    cr_expect_null(at(json, "ntp_server"));
    json_decref(json);
}

Test(ntsq_json, dates_checked_afterwards)
{
    struct fixture f;
    fixture_init(&f, 1);
    f.options.no_clock = true;
    f.facts.dates = NTSQ_DATES_HOLD;
    f.facts.dates_at = (struct wall_ns){.ns = FIXTURE_NOW_S * NS_PER_S};
    json_t *json = report(&f);
    expect_text(json, "certificate_dates.checked", "hold");
    expect_text(json, "certificate_dates.at", "2025-01-01T00:00:00.000000Z");
    cr_expect_null(at(json, "tls.days_left"));
    json_decref(json);
}

/* What a peer wrote need not be UTF-8; the report still has to be JSON. */
Test(ntsq_json, octets_of_a_peer)
{
    struct fixture f;
    fixture_init(&f, 1);
    (void)snprintf(f.ke.tls.names, sizeof(f.ke.tls.names), "DNS:\xff\xfe\"\\\x01");
    struct wr w = wr_init(f.ke.message, sizeof(f.ke.message));
    ke_record_write(&w, true, KE_NTPV4_SERVER, span_of("\x80\0\"", 3));
    f.ke.message_len = wr_done(&w).n;
    json_t *json = report(&f);
    expect_text(json, "tls.names", "DNS:??\"\\?");
    expect_text(json, "ke.records.0.value", "??\"");
    json_decref(json);
}

Test(ntsq_json, a_stream_that_cannot_be_written)
{
    struct fixture f;
    fixture_init(&f, 1);
    fixture_judge(&f);
    FILE *out = fopen("/dev/full", "w");
    cr_assert_not_null(out);
    setbuf(out, NULL);
    cr_expect_eq(ntsq_json_write(out, &f.facts, &f.summary, &f.verdict), NTS_ESYSTEM);
    (void)fclose(out);
}
