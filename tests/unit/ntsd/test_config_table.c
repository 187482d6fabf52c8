/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every directive: default, least and greatest value, one beyond each, garbage, a missing and a
 * superfluous argument. A directive without a row here fails the test.
 */
#include "tests/unit/ntsd/config_text.h"

#include "ntsd/config_table.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct parsed p;

enum verdict { GOOD, BAD };

#define ARN "arn:aws:secretsmanager:eu-west-1:123456789012:secret:"

struct row {
    const char *line;
    enum verdict verdict;
};

static const struct row rows[] = {
    {"port 0", GOOD},
    {"port 65535", GOOD},
    {"port 65536", BAD},
    {"port -1", BAD},
    {"port", BAD},
    {"port 123 4", BAD},
    {"bindaddress 192.0.2.1", GOOD},
    {"bindaddress 2001:db8::1", GOOD},
    {"bindaddress 0.0.0.0", GOOD},
    {"bindaddress 192.0.2.256", BAD},
    {"bindaddress localhost", BAD},
    {"bindaddress 192.0.2.1:123", BAD},
    {"bindaddress", BAD},
    {"bindaddress ::1 ::2", BAD},
    {"ntsport 1", GOOD},
    {"ntsport 65535", GOOD},
    {"ntsport 65536", BAD},
    {"ntsport -1", BAD},
    {"ntsport", BAD},
    {"ntsport 1 2", BAD},
    {"ntsservercert", BAD},
    {"ntsservercert a b", BAD},
    {"ntsserverkey", BAD},
    {"ntsserverkey a b", BAD},
    {"ntsntpserver time.example", GOOD},
    {"ntsntpserver time-1.example.", GOOD},
    {"ntsntpserver 192.0.2.1", GOOD},
    {"ntsntpserver 2001:db8::1", GOOD},
    {"ntsntpserver [2001:db8::1]", BAD},
    {"ntsntpserver fe80::1%lo", BAD},
    {"ntsntpserver 192.0.2", BAD},
    {"ntsntpserver a..b", BAD},
    {"ntsntpserver .", BAD},
    {"ntsntpserver caf\xc3\xa9.example", BAD},
    {"ntsntpserver", BAD},
    {"ntsntpserver a b", BAD},
    {"ntsaeads 15", GOOD},
    {"ntsaeads 17 15", GOOD},
    {"ntsaeads 15 15", BAD},
    {"ntsaeads 16", BAD},
    {"ntsaeads 65551", BAD}, /* 15 + 2^16 */
    {"ntsaeads 0", BAD},
    {"ntsaeads AES", BAD},
    {"ntsaeads", BAD},
    {"ntsaeads 15 17 30 31 15 17 30 31 15", BAD},
    {"ntsrotate 14707", GOOD}, /* 47 times that is the default lifetime */
    {"ntsrotate 14706", BAD},
    {"ntsrotate 59", BAD},
    {"ntsrotate 31622400", GOOD},
    {"ntsrotate 31622401", BAD},
    {"ntsrotate 1d", BAD},
    {"ntsrotate", BAD},
    {"ntsrotate 86400 1", BAD},
    {"ntslifetime 60", GOOD},
    {"ntslifetime 59", BAD},
    {"ntslifetime 4060800", GOOD},
    {"ntslifetime 4060801", BAD},
    {"ntslifetime 31622401", BAD},
    {"ntslifetime", BAD},
    {"ntslifetime 1 2", BAD},
    {"ntskeys auto", GOOD},
    {"ntskeys AUTO", GOOD},
    {"ntskeys auto x", BAD},
    {"ntskeys cache auto", BAD},
    {"ntskeys file /x", GOOD},
    {"ntskeys File /x CACHE", GOOD},
    {"ntskeys cache file /x", GOOD},
    {"ntskeys cache file /x cache", BAD},
    {"ntskeys file /x cache cache", BAD},
    {"ntskeys file", BAD},
    {"ntskeys file a b", BAD},
    {"ntskeys file /x agent", BAD},
    {"ntskeys aws-secretsmanager " ARN "ntsd/fleet-AbCdEf", GOOD},
    {"ntskeys aws-secretsmanager " ARN "n agent", GOOD},
    {"ntskeys aws-secretsmanager " ARN "n cache agent", GOOD},
    {"ntskeys cache aws-secretsmanager " ARN "n agent", GOOD},
    {"ntskeys aws-secretsmanager " ARN "n agent agent", BAD},
    {"ntskeys aws-secretsmanager " ARN "n other", BAD},
    {"ntskeys aws-secretsmanager arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:n",
     GOOD},
    {"ntskeys aws-secretsmanager " ARN, BAD},
    {"ntskeys aws-secretsmanager " ARN "n:AWSCURRENT", BAD},
    {"ntskeys aws-secretsmanager " ARN "caf\xc3\xa9", BAD},
    {"ntskeys aws-secretsmanager name", BAD},
    {"ntskeys aws-secretsmanager arn:aws:secretsmanager:x", BAD},
    {"ntskeys aws-secretsmanager arn:aws:s3:eu-west-1:123456789012:secret:n", BAD},
    {"ntskeys aws-secretsmanager arn:aws:secretsmanager::123456789012:secret:n", BAD},
    {"ntskeys aws-secretsmanager arn:aws:secretsmanager:eu-west-1:12345678901:secret:n", BAD},
    {"ntskeys aws-secretsmanager arn:aws:secretsmanager:eu-west-1:1234567890123:secret:n", BAD},
    {"ntskeys aws-secretsmanager arn:aws:secretsmanager:EU-WEST-1:123456789012:secret:n", BAD},
    {"ntskeys aws-secretsmanager arn:aws:secretsmanager:evil.example/:123456789012:secret:n", BAD},
    {"ntskeys aws-secretsmanager arn:aws:secretsmanager:eu-west-1:123456789012:parameter:n", BAD},
    {"ntskeys aws-secretsmanager", BAD},
    {"ntskeys command /bin/cat a b c", GOOD},
    {"ntskeys cache command cache", GOOD},
    {"ntskeys command", BAD},
    {"ntskeys cache command", BAD},
    {"ntskeys cache", BAD},
    {"ntskeys cache cache file /x", BAD},
    {"ntskeys vault", BAD},
    {"ntskeys", BAD},
    {"ntsdumpdir /var/lib/x", GOOD},
    {"ntsdumpdir", BAD},
    {"ntsdumpdir a b", BAD},
    {"ntsprocesses 1", GOOD},
    {"ntsprocesses 16", GOOD},
    {"ntsprocesses 0", BAD},
    {"ntsprocesses 17", BAD},
    {"ntsprocesses", BAD},
    {"ntsprocesses 1 1", BAD},
    {"maxntsconnections 1", GOOD},
    {"maxntsconnections 100000", GOOD},
    {"maxntsconnections 0", BAD},
    {"maxntsconnections 100001", BAD},
    {"maxntsconnections", BAD},
    {"maxntsconnections 1 1", BAD},
    {"maxntsconnections 9 pernetwork 4 peraddress 2", GOOD},
    {"maxntsconnections 9 peraddress 0", BAD},
    {"maxntsconnections 9 peraddress", BAD},
    {"maxntsconnections peraddress 2", BAD},
    {"ntsratelimit interval -19 burst 1", GOOD},
    {"ntsratelimit burst 255 interval 12", GOOD},
    {"ntsratelimit interval -20 burst 1", BAD},
    {"ntsratelimit interval 13 burst 1", BAD},
    {"ntsratelimit interval 1 burst 0", BAD},
    {"ntsratelimit interval 1 burst 256", BAD},
    {"ntsratelimit interval 1", GOOD},
    {"ntsratelimit interval 1 burst 8 leak 2", BAD},
    {"ntsratelimit interval 1 interval 1 burst 8", BAD},
    {"ntsratelimit interval 1 burst", BAD},
    {"ntsratelimit", GOOD},
    {"ratelimit interval 3 burst 8 leak 1", GOOD},
    {"ratelimit interval 3 burst 8 leak 4", GOOD},
    {"ratelimit interval 3 burst 8 leak 0", BAD},
    {"ratelimit interval 3 burst 8 leak 5", BAD},
    {"ratelimit interval 3 burst 8", GOOD},
    {"ratelimit interval x burst 8 leak 2", BAD},
    {"ratelimit", GOOD},
    {"ratelimit ipv4 24 ipv6 48", GOOD},
    {"ratelimit ipv4 33", BAD},
    {"ratelimit ipv6 0", BAD},
    {"ntsclientca /x", GOOD},
    {"ntsclientca /x crl /y", GOOD},
    {"ntsclientca /x CRL crl", GOOD},
    {"ntsclientca /x crl", BAD},
    {"ntsclientca /x crl /y /z", BAD},
    {"ntsclientca /x list /y", BAD},
    {"ntsclientca", BAD},
    {"ntsclientca a b", BAD},
    {"proxyprotocol 10.0.0.0/8", GOOD},
    {"proxyprotocol 10.0.0.1", GOOD},
    {"proxyprotocol ::/0", GOOD},
    {"proxyprotocol 2001:db8::/128", GOOD},
    {"proxyprotocol 10.0.0.0/33", BAD},
    {"proxyprotocol 2001:db8::/129", BAD},
    {"proxyprotocol 10.0.0.0/", BAD},
    {"proxyprotocol 10.0.0.0/-1", BAD},
    {"proxyprotocol [::1]/128", BAD},
    {"proxyprotocol /8", BAD},
    {"proxyprotocol", BAD},
    {"proxyprotocol ::/0 ::/0", BAD},
    {"server 169.254.169.123", GOOD},
    {"server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4", GOOD},
    {"server time.example port 124 minpoll 4 maxpoll 6 iburst prefer nts", GOOD},
    {"server time.example nts ntsport 4461", GOOD},
    {"server ::1 minpoll -7 maxpoll 9", GOOD},
    {"server ::1 minpoll -7 maxpoll 10", BAD}, /* lost between two answers */
    {"server ::1 minpoll 24 maxpoll 24", BAD},
    {"server ::1 minpoll 8", GOOD},
    {"server ::1 maxpoll 4", GOOD},
    {"server time.example ntsport 4461", BAD},
    {"server ::1 minpoll -8", BAD},
    {"server ::1 maxpoll 25", BAD},
    {"server ::1 minpoll 6 maxpoll 5", BAD},
    {"server ::1 port 0", BAD},
    {"server ::1 port 65536", BAD},
    {"server ::1 nts ntsport 0", BAD},
    {"server ::1 key 1", BAD},
    {"server ::1 iburst iburst", BAD},
    {"server ::1 port", BAD},
    {"server 1.2.3", BAD},
    {"server", BAD},
    {"refclock PHC /dev/ptp0", GOOD},
    {"refclock phc /dev/ptp0 poll 0 offset -0.000001 prefer", GOOD},
    {"refclock PHC /dev/ptp0 poll -6", GOOD},
    {"refclock PHC /dev/ptp0 offset 1.000", GOOD},
    {"refclock PHC /dev/ptp0 offset 0", GOOD},
    {"refclock PHC /dev/ptp0 poll -7", BAD}, /* over a hundred readings a second */
    {"refclock PHC /dev/ptp0 offset 1.001", BAD},
    {"refclock PHC /dev/ptp0 offset -1.000000001", BAD},
    {"refclock PHC /dev/ptp0 offset 0.0000000001", BAD},
    {"refclock PHC /dev/ptp0 offset nan", BAD},
    {"refclock PHC /dev/ptp0 offset 1e-6", BAD},
    {"refclock PHC /dev/ptp0 offset .5", BAD},
    {"refclock PHC /dev/ptp0 offset 0.", BAD},
    {"refclock PHC /dev/ptp0 offset", BAD},
    {"refclock PHC /dev/ptp0 offset 0 offset 0", BAD},
    {"refclock PHC /dev/ptp0 poll 25", BAD},
    {"refclock PPS /dev/pps0", BAD},
    {"refclock PHC", BAD},
    {"refclock", BAD},
    {"leapsmeared", BAD},
    {"leapsmeared maybe", BAD},
    {"leapsmeared yes no", BAD},
    {"maxclockerror 0.05", GOOD},
    {"maxclockerror 0.0001", GOOD},
    {"maxclockerror 10", GOOD},
    {"maxclockerror 0.00009", BAD},
    {"maxclockerror 10.000000001", BAD},
    {"maxclockerror 0", BAD},
    {"maxclockerror -1", BAD},
    {"maxclockerror nan", BAD},
    {"maxclockerror inf", BAD},
    {"maxclockerror 1e-3", BAD},
    {"maxclockerror 50ms", BAD},
    {"maxclockerror 0x1", BAD},
    {"maxclockerror 99999999999999999999", BAD},
    {"maxclockerror", BAD},
    {"maxclockerror 1 1", BAD},
    {"ntstrustedcerts /x", GOOD},
    {"ntstrustedcerts", BAD},
    {"ntstrustedcerts a b", BAD},
    {"clock system", GOOD},
    {"clock SYSTEM", GOOD},
    {"clock atomic", BAD},
    {"clock", BAD},
    {"clock system system", BAD},
    {"local stratum 1", GOOD},
    {"local stratum 15", GOOD},
    {"local stratum 0", BAD},
    {"local stratum 16", BAD},
    {"local stratum", BAD},
    {"local orphan 5", BAD},
    {"local", BAD},
    {"local stratum 5 6", BAD},
    {"allow", GOOD},
    {"allow 10.0.0.0/8", GOOD},
    {"allow all", GOOD},
    {"allow all 10.0.0.0/8", GOOD},
    {"allow all all", BAD},
    {"allow all 10.0.0.0/8 x", BAD},
    {"allow ::/0 1", BAD},
    {"deny", GOOD},
    {"deny 2001:db8::/32", GOOD},
    {"deny 10/8", BAD},
    {"deny all", GOOD},
    {"sandbox yes", GOOD},
    {"sandbox no", GOOD},
    {"sandbox", BAD},
    {"sandbox off", BAD},
    {"ntsonly", GOOD},
    {"ntsonly yes", BAD},
    {"threads 1", GOOD},
    {"threads 64", GOOD},
    {"threads 0", BAD},
    {"threads 65", BAD},
    {"threads", BAD},
    {"threads 1 1", BAD},
    {"httpaddress 127.0.0.1:9460", GOOD},
    {"httpaddress [::1]:65535", GOOD},
    {"httpaddress 127.0.0.1:0", BAD},
    {"httpaddress 127.0.0.1:65536", BAD},
    {"httpaddress 127.0.0.1", BAD},
    {"httpaddress :9460", BAD},
    {"httpaddress", BAD},
    {"httpaddress 127.0.0.1:1 x", BAD},
    {"user ntsd", GOOD},
    {"user _x-1.y", GOOD},
    {"user -x", BAD},
    {"user a:b", BAD},
    {"user abcdefghijklmnopqrstuvwxyzabcdefg", BAD},
    {"user", BAD},
    {"user a b", BAD},
    {"loglevel error", GOOD},
    {"loglevel Debug", GOOD},
    {"loglevel loud", BAD},
    {"loglevel err", BAD},
    {"loglevel", BAD},
    {"loglevel info info", BAD},
    {"logformat text", GOOD},
    {"logformat json", GOOD},
    {"logformat xml", BAD},
    {"logformat", BAD},
    {"logformat text json", BAD},
};

