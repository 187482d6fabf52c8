/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every verdict and every counter has a name of its own, fit for a metric.
 */
#include "ntp/ntp_service.h"

#include <criterion/criterion.h>

Test(verdict, names_are_there_and_distinct)
{
    for (unsigned i = 0; i < NTP_COUNTERS; i++) {
        const char *name = ntp_count_name(i);
        cr_assert_not_null(name, "counter %u", i);
        cr_assert_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
        for (unsigned j = 0; j < i; j++) {
            cr_assert_str_neq(name, ntp_count_name(j));
        }
    }
    cr_assert_null(ntp_count_name(NTP_COUNTERS));
    cr_assert_null(ntp_verdict_name(NTP_VERDICTS));
    cr_assert_str_eq(ntp_verdict_name(NTP_DROP_MODE), "drop_mode");
}

Test(verdict, answers_and_naks_are_sent_and_drops_are_not)
{
    for (int i = 0; i < NTP_VERDICTS; i++) {
        bool drop = strncmp(ntp_verdict_name((enum ntp_verdict)i), "drop_", 5) == 0;
        cr_assert_eq(ntp_verdict_is_answer((enum ntp_verdict)i), !drop);
    }
}

Test(verdict, ages_of_cookies)
{
    static const struct {
        size_t slot;
        size_t issuing;
        const char *name;
    } cases[] = {
        {0, 0, "0"},   {1, 0, "next"}, {2, 0, "next"},   {5, 5, "0"},    {4, 5, "1"},
        {3, 5, "2"},   {2, 5, "3"},    {1, 5, "4-7"},    {3, 10, "4-7"}, {2, 10, "8+"},
        {0, 63, "8+"}, {63, 63, "0"},  {63, 62, "next"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned index = ntp_count_of_age(cases[i].slot, cases[i].issuing);
        cr_assert(index >= NTP_COUNT_AGE_0 && index < NTP_COUNT_AGE_0 + NTP_COOKIE_AGES);
        cr_expect_str_eq(ntp_cookie_age_name(index - NTP_COUNT_AGE_0), cases[i].name, "%zu of %zu",
                         cases[i].slot, cases[i].issuing);
    }
    cr_expect_null(ntp_cookie_age_name(NTP_COOKIE_AGES));
}
