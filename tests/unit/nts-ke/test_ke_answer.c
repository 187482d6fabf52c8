/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the client makes of responses, good and bad.
 */
#include "nts-ke/ke_message.h"

#include <criterion/criterion.h>

#define NEXT   "\x80\x01\x00\x02\x00\x00"
#define AEAD15 "\x80\x04\x00\x02\x00\x0f"
#define COOKIE "\x00\x05\x00\x04\x01\x02\x03\x04"
#define END    "\x80\x00\x00\x00"
#define BYTES(s)                                                                                   \
    {                                                                                              \
        s, sizeof(s) - 1                                                                           \
    }

static const uint16_t offered[] = {30, 15};

struct bytes {
    const char *p;
    size_t n;
};

static enum nts_err parse(struct bytes bytes, struct ke_answer *answer, const char **why)
{
    return ke_answer_parse(span_of(bytes.p, bytes.n), offered, 2, answer, why);
}

static const struct {
    const char *name;
    struct bytes bytes;
} good[] = {
    {"plain", BYTES(NEXT AEAD15 COOKIE END)},
    {"reordered", BYTES(COOKIE AEAD15 NEXT END)},
    {"critical cookie", BYTES(NEXT AEAD15 "\x80\x05\x00\x01\x01" END)},
    {"aead not critical", BYTES(NEXT "\x00\x04\x00\x02\x00\x0f" COOKIE END)},
    {"unknown record", BYTES(NEXT AEAD15 COOKIE "\x00\x63\x00\x01\x01" END)},
    {"no protocol", BYTES("\x80\x01\x00\x00" END)},
    {"no aead", BYTES(NEXT "\x80\x04\x00\x00" END)},
    {"error", BYTES("\x80\x02\x00\x02\x00\x01" END)},
    {"unknown error", BYTES("\x80\x02\x00\x02\x99\x99" END)},
    {"error among others", BYTES(NEXT "\x80\x02\x00\x02\x00\x02" END)},
    {"warning and error", BYTES("\x80\x03\x00\x02\x00\x02\x80\x02\x00\x02\x00\x02" END)},
};

