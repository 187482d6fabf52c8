/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as people read them, and the table.
 */
#include "tools/status_text.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(status_text, seconds)
{
    static const struct {
        double s;
        const char *text;
    } cases[] = {
        {0, "0ns"},           {5e-9, "5ns"},         {-3.14e-7, "-314ns"}, {1e-6, "1.00us"},
        {-2.6e-6, "-2.60us"}, {57.296e-6, "57.3us"}, {456.7e-6, "457us"},  {9.994e-3, "9.99ms"},
        {0.0504, "50.4ms"},   {0.9996, "0.9996s"},   {10, "10s"},          {-86400.5, "-8.64e+04s"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[STATUS_SPAN_TEXT_MAX];
        status_text_seconds(cases[i].s, text);
        cr_expect_str_eq(text, cases[i].text, "%s", text);
    }
}

Test(status_text, ages)
{
    static const struct {
        double s;
        const char *text;
    } cases[] = {{-1, "-"},     {0, "0s"},     {0.25, "250ms"}, {1, "1s"},
                 {999, "999s"}, {1024, "17m"}, {86400, "24h"},  {864000, "10d"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[STATUS_SPAN_TEXT_MAX];
        status_text_age(cases[i].s, text);
        cr_expect_str_eq(text, cases[i].text, "%s", text);
    }
}

Test(status_text, references)
{
    static const struct {
        const char *hex;
        unsigned stratum;
        const char *text;
    } cases[] = {
        {"a9fea97b", 4, "169.254.169.123"},
        {"50484300", 1, "PHC"},
        {"4c4f434c", 1, "LOCL"},
        {"01ff2041", 1, "???A"},
        {"00000000", 0, "0.0.0.0"},
        {"", 3, "0.0.0.0"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[STATUS_SPAN_TEXT_MAX];
        status_text_reference(cases[i].hex, cases[i].stratum, text);
        cr_expect_str_eq(text, cases[i].text, "%s", text);
    }
}

static char *printed(const struct status *status)
{
    static char text[4096];
    FILE *out = fmemopen(text, sizeof(text), "w");
    cr_assert_not_null(out);
    status_text_print(status, out);
    (void)fclose(out);
    return text;
}

Test(status_text, table)
{
    struct status status = {.state = "holdover",
                            .reference = "a9fea97b",
                            .trusted = true,
                            .ready_ntp = true,
                            .stratum = 4,
                            .has_bound = true,
                            .bound_s = 0.00123,
                            .remaining_s = -2.6e-6,
                            .frequency_ppm = -1.5,
                            .source_count = 2};
    status.source[0] = (struct status_source){.name = "169.254.169.123",
                                              .kind = "ntp",
                                              .verdict = "selected",
                                              .stratum = 3,
                                              .reach = 0xff,
                                              .poll_s = 16,
                                              .age_s = 4,
                                              .offset_s = -2.5e-6};
    status.source[1] = (struct status_source){
        .name = "/dev/\x1b[2J", .kind = "phc", .verdict = "silent", .age_s = -1};
    const char *text = printed(&status);
    cr_expect_not_null(strstr(text, "State        holdover, time is served, ready\n"));
    cr_expect_not_null(strstr(text, "169.254.169.123, stratum 4, no leap second\n"));
    cr_expect_not_null(strstr(text, "Error bound  1.23ms\n"));
    cr_expect_not_null(strstr(text, "-2.60us still to be slewed; frequency -1.500 ppm"));
    cr_expect_not_null(strstr(text, "\n* 169.254.169.123 "));
    cr_expect_not_null(strstr(text, " 377 "), "in octal, as ntpq and chronyc have it");
    cr_expect_not_null(strstr(text, "\n? /dev/?[2J"), "no control character gets out");
    cr_expect_null(strchr(text, 0x1b));
}

/* Every verdict there is, as metrics name them. */
Test(status_text, marks)
{
    static const struct {
        const char *verdict;
        const char *line;
    } cases[] = {{"selected", "\n* s "},  {"combined", "\n+ s "},    {"spare", "\n- s "},
                 {"candidate", "\n  s "}, {"falseticker", "\nx s "}, {"far", "\n~ s "},
                 {"silent", "\n? s "}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct status status = {.state = "synchronised", .source_count = 1};
        status.source[0] = (struct status_source){.name = "s", .kind = "ntp"};
        (void)snprintf(status.source[0].verdict, sizeof(status.source[0].verdict), "%s",
                       cases[i].verdict);
        cr_expect_not_null(strstr(printed(&status), cases[i].line), "%s", cases[i].verdict);
    }
}

Test(status_text, nothing_known)
{
    const struct status status = {.state = "starting"};
    const char *text = printed(&status);
    cr_expect_not_null(strstr(text, "starting, no time is served, not ready"));
    cr_expect_not_null(strstr(text, "Error bound  unknown"));
    cr_expect_not_null(strstr(text, "the kernel clock"));
}
