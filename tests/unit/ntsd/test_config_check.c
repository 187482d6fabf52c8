/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directives that contradict each other, and what depends on others.
 */
#include "tests/unit/ntsd/config_text.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct parsed p;

Test(config_check, contradictions)
{
    static const struct {
        const char *text;
        unsigned line;
        const char *begins; /* NULL: good */
    } cases[] = {
        {"port 0\nntsport 0\n", 2, "ntsport: nothing to do"},
        {"ntsport 0\n", 0, NULL},
        {"port 0\n" CONFIG_BASE, 0, NULL},
        {"port 123\nntsport 123\n" CONFIG_BASE, 0, NULL},
        {"port 123\n\nntsport 4460\n\n", 3, "ntsport: 4460 needs a certificate"},
        {"port 123\n\n", 2, "ntsport: 4460 needs a certificate"},
        {"ntsservercert a\n\n", 1, "ntsservercert: 1 certificates and 0 keys"},
        {"ntsserverkey a\n\n", 1, "ntsserverkey: 0 certificates and 1 keys"},
        {CONFIG_BASE "ntsservercert b\n#\n", 3, "ntsservercert: 2 certificates and 1 keys"},
        {CONFIG_BASE CONFIG_BASE, 0, NULL},
        {CONFIG_BASE "ntsrotate 60\nntslifetime 2820\n", 0, NULL},
        {CONFIG_BASE "ntsrotate 60\nntslifetime 2821\n#\n", 4,
         "ntslifetime: 2821 is more than 47 times ntsrotate (60), allowed: up to 2820"},
        {CONFIG_BASE "ntsrotate 60\n", 3, "ntslifetime: 691200 is more than"},
        {CONFIG_BASE "server a.example\nclock system\n", 4, "clock: system beside a server"},
        {CONFIG_BASE "clock system\nrefclock PHC /dev/ptp0\n", 3, "clock: system beside"},
        {CONFIG_BASE "server a.example\nlocal stratum 9\n", 0, NULL},
        {CONFIG_BASE "server a.example\nserver A.example\n", 4, "server: a.example is given twice"},
        {CONFIG_BASE "server a.example\nserver a.example port 124\n", 0, NULL},
        {CONFIG_BASE "refclock PHC /dev/a\nrefclock PHC /dev/a poll 2\n", 4,
         "refclock: /dev/a is given twice"},
        {CONFIG_BASE "server 169.254.169.123\nserver FD00:EC2::123\n", 4,
         "server: FD00:EC2::123 is the same server as 169.254.169.123 (line 3), allowed: one"},
        {CONFIG_BASE "server 169.254.169.123\nserver time.aws.com\n", 0, NULL},
        {CONFIG_BASE "server 169.254.169.123\nrefclock PHC /dev/ptp_ena\n", 4,
         "refclock: /dev/ptp_ena does not smear leap seconds and 169.254.169.123 (line 3) does"},
        {CONFIG_BASE "server a.example\nserver Time.AWS.com\n", 4,
         "server: Time.AWS.com smears leap seconds and a.example (line 3) does not"},
        {CONFIG_BASE "server a.example\nserver time.aws.com.\nleapsmeared yes\n", 0, NULL},
        {CONFIG_BASE "server a.example\nserver time.aws.com\nleapsmeared no\n", 0, NULL},
        {CONFIG_BASE "server 169.254.169.123\nrefclock PHC /dev/a\nleapsmeared no\n", 0, NULL},
        {CONFIG_BASE "server a.example\nrefclock PHC /dev/a\nleapsmeared yes\n", 4,
         "refclock: /dev/a does not smear"},
        {CONFIG_BASE "refclock PHC /dev/a\nleapsmeared yes\n", 4,
         "leapsmeared: there is no server"},
        {CONFIG_BASE "leapsmeared no\n", 3, "leapsmeared: there is no server"},
        {CONFIG_BASE "server a.example maxpoll 10\n", 3,
         "server: asked every 2^10 s the clock is lost between two answers, allowed: maxpoll up to "
         "9, or a larger maxclockerror"},
        {CONFIG_BASE "server a.example maxpoll 10\nmaxclockerror 0.06\n", 0, NULL},
        {CONFIG_BASE "server a.example minpoll 24\nmaxclockerror 10\n", 3,
         "server: asked every 2^24 s"},
        {CONFIG_BASE "refclock PHC /dev/a poll 4\nmaxclockerror 0.0005\n", 3,
         "refclock: asked every 2^4 s the clock is lost between two answers, allowed: poll up to "
         "3"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum nts_err err = parse_text(&p, cases[i].text);
        if (cases[i].begins == NULL) {
            cr_expect_eq(err, NTS_OK, "%s%s", cases[i].text, p.faults.fault[0].text);
            continue;
        }
        cr_expect_eq(err, NTS_EFORMAT, "accepted: %s", cases[i].text);
        cr_expect_eq(p.faults.count, 1, "%s", cases[i].text);
        cr_expect_eq(p.faults.fault[0].line, cases[i].line, "line %u: %s", p.faults.fault[0].line,
                     cases[i].text);
        cr_expect(strncmp(p.faults.fault[0].text, cases[i].begins, strlen(cases[i].begins)) == 0,
                  "%s", p.faults.fault[0].text);
    }
}

Test(config_check, pairs_keep_their_order)
{
    cr_assert_eq(parse_text(&p, "ntsservercert a\nntsservercert b\nntsserverkey x\n"
                                "ntsserverkey y\n"),
                 NTS_OK);
    cr_expect_eq(p.config.pair_count, 2);
    cr_expect_str_eq(p.config.cert[1], "b");
    cr_expect_str_eq(p.config.key[1], "y");
}

Test(config_check, repeated_directives_have_a_limit)
{
    static char text[4096];
    char line[64];
    for (int i = 0; i < CONFIG_PAIRS_MAX + 1; i++) {
        (void)snprintf(line, sizeof(line), "ntsservercert c%d\nbindaddress 192.0.2.%d\n", i, i);
        strcat(text, line);
    }
    cr_expect_eq(parse_text(&p, text), NTS_EFORMAT);
    cr_expect_eq(p.faults.count, 2);
    cr_expect_str_eq(p.faults.fault[0].text, "ntsservercert: too many, at most 16 may be given");
    cr_expect_str_eq(p.faults.fault[1].text, "bindaddress: too many, at most 16 may be given");
    cr_expect_eq(parse_text(&p, CONFIG_BASE "bindaddress ::1\nbindaddress 0:0::1\n"), NTS_EFORMAT);
    cr_expect_str_eq(p.faults.fault[0].text, "bindaddress: 0:0::1 is given twice");
}

Test(config_check, smearing_is_known_by_name_or_by_word)
{
    static const struct {
        const char *text;
        bool smeared;
    } cases[] = {
        {"server 169.254.169.123\n", true},
        {"server fd00:0ec2::123\n", true},
        {"server time.aws.com\n", true},
        {"server a.example\n", false},
        {"refclock PHC /dev/ptp_ena\n", false},
        {"server a.example\nleapsmeared yes\n", true},
        {"server time.aws.com\nleapsmeared no\n", false},
    };
    char text[256];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)snprintf(text, sizeof(text), CONFIG_BASE "%s", cases[i].text);
        cr_assert_eq(parse_text(&p, text), NTS_OK, "%s", text);
        cr_expect_eq(p.config.source[0].smeared, cases[i].smeared, "%s", text);
    }
}

Test(config_check, sources_have_a_limit)
{
    static char text[4096];
    char line[64];
    (void)strcpy(text, CONFIG_BASE);
    for (int i = 0; i < CONFIG_SOURCES_MAX + 1; i++) {
        (void)snprintf(line, sizeof(line), "server 192.0.2.%d\n", i);
        strcat(text, line);
    }
    cr_expect_eq(parse_text(&p, text), NTS_EFORMAT);
    cr_expect_eq(p.faults.count, 1);
    cr_expect_eq(p.faults.fault[0].line, 19);
}

Test(config_check, the_clock_is_the_systems_unless_local_stands_alone)
{
    cr_assert_eq(parse_text(&p, CONFIG_BASE "clock system\nlocal stratum 5\n"), NTS_OK);
    cr_expect(p.config.clock_system);
    cr_expect_eq(p.config.local_stratum, 5);
}
