/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/metric_line.h"

#include <criterion/criterion.h>
#include <stdio.h>

static bool next_of(const char *text, struct metric_line *line)
{
    struct rd r = rd_init(span_of(text, strlen(text)));
    return metric_line_next(&r, line);
}

Test(metric_line, one_line)
{
    static const struct {
        const char *text;
        double value;  /* -1: not a line */
        const char *a; /* text of label `a`; NULL: it has none */
    } rows[] = {
        {"n 1", 1, NULL},
        {"n 1\n", 1, NULL},
        {"n{a=\"x\"} 2.5e-3", 2.5e-3, "x"},
        {"n{b=\"y\",a=\"x\"} 1", 1, "x"},
        {"n{b=\"y\",a=\"x\",} 1", 1, "x"},
        {"n{} 1", 1, NULL},
        {"n{a=\"\"} 1", 1, NULL},
        {"n{a=\"}, =\"} 1", 1, "}, ="},
        {"n{a=\"1\",b=\"2\",c=\"3\",d=\"4\"} 1", 1, "1"},
        {"n{a=\"1\",b=\"2\",c=\"3\",d=\"4\",e=\"5\"} 1", -1, NULL},
        {"# n 1", -1, NULL},
        {"", -1, NULL},
        {"n", -1, NULL},
        {"n ", -1, NULL},
        {" 1", -1, NULL},
        {"{a=\"x\"} 1", -1, NULL},
        {"n 1 1395066363000", -1, NULL},
        {"n 1x", -1, NULL},
        {"n nan", -1, NULL},
        {"n inf", -1, NULL},
        {"n 1e999", -1, NULL},
        {"n{a=\"x\"}1", -1, NULL},
        {"n{a=\"x\" 1", -1, NULL},
        {"n{a=\"x} 1", -1, NULL},
        {"n{a=x} 1", -1, NULL},
        {"n{a} 1", -1, NULL},
        {"n{a", -1, NULL},
        {"n{", -1, NULL},
        {"n 00000000000000000000000000000000000000001", -1, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct metric_line line;
        bool good = next_of(rows[i].text, &line);
        cr_assert_eq(good, rows[i].value >= 0, "row %zu: %s", i, rows[i].text);
        if (!good) {
            continue;
        }
        cr_expect(metric_line_is(&line, "n"));
        cr_expect_not(metric_line_is(&line, "nn"));
        cr_expect_float_eq(line.value, rows[i].value, 1e-12, "row %zu", i);
        struct span a = metric_line_label(&line, "a");
        size_t n = rows[i].a != NULL ? strlen(rows[i].a) : 0;
        cr_expect(span_is(a, rows[i].a, n), "row %zu", i);
    }
}

Test(metric_line, lines_of_a_text)
{
    static const char text[] = "# HELP a b\n\na 1\nwrong\nb{x=\"y\"} 2\nc 3";
    static const char *const names[] = {"a", "b", "c"};
    struct rd r = rd_init(span_of(text, sizeof(text) - 1));
    struct metric_line line;
    for (size_t i = 0; i < 3; i++) {
        cr_assert(metric_line_next(&r, &line));
        cr_expect(metric_line_is(&line, names[i]));
        cr_expect_float_eq(line.value, (double)i + 1, 1e-9);
    }
    cr_expect_not(metric_line_next(&r, &line));
    cr_expect_not(metric_line_next(&r, &line));
}

Test(metric_line, what_is_no_text)
{
    static const uint8_t zero[] = {'n', ' ', '1', 0, '2'};
    char text[METRIC_LINE_MAX + 2];
    struct metric_line line;
    struct rd r = rd_init(span_of(zero, sizeof(zero)));
    cr_expect_not(metric_line_next(&r, &line));
    r = rd_init(span_of(NULL, 0));
    cr_expect_not(metric_line_next(&r, &line));
    memset(text, 'n', sizeof(text));
    memcpy(text + METRIC_LINE_MAX - 2, " 1", 2);
    r = rd_init(span_of(text, METRIC_LINE_MAX));
    cr_expect(metric_line_next(&r, &line));
    memcpy(text + METRIC_LINE_MAX - 2, "nn 1", 4);
    r = rd_init(span_of(text, METRIC_LINE_MAX + 2));
    cr_expect_not(metric_line_next(&r, &line));
}
