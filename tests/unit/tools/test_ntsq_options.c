/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ntsq's command line: every option, its limits, and what is refused.
 */
#include "tools/ntsq_options.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { ARGS_MAX = 8 };

static enum nts_err parse(const char *const *args, struct ntsq_options *options,
                          struct ntsq_options_fault *fault)
{
    char *argv[ARGS_MAX + 2] = {(char *)(uintptr_t) "ntsq"};
    int argc = 1;
    for (; argc <= ARGS_MAX && args[argc - 1] != NULL; argc++) {
        argv[argc] = (char *)(uintptr_t)args[argc - 1];
    }
    return ntsq_options_parse(argc, argv, options, fault);
}

Test(ntsq_options, defaults)
{
    struct ntsq_options o;
    struct ntsq_options_fault fault;
    cr_assert_eq(parse((const char *[]){"time.example", NULL}, &o, &fault), NTS_OK);
    cr_expect_str_eq(o.host, "time.example");
    cr_expect_null(o.ca_file);
    cr_expect_eq(o.ke_port, 4460);
    cr_expect_eq(o.port, 0);
    cr_expect_eq(o.count, 1);
    cr_expect_eq(o.timeout_ms, 5000);
    cr_expect_eq(o.interval_ms, 100);
    cr_expect(!o.json && !o.plain && !o.no_clock && !o.ipv4_only && !o.ipv6_only);
    cr_expect(!o.help && !o.version);
}

Test(ntsq_options, every_option_takes_effect)
{
    struct ntsq_options o;
    struct ntsq_options_fault fault;
    cr_assert_eq(parse((const char *[]){"--ca", "ca.pem", "--ke-port=14460", "h", "--port", "11123",
                                        "--json", "--no-clock", NULL},
                       &o, &fault),
                 NTS_OK, "%s", fault.text);
    cr_expect_str_eq(o.ca_file, "ca.pem");
    cr_expect_eq(o.ke_port, 14460);
    cr_expect_eq(o.port, 11123);
    cr_expect(o.json && o.no_clock && !o.plain);
    cr_assert_eq(parse((const char *[]){"--count=7", "--timeout", "2.5", "--interval=0", "--plain",
                                        "-4", "h", NULL},
                       &o, &fault),
                 NTS_OK, "%s", fault.text);
    cr_expect_eq(o.count, 7);
    cr_expect_eq(o.timeout_ms, 2500);
    cr_expect_eq(o.interval_ms, 0);
    cr_expect(o.plain && o.ipv4_only && !o.ipv6_only);
    cr_assert_eq(parse((const char *[]){"--cert", "d.pem", "--key=d.key", "h", NULL}, &o, &fault),
                 NTS_OK);
    cr_expect_str_eq(o.cert_file, "d.pem");
    cr_expect_str_eq(o.key_file, "d.key");
    cr_assert_eq(parse((const char *[]){"-6", "h", NULL}, &o, &fault), NTS_OK);
    cr_expect(o.ipv6_only);
    cr_assert_eq(parse((const char *[]){"--help", NULL}, &o, &fault), NTS_OK);
    cr_expect(o.help);
    cr_assert_eq(parse((const char *[]){"-V", NULL}, &o, &fault), NTS_OK);
    cr_expect(o.version);
}

