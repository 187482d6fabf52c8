/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run comes to: summary, sentence and exit status.
 */
#include "tests/unit/tools/ntsq_fixture.h"

Test(ntsq_verdict, one_good_answer)
{
    struct fixture f;
    fixture_init(&f, 1);
    fixture_judge(&f);
    cr_expect(f.verdict.ok && f.verdict.authenticated);
    cr_expect_null(f.verdict.hint);
    cr_expect_str_eq(f.verdict.text, "authenticated: offset +0.000012 s, delay 0.000110 s, "
                                     "stratum 1, 8 cookies left");
}

Test(ntsq_verdict, a_plain_answer_is_labelled)
{
    struct fixture f;
    fixture_init(&f, 1);
    f.options.plain = true;
    f.facts.ke = NULL;
    fixture_judge(&f);
    cr_expect(f.verdict.ok);
    cr_expect_not(f.verdict.authenticated);
    cr_expect_str_eq(f.verdict.text,
                     "NOT authenticated: offset +0.000012 s, delay 0.000110 s, stratum 1");
}

Test(ntsq_verdict, summary_of_an_odd_and_an_even_number)
{
    struct fixture f;
    fixture_init(&f, 5);
    f.sample[2].late = 2;
    f.sample[4].foreign = 3;
    fixture_judge(&f);
    cr_expect_eq(f.summary.sent, 5);
    cr_expect_eq(f.summary.outcome[NTSQ_ANSWERED], 5);
    cr_expect_eq(f.summary.delay_min_ns, 70000);
    cr_expect_eq(f.summary.delay_median_ns, 90000);
    cr_expect_eq(f.summary.delay_max_ns, 110000);
    cr_expect_eq(f.summary.offset_min_ns, 12000);
    cr_expect_eq(f.summary.offset_median_ns, 14000);
    cr_expect_eq(f.summary.offset_max_ns, 16000);
    cr_expect_eq(f.summary.late, 2);
    cr_expect_eq(f.summary.foreign, 3);
    cr_expect_str_eq(f.verdict.text,
                     "authenticated: 5 of 5 answered, median offset +0.000014 s, median delay "
                     "0.000090 s, stratum 1, 8 cookies left");
    fixture_init(&f, 4);
    fixture_judge(&f);
    cr_expect_eq(f.summary.delay_median_ns, 95000);
    cr_expect_eq(f.summary.offset_median_ns, 13500);
}

Test(ntsq_verdict, medians_of_times_far_apart)
{
    struct fixture f;
    fixture_init(&f, 2);
    f.sample[0].times.offset_ns = INT64_MIN / 2;
    f.sample[1].times.offset_ns = INT64_MAX / 2;
    fixture_judge(&f);
    cr_expect_leq(f.summary.offset_median_ns, 0);
    cr_expect_geq(f.summary.offset_median_ns, -1);
}

Test(ntsq_verdict, only_good_answers_are_measured)
{
    struct fixture f;
    fixture_init(&f, 5);
    f.sample[0].outcome = NTSQ_LOST;
    f.sample[1].outcome = NTSQ_UNSYNCHRONISED;
    f.sample[2].outcome = NTSQ_REFUSED;
    f.sample[3].outcome = NTSQ_UNREACHABLE;
    fixture_judge(&f);
    for (unsigned i = 0; i < NTSQ_OUTCOMES; i++) {
        cr_expect_eq(f.summary.outcome[i], 1);
    }
    cr_expect_eq(f.summary.delay_min_ns, 70000);
    cr_expect_eq(f.summary.delay_max_ns, 70000);
    cr_expect_eq(f.summary.offset_median_ns, 16000);
    cr_expect_not(f.verdict.ok);
    cr_expect(f.verdict.authenticated, "one answer was");
    cr_expect(strstr(f.verdict.text, "failed: 1 of 5 answered; ") == f.verdict.text, "%s",
              f.verdict.text);
}