static const struct {
    const char *name;
    struct bytes bytes;
} bad[] = {
    {"nothing", BYTES("")},
    {"only an end", BYTES(END)},
    {"no end", BYTES(NEXT AEAD15 COOKIE)},
    {"end not critical", BYTES(NEXT AEAD15 COOKIE "\x00\x00\x00\x00")},
    {"end with a body", BYTES(NEXT AEAD15 COOKIE "\x80\x00\x00\x01\x00")},
    {"data after end", BYTES(NEXT AEAD15 COOKIE END "\x00")},
    {"no next", BYTES(AEAD15 COOKIE END)},
    {"two next", BYTES(NEXT NEXT AEAD15 COOKIE END)},
    {"next not critical", BYTES("\x00\x01\x00\x02\x00\x00" AEAD15 COOKIE END)},
    {"next odd", BYTES("\x80\x01\x00\x01\x00" AEAD15 COOKIE END)},
    {"next not asked for", BYTES("\x80\x01\x00\x02\x00\x01" AEAD15 COOKIE END)},
    {"next too many", BYTES("\x80\x01\x00\x04\x00\x00\x00\x01" AEAD15 COOKIE END)},
    {"no aead record", BYTES(NEXT COOKIE END)},
    {"two aead", BYTES(NEXT AEAD15 AEAD15 COOKIE END)},
    {"aead odd", BYTES(NEXT "\x80\x04\x00\x01\x0f" COOKIE END)},
    {"aead not offered", BYTES(NEXT "\x80\x04\x00\x02\x00\x11" COOKIE END)},
    {"aead reserved", BYTES(NEXT "\x80\x04\x00\x02\x00\x00" COOKIE END)},
    {"aead two", BYTES(NEXT "\x80\x04\x00\x04\x00\x0f\x00\x1e" COOKIE END)},
    {"no cookie", BYTES(NEXT AEAD15 END)},
    {"empty cookie", BYTES(NEXT AEAD15 "\x00\x05\x00\x00" END)},
    {"unknown critical", BYTES(NEXT AEAD15 COOKIE "\x80\x63\x00\x00" END)},
    {"error not critical", BYTES("\x00\x02\x00\x02\x00\x01" END)},
    {"error short", BYTES("\x80\x02\x00\x01\x01" END)},
    {"error long", BYTES("\x80\x02\x00\x03\x00\x01\x00" END)},
    {"error twice", BYTES("\x80\x02\x00\x02\x00\x01\x80\x02\x00\x02\x00\x01" END)},
    {"error without end", BYTES("\x80\x02\x00\x02\x00\x01")},
    {"warning", BYTES(NEXT AEAD15 COOKIE "\x80\x03\x00\x02\x00\x01" END)},
    {"warning short", BYTES(NEXT AEAD15 COOKIE "\x80\x03\x00\x00" END)},
    {"server empty", BYTES(NEXT AEAD15 COOKIE "\x80\x06\x00\x00" END)},
    {"server twice", BYTES(NEXT AEAD15 COOKIE "\x80\x06\x00\x01x\x80\x06\x00\x01x" END)},
    {"server with NUL", BYTES(NEXT AEAD15 COOKIE "\x80\x06\x00\x02x\x00" END)},
    {"server with a blank", BYTES(NEXT AEAD15 COOKIE "\x80\x06\x00\x03x y" END)},
    {"server not ASCII", BYTES(NEXT AEAD15 COOKIE "\x80\x06\x00\x01\xe9" END)},
    {"port short", BYTES(NEXT AEAD15 COOKIE "\x80\x07\x00\x01\x7b" END)},
    {"port long", BYTES(NEXT AEAD15 COOKIE "\x80\x07\x00\x03\x00\x7b\x00" END)},
    {"port zero", BYTES(NEXT AEAD15 COOKIE "\x80\x07\x00\x02\x00\x00" END)},
    {"port twice",
     BYTES(NEXT AEAD15 COOKIE "\x80\x07\x00\x02\x00\x7b\x80\x07\x00\x02\x00\x7b" END)},
    {"1024 with a body", BYTES(NEXT AEAD15 COOKIE "\x04\x00\x00\x01\x00" END)},
};

Test(ke_answer, good_ones)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct ke_answer answer;
        const char *why = "unset";
        cr_expect_eq(parse(good[i].bytes, &answer, &why), NTS_OK, "%s: %s", good[i].name,
                     why == NULL ? "?" : why);
        cr_expect_null(why);
    }
}

Test(ke_answer, bad_ones)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct ke_answer answer;
        const char *why = NULL;
        cr_expect_eq(parse(bad[i].bytes, &answer, &why), NTS_EFORMAT, "%s", bad[i].name);
        cr_expect_not_null(why, "%s", bad[i].name);
        cr_expect(!answer.ntpv4 && answer.aead == 0 && answer.cookie_count == 0 &&
                      !answer.has_error && answer.server[0] == '\0',
                  "%s: left something behind", bad[i].name);
    }
}

Test(ke_answer, a_cut_answer_is_refused)
{
    static const char whole[] = NEXT AEAD15 COOKIE END;
    for (size_t n = 0; n < sizeof(whole) - 1; n++) {
        struct ke_answer answer;
        const char *why = NULL;
        cr_assert_eq(parse((struct bytes){whole, n}, &answer, &why), NTS_EFORMAT, "%zu", n);
    }
}

Test(ke_answer, a_warning_is_kept_for_showing)
{
    struct ke_answer answer;
    const char *why = NULL;
    struct bytes bytes = BYTES(NEXT AEAD15 COOKIE "\x80\x03\x00\x02\x12\x34" END);
    cr_assert_eq(parse(bytes, &answer, &why), NTS_EFORMAT);
    cr_assert(answer.has_warning);
    cr_assert_eq(answer.warning, 0x1234);
}

