/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line of `ntsctl keys`, and times as people write them.
 */
#include "tools/keys_options.h"

#include <criterion/criterion.h>
#include <string.h>

enum { ARGS_MAX = 8 };

static enum nts_err parse(const char *const *words, struct keys_options *options,
                          struct keys_options_fault *fault)
{
    char *argv[ARGS_MAX + 1] = {NULL};
    int argc = 0;
    for (; argc < ARGS_MAX && words[argc] != NULL; argc++) {
        argv[argc] = (char *)(uintptr_t)words[argc];
    }
    return keys_options_parse(argc, argv, options, fault);
}

Test(keys_options, good_and_wrong_usage)
{
    static const struct {
        const char *words[ARGS_MAX];
        const char *fault; /* NULL: good */
    } rows[] = {
        {{"init", "f"}, NULL},
        {{"init", "f", "--rotate", "60", "--at=5"}, NULL},
        {{"init", "--at", "2026-01-01", "f"}, NULL},
        {{"add", "f"}, NULL},
        {{"add", "--in=0", "--rotate", "3600", "f", "--again"}, NULL},
        {{"show", "-"}, NULL},
        {{"show", "--json", "f", "--lifetime", "60"}, NULL},
        {{"prune", "f"}, NULL},
        {{"revoke", "f", "255"}, NULL},
        {{"rotate", "f", "--every", "1"}, NULL},
        {{"rotate", "--aws", "arn:x", "--in", "1"}, NULL},
        {{NULL}, "has the commands"},
        {{"list"}, "not list"},
        {{"init"}, "file is missing"},
        {{"init", ""}, "\"\""},
        {{"init", "f", "g"}, "\"g\""},
        {{"init", "f", "--again"}, "init has no option --again"},
        {{"init", "f", "--rotate", "59"}, "60 to 31622400, not '59'"},
        {{"init", "f", "--rotate", "31622401"}, "not '31622401'"},
        {{"init", "f", "--rotate", "-1"}, "not '-1'"},
        {{"init", "f", "--rotate", "1d"}, "not '1d'"},
        {{"init", "f", "--rotate"}, "--rotate needs a value"},
        {{"init", "f", "--rotate="}, "--rotate needs a value"},
        {{"init", "f", "--at", "yesterday"}, "not 'yesterday'"},
        {{"init", "f", "--at", "253402300800"}, "not '253402300800'"},
        {{"add", "f", "--every", "1"}, "add has no option --every"},
        {{"add", "f", "--again=yes"}, "--again takes no value"},
        {{"add", "f", "--in", "99999999999999999999"}, "--in takes seconds"},
        {{"add", "f", "--aws", "x"}, "add has no option --aws"},
        {{"show", "f", "--jso"}, "no option --jso"},
        {{"revoke"}, "file is missing"},
        {{"revoke", "f"}, "id of the epoch is missing"},
        {{"revoke", "f", "0"}, "1 to 255, not '0'"},
        {{"revoke", "f", "256"}, "not '256'"},
        {{"revoke", "f", "1", "2"}, "\"2\""},
        {{"rotate"}, "either a file or --aws"},
        {{"rotate", "f", "--aws", "x"}, "either a file or --aws"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct keys_options options;
        struct keys_options_fault fault = {""};
        enum nts_err err = parse(rows[i].words, &options, &fault);
        cr_expect_eq(err, rows[i].fault == NULL ? NTS_OK : NTS_EFORMAT, "row %zu: %s", i,
                     fault.text);
        cr_expect(rows[i].fault == NULL || strstr(fault.text, rows[i].fault) != NULL, "row %zu: %s",
                  i, fault.text);
    }
}

Test(keys_options, what_was_asked)
{
    static const char *const words[] = {"rotate", "--aws",      "arn:a", "--every", "7",
                                        "--in=8", "--lifetime", "99",    NULL};
    static const char *const init[] = {"init", "f", "--rotate", "60", "--at", "1970-01-02", NULL};
    static const char *const revoke[] = {"revoke", "f", "17", NULL};
    struct keys_options options;
    struct keys_options_fault fault;
    cr_assert_eq(parse(words, &options, &fault), NTS_OK);
    cr_expect_eq(options.command, KEYS_ROTATE);
    cr_expect_str_eq(options.secret, "arn:a");
    cr_expect_null(options.file);
    cr_expect_eq(options.wish.every_s, 7);
    cr_expect_eq(options.wish.ahead_s, 8);
    cr_expect_eq(options.wish.lifetime_s, 99);
    cr_expect_eq(options.wish.rotate_s, 0);
    cr_assert_eq(parse(init, &options, &fault), NTS_OK);
    cr_expect_eq(options.wish.rotate_s, 60);
    cr_expect_eq(options.at_s, 86400);
    cr_expect_eq(options.wish.ahead_s, KEYEDIT_AHEAD_S);
    cr_expect_eq(options.wish.every_s, KEYEDIT_EVERY_S);
    cr_expect_eq(options.wish.lifetime_s, KEYEDIT_LIFETIME_S);
    cr_assert_eq(parse(revoke, &options, &fault), NTS_OK);
    cr_expect_eq(options.id, 17);
    cr_expect_eq(options.at_s, -1);
}

Test(keys_options, times)
{
    static const struct {
        const char *text;
        int64_t time_s; /* -1: none */
    } rows[] = {
        {"0", 0},
        {"1767225600", 1767225600},
        {"1970-01-01", 0},
        {"2026-01-01", 1767225600},
        {"2026-01-01T00:00Z", 1767225600},
        {"2026-01-01T01:02:03Z", 1767225600 + 3723},
        {"2024-02-29", 1709164800},
        {"2024-03-01T00:00:00Z", 1709251200},
        {"2000-02-29", 951782400},
        {"2100-01-01", 4102444800},
        {"9999-12-31T23:59:59Z", 253402300799},
        {"2023-02-29", -1},
        {"2100-02-29", -1},
        {"1969-12-31", -1},
        {"2026-13-01", -1},
        {"2026-00-01", -1},
        {"2026-01-00", -1},
        {"2026-04-31", -1},
        {"2026-1-1", -1},
        {"2026-01-01 00:00Z", -1},
        {"2026-01-01T00:00", -1},
        {"2026-01-01T24:00Z", -1},
        {"2026-01-01T00:60Z", -1},
        {"2026-01-01T00:00:60Z", -1},
        {"2026-01-01T00:00:00", -1},
        {"2026-01-01T00:00:00Zx", -1},
        {"2026-01-01T", -1},
        {"2026-01-01T00", -1},
        {"2026-01-01Z", -1},
        {"", -1},
        {"-5", -1},
        {"5s", -1},
        {"12345678901234567890", -1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t time_s = 0;
        bool good = keys_options_time(rows[i].text, &time_s);
        cr_expect_eq(good, rows[i].time_s >= 0, "%s", rows[i].text);
        cr_expect(!good || time_s == rows[i].time_s, "%s", rows[i].text);
    }
}