Test(ntsq_options, hosts)
{
    static const struct {
        const char *arg[3];
        const char *host;
    } cases[] = {
        {{"[::1]", NULL}, "::1"},
        {{"::1", NULL}, "::1"},
        {{"--", "-h", NULL}, "-h"},
        {{"[]x", NULL}, "[]x"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ntsq_options o;
        struct ntsq_options_fault fault;
        cr_assert_eq(parse(cases[i].arg, &o, &fault), NTS_OK, "case %zu: %s", i, fault.text);
        cr_expect_str_eq(o.host, cases[i].host);
    }
}

Test(ntsq_options, limits)
{
    static const struct {
        const char *name;
        const char *value;
        bool good;
    } cases[] = {
        {"--port", "1", true},           {"--port", "65535", true},
        {"--port", "0", false},          {"--port", "65536", false},
        {"--port", "-1", false},         {"--port", "12x", false},
        {"--port", "", false},           {"--port", " 1", false},
        {"--port", "4294967297", false}, {"--port", "1.0", false},
        {"--ke-port", "65535", true},    {"--ke-port", "0", false},
        {"--count", "1", true},          {"--count", "100000", true},
        {"--count", "0", false},         {"--count", "100001", false},
        {"--timeout", "0.1", true},      {"--timeout", "60", true},
        {"--timeout", "0.099", false},   {"--timeout", "60.001", false},
        {"--timeout", ".5", false},      {"--timeout", "1.", false},
        {"--timeout", "1.2345", false},  {"--timeout", "1e1", false},
        {"--timeout", "nan", false},     {"--timeout", "999999999", false},
        {"--interval", "0", true},       {"--interval", "3600", true},
        {"--interval", "0.001", true},   {"--interval", "3600.5", false},
        {"--interval", "inf", false},    {"--ca", "", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ntsq_options o;
        struct ntsq_options_fault fault;
        const char *args[] = {cases[i].name, cases[i].value, "h", NULL};
        enum nts_err err = parse(args, &o, &fault);
        cr_expect_eq(err == NTS_OK, cases[i].good, "%s '%s': %s", cases[i].name, cases[i].value,
                     fault.text);
        cr_expect(cases[i].good || strstr(fault.text, cases[i].name) != NULL,
                  "'%s' names the option", fault.text);
    }
}

Test(ntsq_options, wrong_usage)
{
    static const struct {
        const char *args[5];
        const char *says;
    } cases[] = {
        {{NULL}, "HOST"},
        {{"--json", NULL}, "HOST"},
        {{"a", "b", NULL}, "'b'"},
        {{"", NULL}, "host"},
        {{"[]", NULL}, "host"},
        {{"--what", "h", NULL}, "'--what'"},
        {{"--portly=1", "h", NULL}, "'--portly=1'"},
        {{"--por", "1", "h", NULL}, "'--por'"},
        {{"-x", "h", NULL}, "'-x'"},
        {{"-", "h", NULL}, "'-'"},
        {{"h", "--ca", NULL}, "--ca needs a value"},
        {{"h", "--port", NULL}, "--port needs a value"},
        {{"h", "--count", NULL}, "--count needs a value"},
        {{"h", "--timeout", NULL}, "--timeout needs a value"},
        {{"h", "--json=yes", NULL}, "--json takes no value"},
        {{"h", "--plain", "--no-clock", NULL}, "--plain"},
        {{"h", "--cert", "x", NULL}, "--key"},
        {{"h", "--key", "x", NULL}, "--cert"},
        {{"h", "-4", "-6", NULL}, "-4 and -6"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ntsq_options o;
        struct ntsq_options_fault fault;
        cr_expect_eq(parse(cases[i].args, &o, &fault), NTS_EFORMAT, "case %zu", i);
        cr_expect(strstr(fault.text, cases[i].says) != NULL, "case %zu: %s", i, fault.text);
        cr_expect_eq(o.count, 0, "zeroed");
    }
}

Test(ntsq_options, a_host_longer_than_any_name_is_refused)
{
    char host[NTSQ_HOST_MAX + 2];
    struct ntsq_options o;
    struct ntsq_options_fault fault;
    memset(host, 'a', sizeof(host) - 1);
    host[sizeof(host) - 1] = '\0';
    cr_expect_eq(parse((const char *[]){host, NULL}, &o, &fault), NTS_EFORMAT);
    host[NTSQ_HOST_MAX] = '\0';
    cr_expect_eq(parse((const char *[]){host, NULL}, &o, &fault), NTS_OK);
}

Test(ntsq_options, usage_names_every_option)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    ntsq_options_usage(out);
    (void)fclose(out);
    static const char *const names[] = {"--ca FILE",   "--ke-port N", "--port N", "--count N",
                                        "--cert FILE", "--key FILE",  "--plain",  "--interval S",
                                        "--timeout S", "--no-clock",  "--json",   "-4, ",
                                        "-6, ",        "-h, "};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cr_expect(strstr(text, names[i]) != NULL, "%s", names[i]);
    }
    free(text);
}