/* "port" of "port 123" */
static bool is_of(const struct row *row, const char *name)
{
    size_t len = strlen(name);
    return strncmp(row->line, name, len) == 0 && (row->line[len] == ' ' || row->line[len] == '\0');
}

static void expect(const struct row *row, const char *text)
{
    enum nts_err err = parse_text(&p, text);
    if (row->verdict == GOOD) {
        cr_expect_eq(err, NTS_OK, "%s: %s", row->line, p.faults.fault[0].text);
        return;
    }
    cr_expect_eq(err, NTS_EFORMAT, "accepted: %s", row->line);
    cr_expect_eq(p.faults.count, 1, "%zu faults: %s", p.faults.count, row->line);
    cr_expect_eq(p.faults.fault[0].line, 4, "%s: line %u", row->line, p.faults.fault[0].line);
    bool allowed = strstr(p.faults.fault[0].text, "allowed") != NULL ||
                   strstr(p.faults.fault[0].text, " is not ") != NULL ||
                   strstr(p.faults.fault[0].text, "twice") != NULL ||
                   strstr(p.faults.fault[0].text, "above") != NULL;
    cr_expect(allowed, "%s: %s", row->line, p.faults.fault[0].text);
}

Test(config_table, every_row)
{
    char text[256];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        /* a pair of their own for the rows that are about pairs */
        (void)snprintf(text, sizeof(text), CONFIG_BASE "\n%s\n\n", rows[i].line);
        expect(&rows[i], text);
    }
}

