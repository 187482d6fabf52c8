/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies through query_judge(): the client must believe nothing that was not sealed for it.
 *
 * The first octet, modulo 4, chooses: 0, the rest is the reply to a plain query; 1, to an
 * authenticated one with keys that never sealed anything; otherwise it is put into a reply that
 * verifies (fuzz_ntp.h), after eight octets for the header.
 */
#include "ntp/query.h"
#include "tests/fuzz/fuzz_ntp.h"

enum { MODE_PLAIN, MODE_RAW, MODES = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct query_reply judged;

static struct query make_query(bool nts)
{
    struct query query = {.transmit_time = FUZZ_TRANSMIT, .nts = nts};
    memset(query.uid, FUZZ_UID, sizeof(query.uid));
    return query;
}

static bool is_believed(enum query_verdict verdict)
{
    return verdict == QUERY_OK || verdict == QUERY_UNSYNCHRONISED;
}

/* What holds for every reply and every verdict. */
static void check_judged(enum query_verdict verdict)
{
    check(verdict < QUERY_VERDICTS && judged.cookie_count <= NTP_COOKIES_MAX);
    for (size_t i = 0; i < judged.cookie_count; i++) {
        const uint8_t *p = judged.cookie[i].p;
        size_t n = judged.cookie[i].n;
        check(n > 0 && p >= judged.plain && p + n <= judged.plain + sizeof(judged.plain));
    }
    if (is_believed(verdict) || verdict == QUERY_NAK || verdict == QUERY_KISS) {
        check(judged.header.mode == NTP_MODE_SERVER && judged.header.version == 4);
        check(judged.header.origin_time == FUZZ_TRANSMIT);
    }
    if (verdict == QUERY_OK) {
        check(judged.header.leap != NTP_LEAP_UNKNOWN && judged.header.stratum >= 1);
        check(judged.header.stratum <= NTP_STRATUM_MAX);
    }
}

static void fuzz_plain(struct span packet)
{
    const struct query query = make_query(false);
    enum query_verdict verdict = query_judge(&query, NULL, packet, &judged);
    check_judged(verdict);
    check(judged.cookie_count == 0 && verdict != QUERY_NAK);
}

static void fuzz_raw(struct span packet)
{
    struct session_keys keys = fuzz_session(aead_find(AEAD_AES_SIV_CMAC_256), 11);
    const struct query query = make_query(true);
    enum query_verdict verdict = query_judge(&query, &keys, packet, &judged);
    check_judged(verdict);
    check(!is_believed(verdict) && judged.cookie_count == 0);
}

/* Leap, stratum, poll, precision and reference id from the fuzzer, the rest as it has to be. */
static void write_reply_head(struct rd *r, struct wr *w)
{
    const struct ntp_header header = {
        .leap = rd_u8(r) & 3,
        .version = 4,
        .mode = NTP_MODE_SERVER,
        .stratum = rd_u8(r) % 18,
        .poll = (int8_t)rd_u8(r),
        .precision = (int8_t)rd_u8(r),
        .reference_id = rd_u32(r),
        .origin_time = FUZZ_TRANSMIT,
    };
    ntp_header_write(w, &header);
    uint8_t uid[NTP_UID_LEN_MIN];
    memset(uid, FUZZ_UID, sizeof(uid));
    ntp_ef_write(w, NTP_EF_UNIQUE_IDENTIFIER, span_of(uid, sizeof(uid)), 0);
}

static void fuzz_wrapped(struct span input)
{
    size_t algs;
    const struct aead *const *all = aead_all(&algs);
    uint8_t bytes[FUZZ_PACKET_MAX];
    struct wr w = wr_init(bytes, sizeof(bytes));
    struct rd r = rd_init(input);
    write_reply_head(&r, &w);
    struct fuzz_plan plan = fuzz_plan_read(rd_rest(&r));
    struct session_keys keys = fuzz_session(all[plan.how % algs], 12);
    fuzz_seal(&plan, keys.alg, &keys.s2c, &w);

    const struct query query = make_query(true);
    enum query_verdict verdict = query_judge(&query, &keys, wr_done(&w), &judged);
    check_judged(verdict);
    check(plan.flip == 0 || !is_believed(verdict));
    if (plan.flip == 0 && plan.extra.n == 0) {
        bool sound = fuzz_plain_is_sound(plan.plain);
        check(sound ? is_believed(verdict) || verdict == QUERY_KISS : verdict == QUERY_BAD_FIELD);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 2048) {
        return 0;
    }
    struct span rest = span_of(data + 1, size - 1);
    if (data[0] % MODES == MODE_PLAIN) {
        fuzz_plain(rest);
        return 0;
    }
    if (data[0] % MODES == MODE_RAW) {
        fuzz_raw(rest);
        return 0;
    }
    fuzz_wrapped(rest);
    return 0;
}
