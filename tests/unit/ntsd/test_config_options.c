/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seconds with a fraction, to the nanosecond and back.
 */
#include "ntsd/config_options.h"

#include "common/base/time.h"

#include <criterion/criterion.h>

#define BAD INT64_MIN

Test(config_options, seconds)
{
    static const struct {
        const char *word;
        int64_t ns;
    } cases[] = {
        {"0", 0},
        {"1", NS_PER_S},
        {"-1", -NS_PER_S},
        {"0.05", 50000000},
        {"0.000000001", 1},
        {"-0.000000001", -1},
        {"1.999999999", 1999999999},
        {"00.5", 500000000},
        {"2", 2 * NS_PER_S},
        {"2.000000001", BAD},
        {"-2.1", BAD},
        {"", BAD},
        {"-", BAD},
        {".", BAD},
        {".5", BAD},
        {"5.", BAD},
        {"+1", BAD},
        {"--1", BAD},
        {"1 ", BAD},
        {"1.0000000000", BAD},
        {"1.5.5", BAD},
        {"1,5", BAD},
        {"1e0", BAD},
        {"nan", BAD},
        {"9999999999", BAD},
        {"0.5s", BAD},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ns = 77;
        bool good = config_seconds(cases[i].word, -2 * NS_PER_S, 2 * NS_PER_S, &ns);
        cr_expect_eq(good, cases[i].ns != BAD, "'%s'", cases[i].word);
        cr_expect_eq(ns, cases[i].ns == BAD ? 77 : cases[i].ns, "'%s': %ld", cases[i].word,
                     (long)ns);
    }
    int64_t ns = 0;
    cr_expect_not(config_seconds("-1", 0, NS_PER_S, &ns), "a sign only where one makes sense");
}

Test(config_options, seconds_as_text)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {{0, "0"},           {NS_PER_S, "1"},       {-NS_PER_S, "-1"},   {100000, "0.0001"},
                 {50000000, "0.05"}, {10 * NS_PER_S, "10"}, {-1, "-0.000000001"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[CONFIG_SECONDS_TEXT_MAX];
        config_seconds_text(cases[i].ns, text);
        cr_expect_str_eq(text, cases[i].text);
    }
}