Test(config_table, every_directive_has_rows)
{
    size_t count = 0;
    const struct config_directive *d = config_directives(&count);
    for (size_t i = 0; i < count; i++) {
        size_t found = 0;
        for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
            found += is_of(&rows[r], d[i].name) ? 1 : 0;
        }
        cr_expect_geq(found, 2, "%s", d[i].name);
        cr_expect_not_null(d[i].help);
        cr_expect(d[i].preset != NULL || d[i].absent != NULL, "%s: no default", d[i].name);
    }
}

Test(config_table, no_number_takes_what_is_none)
{
    static const char *const garbage[] = {
        "nan",
        "inf",
        "-inf",
        "-1",
        "+1",
        "0x10",
        "1e3",
        "1.0",
        "1,0",
        "''",
        "\"1\"",
        "1 ",
        "١",
        "12a",
        "a12",
        "--1",
        "4294967296",
        "18446744073709551617",
        "99999999999999999999999999999999",
        "-99999999999999999999",
    };
    size_t count = 0;
    char text[256];
    const struct config_directive *d = config_directives(&count);
    for (size_t i = 0; i < count; i++) {
        if (d[i].preset == NULL || d[i].max == 0) {
            continue;
        }
        for (size_t g = 0; g < sizeof(garbage) / sizeof(garbage[0]); g++) {
            if (strcmp(garbage[g], "1 ") == 0) {
                continue; /* a blank ends the word */
            }
            (void)snprintf(text, sizeof(text), CONFIG_BASE "%s %s\n", d[i].name, garbage[g]);
            cr_expect_eq(parse_text(&p, text), NTS_EFORMAT, "%s", text);
            cr_expect_eq(p.faults.count, 1, "%s", text);
        }
    }
}

