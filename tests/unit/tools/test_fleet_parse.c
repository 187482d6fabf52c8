/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host's keys out of /metrics: what is there, what is not, and text that is not ours at all.
 */
#include "tools/fleet_parse.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { TEXT_MAX = 32768 };

static struct fleet_facts facts;

static enum nts_err parse(const char *text)
{
    return fleet_parse(span_of(text, strlen(text)), &facts);
}

static const char whole[] = "# HELP ntsd_build_info 1, labelled with the version.\n"
                            "ntsd_build_info{version=\"0.1.0\"} 1\n"
                            "ntsd_ready{service=\"ntp\"} 1\n"
                            "ntsd_ready{service=\"ke\"} 0\n"
                            "ntsd_clock_state{state=\"starting\"} 0\n"
                            "ntsd_clock_state{state=\"synchronised\"} 1\n"
                            "ntsd_keys 3\n"
                            "ntsd_key_issuing{id=\"2a001f\",fingerprint=\"0011223344556677\"} 1\n"
                            "ntsd_key_held{id=\"2a001e\",fingerprint=\"8899aabbccddeeff\"} 1\n"
                            "ntsd_key_held{id=\"2a001f\",fingerprint=\"0011223344556677\"} 1\n"
                            "ntsd_key_held{id=\"2a0020\",fingerprint=\"FFFFFFFFFFFFFFFF\"} 1\n"
                            "ntsd_keys_issuing_age_seconds 4000\n"
                            "ntsd_keys_provider_info{provider=\"aws-secretsmanager\"} 1\n"
                            "ntsd_keys_provider_age_seconds 17.5\n"
                            "ntsd_keys_provider_failing 2\n"
                            "ntsd_keys_from_cache 1\n"
                            "ntsd_keys_cache_failed 0\n"
                            "ntsd_ntp_cookies_opened_total{age=\"next\"} 1\n"
                            "ntsd_ntp_cookies_opened_total{age=\"0\"} 100\n"
                            "ntsd_ntp_cookies_opened_total{age=\"4-7\"} 5\n"
                            "ntsd_ntp_cookies_opened_total{age=\"8+\"} 6\n"
                            "ntsd_ntp_datagrams_total{verdict=\"answer_nts\"} 99\n"
                            "ntsd_ntp_datagrams_total{verdict=\"nak_cookie_key\"} 7\n"
                            "ntsd_ntp_datagrams_total{verdict=\"nak_request_auth\"} 8\n";

Test(fleet_parse, whole)
{
    static const double opened[FLEET_AGES] = {1, 100, 0, 0, 0, 5, 6};
    static const double naks[FLEET_NAKS] = {7, 0, 0, 8};
    char id[FLEET_ID_TEXT];
    char fingerprint[FLEET_FINGERPRINT_TEXT];
    cr_assert_eq(parse(whole), NTS_OK);
    cr_expect_str_eq(facts.version, "0.1.0");
    cr_expect_str_eq(facts.state, "synchronised");
    cr_expect(facts.ready);
    cr_expect(facts.has_keys);
    cr_expect_eq(facts.issuing.id, 0x2a001f);
    cr_expect_eq(facts.held_count, 3);
    cr_expect_eq(facts.held[2].id, 0x2a0020);
    cr_expect_float_eq(facts.issuing_age_s, 4000, 1e-9);
    cr_expect_str_eq(facts.provider, "aws-secretsmanager");
    cr_expect_float_eq(facts.provider_age_s, 17.5, 1e-9);
    cr_expect_float_eq(facts.provider_failing, 2, 1e-9);
    cr_expect(facts.from_cache);
    cr_expect_not(facts.cache_failed);
    cr_expect_arr_eq(facts.opened, opened, sizeof(opened));
    cr_expect_arr_eq(facts.naks, naks, sizeof(naks));
    fleet_id_text(facts.issuing.id, id);
    fleet_fingerprint_text(&facts.issuing, fingerprint);
    cr_expect_str_eq(id, "2a001f");
    cr_expect_str_eq(fingerprint, "0011223344556677");
    fleet_fingerprint_text(&facts.held[2], fingerprint);
    cr_expect_str_eq(fingerprint, "ffffffffffffffff");
}

Test(fleet_parse, no_ntsd)
{
    cr_expect_eq(parse(""), NTS_EFORMAT);
    cr_expect_eq(parse("node_cpu_seconds_total{cpu=\"0\"} 1\n"), NTS_EFORMAT);
    cr_expect_eq(parse("ntsd_build_info 1\n"), NTS_EFORMAT);
    cr_expect_eq(parse("ntsd_build_info{version=\"x\"} 1\n"), NTS_OK);
    cr_expect_not(facts.has_keys);
    cr_expect_lt(facts.provider_age_s, 0);
    cr_expect_lt(facts.issuing_age_s, 0);
}

