/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines, words, and the faults that belong to no directive in particular.
 */
#include "tests/unit/ntsd/config_text.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct parsed p;

/* One fault, in this line, beginning with this text. */
static void expect_fault(const char *text, unsigned line, const char *begins)
{
    cr_expect_eq(parse_text(&p, text), NTS_EFORMAT, "accepted: %s", text);
    cr_expect_eq(p.faults.count, 1, "%zu faults, first '%s': %s", p.faults.count,
                 p.faults.fault[0].text, text);
    cr_expect_eq(p.faults.fault[0].line, line, "line %u: %s", p.faults.fault[0].line, text);
    cr_expect(strncmp(p.faults.fault[0].text, begins, strlen(begins)) == 0, "'%s' is not '%s'",
              p.faults.fault[0].text, begins);
}

Test(config_parse, comments_and_blank_lines)
{
    static const char text[] = "# comment\n! comment\n; comment\n% comment\n\n   \t\n"
                               "  # indented \xc3\xa4\n" CONFIG_BASE
                               "\tport\t124   # why not\n   NtSpOrT 4461#no comment\n";
    cr_expect_eq(parse_text(&p, text), NTS_EFORMAT);
    cr_expect_eq(p.faults.count, 1);
    cr_expect_eq(p.faults.fault[0].line, 11, "a # inside a word is part of it");
    cr_expect_eq(parse_text(&p, CONFIG_BASE "\tPoRt\t124   # why not\r\nntsport 4461 #"), NTS_OK);
    cr_expect_eq(p.config.ntp_port, 124);
    cr_expect_eq(p.config.ke_port, 4461);
}

Test(config_parse, carriage_returns_and_a_missing_last_newline)
{
    cr_expect_eq(parse_text(&p, "ntsservercert c.pem\r\nntsserverkey c.key\r\nport 5"), NTS_OK);
    cr_expect_str_eq(p.config.cert[0], "c.pem");
    cr_expect_str_eq(p.config.key[0], "c.key");
    cr_expect_eq(p.config.ntp_port, 5);
}

Test(config_parse, control_characters)
{
    static const char nul[] = "port 1\0 23\n";
    cr_expect_eq(parse_bytes(&p, nul, sizeof(nul) - 1), NTS_EFORMAT);
    cr_expect_eq(p.faults.count, 1);
    cr_expect_eq(p.faults.fault[0].line, 1);
    cr_expect_str_eq(p.faults.fault[0].text,
                     "control character 0x00 in column 7, allowed: plain text");
    expect_fault("\nport\v123\n", 2, "control character 0x0b in column 5");
    expect_fault("port 123\r\r\n", 1, "control character 0x0d in column 9");
    expect_fault("port 123\x7f\n", 1, "control character 0x7f in column 9");
}

Test(config_parse, unknown_directives)
{
    static const struct {
        const char *text;
        const char *fault;
    } cases[] = {
        {"prot 1", "prot: unknown directive, did you mean 'port'?"},
        {"bindadress ::1", "bindadress: unknown directive, did you mean 'bindaddress'?"},
        {"NTSPORTS 1", "NTSPORTS: unknown directive, did you mean 'ntsport'?"},
        {"makestep 1 3", "makestep: unknown directive, see ntsd --help for those allowed"},
        {"\xff\xfe 1", "??: unknown directive, see ntsd --help for those allowed"},
        {"%", NULL},
    };
    char text[128];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)snprintf(text, sizeof(text), CONFIG_BASE "%s\n", cases[i].text);
        if (cases[i].fault == NULL) {
            cr_expect_eq(parse_text(&p, text), NTS_OK);
        } else {
            expect_fault(text, 3, cases[i].fault);
        }
    }
}

Test(config_parse, long_lines)
{
    static char text[4096];
    /* a comment of exactly the limit, then one octet more */
    memset(text, 'x', sizeof(text));
    text[0] = '#';
    text[CONFIG_LINE_MAX] = '\n';
    cr_expect_eq(parse_bytes(&p, text, CONFIG_LINE_MAX + 1), NTS_EFORMAT);
    cr_expect(strstr(p.faults.fault[0].text, "octets") == NULL, "%s", p.faults.fault[0].text);
    text[CONFIG_LINE_MAX] = 'x';
    cr_expect_eq(parse_bytes(&p, text, CONFIG_LINE_MAX + 1), NTS_EFORMAT);
    cr_expect_str_eq(p.faults.fault[0].text, "line of 1025 octets, allowed: up to 1024");
}

Test(config_parse, many_words)
{
    char text[1024] = "ntsport 0\nntskeys command";
    for (int i = 0; i < CONFIG_WORDS_MAX - 1; i++) {
        strcat(text, " x");
    }
    cr_expect_eq(parse_text(&p, text), NTS_OK, "%s", p.faults.fault[0].text);
    strcat(text, " x");
    expect_fault(text, 2, "more than 64 words in one line");
}

Test(config_parse, all_faults_are_told_in_the_order_of_lines)
{
    cr_expect_eq(parse_text(&p, "port x\nbogus\nport 1\nntsport -1\nallow x\n"), NTS_EFORMAT);
    cr_expect_eq(p.faults.count, 5);
    cr_expect_eq(p.faults.dropped, 0);
    for (size_t i = 0; i < 5; i++) {
        cr_expect_eq(p.faults.fault[i].line, i + 1);
    }
    cr_expect_str_eq(p.faults.fault[2].text, "port: already given in line 1, allowed: once");
}

Test(config_parse, faults_are_bounded)
{
    static char text[64 * 100];
    for (int i = 0; i < 100; i++) {
        strcat(text, "bogus\n");
    }
    cr_expect_eq(parse_text(&p, text), NTS_EFORMAT);
    cr_expect_eq(p.faults.count, CONFIG_FAULTS_MAX);
    cr_expect_eq(p.faults.dropped, 80);
}

Test(config_parse, names_beyond_the_arena)
{
    static char text[64 * 1024];
    char name[1001];
    memset(name, 'x', sizeof(name) - 1);
    name[1000] = '\0';
    for (int i = 0; i < 17; i++) {
        const char *directive = i < 8 ? "ntsservercert " : "ntsserverkey ";
        strcat(strcat(strcat(text, directive), name), "\n");
    }
    expect_fault(text, 17, "ntsserverkey: all names together are too long");
}

Test(config_parse, an_empty_file_lacks_a_certificate)
{
    expect_fault("", 1, "ntsport: 4460 needs a certificate");
    cr_expect_eq(config_parse(span_of(NULL, 0), &p.config, &p.faults), NTS_EFORMAT);
    cr_expect_eq(parse_text(&p, "ntsport 0"), NTS_OK);
}