Test(config_table, defaults)
{
    cr_assert_eq(parse_text(&p, CONFIG_BASE), NTS_OK);
    const struct config *c = &p.config;
    size_t aeads = 0;
    const struct aead *const *all = aead_all(&aeads);
    cr_expect_eq(c->ntp_port, 123);
    cr_expect_eq(c->ke_port, 4460);
    cr_expect_eq(c->address_count, 0);
    cr_expect_eq(c->rotate_s, 86400);
    cr_expect_eq(c->lifetime_s, 691200);
    cr_expect_eq(c->keys, CONFIG_KEYS_AUTO);
    cr_expect_str_eq(c->state_dir, "/var/lib/ntsd");
    cr_expect_eq(c->ke_processes, 1);
    cr_expect_eq(c->ke_connections_max, 1000);
    cr_expect_eq(c->threads, 0);
    cr_expect_not(c->nts_only);
    cr_expect_not(c->has_http);
    cr_expect(c->clock_system);
    cr_expect_eq(c->local_stratum, 0);
    cr_expect_eq(c->source_count, 0);
    cr_expect_eq(c->max_error_ns, 50000000);
    cr_expect_null(c->trusted_certs);
    cr_expect_null(c->ntp_server);
    cr_expect_null(c->user);
    cr_expect_eq(c->log_level, 2, "info");
    cr_expect_eq(c->log_format, 0, "text");
    cr_assert_eq(c->aead_count, aeads);
    for (size_t i = 0; i < aeads; i++) {
        cr_expect_eq(c->aead[i], all[i]->id);
    }
}

