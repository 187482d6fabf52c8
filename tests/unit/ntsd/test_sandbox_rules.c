/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each role may do, as a table of configurations: duties that have nothing to do with each
 * other share no rights.
 */
#include "ntsd/sandbox_rules.h"
#include "tests/unit/ntsd/config_text.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct parsed parsed;
static struct sandbox_path path[SANDBOX_PATHS_MAX];

static const char *const texts[] = {
    "clock system\n",
    "server 192.0.2.1\nntsdumpdir /var/lib/state\n",
    "server time.example nts\nntstrustedcerts /etc/roots/ca.pem\n",
    "refclock PHC /dev/ptp0\nntskeys file /etc/secret/doc\n",
    "clock system\nntskeys command /bin/echo x\n",
};
enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };

static const struct config *config(const char *text)
{
    char whole[512];
    (void)snprintf(whole, sizeof(whole), CONFIG_BASE "%s", text);
    cr_assert_eq(parse_text(&parsed, whole), NTS_OK, "%s: %s", text, parsed.faults.fault[0].text);
    return &parsed.config;
}

static bool has_call(enum role role, const struct config *c, const char *name)
{
    for (int family = 0; family < SANDBOX_FAMILIES; family++) {
        if (!sandbox_role_has(role, c, (enum sandbox_family)family)) {
            continue;
        }
        for (const char *const *call = sandbox_calls((enum sandbox_family)family); *call != NULL;
             call++) {
            if (strcmp(*call, name) == 0) {
                return true;
            }
        }
    }
    return false;
}

static const struct sandbox_path *reaches(enum role role, const struct config *c, const char *name)
{
    size_t n = sandbox_paths(role, c, path);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(path[i].path, name) == 0) {
            return &path[i];
        }
    }
    return NULL;
}

Test(sandbox_rules, nobody_runs_or_traces_anything)
{
    static const char *const names[] = {"execve", "execveat", "ptrace",        "process_vm_readv",
                                        "mount",  "bpf",      "clock_settime", "settimeofday",
                                        "setuid", "setns",    "kexec_load",    "init_module"};
    for (size_t i = 0; i < TEXTS; i++) {
        const struct config *c = config(texts[i]);
        for (int role = 0; role < ROLE_COUNT; role++) {
            for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
                cr_expect(!has_call((enum role)role, c, names[n]), "%s: %s has %s", texts[i],
                          role_name((enum role)role), names[n]);
            }
            cr_expect(has_call((enum role)role, c, "read"));
            cr_expect(has_call((enum role)role, c, "epoll_wait"));
        }
    }
}

Test(sandbox_rules, only_keys_with_a_command_are_loose)
{
    for (size_t i = 0; i < TEXTS; i++) {
        const struct config *c = config(texts[i]);
        for (int role = 0; role < ROLE_COUNT; role++) {
            cr_expect_eq(sandbox_is_loose((enum role)role, c), role == ROLE_KEYS && i == 4);
        }
    }
    bool traces = false;
    for (const char *const *call = sandbox_calls_never(); *call != NULL; call++) {
        traces = traces || strcmp(*call, "ptrace") == 0;
        cr_expect_neq(strcmp(*call, "execve"), 0, "that is what a command needs");
    }
    cr_expect(traces);
}

Test(sandbox_rules, who_answers_strangers_connects_to_nobody)
{
    for (size_t i = 0; i < TEXTS; i++) {
        const struct config *c = config(texts[i]);
        static const enum role servers[] = {ROLE_KE, ROLE_NTP, ROLE_STATUS};
        for (size_t n = 0; n < 3; n++) {
            cr_expect(!sandbox_connects(servers[n], c));
            cr_expect(!has_call(servers[n], c, "connect"));
            cr_expect(!has_call(servers[n], c, "socket"));
        }
        cr_expect(!has_call(ROLE_CLOCK, c, "accept4"));
        cr_expect(!has_call(ROLE_KEYS, c, "accept4"));
    }
    cr_expect(sandbox_connects(ROLE_CLOCK, config("server time.example nts\n")));
    cr_expect(!sandbox_connects(ROLE_CLOCK, config("clock system\n")));
    cr_expect(!sandbox_connects(ROLE_KEYS, config("clock system\n")));
}

Test(sandbox_rules, files)
{
    const struct config *c = config("clock system\nntsdumpdir /var/lib/state\n");
    cr_expect_eq(sandbox_paths(ROLE_NTP, c, path), 0, "none at all");
    cr_expect_eq(sandbox_paths(ROLE_COUNT, c, path), 0);
    cr_expect_eq(sandbox_paths(ROLE_STATUS, c, path), 1);
    cr_expect_eq(reaches(ROLE_KEYS, c, "/var/lib/state")->reach, SANDBOX_WRITE_BENEATH);
    cr_expect_null(reaches(ROLE_KE, c, "/var/lib/state"));
    cr_expect(reaches(ROLE_KE, c, "c.key")->directory_of);
    cr_expect_null(reaches(ROLE_KEYS, c, "c.key"), "who gets secrets has no certificate");
    cr_expect_null(reaches(ROLE_CLOCK, c, "c.key"));
    cr_expect(!has_call(ROLE_NTP, c, "openat"));
    cr_expect(!has_call(ROLE_KE, c, "renameat2"));

    c = config("refclock PHC /dev/ptp0\nntskeys file /etc/secret/doc\n");
    cr_expect_eq(reaches(ROLE_CLOCK, c, "/dev/ptp0")->reach, SANDBOX_DEVICE);
    cr_expect(reaches(ROLE_KEYS, c, "/etc/secret/doc")->directory_of);
    cr_expect_null(reaches(ROLE_CLOCK, c, "/etc/secret/doc"));
    cr_expect_null(reaches(ROLE_KEYS, c, "/usr/lib"));

    c = config("server time.example nts\nntstrustedcerts /roots/ca.pem\n");
    cr_expect_not_null(reaches(ROLE_CLOCK, c, "/roots/ca.pem"));
    cr_expect_not_null(reaches(ROLE_CLOCK, c, "/usr/lib"), "a name service");
    cr_expect_null(reaches(ROLE_KE, c, "/roots/ca.pem"));
}
