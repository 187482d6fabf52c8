/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers to well-formed requests. See answer.h; RFC 8915 sections 5.6 and 5.7.
 *
 *   request | header | UID | cookie | placeholders ... | authenticator {request fields}  | anything
 *   reply   | header | UID |                             authenticator {cookie, cookie, ...} |
 *   NAK     | header | UID |
 */
#include "ntp/answer.h"

#include "ntp/ntp_auth.h"
#include "ntp/request.h"

#include <assert.h>

static_assert(COOKIE_LEN_MAX % 4 == 0, "a cookie's field is not longer than head and cookie");

static bool is_nak(enum ntp_verdict verdict)
{
    return verdict >= NTP_NAK_COOKIE_FORMAT && verdict <= NTP_NAK_REQUEST_AUTH;
}

/* Encrypted fields of a request: none is defined, so they have to be well-formed and no more. */
static bool encrypted_fields_are_sound(struct span plain)
{
    struct rd r = rd_init(plain);
    struct ntp_ef ef;
    enum nts_err err;
    do {
        err = ntp_ef_next_encrypted(&r, plain.n, &ef);
    } while (err == NTS_OK);
    return err == NTS_ENOTFOUND;
}

/* Verifies the request with the keys of its cookie. */
static enum ntp_verdict verify(const struct ntp_request *request, const struct session_keys *keys)
{
    const struct aead *alg = keys->alg;
    const struct ntp_authenticator *auth = &request->auth;
    /* RFC 8915 §5.6: servers MUST discard what does not leave room for N_REQ. */
    if (auth->nonce.n < alg->nonce_min || auth->nonce.n > alg->nonce_max ||
        !ntp_authenticator_has_room(auth, alg->nonce_max)) {
        return NTP_DROP_NONCE;
    }
    uint8_t plain[NTP_DATAGRAM_MAX];
    if (ntp_auth_open(alg, &keys->c2s, auth, request->authenticated, plain) != NTS_OK) {
        return NTP_NAK_REQUEST_AUTH;
    }
    size_t plain_len = auth->ciphertext.n - AEAD_TAG_LEN;
    bool sound = encrypted_fields_are_sound(span_of(plain, plain_len));
    wipe(plain, plain_len);
    return sound ? NTP_ANSWER_NTS : NTP_DROP_FIELD;
}

/* The cookie is the one field that has to be used before the request is verified. */
static enum ntp_verdict open_cookie(const struct cookie_ring *ring, struct span cookie,
                                    struct session_keys *keys, size_t *slot)
{
    if (ring->count == 0) {
        return NTP_DROP_NO_KEYS;
    }
    enum nts_err err = cookie_unseal(ring, cookie, keys, slot);
    if (err == NTS_OK) {
        return NTP_ANSWER_NTS;
    }
    if (err == NTS_ENOTFOUND) {
        return NTP_NAK_COOKIE_KEY;
    }
    return err == NTS_EAUTH ? NTP_NAK_COOKIE_AUTH : NTP_NAK_COOKIE_FORMAT;
}

/* The code of the kiss that this verdict is; 0: it is none. */
static uint32_t kiss_code(enum ntp_verdict verdict)
{
    if (verdict == NTP_RATE_KISS) {
        return NTP_KISS_RATE;
    }
    return is_nak(verdict) ? NTP_KISS_NTSN : 0;
}

/* RFC 5905 section 7.4: with RATE, an interval that is not too short. */
static int8_t poll_of(const struct answer_env *env, const struct ntp_header *request,
                      uint32_t kiss_of)
{
    bool longer = kiss_of == NTP_KISS_RATE && env->limit->options.interval > request->poll;
    return longer ? (int8_t)env->limit->options.interval : request->poll;
}

static void write_header(const struct answer_env *env, const struct ntp_header *request,
                         uint32_t kiss_of, uint64_t receive_time, struct wr *reply)
{
    const struct ntp_clock_fields kiss = {
        .leap = NTP_LEAP_UNKNOWN,
        .stratum = NTP_STRATUM_KISS,
        .precision = env->clock.precision,
        .reference_id = kiss_of,
    };
    const struct ntp_clock_fields *clock = kiss_of != 0 ? &kiss : &env->clock;
    const struct ntp_header header = {
        .leap = clock->leap,
        .version = request->version,
        .mode = NTP_MODE_SERVER,
        .stratum = clock->stratum,
        .poll = poll_of(env, request, kiss_of),
        .precision = clock->precision,
        .root_delay = clock->root_delay,
        .root_dispersion = clock->root_dispersion,
        .reference_id = clock->reference_id,
        .reference_time = clock->reference_time,
        .origin_time = request->transmit_time,
        .receive_time = receive_time,
    };
    ntp_header_write(reply, &header);
}

/* RFC 8915 §5.3: echoed as it came. A plain request may lack it. */
static void write_uid(struct span uid, struct wr *reply)
{
    if (uid.n > 0) {
        ntp_ef_write(reply, NTP_EF_UNIQUE_IDENTIFIER, uid, 0);
    }
}

/* One cookie, and one for each placeholder, as far as eight and the request's length go. */
static size_t cookies_that_fit(const struct wr *reply, const struct aead *alg, size_t placeholders)
{
    size_t field_len = NTP_EF_HEAD_LEN + cookie_len(alg);
    size_t count = placeholders < NTP_COOKIES_MAX ? placeholders + 1 : NTP_COOKIES_MAX;
    while (count > 0 && ntp_auth_len(alg->nonce_len, count * field_len) > reply->cap - reply->n) {
        count--;
    }
    return count;
}