/* Each way for a single query to fail. */
Test(ntsq_verdict, failures_are_named)
{
    static const struct {
        struct ntsq_sample sample;
        const char *says;
    } cases[] = {
        {{.outcome = NTSQ_LOST, .tries = 3}, "failed: no reply from 192.0.2.1:11123 to 3 requests"},
        {{.outcome = NTSQ_LOST, .tries = 1, .foreign = 1},
         "failed: no reply from 192.0.2.1:11123 to 1 request, only datagrams that are none"},
        {{.outcome = NTSQ_UNSYNCHRONISED, .header = {.leap = 3}},
         "failed: an authentic reply, but the server's clock is not synchronised (stratum 0, leap "
         "3)"},
        {{.outcome = NTSQ_REFUSED, .verdict = QUERY_NAK},
         "failed: the server could not use our cookie (NTS NAK)"},
        {{.outcome = NTSQ_REFUSED, .verdict = QUERY_NAK, .new_keys = true},
         "failed: the server could not use our cookie (NTS NAK), nor a fresh one"},
        {{.outcome = NTSQ_REFUSED,
          .verdict = QUERY_KISS,
          .header = {.reference_id = NTP_KISS_DENY}},
         "failed: the server sent the kiss code DENY"},
        {{.outcome = NTSQ_UNREACHABLE, .system_error = ECONNREFUSED},
         "failed: 192.0.2.1:11123: Connection refused"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        fixture_init(&f, 1);
        f.sample[0] = cases[i].sample;
        fixture_judge(&f);
        cr_expect_not(f.verdict.ok, "case %zu", i);
        cr_expect_str_eq(f.verdict.text, cases[i].says, "case %zu: %s", i, f.verdict.text);
    }
}

/* A refused reply says why, in the words of the module that judged it. */
Test(ntsq_verdict, refusals_say_why)
{
    static const enum query_verdict refusals[] = {
        QUERY_SHORT,     QUERY_NOT_A_REPLY,      QUERY_ORIGIN,    QUERY_NO_UID,
        QUERY_WRONG_UID, QUERY_NO_AUTHENTICATOR, QUERY_BAD_FIELD, QUERY_NOT_AUTHENTIC};
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct fixture f;
        fixture_init(&f, 1);
        f.sample[0] = (struct ntsq_sample){.outcome = NTSQ_REFUSED, .verdict = refusals[i]};
        fixture_judge(&f);
        cr_expect_not(f.verdict.ok || f.verdict.authenticated);
        cr_expect_not_null(strstr(f.verdict.text, query_verdict_text(refusals[i])), "%s",
                           f.verdict.text);
    }
}

Test(ntsq_verdict, a_failed_step_fails_the_run_whatever_was_answered)
{
    struct fixture f;
    fixture_init(&f, 1);
    f.facts.dates = NTSQ_DATES_FAIL;
    fixture_fail(&f, NTSQ_STAGE_DATES, "certificate 1 expired");
    fixture_judge(&f);
    cr_expect_not(f.verdict.ok);
    cr_expect_not(f.verdict.authenticated);
    cr_expect_str_eq(f.verdict.text, "failed: certificate 1 expired");
}

Test(ntsq_verdict, nothing_counts_as_authenticated_before_the_dates_are_checked)
{
    struct fixture f;
    fixture_init(&f, 1);
    f.facts.dates = NTSQ_DATES_PENDING;
    fixture_judge(&f);
    cr_expect_not(f.verdict.authenticated);
}

Test(ntsq_verdict, what_a_peer_wrote_is_made_printable)
{
    struct fixture f;
    fixture_init(&f, 1);
    f.facts.sample_count = 0;
    fixture_fail(&f, NTSQ_STAGE_NTP, "\033[31mname\n: unknown");
    fixture_judge(&f);
    cr_expect_str_eq(f.verdict.text, "failed: ?[31mname?: unknown");
}

Test(ntsq_verdict, fewer_answers_than_asked_for_is_a_failure)
{
    struct fixture f;
    fixture_init(&f, 3);
    f.facts.sample_count = 2;
    fixture_judge(&f);
    cr_expect_not(f.verdict.ok);
}
