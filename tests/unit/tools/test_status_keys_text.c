/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/status_keys_text.h"

#include <criterion/criterion.h>

static char text[4096];

static void shown(const char *metrics)
{
    struct fleet_facts facts;
    cr_assert_eq(fleet_parse(span_of(metrics, strlen(metrics)), &facts), NTS_OK);
    memset(text, 0, sizeof(text));
    FILE *out = fmemopen(text, sizeof(text) - 1, "w");
    cr_assert_not_null(out);
    status_keys_print(&facts, out);
    (void)fclose(out);
}

#define HEAD "ntsd_build_info{version=\"x\"} 1\n"
#define NONE                                                                                       \
    "Opened       cookies by the age of their key: next 0, 0 0, 1 0, 2 0, 3 0, 4-7 0, 8+ 0\n"      \
    "Refused      nak_cookie_key 0, nak_cookie_auth 0, nak_cookie_format 0, nak_request_auth 0\n"

Test(status_keys_text, lines)
{
    static const struct {
        const char *metrics;
        const char *text;
    } rows[] = {
        {HEAD, "Keys         none\n" NONE},
        {HEAD "ntsd_key_issuing{id=\"2a001f\",fingerprint=\"0011223344556677\"} 1\n"
              "ntsd_keys_provider_info{provider=\"auto\"} 1\n",
         "Keys         2a001f issues, fingerprint 0011223344556677; 1 held\n"
         "Provider     auto\n" NONE},
        {HEAD "ntsd_key_issuing{id=\"2a001f\",fingerprint=\"0011223344556677\"} 1\n"
              "ntsd_keys_issuing_age_seconds 4000\n"
              "ntsd_keys_provider_info{provider=\"file\"} 1\n"
              "ntsd_keys_provider_age_seconds 61\n",
         "Keys         2a001f issues, fingerprint 0011223344556677, since 66m; 1 held\n"
         "Provider     file, answered 61s ago\n" NONE},
        {HEAD "ntsd_keys_provider_info{provider=\"file\"} 1\n"
              "ntsd_keys_provider_age_seconds 1000\nntsd_keys_provider_failing 12\n"
              "ntsd_keys_cache_failed 1\n",
         "Keys         none\n"
         "Provider     file, answered 16m ago, 12 fetches in a row failed; SILENT for too long; "
         "the sealed copy cannot be written\n" NONE},
        {HEAD "ntsd_keys_provider_info{provider=\"command\"} 1\nntsd_keys_from_cache 1\n",
         "Keys         none\n"
         "Provider     command, has not answered yet; the keys are from the sealed copy\n" NONE},
        {HEAD "ntsd_ntp_cookies_opened_total{age=\"0\"} 12345678\n"
              "ntsd_ntp_datagrams_total{verdict=\"nak_cookie_auth\"} 3\n",
         "Keys         none\n"
         "Opened       cookies by the age of their key: next 0, 0 12345678, 1 0, 2 0, 3 0, 4-7 0, "
         "8+ 0\n"
         "Refused      nak_cookie_key 0, nak_cookie_auth 3, nak_cookie_format 0, nak_request_auth "
         "0\n"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        shown(rows[i].metrics);
        cr_expect_str_eq(text, rows[i].text, "row %zu: %s", i, text);
    }
}