Test(config_table, values_arrive)
{
    cr_assert_eq(parse_text(&p, CONFIG_BASE "bindaddress ::1\nbindaddress 127.0.0.1\n"
                                            "ntsaeads 17 15\nntsonly\nlocal stratum 7\n"
                                            "httpaddress [::1]:9460\nuser x\nloglevel debug\n"
                                            "logformat json\nntsdumpdir /s\nthreads 3\n"
                                            "ntsntpserver t.example\n"),
                 NTS_OK);
    const struct config *c = &p.config;
    cr_expect_eq(c->address_count, 2);
    cr_expect_eq(c->address[0].sa.sa_family, AF_INET6);
    cr_expect_eq(c->address[1].sa.sa_family, AF_INET);
    cr_expect_eq(c->aead_count, 2);
    cr_expect_eq(c->aead[0], 17);
    cr_expect_eq(c->aead[1], 15);
    cr_expect(c->nts_only);
    cr_expect_eq(c->local_stratum, 7);
    cr_expect_not(c->clock_system, "local alone: the kernel's word is not asked for");
    cr_expect(c->has_http);
    cr_expect_eq(net_addr_port(&c->http), 9460);
    cr_expect_str_eq(c->user, "x");
    cr_expect_eq(c->log_level, 3);
    cr_expect_eq(c->log_format, 1);
    cr_expect_str_eq(c->state_dir, "/s");
    cr_expect_eq(c->threads, 3);
    cr_expect_str_eq(c->ntp_server, "t.example");
}