static enum nts_err write_cookies(const struct cookie_ring *ring, struct rng *rng,
                                  const struct session_keys *keys, struct pending *pending)
{
    size_t len = cookie_len(keys->alg);
    struct wr w = wr_init(pending->cookies, sizeof(pending->cookies));
    for (size_t i = 0; i < pending->cookie_count; i++) {
        wr_u16(&w, NTP_EF_COOKIE);
        wr_u16(&w, (uint16_t)(NTP_EF_HEAD_LEN + len));
        TRY(cookie_seal(ring, rng, keys, &w));
    }
    pending->cookies_len = wr_done(&w).n;
    return NTS_OK;
}

/* Everything the authenticator needs but the transmit timestamp. The key comes last, so that no
 * failure leaves one behind. */
static enum ntp_verdict prepare_seal(const struct cookie_ring *ring, struct rng *rng,
                                     const struct session_keys *keys, size_t placeholders,
                                     struct pending *pending)
{
    pending->cookie_count = cookies_that_fit(&pending->reply, keys->alg, placeholders);
    if (pending->cookie_count == 0) {
        return NTP_DROP_NO_ROOM;
    }
    enum nts_err err = write_cookies(ring, rng, keys, pending);
    if (err == NTS_OK) {
        err = rng_bytes(rng, pending->nonce, keys->alg->nonce_len);
    }
    if (err == NTS_OK) {
        err = aead_key_init(&pending->key, keys->alg, secret_key_span(&keys->s2c));
    }
    if (err != NTS_OK) {
        return err == NTS_ESYSTEM ? NTP_DROP_NO_RANDOM : NTP_DROP_INTERNAL;
    }
    pending->sealed = true;
    return NTP_ANSWER_NTS;
}

/* What kind of answer `datagram` gets. For NTP_ANSWER_NTS `keys` hold its session. */
static enum ntp_verdict judge(const struct answer_env *env, struct span datagram,
                              struct ntp_request *request, struct session_keys *keys, size_t *slot)
{
    enum ntp_verdict verdict = ntp_request_parse(datagram, request);
    if (verdict == NTP_ANSWER_PLAIN && env->nts_only) {
        return NTP_DROP_UNAUTHENTICATED;
    }
    if (verdict != NTP_ANSWER_NTS) {
        return verdict;
    }
    verdict = open_cookie(env->ring, request->cookie, keys, slot);
    return verdict == NTP_ANSWER_NTS ? verify(request, keys) : verdict;
}

/* The verdict on a request that would be answered, under the limit of its client. */
static enum ntp_verdict limit(const struct answer_env *env, struct rng *rng,
                              enum ntp_verdict verdict, const struct session_keys *keys)
{
    uint8_t random = 0;
    if (env->limit == NULL || !ntp_verdict_is_answer(verdict)) {
        return verdict;
    }
    uint64_t client = verdict == NTP_ANSWER_NTS
                          ? ratelimit_key_of_session(env->limit, secret_key_span(&keys->c2s))
                          : env->address;
    if (rng_bytes(rng, &random, 1) != NTS_OK) {
        return NTP_DROP_NO_RANDOM;
    }
    switch (ratelimit_decide(env->limit, client, env->now, random)) {
    case RATELIMIT_PASS:
    case RATELIMIT_LEAKED:
        return verdict;
    case RATELIMIT_KISS: /* to a NAK it would add nothing: its client believes no kiss but NTSN */
        return is_nak(verdict) ? NTP_DROP_LIMITED : NTP_RATE_KISS;
    case RATELIMIT_LIMITED:
        break;
    }
    return NTP_DROP_LIMITED;
}

enum ntp_verdict answer_prepare(const struct answer_env *env, struct rng *rng, struct span request,
                                uint64_t receive_time, uint8_t *reply, struct pending *pending)
{
    pending->reply = wr_init(reply, request.n);
    pending->key_slot = 0;
    pending->cookie_count = 0;
    pending->cookies_len = 0;
    pending->sealed = false;

    struct ntp_request parsed;
    struct session_keys keys = {0};
    enum ntp_verdict verdict = judge(env, request, &parsed, &keys, &pending->key_slot);
    bool authentic = verdict == NTP_ANSWER_NTS;
    verdict = limit(env, rng, verdict, &keys);
    if (ntp_verdict_is_answer(verdict)) {
        write_header(env, &parsed.header, kiss_code(verdict), receive_time, &pending->reply);
        write_uid(parsed.uid, &pending->reply);
        enum ntp_verdict sealed =
            authentic ? prepare_seal(env->ring, rng, &keys, parsed.placeholders, pending)
                      : NTP_ANSWER_NTS;
        verdict = sealed == NTP_ANSWER_NTS ? verdict : sealed;
    }
    session_keys_wipe(&keys);
    return verdict;
}

struct span answer_finish(struct pending *pending, uint64_t transmit_time)
{
    struct wr stamp = wr_init(pending->reply.start + NTP_TRANSMIT_OFFSET, sizeof(transmit_time));
    wr_u64(&stamp, transmit_time);
    if (pending->sealed) {
        struct span nonce = span_of(pending->nonce, pending->key.alg->nonce_len);
        struct span cookies = span_of(pending->cookies, pending->cookies_len);
        enum nts_err err = ntp_auth_seal(&pending->key, nonce, cookies, &pending->reply);
        pending->reply.bad = pending->reply.bad || err != NTS_OK;
        pending->sealed = false;
        aead_key_wipe(&pending->key);
    }
    return wr_done(&pending->reply);
}
