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
