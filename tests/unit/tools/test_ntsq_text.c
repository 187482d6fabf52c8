/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report for people, from fixed facts.
 */
#include "tools/ntsq_text.h"

#include "tests/unit/tools/ntsq_fixture.h"

#include <stdlib.h>

/* All that a run with these facts prints; the caller frees it. */
static char *report(struct fixture *f, bool colour)
{
    char *bytes = NULL;
    size_t n = 0;
    struct ntsq_text text = {.out = open_memstream(&bytes, &n), .colour = colour};
    size_t samples = f->facts.sample_count;
    fixture_judge(f);
    ntsq_text_resolved(&text, &f->facts);
    if (f->facts.ke != NULL) {
        ntsq_text_keys(&text, &f->facts);
    }
    for (size_t i = 1; i <= samples; i++) {
        f->facts.sample_count = i;
        ntsq_text_sample(&text, &f->facts);
    }
    if (f->facts.dates == NTSQ_DATES_HOLD) {
        ntsq_text_dates(&text, &f->facts);
    }
    ntsq_text_verdict(&text, &f->facts, &f->summary, &f->verdict);
    (void)fclose(text.out);
    return bytes;
}

static void expect_all(const char *text, const char *const *parts)
{
    for (; *parts != NULL; parts++) {
        cr_expect_not_null(strstr(text, *parts), "'%s' is missing in:\n%s", *parts, text);
    }
}

Test(ntsq_text, one_query_in_full)
{
    struct fixture f;
    fixture_init(&f, 1);
    char *text = report(&f, false);
    cr_expect_str_eq(
        text, "Host          time.example is 192.0.2.1:4460\n"
              "TLS           TLSv1.3, X25519, TLS_AES_256_GCM_SHA384\n"
              "Certificate   DNS:time.example\n"
              "Issuer        CN=test CA\n"
              "Valid until   2025-04-01, 90 days left\n"
              "NTS-KE        192.0.2.1:4460: connected after 0.1 ms, TLS after 2.5 ms, answered "
              "after 3.0 ms\n"
              "      1 ! Next Protocol           0 NTPv4\n"
              "      4 ! AEAD Algorithm          15 AES-SIV-CMAC-256\n"
              "      7 ! NTPv4 Port              11123\n"
              "      5   New Cookie (8)          100 octets each\n"
              "      0 ! End of Message\n"
              "Query         192.0.2.1:11123: 228 octets, 1 cookie, 0 placeholders, 1 sent\n"
              "Reply         228 octets, authentic by AES-SIV-CMAC-256, 1 new cookie, 8 in stock\n"
              "Server        stratum 1, reference GPS, leap none, precision 2^-24 s\n"
              "Root          delay 0.000000 s, dispersion 0.001007 s\n"
              "Time          2025-01-01T00:00:00.000122Z\n"
              "Offset        +0.000012000 s (server minus local clock)\n"
              "Delay         0.000110000 s\n"
              "authenticated: offset +0.000012 s, delay 0.000110 s, stratum 1, 8 cookies left\n");
    free(text);
}

Test(ntsq_text, several_queries_as_a_list)
{
    struct fixture f;
    fixture_init(&f, 5);
    f.sample[1] = (struct ntsq_sample){.outcome = NTSQ_LOST, .tries = 1};
    f.sample[2] =
        (struct ntsq_sample){.outcome = NTSQ_REFUSED, .verdict = QUERY_NO_UID, .tries = 1};
    f.sample[3].new_keys = true;
    f.sample[4].late = 1;
    char *text = report(&f, false);
    expect_all(text,
               (const char *[]){
                   "     1  offset +0.000012 s  delay 0.000110 s  stratum 1\n",
                   "     2  lost\n",
                   "     3  refused: the reply has no unique identifier\n",
                   "     4  offset +0.000015 s  delay 0.000080 s  stratum 1  (NAK: new keys)\n",
                   "Summary       5 sent, 3 answered, 0 unsynchronised, 1 refused, 1 lost\n",
                   "Skipped       1 late or doubled, 0 foreign\n",
                   "Delay         min 0.000070 s, median 0.000080 s, max 0.000110 s\n",
                   "\nfailed: 3 of 5 answered; reply refused: ",
                   NULL,
               });
    free(text);
}

