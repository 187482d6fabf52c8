/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock out of /metrics: what is there, what is not, and text that is not ours at all.
 */
#include "tools/status_parse.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct status status;

static enum nts_err parse(const char *text)
{
    return status_parse(span_of(text, strlen(text)), &status);
}

static const char whole[] = "# HELP ntsd_clock_state 1 for the state that the clock is in.\n"
                            "# TYPE ntsd_clock_state gauge\n"
                            "ntsd_clock_state{state=\"starting\"} 0\n"
                            "ntsd_clock_state{state=\"synchronised\"} 1\n"
                            "ntsd_clock_trusted 1\n"
                            "ntsd_clock_reference{id=\"a9fea97b\"} 1\n"
                            "ntsd_clock_stratum 4\n"
                            "ntsd_clock_leap 1\n"
                            "ntsd_clock_error_bound_seconds 5.7296e-05\n"
                            "ntsd_clock_remaining_seconds -2.6e-06\n"
                            "ntsd_clock_frequency_ppm 12.5\n"
                            "ntsd_ready{service=\"ntp\"} 1\n"
                            "ntsd_ready{service=\"ke\"} 0\n"
                            "ntsd_source_info{source=\"a.example\",kind=\"nts\"} 1\n"
                            "ntsd_source_info{source=\"/dev/x}y\",kind=\"phc\"} 1\n"
                            "ntsd_source_verdict{source=\"a.example\",verdict=\"selected\"} 1\n"
                            "ntsd_source_verdict{source=\"a.example\",verdict=\"silent\"} 0\n"
                            "ntsd_source_verdict{source=\"/dev/x}y\",verdict=\"silent\"} 1\n"
                            "ntsd_source_offset_seconds{source=\"a.example\"} -2.5e-06\n"
                            "ntsd_source_deviation_seconds{source=\"a.example\"} 3e-07\n"
                            "ntsd_source_delay_seconds{source=\"a.example\"} 0.00042\n"
                            "ntsd_source_root_distance_seconds{source=\"a.example\"} 0.001\n"
                            "ntsd_source_poll_seconds{source=\"a.example\"} 16\n"
                            "ntsd_source_age_seconds{source=\"a.example\"} 3.5\n"
                            "ntsd_source_stratum{source=\"a.example\"} 3\n"
                            "ntsd_source_reach{source=\"a.example\"} 255\n"
                            "ntsd_source_events_total{source=\"a.example\",event=\"ok\"} 17\n"
                            "some_other_metric{a=\"b\",c=\"d\"} 1 1395066363000\n";

Test(status_parse, whole)
{
    cr_assert_eq(parse(whole), NTS_OK);
    cr_expect_str_eq(status.state, "synchronised");
    cr_expect(status.trusted);
    cr_expect(status.ready_ntp);
    cr_expect_str_eq(status.reference, "a9fea97b");
    cr_expect_eq(status.stratum, 4);
    cr_expect_eq(status.leap, 1);
    cr_expect(status.has_bound);
    cr_expect_float_eq(status.bound_s, 57.296e-6, 1e-12);
    cr_expect_float_eq(status.remaining_s, -2.6e-6, 1e-12);
    cr_expect_float_eq(status.frequency_ppm, 12.5, 1e-9);
    cr_assert_eq(status.source_count, 2);
    const struct status_source *s = &status.source[0];
    cr_expect_str_eq(s->name, "a.example");
    cr_expect_str_eq(s->kind, "nts");
    cr_expect_str_eq(s->verdict, "selected");
    cr_expect_float_eq(s->offset_s, -2.5e-6, 1e-12);
    cr_expect_float_eq(s->deviation_s, 3e-7, 1e-12);
    cr_expect_float_eq(s->delay_s, 0.00042, 1e-9);
    cr_expect_float_eq(s->distance_s, 0.001, 1e-9);
    cr_expect_float_eq(s->poll_s, 16, 1e-9);
    cr_expect_float_eq(s->age_s, 3.5, 1e-9);
    cr_expect_eq(s->stratum, 3);
    cr_expect_eq(s->reach, 255);
    cr_expect_str_eq(status.source[1].name, "/dev/x}y");
    cr_expect_str_eq(status.source[1].verdict, "silent");
    cr_expect_float_eq(status.source[1].age_s, -1, 1e-9);
}

Test(status_parse, not_ours)
{
    static const char *const texts[] = {
        "",
        "\n\n\n",
        "<html>200 OK</html>",
        "ntsd_clock_state 1\n",
        "ntsd_clock_state{state=\"lost\"} 0\n",
        "ntsd_clock_state{state=\"lost\"} nan\n",
        "ntsd_clock_state{state=\"lost\"}\n",
        "ntsd_clock_state{state=\"lost\" 1\n",
        "{ } = \" 1",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cr_expect_eq(parse(texts[i]), NTS_EFORMAT, "%s", texts[i]);
    }
}

Test(status_parse, too_much)
{
    static char text[64 * 1024];
    size_t n = (size_t)snprintf(text, sizeof(text), "ntsd_clock_state{state=\"%0300d\"} 1\n", 7);
    for (int i = 0; i < 40; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n,
                              "ntsd_source_stratum{source=\"%0200d\"} 1e300\n", i);
        n += (size_t)snprintf(text + n, sizeof(text) - n, "ntsd_source_reach{source=\"s%d\"} -1\n",
                              i);
    }
    cr_expect_eq(parse(text), NTS_OK);
    cr_expect_leq(status.source_count, STATUS_SOURCES_MAX);
    cr_expect_lt(strlen(status.state), STATUS_WORD_MAX);
    cr_expect_eq(status.source[0].stratum, 0);
}

/* Cut anywhere, and with any one octet changed: something sensible or an error, never more. */
Test(status_parse, cut_and_spoilt)
{
    char text[sizeof(whole)];
    for (size_t n = 0; n < sizeof(whole); n++) {
        enum nts_err err = status_parse(span_of(whole, n), &status);
        cr_assert(err == NTS_OK || err == NTS_EFORMAT);
    }
    for (size_t i = 0; i < sizeof(whole) - 1; i++) {
        static const char octets[] = "\"{}=, \n\\0\xff";
        for (size_t c = 0; c < sizeof(octets); c++) {
            memcpy(text, whole, sizeof(whole));
            text[i] = octets[c];
            enum nts_err err = status_parse(span_of(text, sizeof(whole) - 1), &status);
            cr_assert(err == NTS_OK || err == NTS_EFORMAT);
            cr_assert_leq(status.source_count, STATUS_SOURCES_MAX);
        }
    }
}
