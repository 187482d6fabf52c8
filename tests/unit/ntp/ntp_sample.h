/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key ring, a session and requests built from one letter per extension field, the same in every
 * run. Test code.
 */
#ifndef NTSD_TESTS_UNIT_NTP_NTP_SAMPLE_H
#define NTSD_TESTS_UNIT_NTP_NTP_SAMPLE_H

#include "ntp/answer.h"
#include "ntp/ntp_auth.h"
#include "ntp/query.h"

#include <criterion/criterion.h>

enum {
    SAMPLE_KEYS = 4,
    SAMPLE_ISSUING = 2,
    SAMPLE_PACKET_MAX = 1536,
    SAMPLE_STRATUM = 2,
};

#define SAMPLE_TRANSMIT UINT64_C(0x0123456789abcdef)
#define SAMPLE_RECEIVE  UINT64_C(0xe000000000000001)
#define SAMPLE_LEAVES   UINT64_C(0xe000000080000002)

struct sample {
    uint64_t seed;
    struct rng rng;
    struct cookie_ring ring;
    struct answer_env env;
    struct session_keys keys;
    uint8_t cookie[COOKIE_LEN_MAX];
    size_t cookie_len;
    struct pending pending;
    uint8_t request[SAMPLE_PACKET_MAX];
    uint8_t reply[SAMPLE_PACKET_MAX];
};

static inline uint64_t sample_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline int sample_fill(void *ctx, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t)sample_random(ctx);
    }
    return 0;
}

static inline struct keyring sample_keyring(uint64_t seed)
{
    struct keyring ring = {.count = SAMPLE_KEYS, .issuing = SAMPLE_ISSUING};
    for (uint32_t i = 0; i < SAMPLE_KEYS; i++) {
        ring.key[i].id = 0x10000 + i;
        (void)sample_fill(&seed, ring.key[i].bytes, sizeof(ring.key[i].bytes));
    }
    return ring;
}

static inline struct session_keys sample_session(const struct aead *alg, uint64_t seed)
{
    struct session_keys keys = {.alg = alg};
    keys.c2s.len = alg->key_len;
    keys.s2c.len = alg->key_len;
    (void)sample_fill(&seed, keys.c2s.bytes, alg->key_len);
    (void)sample_fill(&seed, keys.s2c.bytes, alg->key_len);
    return keys;
}

static inline void sample_make_cookie(struct sample *s, const struct cookie_ring *ring)
{
    struct wr w = wr_init(s->cookie, sizeof(s->cookie));
    cr_assert_eq(cookie_seal(ring, &s->rng, &s->keys, &w), NTS_OK);
    s->cookie_len = w.n;
}

static inline void sample_init(struct sample *s, const struct aead *alg)
{
    memset(s, 0, sizeof(*s));
    s->seed = 1;
    rng_init_from(&s->rng, sample_fill, &s->seed);
    struct keyring ring = sample_keyring(7);
    cr_assert_eq(cookie_ring_prepare(&s->ring, &ring), NTS_OK);
    s->env = (struct answer_env){
        .clock = {.stratum = SAMPLE_STRATUM,
                  .precision = -24,
                  .root_delay = 5,
                  .root_dispersion = 6,
                  .reference_id = 0x7f7f0101,
                  .reference_time = SAMPLE_RECEIVE - 1},
        .ring = &s->ring,
    };
    s->keys = sample_session(alg, 99);
    sample_make_cookie(s, &s->ring);
}

static inline const struct aead *sample_alg(uint16_t id)
{
    const struct aead *alg = aead_find(id);
    cr_assert_not_null(alg);
    return alg;
}

static inline void sample_header(struct wr *w, uint8_t version, uint8_t mode)
{
    const struct ntp_header header = {
        .version = version, .mode = mode, .poll = 6, .transmit_time = SAMPLE_TRANSMIT};
    ntp_header_write(w, &header);
}

static inline void sample_ef(struct wr *w, uint16_t type, uint8_t fill, size_t body_len)
{
    uint8_t body[SAMPLE_PACKET_MAX];
    memset(body, fill, sizeof(body));
    ntp_ef_write(w, type, span_of(body, body_len), 0);
}

/* An authenticator with this nonce, this plaintext and `padding` octets after it. */
static inline void sample_auth(const struct sample *s, struct wr *w, size_t nonce_len,
                               struct span plain, size_t padding)
{
    uint8_t nonce[SAMPLE_PACKET_MAX];
    memset(nonce, 0x5a, sizeof(nonce));
    struct aead_key key;
    size_t ef = w->n;
    cr_assert_eq(aead_key_init(&key, s->keys.alg, secret_key_span(&s->keys.c2s)), NTS_OK);
    cr_assert_eq(ntp_auth_seal(&key, span_of(nonce, nonce_len), plain, w), NTS_OK);
    wr_zero(w, padding);
    cr_assert(!w->bad);
    struct wr len = wr_init(w->start + ef + 2, 2);
    wr_u16(&len, (uint16_t)(w->n - ef));
}

static inline void sample_auth_normal(const struct sample *s, struct wr *w)
{
    sample_auth(s, w, s->keys.alg->nonce_len, span_of(NULL, 0), 0);
}

/* An authenticator over nothing whose tag is `fill` all over: never valid. */
static inline void sample_auth_forged(struct wr *w, uint8_t fill, size_t ciphertext_len)
{
    size_t padded = ntp_ef_padded(ciphertext_len);
    uint8_t body[SAMPLE_PACKET_MAX];
    struct wr b = wr_init(body, sizeof(body));
    wr_u16(&b, 16);
    wr_u16(&b, (uint16_t)ciphertext_len);
    wr_zero(&b, 16);
    memset(body + b.n, fill, padded);
    ntp_ef_write(w, NTP_EF_AUTHENTICATOR, span_of(body, b.n + padded), 0);
}