Test(ke_answer, error_codes)
{
    struct ke_answer answer;
    const char *why = NULL;
    struct bytes bytes = BYTES("\x80\x02\x00\x02\x12\x34" END);
    cr_assert_eq(parse(bytes, &answer, &why), NTS_OK);
    cr_assert(answer.has_error);
    cr_assert_eq(answer.error, 0x1234);
}

static void check_round_trip(const struct ke_response *response)
{
    uint8_t out[KE_RESPONSE_MAX];
    struct wr w = wr_init(out, sizeof(out));
    ke_response_write(&w, response);
    struct ke_answer answer;
    const char *why = NULL;
    struct bytes bytes = {(const char *)out, wr_done(&w).n};
    cr_assert_eq(parse(bytes, &answer, &why), NTS_OK, "%s", why == NULL ? "?" : why);
    cr_assert_eq(answer.ntpv4, response->ntpv4);
    cr_assert_eq(answer.aead, response->aead);
    cr_assert_eq(answer.compliant_gcm_siv, response->compliant_gcm_siv);
    cr_assert_str_eq(answer.server, response->server == NULL ? "" : response->server);
    cr_assert_eq(answer.port, response->port == 0 ? 123 : response->port);
    cr_assert_eq(answer.cookie_count, response->cookie_count);
    for (size_t i = 0; i < answer.cookie_count; i++) {
        cr_assert(span_is(answer.cookie[i], response->cookie[i].p, response->cookie[i].n));
    }
}

Test(ke_answer, what_the_server_writes_the_client_reads)
{
    uint8_t cookie[100];
    char name[KE_SERVER_NAME_MAX + 1];
    memset(cookie, 7, sizeof(cookie));
    memset(name, 'a', KE_SERVER_NAME_MAX);
    name[KE_SERVER_NAME_MAX] = '\0';
    struct ke_response response = {.ntpv4 = true, .aead = 15};
    for (size_t i = 0; i < KE_COOKIES; i++) {
        response.cookie[i] = span_of(cookie, sizeof(cookie) - i);
        response.cookie_count = i + 1;
        check_round_trip(&response);
    }
    response.server = "2001:db8::1";
    response.port = 65535;
    check_round_trip(&response);
    response.aead = 30;
    response.compliant_gcm_siv = true;
    response.server = name;
    check_round_trip(&response);
    check_round_trip(&(struct ke_response){.ntpv4 = true});
    check_round_trip(&(struct ke_response){.ntpv4 = false});
}

Test(ke_answer, a_ninth_cookie_is_ignored)
{
    uint8_t out[512];
    struct wr w = wr_init(out, sizeof(out));
    wr_bytes(&w, span_of(NEXT AEAD15, 12));
    for (size_t i = 0; i < KE_COOKIES + 1; i++) {
        wr_bytes(&w, span_of(COOKIE, 8));
    }
    wr_bytes(&w, span_of(END, 4));
    struct ke_answer answer;
    const char *why = NULL;
    struct bytes bytes = {(const char *)out, wr_done(&w).n};
    cr_assert_eq(parse(bytes, &answer, &why), NTS_OK);
    cr_assert_eq(answer.cookie_count, KE_COOKIES);
}

Test(ke_answer, a_server_name_one_too_long)
{
    uint8_t name[KE_SERVER_NAME_MAX + 1];
    memset(name, 'a', sizeof(name));
    uint8_t out[512];
    struct wr w = wr_init(out, sizeof(out));
    wr_bytes(&w, span_of(NEXT AEAD15 COOKIE, 20));
    ke_record_write(&w, true, KE_NTPV4_SERVER, span_of(name, sizeof(name)));
    wr_bytes(&w, span_of(END, 4));
    struct ke_answer answer;
    const char *why = NULL;
    struct bytes bytes = {(const char *)out, wr_done(&w).n};
    cr_assert_eq(parse(bytes, &answer, &why), NTS_EFORMAT);
}
