/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/ntsctl.h"

#include <criterion/criterion.h>
#include <string.h>

enum { ARGS_MAX = 8 };

static enum nts_err parse(const char *const *words, struct ntsctl_certs *asked,
                          struct ntsctl_fault *fault)
{
    char *argv[ARGS_MAX + 1] = {NULL};
    int argc = 0;
    for (; words[argc] != NULL; argc++) {
        argv[argc] = (char *)(uintptr_t)words[argc];
    }
    return ntsctl_certs_parse(argc, argv, asked, fault);
}

Test(ntsctl_certs, good_and_wrong_usage)
{
    static const struct {
        const char *words[ARGS_MAX];
        const char *fault; /* NULL: good */
    } rows[] = {
        {{"dev", "d"}, NULL},
        {{"dev", "d", "--name", "a"}, NULL},
        {{"dev", "--name=a", "--ip=::1", "d"}, NULL},
        {{"dev", "--name", "-a", "d"}, NULL},
        {{NULL}, "dev"},
        {{"make", "d"}, "dev"},
        {{"dev"}, "directory is missing"},
        {{"dev", ""}, "directory"},
        {{"dev", "d", "e"}, "not also \"e\""},
        {{"dev", "d", "--name"}, "--name needs a value"},
        {{"dev", "d", "--ip="}, "--ip needs a value"},
        {{"dev", "d", "--names", "a"}, "no such option: --names"},
        {{"dev", "d", "-x"}, "no such option: -x"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ntsctl_certs asked;
        struct ntsctl_fault fault = {{0}};
        enum nts_err err = parse(rows[i].words, &asked, &fault);
        cr_assert_eq(err, rows[i].fault == NULL ? NTS_OK : NTS_EFORMAT, "row %zu", i);
        cr_assert(rows[i].fault == NULL || strstr(fault.text, rows[i].fault) != NULL, "%s",
                  fault.text);
    }
}

Test(ntsctl_certs, names_and_addresses_in_order)
{
    static const char *const words[] = {"dev",       "--name", "a",        "--ip",
                                        "192.0.2.1", "d",      "--name=b", NULL};
    struct ntsctl_certs asked;
    struct ntsctl_fault fault;
    cr_assert_eq(parse(words, &asked, &fault), NTS_OK);
    cr_assert_str_eq(asked.dir, "d");
    cr_assert_eq(asked.name_count, 2);
    cr_assert_str_eq(asked.names[0], "a");
    cr_assert_str_eq(asked.names[1], "b");
    cr_assert_eq(asked.ip_count, 1);
    cr_assert_str_eq(asked.ips[0], "192.0.2.1");
}

Test(ntsctl_certs, too_many_names)
{
    char *argv[2 + NTSCTL_NAMES_MAX + 1];
    char dev[] = "dev";
    char dir[] = "d";
    char name[] = "--name=a";
    struct ntsctl_certs asked;
    struct ntsctl_fault fault;
    argv[0] = dev;
    argv[1] = dir;
    for (size_t i = 0; i <= NTSCTL_NAMES_MAX; i++) {
        argv[2 + i] = name;
    }
    cr_assert_eq(ntsctl_certs_parse(2 + NTSCTL_NAMES_MAX, argv, &asked, &fault), NTS_OK);
    cr_assert_eq(ntsctl_certs_parse(3 + NTSCTL_NAMES_MAX, argv, &asked, &fault), NTS_EFORMAT);
}
