/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `ntsd -t` and a start say about a fleet's provider.
 */
#include "tests/unit/ntsd/scratch.h"

#include "ntsd/fleet_check.h"
#include "tests/unit/common/keys_sample.h"

static struct scratch s;
static struct config config;
static char document[128];
static char state[128];
static struct state_fault fault;

static void set_up(void)
{
    scratch_make(&s);
    config.keys = CONFIG_KEYS_FILE;
    (void)snprintf(document, sizeof(document), "%s/doc.json", s.dir);
    (void)snprintf(state, sizeof(state), "%s/state", s.dir);
    config.keys_source = document;
    config.state_dir = state;
}

static void tear_down(void)
{
    scratch_remove(&s);
}

TestSuite(fleet_check, .init = set_up, .fini = tear_down);

static bool check(void)
{
    fault.text[0] = '\0';
    return fleet_check(&config, false, &fault);
}

static bool prepare(void)
{
    fault.text[0] = '\0';
    return fleet_prepare(&config, &fault);
}

static bool said(const char *words)
{
    return strstr(fault.text, words) != NULL;
}

static void put_document(void)
{
    char text[KEYDOC_WRITTEN_MAX] = "";
    struct wr out = wr_init((uint8_t *)text, sizeof(text) - 1);
    struct keydoc doc = sample_doc();
    cr_assert_eq(keydoc_write(&doc, &out), NTS_OK);
    scratch_write(&s, "doc.json", text, 0600);
}

Test(fleet_check, a_file)
{
    cr_expect_not(check());
    cr_expect(said("ntskeys: cannot open ") && said("doc.json: No such file"), "%s", fault.text);
    cr_expect(prepare(), "a start waits for it: %s", fault.text);
    scratch_write(&s, "doc.json", "{\"ntsd_keys\": 2, \"epochs\": []}", 0600);
    cr_expect_not(check());
    cr_expect(said("doc.json cannot be used: "), "%s", fault.text);
    cr_expect(prepare());
    put_document();
    cr_expect(check(), "%s", fault.text);
    cr_assert_eq(chmod(config.keys_source, 0620), 0);
    cr_expect_not(check());
    cr_expect(said("chmod"), "%s", fault.text);
}

Test(fleet_check, a_command)
{
    config.keys = CONFIG_KEYS_COMMAND;
    config.keys_argv[0] = "no-such-program";
    config.keys_argv[1] = "word";
    cr_expect_not(check());
    cr_expect(said("ntskeys: cannot run no-such-program: No such file"), "%s", fault.text);
    cr_expect(prepare(), "%s", fault.text);
    config.keys_argv[0] = "false";
    cr_expect(check(), "it is not run: %s", fault.text);
}

Test(fleet_check, a_secret)
{
    config.keys = CONFIG_KEYS_AWS;
    config.keys_source = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:n";
    cr_expect(check(), "%s", fault.text);
    cr_expect(prepare(), "%s", fault.text);
}

Test(fleet_check, the_state_directory_is_for_the_copy)
{
    put_document();
    config.state_dir = "/no/such/parent";
    cr_expect(check(), "%s", fault.text);
    cr_expect(prepare(), "%s", fault.text);
    config.keys_cache = true;
    cr_expect_not(check());
    cr_expect(said("/no/such/"), "%s", fault.text);
    cr_expect_not(prepare());
    cr_expect(said("cannot create /no/such/parent"), "%s", fault.text);
    config.state_dir = state;
    cr_expect(check(), "%s", fault.text);
    cr_expect_neq(access(config.state_dir, F_OK), 0, "to look leaves no trace");
    cr_expect(prepare(), "%s", fault.text);
    cr_expect_eq(access(config.state_dir, F_OK), 0);
    cr_expect(prepare(), "again: %s", fault.text);
    cr_assert_eq(chmod(config.state_dir, 0755), 0);
    cr_expect_not(check());
    cr_expect(said("chmod 0700"), "%s", fault.text);
    cr_expect_not(prepare());
    config.keys_cache = false;
    cr_expect(check() && prepare());
}
