/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the directive to the provider.
 */
#include "ntsd/key_source.h"
#include "tests/unit/ntsd/config_text.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define ARN "arn:aws:secretsmanager:eu-west-1:123456789012:secret:n"

static struct parsed p;

Test(key_source, each_provider)
{
    static const struct {
        const char *line;
        const char *name;
        enum provider_kind kind;
        const char *source;
        const char *argv0;
    } cases[] = {
        {"ntskeys file /run/doc", "file", PROVIDER_FILE, "/run/doc", NULL},
        {"ntskeys cache command fetch it", "command", PROVIDER_COMMAND, NULL, "fetch"},
        {"ntskeys aws-secretsmanager " ARN, "aws-secretsmanager", PROVIDER_AWS, ARN, NULL},
        {"ntskeys aws-secretsmanager " ARN " agent", "agent", PROVIDER_AWS_AGENT, ARN, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text), CONFIG_BASE "%s\n", cases[i].line);
        cr_assert_eq(parse_text(&p, text), NTS_OK, "%s", cases[i].line);
        struct provider_options options = key_source_options(&p.config);
        cr_expect(key_source_is_fleet(&p.config));
        cr_expect_str_eq(key_source_name(&p.config), cases[i].name);
        cr_expect_eq(options.kind, cases[i].kind);
        cr_expect_eq(options.source == NULL, cases[i].source == NULL);
        cr_expect_eq(options.argv == NULL, cases[i].argv0 == NULL);
        cr_expect(cases[i].source == NULL || strcmp(options.source, cases[i].source) == 0);
        cr_expect(cases[i].argv0 == NULL || strcmp(options.argv[0], cases[i].argv0) == 0);
    }
}

Test(key_source, of_its_own)
{
    cr_assert_eq(parse_text(&p, CONFIG_BASE), NTS_OK);
    cr_expect_not(key_source_is_fleet(&p.config));
    cr_expect_str_eq(key_source_name(&p.config), "auto");
}
