/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jar: no cookie is ever sent twice, as many are asked for as are missing and fit.
 */
#include "ntp/clock/ntp_session.h"
#include "tests/unit/ntp/ntp_sample.h"

static struct sample s;
static struct ntp_session session;

static void setup(void)
{
    sample_init(&s, sample_alg(AEAD_AES_SIV_CMAC_256));
    memset(&session, 0, sizeof(session));
    session.keys = s.keys;
}

TestSuite(ntp_session, .init = setup);

static void fill(size_t cookies, size_t len)
{
    uint8_t bytes[NTP_SESSION_COOKIE_MAX + 1];
    for (size_t i = 0; i < cookies; i++) {
        memset(bytes, (int)(i + 1), sizeof(bytes));
        ntp_session_keep(&session, span_of(bytes, len));
    }
}

/* Fields of a type in a request, and the first octet of the last one's body. */
static size_t fields(struct span request, uint16_t type, uint8_t *first)
{
    struct rd r = rd_init(request);
    struct ntp_ef ef;
    size_t n = 0;
    rd_skip(&r, NTP_HEADER_LEN);
    while (ntp_ef_next(&r, request.n, &ef) == NTS_OK) {
        if (ef.type == type) {
            n++;
            *first = ef.body.p[0];
        }
    }
    return n;
}

Test(ntp_session, each_cookie_once_and_a_full_jar_asked_for)
{
    uint8_t packet[NTP_DATAGRAM_MAX];
    fill(8, 100);
    for (size_t i = 0; i < 8; i++) {
        struct query query;
        uint8_t first = 0;
        struct wr w = wr_init(packet, sizeof(packet));
        cr_assert_eq(ntp_session_request(&session, &s.rng, &query, &w), NTS_OK);
        cr_expect_eq(session.cookie_count, 7 - i);
        cr_expect_eq(fields(wr_done(&w), NTP_EF_COOKIE, &first), 1);
        cr_expect_eq(first, 8 - i, "the newest first");
        cr_expect_eq(fields(wr_done(&w), NTP_EF_COOKIE_PLACEHOLDER, &first), i);
    }
    struct query query;
    struct wr w = wr_init(packet, sizeof(packet));
    cr_expect_eq(ntp_session_request(&session, &s.rng, &query, &w), NTS_ENOTFOUND);
}

Test(ntp_session, long_cookies_leave_less_room)
{
    uint8_t packet[NTP_DATAGRAM_MAX];
    struct query query;
    uint8_t first = 0;
    fill(1, 500);
    struct wr w = wr_init(packet, sizeof(packet));
    cr_assert_eq(ntp_session_request(&session, &s.rng, &query, &w), NTS_OK);
    cr_expect_eq(fields(wr_done(&w), NTP_EF_COOKIE_PLACEHOLDER, &first), 1);
    cr_expect_leq(w.n, sizeof(packet));
}

Test(ntp_session, what_is_not_kept)
{
    fill(1, 0);
    cr_expect_eq(session.cookie_count, 0);
    fill(1, NTP_SESSION_COOKIE_MAX + 1);
    cr_expect_eq(session.cookie_count, 0);
    fill(12, 16);
    cr_expect_eq(session.cookie_count, 8);
}

Test(ntp_session, a_cookie_that_does_not_fit_is_gone_all_the_same)
{
    uint8_t packet[300];
    struct query query;
    fill(2, 400);
    struct wr w = wr_init(packet, sizeof(packet));
    cr_expect_eq(ntp_session_request(&session, &s.rng, &query, &w), NTS_ESPACE);
    cr_expect_eq(session.cookie_count, 1);
    cr_expect_eq(session.cookie[1].len, 0, "wiped");
    ntp_session_wipe(&session);
    cr_expect_eq(session.cookie_count, 0);
}