static inline void sample_cookie_field(const struct sample *s, struct wr *w, char kind)
{
    uint8_t body[COOKIE_LEN_MAX + 8] = {0};
    size_t len = s->cookie_len;
    memcpy(body, s->cookie, len);
    if (kind == 'c') {
        body[len - 1] ^= 1; /* damaged */
    }
    if (kind == 'k') {
        body[3] ^= 0x80; /* a key we do not have */
    }
    if (kind == 'f') {
        body[0] ^= 0xe0; /* another format */
    }
    len += kind == 'l' ? 4 : 0;
    len -= kind == 's' ? 4 : 0;
    ntp_ef_write(w, NTP_EF_COOKIE, span_of(body, kind == 'e' ? 12 : len), 0);
}

/*
 * One letter, one field.
 *   U UID of 32   V another one   w of 64   u of 28        X unknown of 16   Y unknown of 28
 *   C cookie      c damaged       k foreign f no cookie    e empty   s short l long
 *   P placeholder p of 12         q too long               1 2 3 octets that are no field
 *   A authenticator               Z zero tag  R other tag  T ciphertext shorter than a tag
 */
static inline void sample_field(const struct sample *s, struct wr *w, char letter)
{
    switch (letter) {
    case 'U':
        sample_ef(w, NTP_EF_UNIQUE_IDENTIFIER, 0xa1, 32);
        return;
    case 'V':
        sample_ef(w, NTP_EF_UNIQUE_IDENTIFIER, 0xb2, 32);
        return;
    case 'w':
        sample_ef(w, NTP_EF_UNIQUE_IDENTIFIER, 0xc3, 64);
        return;
    case 'u':
        sample_ef(w, NTP_EF_UNIQUE_IDENTIFIER, 0xd4, 28);
        return;
    case 'X':
        sample_ef(w, 0x4321, 0xee, 12);
        return;
    case 'Y':
        sample_ef(w, 0xf323, 0xee, 24);
        return;
    case 'P':
        sample_ef(w, NTP_EF_COOKIE_PLACEHOLDER, 0, s->cookie_len);
        return;
    case 'p':
        sample_ef(w, NTP_EF_COOKIE_PLACEHOLDER, 0, 12);
        return;
    case 'q':
        sample_ef(w, NTP_EF_COOKIE_PLACEHOLDER, 0, s->cookie_len + 4);
        return;
    case 'A':
        sample_auth_normal(s, w);
        return;
    case 'Z':
        sample_auth_forged(w, 0, AEAD_TAG_LEN);
        return;
    case 'R':
        sample_auth_forged(w, 0x77, AEAD_TAG_LEN);
        return;
    case 'T':
        sample_auth_forged(w, 0, AEAD_TAG_LEN - 1);
        return;
    case '1':
    case '2':
    case '3':
        wr_zero(w, (size_t)(letter - '0'));
        return;
    default:
        sample_cookie_field(s, w, letter);
        return;
    }
}

/* A version 4 client request in s->request. */
static inline struct span sample_request(struct sample *s, const char *fields)
{
    struct wr w = wr_init(s->request, sizeof(s->request));
    sample_header(&w, 4, NTP_MODE_CLIENT);
    for (const char *f = fields; *f != '\0'; f++) {
        sample_field(s, &w, *f);
    }
    cr_assert(!w.bad, "request too long: %s", fields);
    return wr_done(&w);
}

/* Both steps. `*reply` is empty when nothing is sent; the general properties are checked here. */
static inline enum ntp_verdict sample_ask(struct sample *s, struct span request, struct span *reply)
{
    memset(s->reply, 0xcc, sizeof(s->reply));
    enum ntp_verdict verdict =
        answer_prepare(&s->env, &s->rng, request, SAMPLE_RECEIVE, s->reply, &s->pending);
    *reply = span_of(NULL, 0);
    if (ntp_verdict_is_answer(verdict)) {
        *reply = answer_finish(&s->pending, SAMPLE_LEAVES);
        cr_assert(reply->n >= NTP_HEADER_LEN);
    }
    cr_assert_leq(reply->n, request.n, "a reply of %zu for a request of %zu", reply->n, request.n);
    for (size_t i = request.n; i < sizeof(s->reply); i++) {
        cr_assert_eq(s->reply[i], 0xcc, "written past the request's length");
    }
    return verdict;
}

static inline struct ntp_header sample_reply_header(struct span reply)
{
    struct rd r = rd_init(reply);
    struct ntp_header header = ntp_header_read(&r);
    cr_assert(!r.bad);
    return header;
}

/* How many fields of this type a packet has outside any ciphertext. */
static inline size_t sample_count_fields(struct span packet, uint16_t type)
{
    struct rd r = rd_init(packet);
    rd_skip(&r, NTP_HEADER_LEN);
    size_t count = 0;
    struct ntp_ef ef;
    while (ntp_ef_next(&r, packet.n, &ef) == NTS_OK) {
        count += ef.type == type ? 1 : 0;
    }
    return count;
}

/* What the client of this session makes of a reply to sample_request(). */
static inline enum query_verdict sample_judge(const struct sample *s, struct span reply,
                                              struct query_reply *judged)
{
    struct query query = {.transmit_time = SAMPLE_TRANSMIT, .nts = true};
    memset(query.uid, 0xa1, sizeof(query.uid));
    return query_judge(&query, &s->keys, reply, judged);
}

#endif