Test(ntsq_text, a_plain_query_says_so_everywhere)
{
    struct fixture f;
    fixture_init(&f, 1);
    f.options.plain = true;
    f.facts.ke = NULL;
    char *text = report(&f, false);
    expect_all(text, (const char *[]){"octets, no NTS, 1 sent\n", "octets, NOT authenticated\n",
                                      "\nNOT authenticated: offset", NULL});
    cr_expect_null(strstr(text, "cookie"));
    free(text);
    fixture_init(&f, 2);
    f.options.plain = true;
    f.facts.ke = NULL;
    text = report(&f, false);
    expect_all(text, (const char *[]){"stratum 1  NOT authenticated\n",
                                      "\nNOT authenticated: 2 of 2", NULL});
    free(text);
}

Test(ntsq_text, without_a_clock_no_days_are_counted)
{
    struct fixture f;
    fixture_init(&f, 1);
    f.options.no_clock = true;
    f.facts.dates = NTSQ_DATES_HOLD;
    f.facts.dates_at = (struct wall_ns){.ns = FIXTURE_NOW_S * NS_PER_S};
    char *text = report(&f, false);
    expect_all(text, (const char *[]){"Valid until   2025-04-01\n",
                                      "valid at the time received, 2025-01-01\n", NULL});
    cr_expect_null(strstr(text, "days left"));
    free(text);
}

Test(ntsq_text, a_failed_key_establishment_shows_what_there_was)
{
    struct fixture f;
    fixture_init(&f, 1);
    f.facts.sample_count = 0;
    f.facts.failure.hint = "do this";
    fixture_fail(&f, NTSQ_STAGE_KE, "no luck");
    f.ke.message_len = 9; /* one record and a part of the next */
    char *text = report(&f, false);
    expect_all(text, (const char *[]){"      1 ! Next Protocol", "        and a part of a record\n",
                                      "\nfailed: no luck\nhint: do this\n", NULL});
    free(text);
    f.ke.message_len = 0;
    f.ke.tls = (struct tls_client_info){.version = ""};
    text = report(&f, false);
    cr_expect_str_eq(text, "Host          time.example is 192.0.2.1:4460\n"
                           "failed: no luck\nhint: do this\n");
    free(text);
}

/* A server may send thousands of records: the list is cut. */
Test(ntsq_text, a_flood_of_records_is_cut)
{
    struct fixture f;
    fixture_init(&f, 1);
    struct wr w = wr_init(f.ke.message, sizeof(f.ke.message));
    for (unsigned i = 0; i < 1000; i++) {
        ke_record_write(&w, false, 20000, span_of(NULL, 0));
    }
    f.ke.message_len = wr_done(&w).n;
    char *text = report(&f, false);
    size_t lines = 0;
    for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++) {
        lines++;
    }
    cr_expect_lt(lines, 70, "%zu", lines);
    expect_all(text, (const char *[]){"        and more\n", NULL});
    free(text);
}

Test(ntsq_text, colour_only_when_asked_for_and_nothing_of_a_peer_s)
{
    struct fixture f;
    fixture_init(&f, 1);
    (void)snprintf(f.ke.tls.names, sizeof(f.ke.tls.names), "DNS:\033[31mevil\r\n");
    char *plain = report(&f, false);
    cr_expect_null(strchr(plain, '\033'));
    cr_expect_null(strchr(plain, '\r'));
    cr_expect_not_null(strstr(plain, "DNS:?[31mevil??\n"));
    char *coloured = report(&f, true);
    cr_expect_not_null(strstr(coloured, "\033[32mauthenticated:"));
    cr_expect_null(strstr(coloured, "\033[31m"));
    free(plain);
    free(coloured);
}
