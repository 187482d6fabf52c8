/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/fleet_text.h"

#include "tests/unit/tools/fleet_sample.h"

#include <criterion/criterion.h>
#include <jansson.h>

enum { TEXT_MAX = 65536 };

static char text[TEXT_MAX];

static void shown(const struct fleet_host *hosts, size_t count, bool json)
{
    memset(text, 0, sizeof(text));
    FILE *out = fmemopen(text, sizeof(text) - 1, "w");
    cr_assert_not_null(out);
    if (json) {
        cr_assert_eq(fleet_text_json(hosts, count, out), NTS_OK);
    } else {
        fleet_text_print(hosts, count, out);
    }
    (void)fclose(out);
}

static const char *last_line(void)
{
    size_t n = strlen(text);
    cr_assert(n > 1 && text[n - 1] == '\n');
    text[n - 1] = '\0';
    char *line = strrchr(text, '\n');
    text[n - 1] = '\n';
    return line + 1;
}

Test(fleet_text, all_agree)
{
    struct fleet_host hosts[] = {sample_host("a.example", 1, 0x2a001f),
                                 sample_host("192.0.2.7:9000", 1, 0x2a0020)};
    hosts[1].facts.from_cache = true;
    cr_assert(fleet_compare(hosts, 2));
    shown(hosts, 2, false);
    cr_expect_not_null(strstr(text, "a.example      0.1.0    synchronised 2a001f "), "%s", text);
    cr_expect_not_null(strstr(text, " 5 file                 30s no     agrees\n"), "%s", text);
    cr_expect_not_null(strstr(text, " yes    agrees\n"));
    cr_expect_str_eq(last_line(), "2 hosts agree\n");
    cr_assert(fleet_compare(hosts, 1));
    shown(hosts, 1, false);
    cr_expect_str_eq(last_line(), "1 host, and nothing to compare it with\n");
}

Test(fleet_text, who_does_not)
{
    struct fleet_host hosts[] = {sample_host("a", 1, 16), sample_host("b", 2, 16),
                                 sample_host("c", 1, 16), sample_host("d", 1, 16),
                                 sample_host("e", 1, 16), sample_host("f", 1, 16),
                                 sample_host("g", 1, 18), sample_host("h", 1, 14)};
    (void)memcpy(hosts[1].facts.provider, "auto", 5);
    hosts[3].reached = false;
    (void)snprintf(hosts[3].why, sizeof(hosts[3].why), "no connection to d: \x1b[31m");
    hosts[4].facts.has_keys = false;
    hosts[5].facts.provider_age_s = 5000;
    cr_assert_not(fleet_compare(hosts, 8));
    shown(hosts, 8, false);
    cr_expect_not_null(strstr(text, "DISAGREES: its key 00000d is not that of a (`ntskeys auto`"),
                       "%s", text);
    cr_expect_not_null(strstr(text, "NOT REACHED: no connection to d: ?[31m\n"));
    cr_expect_not_null(strstr(text, "HAS NO KEYS\n"));
    cr_expect_not_null(strstr(text, "agrees, but its provider is SILENT\n"));
    cr_expect_not_null(strstr(text, "DISAGREES: a does not hold its key 000012\n"));
    cr_expect_not_null(strstr(text, "DISAGREES: lacks key 000010, with which a issues\n"));
    cr_expect_not_null(strstr(text, "\n\nnot reached: d\nwithout keys: e\nprovider silent: f\n"));
    cr_expect_str_eq(last_line(), "disagree: b, g, h\n");
}

Test(fleet_text, json)
{
    struct fleet_host hosts[] = {sample_host("a", 1, 16), sample_host("b", 2, 16),
                                 sample_host("c\xff", 1, 16)};
    hosts[2].reached = false;
    (void)snprintf(hosts[2].why, sizeof(hosts[2].why), "status \xff");
    cr_assert_not(fleet_compare(hosts, 3));
    shown(hosts, 3, true);
    json_t *root = json_loads(text, 0, NULL);
    cr_assert_not_null(root, "%s", text);
    cr_expect(json_is_false(json_object_get(root, "agree")));
    json_t *list = json_object_get(root, "hosts");
    cr_assert_eq(json_array_size(list), 3);
    const char *verdict;
    const char *against;
    const char *id;
    double age;
    json_t *held;
    cr_assert_eq(json_unpack(json_array_get(list, 1), "{s:s, s:s, s:{s:{s:s}, s:F, s:o}}",
                             "verdict", &verdict, "against", &against, "facts", "issuing", "id",
                             &id, "provider_age", &age, "held", &held),
                 0);
    cr_expect_str_eq(verdict, "other_secret");
    cr_expect_str_eq(against, "a");
    cr_expect_str_eq(id, "000010");
    cr_expect_float_eq(age, 30, 1e-9);
    cr_expect_eq(json_array_size(held), 5);
    json_t *last = json_array_get(list, 2);
    cr_expect_str_eq(json_string_value(json_object_get(last, "error")), "status ?");
    cr_expect_str_eq(json_string_value(json_object_get(last, "host")), "c?");
    cr_expect(json_is_null(json_object_get(last, "facts")));
    json_decref(root);
}
