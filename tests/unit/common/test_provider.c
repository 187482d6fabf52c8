/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each kind goes to its own provider; each outcome has a name.
 */
#include "common/keys/provider.h"

#include <criterion/criterion.h>
#include <string.h>

static struct provider_text text;
static struct provider_fault fault;

Test(provider, every_outcome_has_a_name_of_its_own)
{
    for (unsigned i = 0; i < PROVIDER_OUTCOMES; i++) {
        const char *name = provider_outcome_name((enum provider_outcome)i);
        cr_expect_gt(strlen(name), 0);
        cr_expect_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name), "%s", name);
        for (unsigned j = 0; j < i; j++) {
            cr_expect_str_neq(name, provider_outcome_name((enum provider_outcome)j));
        }
    }
}

static enum provider_outcome fetch(const struct provider_options *options)
{
    struct provider *provider = provider_new(options, &fault);
    cr_assert_not_null(provider, "%s", fault.text);
    enum provider_outcome outcome = provider_fetch(provider, &text, &fault);
    provider_free(provider);
    return outcome;
}

Test(provider, file_and_command)
{
    static const char *const argv[] = {"echo", "document", NULL};
    const struct provider_options file = {.kind = PROVIDER_FILE, .source = "/no/such/file"};
    const struct provider_options command = {.kind = PROVIDER_COMMAND, .argv = argv};
    cr_expect_eq(fetch(&file), PROVIDER_NOT_FOUND);
    cr_expect_not_null(strstr(fault.text, "/no/such/file"));
    cr_expect_eq(fetch(&command), PROVIDER_OK, "%s", fault.text);
    cr_expect_eq(text.len, strlen("document\n"));
    provider_text_wipe(&text);
    cr_expect_eq(text.len, 0);
    cr_expect_eq(text.bytes[0], 0);
}

Test(provider, aws_begins_with_a_name)
{
    const struct provider_options nameless = {.kind = PROVIDER_AWS, .source = "arn:aws:s3:::x"};
    cr_expect_null(provider_new(&nameless, &fault));
    cr_expect_gt(strlen(fault.text), 0);
}

Test(provider, nothing_to_free)
{
    provider_free(NULL);
}
