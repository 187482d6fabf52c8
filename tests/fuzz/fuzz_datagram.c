/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole datagrams through answer_prepare() and answer_finish() with a real ring.
 *
 * The first octet chooses: even, the rest is the datagram, against a ring nothing was ever sealed
 * with, so that no authenticated answer may come out; odd, the rest is put into a request with a
 * valid cookie and a valid authenticator (fuzz_ntp.h), so that what lies behind them is reached.
 */
#include "ntp/query.h"
#include "tests/fuzz/fuzz_answer.h"

enum {
    HOW_PLACEHOLDERS = 0x07,
    HOW_NTS_ONLY = 0x08,
    HOW_UNSYNCHRONISED = 0x10,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t random_state;
static struct rng rng;
static struct cookie_ring ring;     /* of the wrapped requests */
static struct cookie_ring far_ring; /* of nobody */
static struct pending pending;
static uint8_t request_bytes[FUZZ_PACKET_MAX];
static uint8_t reply_bytes[FUZZ_PACKET_MAX];

static void set_up(void)
{
    if (ring.count == 0) {
        fuzz_ring(&ring, 1);
        fuzz_ring(&far_ring, 2);
    }
    random_state = 3;
    rng_init_from(&rng, fuzz_fill, &random_state);
}

static enum ntp_verdict ask(const struct answer_env *env, struct span request, struct span *reply)
{
    memset(reply_bytes, 0xcc, sizeof(reply_bytes));
    enum ntp_verdict verdict = answer_prepare(env, &rng, request, 5, reply_bytes, &pending);
    check(verdict < NTP_VERDICTS && verdict != NTP_DROP_INTERNAL && verdict != NTP_DROP_NO_RANDOM);
    *reply = span_of(NULL, 0);
    if (ntp_verdict_is_answer(verdict)) {
        *reply = answer_finish(&pending, 6);
        (void)fuzz_check_reply(request, verdict, verdict == NTP_ANSWER_NTS, *reply);
    }
    for (size_t i = request.n; i < sizeof(reply_bytes); i++) {
        check(reply_bytes[i] == 0xcc);
    }
    check(verdict != NTP_ANSWER_PLAIN || !env->nts_only);
    return verdict;
}

static void check_cookies(const struct query_reply *judged, const struct session_keys *keys)
{
    for (size_t i = 0; i < judged->cookie_count; i++) {
        struct session_keys opened;
        size_t slot;
        check(cookie_unseal(&ring, judged->cookie[i], &opened, &slot) == NTS_OK);
        check(slot == ring.issuing && opened.alg == keys->alg);
        check(ct_equal(opened.s2c.bytes, keys->s2c.bytes, opened.s2c.len));
    }
}

static void write_request(const struct session_keys *keys, size_t placeholders, struct wr *w)
{
    const struct ntp_header header = {
        .version = 4, .mode = NTP_MODE_CLIENT, .transmit_time = FUZZ_TRANSMIT};
    ntp_header_write(w, &header);
    uint8_t uid[NTP_UID_LEN_MIN];
    memset(uid, FUZZ_UID, sizeof(uid));
    ntp_ef_write(w, NTP_EF_UNIQUE_IDENTIFIER, span_of(uid, sizeof(uid)), 0);
    uint8_t bytes[COOKIE_LEN_MAX] = {0};
    struct wr cookie = wr_init(bytes, sizeof(bytes));
    check(cookie_seal(&ring, &rng, keys, &cookie) == NTS_OK);
    ntp_ef_write(w, NTP_EF_COOKIE, wr_done(&cookie), 0);
    memset(bytes, 0, sizeof(bytes));
    for (size_t i = 0; i < placeholders; i++) {
        ntp_ef_write(w, NTP_EF_COOKIE_PLACEHOLDER, span_of(bytes, cookie.n), 0);
    }
}

/* What an undamaged wrapped request must get when nothing but our own fields is in front. */
static enum ntp_verdict expected(const struct fuzz_plan *plan, struct span request)
{
    if (request.n > NTP_DATAGRAM_MAX) {
        return NTP_DROP_LONG;
    }
    return fuzz_plain_is_sound(plan->plain) ? NTP_ANSWER_NTS : NTP_DROP_FIELD;
}

static void fuzz_wrapped(const struct answer_env *env, const struct aead *alg,
                         const struct fuzz_plan *plan)
{
    struct session_keys keys = fuzz_session(alg, 7);
    size_t placeholders = plan->how & HOW_PLACEHOLDERS;
    struct wr w = wr_init(request_bytes, sizeof(request_bytes));
    write_request(&keys, placeholders, &w);
    fuzz_seal(plan, alg, &keys.c2s, &w);
    struct span reply;
    enum ntp_verdict verdict = ask(env, wr_done(&w), &reply);
    check(verdict != NTP_ANSWER_NTS || plan->flip == 0);
    check(plan->flip != 0 || plan->extra.n != 0 || verdict == expected(plan, wr_done(&w)));
    if (verdict != NTP_ANSWER_NTS) {
        return;
    }
    struct query query = {.transmit_time = FUZZ_TRANSMIT, .nts = true};
    memset(query.uid, FUZZ_UID, sizeof(query.uid));
    static struct query_reply judged;
    enum query_verdict good =
        (plan->how & HOW_UNSYNCHRONISED) != 0 ? QUERY_UNSYNCHRONISED : QUERY_OK;
    check(query_judge(&query, &keys, reply, &judged) == good);
    check(judged.cookie_count == pending.cookie_count && judged.cookie_count >= 1);
    check(plan->extra.n != 0 || judged.cookie_count == placeholders + 1);
    check_cookies(&judged, &keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 2048) {
        return 0;
    }
    set_up();
    struct answer_env env = {.ring = &far_ring, .clock = {.stratum = 2, .reference_id = 1}};
    if ((data[0] & 1) == 0) {
        struct span reply;
        env.nts_only = (data[0] & 2) != 0;
        check(ask(&env, span_of(data + 1, size - 1), &reply) != NTP_ANSWER_NTS);
        return 0;
    }
    size_t algs;
    const struct aead *const *all = aead_all(&algs);
    struct fuzz_plan plan = fuzz_plan_read(span_of(data + 1, size - 1));
    env.ring = &ring;
    env.nts_only = (plan.how & HOW_NTS_ONLY) != 0;
    if ((plan.how & HOW_UNSYNCHRONISED) != 0) {
        env.clock = (struct ntp_clock_fields){.leap = NTP_LEAP_UNKNOWN};
    }
    fuzz_wrapped(&env, all[data[0] / 2U % algs], &plan);
    return 0;
}
