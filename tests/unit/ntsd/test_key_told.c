/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a trouble that lasts is told.
 */
#include "ntsd/key_told.h"

#include <criterion/criterion.h>
#include <string.h>

static struct key_told told;

static struct mono_ns at(int64_t seconds)
{
    return (struct mono_ns){.ns = seconds * NS_PER_S};
}

Test(key_told, once_and_then_rarely)
{
    size_t lines = 0;
    for (int64_t s = 1; s <= 86400; s++) {
        lines += key_told_may(&told, "no route to host", at(s)) ? 1 : 0;
    }
    cr_expect_eq(lines, 24);
}

Test(key_told, another_reason_is_news)
{
    cr_expect(key_told_may(&told, "no route to host", at(1)));
    cr_expect_not(key_told_may(&told, "no route to host", at(2)));
    cr_expect(key_told_may(&told, "throttled", at(3)));
    cr_expect_not(key_told_may(&told, "throttled", at(4)));
}

Test(key_told, reasons_that_take_turns_are_bounded)
{
    size_t lines = 0;
    for (int64_t s = 1; s <= 3600; s++) {
        lines += key_told_may(&told, s % 2 == 0 ? "one" : "other", at(s)) ? 1 : 0;
    }
    cr_expect_geq(lines, 5);
    cr_expect_leq(lines, 66);
}

Test(key_told, over)
{
    cr_expect_not(key_told_over(&told), "nothing was told");
    cr_expect(key_told_may(&told, "no route to host", at(1)));
    cr_expect(key_told_over(&told));
    cr_expect_not(key_told_over(&told));
    cr_expect(key_told_may(&told, "no route to host", at(2)), "it begins anew");
}

Test(key_told, long_reasons_are_compared_as_far_as_they_are_kept)
{
    char text[2 * KEY_TOLD_MAX];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    cr_expect(key_told_may(&told, text, at(1)));
    cr_expect_eq(strlen(told.text), KEY_TOLD_MAX - 1);
    cr_expect_not(key_told_may(&told, text, at(2)));
}