Test(config_table, key_providers_arrive)
{
    const struct config *c = &p.config;
    cr_assert_eq(parse_text(&p, CONFIG_BASE "ntskeys file /run/doc.json\n"), NTS_OK);
    cr_expect_eq(c->keys, CONFIG_KEYS_FILE);
    cr_expect_str_eq(c->keys_source, "/run/doc.json");
    cr_expect_not(c->keys_cache);
    cr_assert_eq(parse_text(&p, CONFIG_BASE "ntskeys file doc cache\n"), NTS_OK);
    cr_expect(c->keys_cache);
    cr_assert_eq(parse_text(&p, CONFIG_BASE "ntskeys aws-secretsmanager " ARN "n\n"), NTS_OK);
    cr_expect_eq(c->keys, CONFIG_KEYS_AWS);
    cr_expect_str_eq(c->keys_source, ARN "n");
    cr_assert_eq(parse_text(&p, CONFIG_BASE "ntskeys cache aws-secretsmanager " ARN "n agent\n"),
                 NTS_OK);
    cr_expect_eq(c->keys, CONFIG_KEYS_AWS_AGENT);
    cr_expect(c->keys_cache);
    cr_assert_eq(parse_text(&p, CONFIG_BASE "ntskeys command vault read Cache cache # not this\n"),
                 NTS_OK);
    cr_expect_eq(c->keys, CONFIG_KEYS_COMMAND);
    cr_expect_not(c->keys_cache, "the words are the command's");
    cr_expect_str_eq(c->keys_argv[0], "vault");
    cr_expect_str_eq(c->keys_argv[2], "Cache");
    cr_expect_str_eq(c->keys_argv[3], "cache");
    cr_expect_null(c->keys_argv[4]);
    cr_assert_eq(parse_text(&p, CONFIG_BASE "ntskeys CACHE command x\n"), NTS_OK);
    cr_expect(c->keys_cache);
    cr_expect_null(c->keys_argv[1]);
}