#define HEAD "ntsd_build_info{version=\"x\"} 1\n"
#define KEY  "fingerprint=\"0011223344556677\"} 1\n"

Test(fleet_parse, keys_that_make_no_sense)
{
    static const char *const lines[] = {
        HEAD "ntsd_key_issuing{id=\"2a001\"," KEY,
        HEAD "ntsd_key_issuing{id=\"2a001f0\"," KEY,
        HEAD "ntsd_key_issuing{id=\"2a00 f\"," KEY,
        HEAD "ntsd_key_issuing{id=\"2a001g\"," KEY,
        HEAD "ntsd_key_issuing{id=\"@a001f\"," KEY,
        HEAD "ntsd_key_issuing{" KEY,
        HEAD "ntsd_key_issuing{id=\"2a001f\"} 1\n",
        HEAD "ntsd_key_issuing{id=\"2a001f\",fingerprint=\"001122334455667\"} 1\n",
        HEAD "ntsd_key_issuing{id=\"2a001f\",fingerprint=\"0011223344556677\"} 0\n",
        HEAD "ntsd_key_held{id=\"2a001f\"," KEY,
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        cr_assert_eq(parse(lines[i]), NTS_OK);
        cr_expect_not(facts.has_keys, "line %zu", i);
        cr_expect_eq(facts.held_count, 0, "line %zu", i);
    }
}

Test(fleet_parse, what_is_issued_is_held)
{
    cr_assert_eq(parse(HEAD "ntsd_key_issuing{id=\"2a001f\"," KEY), NTS_OK);
    cr_assert_eq(facts.held_count, 1);
    cr_expect_eq(facts.held[0].id, 0x2a001f);
    /* also when the text contradicts itself, or has more keys than a ring */
    cr_assert_eq(parse(HEAD "ntsd_key_held{id=\"2a001f\",fingerprint=\"ff11223344556677\"} 1\n"
                            "ntsd_key_held{id=\"2a001f\",fingerprint=\"ee11223344556677\"} 1\n"
                            "ntsd_key_issuing{id=\"2a001f\"," KEY),
                 NTS_OK);
    cr_assert_eq(facts.held_count, 1);
    cr_expect_arr_eq(facts.held[0].fingerprint, facts.issuing.fingerprint, 8);

    static char text[TEXT_MAX];
    int n = snprintf(text, sizeof(text), "%s", HEAD "ntsd_key_issuing{id=\"2a001f\"," KEY);
    for (int i = 0; i < KEYRING_MAX + 9; i++) {
        n += snprintf(text + n, sizeof(text) - (size_t)n, "ntsd_key_held{id=\"%06x\"," KEY, i);
    }
    cr_assert_eq(parse(text), NTS_OK);
    cr_expect_eq(facts.held_count, KEYRING_MAX);
    cr_expect_eq(facts.held[KEYRING_MAX - 1].id, 0x2a001f);
}

Test(fleet_parse, words_are_plain)
{
    cr_assert_eq(parse("ntsd_build_info{version=\"0\x1b[1m \xc3\xa4x\"} 1\n"
                       "ntsd_keys_provider_info{provider=\"a-name-that-is-longer-than-any-of-"
                       "ours\"} 1\n"),
                 NTS_OK);
    cr_expect_str_eq(facts.version, "0?[1m???x");
    cr_expect_eq(strlen(facts.provider), FLEET_WORD_MAX - 1);
}

Test(fleet_parse, silence_of_the_provider)
{
    static const struct {
        const char *text;
        bool stale;
    } rows[] = {
        {HEAD, false},
        {HEAD "ntsd_keys_provider_info{provider=\"auto\"} 1\n", false},
        {HEAD "ntsd_keys_provider_info{provider=\"file\"} 1\n", true},
        {HEAD "ntsd_keys_provider_info{provider=\"file\"} 1\nntsd_keys_provider_age_seconds 0\n",
         false},
        {HEAD "ntsd_keys_provider_info{provider=\"agent\"} 1\nntsd_keys_provider_age_seconds 900\n",
         false},
        {HEAD "ntsd_keys_provider_info{provider=\"agent\"} 1\nntsd_keys_provider_age_seconds 901\n",
         true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(parse(rows[i].text), NTS_OK);
        cr_expect_eq(fleet_is_stale(&facts), rows[i].stale, "row %zu", i);
    }
}