Test(config_table, a_command_of_many_words)
{
    char text[1024] = CONFIG_BASE "ntskeys command";
    for (int i = 0; i < CONFIG_WORDS_MAX - 1; i++) {
        strcat(text, " w");
    }
    strcat(text, "\n");
    cr_assert_eq(parse_text(&p, text), NTS_OK, "%s", p.faults.fault[0].text);
    cr_expect_str_eq(p.config.keys_argv[CONFIG_WORDS_MAX - 2], "w");
    cr_expect_null(p.config.keys_argv[CONFIG_WORDS_MAX - 1]);
}

/* The document has its own rotations, and comes later. */
Test(config_table, rotation_is_the_fleets)
{
    static const char *const fast = CONFIG_BASE "ntsrotate 60\nntslifetime 691200\n";
    char text[512];
    cr_expect_eq(parse_text(&p, fast), NTS_EFORMAT);
    (void)snprintf(text, sizeof(text), "%sntskeys file /x\n", fast);
    cr_expect_eq(parse_text(&p, text), NTS_OK);
}

Test(config_table, sources_arrive)
{
    cr_assert_eq(parse_text(&p, CONFIG_BASE "server 192.0.2.1\n"
                                            "server time.example port 124 minpoll 4 maxpoll 5 "
                                            "iburst prefer nts ntsport 4461\n"
                                            "server ::1 maxpoll 4\n"
                                            "server ::2 minpoll 7\n"
                                            "refclock PHC /dev/ptp0 poll -2 offset -0.000001\n"
                                            "maxclockerror 0.5\nntstrustedcerts /ca\n"),
                 NTS_OK);
    const struct config_source *s = p.config.source;
    cr_assert_eq(p.config.source_count, 5);
    cr_expect_str_eq(s[0].name, "192.0.2.1");
    cr_expect_eq(s[0].port, 123);
    cr_expect_eq(s[0].minpoll, 6);
    cr_expect_eq(s[0].maxpoll, 6);
    cr_expect_not(s[0].iburst || s[0].prefer || s[0].nts || s[0].phc || s[0].smeared);
    cr_expect_str_eq(s[1].name, "time.example");
    cr_expect_eq(s[1].port, 124);
    cr_expect_eq(s[1].ke_port, 4461);
    cr_expect_eq(s[1].minpoll, 4);
    cr_expect_eq(s[1].maxpoll, 5);
    cr_expect(s[1].iburst && s[1].prefer && s[1].nts);
    cr_expect_eq(s[2].minpoll, 4, "moved out of maxpoll's way");
    cr_expect_eq(s[2].maxpoll, 4);
    cr_expect_eq(s[2].ke_port, 4460);
    cr_expect_eq(s[3].minpoll, 7);
    cr_expect_eq(s[3].maxpoll, 7);
    cr_expect(s[4].phc);
    cr_expect_str_eq(s[4].name, "/dev/ptp0");
    cr_expect_eq(s[4].minpoll, -2);
    cr_expect_eq(s[4].offset_ns, -1000);
    cr_expect_eq(p.config.max_error_ns, 500000000);
    cr_expect_str_eq(p.config.trusted_certs, "/ca");
    cr_expect_not(p.config.clock_system, "the kernel is not asked beside them");
}
