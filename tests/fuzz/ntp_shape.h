/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request taken apart, changed and put together again: the mutator of fuzz_ntp_path. Octets that
 * are changed blindly never get past the authenticator; here fields are added, dropped, moved and
 * changed, also inside the cookie and inside the ciphertext, and then all is sealed again with the
 * keys that the cookie holds. So the server believes what comes out, however odd it is.
 *
 *   shape | head | header | fields: type, length to claim, body | tail |
 *         | plain: what the authenticator encrypts |
 */
#ifndef NTSD_TESTS_FUZZ_NTP_SHAPE_H
#define NTSD_TESTS_FUZZ_NTP_SHAPE_H

#include "tests/fuzz/fuzz_ntp.h"

enum {
    SHAPE_HEAD = 3, /* how the datagram is to be asked: fuzz_ntp_path.c */
    SHAPE_FIELDS = 24,
    SHAPE_BODY = 512,
    SHAPE_TAIL = 64,
    SHAPE_MAX = 2048,
};

struct shape_field {
    uint16_t type;
    uint16_t claims; /* 0: its length */
    size_t n;
    uint8_t body[SHAPE_BODY];
};

struct shape {
    uint8_t head[SHAPE_HEAD];
    uint8_t header[NTP_HEADER_LEN];
    size_t count;
    struct shape_field field[SHAPE_FIELDS];
    size_t tail_n;
    uint8_t tail[SHAPE_TAIL];
    size_t plain_n;
    uint8_t plain[SHAPE_BODY];
    size_t nonce_n; /* of the authenticator; 0: as the AEAD likes it */
    size_t padding; /* additional, in the authenticator */
};

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static uint64_t shape_seed; /* written by the mutator, at the start of each call */

static inline size_t shape_random(size_t below)
{
    uint8_t octets[4];
    (void)fuzz_fill(&shape_seed, octets, sizeof(octets));
    uint32_t value = (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 |
                     (uint32_t)octets[2] << 8 | octets[3];
    return value % below;
}

/* The server's ring: the same in the mutator and in the target. */
static inline struct cookie_ring *shape_ring(void)
{
    static struct cookie_ring ring;
    if (ring.count == 0) {
        fuzz_ring(&ring, 1);
    }
    return &ring;
}

static inline struct shape_field *shape_find(struct shape *s, uint16_t type)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->field[i].type == type) {
            return &s->field[i];
        }
    }
    return NULL;
}

/* The keys of the first cookie that opens. */
static inline bool shape_keys(struct shape *s, struct session_keys *keys)
{
    size_t slot;
    for (size_t i = 0; i < s->count; i++) {
        struct shape_field *field = &s->field[i];
        if (field->type == NTP_EF_COOKIE &&
            cookie_unseal(shape_ring(), span_of(field->body, field->n), keys, &slot) == NTS_OK) {
            return true;
        }
    }
    return false;
}

static inline struct shape_field *shape_add(struct shape *s, size_t at, uint16_t type, size_t n)
{
    if (s->count == SHAPE_FIELDS) {
        return &s->field[at % SHAPE_FIELDS];
    }
    at = at < s->count ? at : s->count;
    memmove(&s->field[at + 1], &s->field[at], (s->count - at) * sizeof(s->field[0]));
    s->count++;
    s->field[at] = (struct shape_field){.type = type, .n = n < SHAPE_BODY ? n : SHAPE_BODY};
    return &s->field[at];
}

/* A cookie of this session under one of the ring's keys. */
static inline void shape_new_cookie(struct shape_field *field)
{
    size_t algs;
    const struct aead *const *all = aead_all(&algs);
    struct session_keys keys = fuzz_session(all[shape_random(algs)], 7);
    struct cookie_ring *ring = shape_ring();
    struct rng rng;
    rng_init_from(&rng, fuzz_fill, &shape_seed);
    struct wr w = wr_init(field->body, SHAPE_BODY);
    size_t issuing = ring->issuing;
    ring->issuing = shape_random(ring->count);
    check(cookie_seal(ring, &rng, &keys, &w) == NTS_OK);
    ring->issuing = issuing;
    field->n = w.n;
}

/* Whoever holds the master key could make this: any head, and any octets sealed under it. */
static inline void shape_forge_cookie(struct shape_field *field)
{
    static const uint8_t numbers[] = {0, 15, 16, 17, 30, 31};
    struct cookie_ring *ring = shape_ring();
    size_t slot = shape_random(ring->count);
    uint8_t plain[2 * SECRET_KEY_MAX + 16] = {0};
    size_t n = LLVMFuzzerMutate(plain, shape_random(9) * 16, sizeof(plain));
    struct wr w = wr_init(field->body, SHAPE_BODY);
    uint32_t version = shape_random(8) == 0 ? 0 : COOKIE_VERSION;
    uint32_t number = numbers[shape_random(sizeof(numbers))];
    wr_u32(&w, version << 29 | number << 24 | ring->id[slot]);
    wr_zero(&w, COOKIE_NONCE_LEN);
    check(aead_seal(&ring->key[slot], span_of(field->body + COOKIE_HEAD_LEN, COOKIE_NONCE_LEN),
                    span_of(field->body, COOKIE_HEAD_LEN), span_of(plain, n), &w) == NTS_OK);
    field->n = w.n;
}

/* ---- apart */

static inline void shape_parse_fields(struct rd *r, struct shape *s)
{
    while (!r->bad && r->left >= NTP_EF_HEAD_LEN && s->count < SHAPE_FIELDS) {
        size_t n = (size_t)r->p[2] << 8 | r->p[3];
        if (n < NTP_EF_HEAD_LEN || n > r->left || n - NTP_EF_HEAD_LEN > SHAPE_BODY) {
            break;
        }
        struct shape_field *field = &s->field[s->count++];
        *field = (struct shape_field){.type = rd_u16(r), .n = n - NTP_EF_HEAD_LEN};
        rd_skip(r, 2);
        struct span body = rd_span(r, field->n);
        memcpy(field->body, body.p, body.n);
    }
    s->tail_n = r->left < SHAPE_TAIL ? r->left : SHAPE_TAIL;
    struct span tail = rd_span(r, s->tail_n);
    if (tail.n > 0) {
        memcpy(s->tail, tail.p, tail.n);
    }
}

/* What the first authenticator encrypts, if it can be opened; and its nonce and padding. */
static inline void shape_open(struct span datagram, struct shape *s)
{
    struct session_keys keys;
    struct ntp_authenticator auth;
    size_t offset = NTP_HEADER_LEN;
    for (size_t i = 0; i < s->count; i++) {
        struct shape_field *field = &s->field[i];
        if (field->type != NTP_EF_AUTHENTICATOR) {
            offset += NTP_EF_HEAD_LEN + field->n;
            continue;
        }
        struct span ad = span_of(datagram.p, offset);
        if (ntp_authenticator_parse(span_of(field->body, field->n), &auth) == NTS_OK &&
            shape_keys(s, &keys) &&
            ntp_auth_open(keys.alg, &keys.c2s, &auth, ad, s->plain) == NTS_OK) {
            s->plain_n = auth.ciphertext.n - AEAD_TAG_LEN;
            s->nonce_n = auth.nonce.n;
            s->padding = auth.padding;
        }
        return;
    }
}

static inline bool shape_parse(struct span input, struct shape *s)
{
    memset(s, 0, sizeof(*s));
    struct rd r = rd_init(input);
    struct span head = rd_span(&r, SHAPE_HEAD);
    struct span datagram = span_of(r.p, r.left);
    struct span header = rd_span(&r, NTP_HEADER_LEN);
    if (r.bad) {
        return false;
    }
    memcpy(s->head, head.p, head.n);
    memcpy(s->header, header.p, header.n);
    shape_parse_fields(&r, s);
    shape_open(datagram, s);
    return true;
}

/* ---- together */

static inline void shape_seal(struct shape *s, struct shape_field *field, struct span ad)
{
    struct session_keys keys;
    struct aead_key key;
    if (!shape_keys(s, &keys)) {
        keys = fuzz_session(aead_find(AEAD_AES_SIV_CMAC_256), 7);
    }
    size_t nonce_n = s->nonce_n;
    if (nonce_n < keys.alg->nonce_min || nonce_n > keys.alg->nonce_max || nonce_n > 64) {
        nonce_n = keys.alg->nonce_len;
    }
    static const uint8_t nonce[64] = {9};
    struct wr w = wr_init(field->body, SHAPE_BODY);
    wr_u16(&w, (uint16_t)nonce_n);
    wr_u16(&w, (uint16_t)(s->plain_n + AEAD_TAG_LEN));
    wr_bytes(&w, span_of(nonce, nonce_n));
    wr_zero(&w, ntp_ef_padded(nonce_n) - nonce_n);
    check(aead_key_init(&key, keys.alg, secret_key_span(&keys.c2s)) == NTS_OK);
    if (aead_seal(&key, span_of(nonce, nonce_n), ad, span_of(s->plain, s->plain_n), &w) == NTS_OK) {
        wr_zero(&w, ntp_ef_padded(s->plain_n) - s->plain_n);
        wr_zero(&w, s->padding);
        field->n = w.bad ? field->n : w.n;
    }
}

/* With `seal` the first authenticator is made anew, over all that stands before it. */
static inline size_t shape_write(struct shape *s, bool seal, uint8_t *out, size_t cap)
{
    struct wr w = wr_init(out, cap);
    struct shape_field *authenticator = seal ? shape_find(s, NTP_EF_AUTHENTICATOR) : NULL;
    wr_bytes(&w, span_of(s->head, SHAPE_HEAD));
    wr_bytes(&w, span_of(s->header, NTP_HEADER_LEN));
    for (size_t i = 0; i < s->count; i++) {
        struct shape_field *field = &s->field[i];
        if (field == authenticator && !w.bad) {
            shape_seal(s, field, span_of(out + SHAPE_HEAD, w.n - SHAPE_HEAD));
        }
        size_t claims = field->claims != 0 ? field->claims : NTP_EF_HEAD_LEN + field->n;
        wr_u16(&w, field->type);
        wr_u16(&w, (uint16_t)claims);
        wr_bytes(&w, span_of(field->body, field->n));
    }
    wr_bytes(&w, span_of(s->tail, s->tail_n));
    return wr_done(&w).n;
}

/* A request as it should be, with this many placeholders. */
static inline void shape_sound(struct shape *s, size_t placeholders)
{
    memset(s, 0, sizeof(*s));
    s->header[0] = 4 << 3 | NTP_MODE_CLIENT;
    struct shape_field *uid = shape_add(s, 0, NTP_EF_UNIQUE_IDENTIFIER, NTP_UID_LEN_MIN);
    memset(uid->body, FUZZ_UID, uid->n);
    struct shape_field *cookie = shape_add(s, 1, NTP_EF_COOKIE, 0);
    shape_new_cookie(cookie);
    for (size_t i = 0; i < placeholders; i++) {
        (void)shape_add(s, s->count, NTP_EF_COOKIE_PLACEHOLDER, cookie->n);
    }
    (void)shape_add(s, s->count, NTP_EF_AUTHENTICATOR, 0);
}

/* ---- changes */

static const uint16_t shape_types[] = {NTP_EF_UNIQUE_IDENTIFIER, NTP_EF_COOKIE,
                                       NTP_EF_COOKIE_PLACEHOLDER, NTP_EF_AUTHENTICATOR, 0x0001};
enum { SHAPE_TYPES = sizeof(shape_types) / sizeof(shape_types[0]) };

static inline struct shape_field *shape_any(struct shape *s)
{
    return s->count > 0 ? &s->field[shape_random(s->count)]
                        : shape_add(s, 0, shape_types[shape_random(SHAPE_TYPES)], 32);
}

static inline void shape_insert(struct shape *s)
{
    struct shape_field *cookie = shape_find(s, NTP_EF_COOKIE);
    size_t n = cookie != NULL && shape_random(4) != 0 ? cookie->n : shape_random(40) * 4;
    uint16_t type = shape_types[shape_random(SHAPE_TYPES)];
    struct shape_field *field = shape_add(s, shape_random(s->count + 1), type, n);
    if (type == NTP_EF_COOKIE) {
        shape_new_cookie(field);
    }
}

static inline void shape_insert_placeholders(struct shape *s)
{
    struct shape_field *cookie = shape_find(s, NTP_EF_COOKIE);
    size_t n = cookie != NULL ? cookie->n : 100;
    size_t at = shape_random(s->count + 1);
    for (size_t i = 1 + shape_random(10); i > 0; i--) {
        (void)shape_add(s, at, NTP_EF_COOKIE_PLACEHOLDER, n);
    }
}

static inline void shape_drop(struct shape *s)
{
    if (s->count > 0) {
        size_t at = shape_random(s->count);
        s->count--;
        memmove(&s->field[at], &s->field[at + 1], (s->count - at) * sizeof(s->field[0]));
    }
}

static inline void shape_swap(struct shape *s)
{
    struct shape_field *a = shape_any(s);
    struct shape_field *b = shape_any(s);
    struct shape_field kept = *a;
    *a = *b;
    *b = kept;
}

static inline void shape_retype(struct shape *s)
{
    struct shape_field *field = shape_any(s);
    field->type = shape_random(4) == 0 ? (uint16_t)shape_random(0x10000)
                                       : shape_types[shape_random(SHAPE_TYPES)];
}

static inline void shape_change_body(struct shape *s)
{
    struct shape_field *field = shape_any(s);
    field->n = LLVMFuzzerMutate(field->body, field->n, SHAPE_BODY);
    if (shape_random(4) != 0) {
        field->n = ntp_ef_padded(field->n); /* SHAPE_BODY is a multiple of four */
    }
}

static inline void shape_resize(struct shape *s)
{
    struct shape_field *field = shape_any(s);
    field->n = shape_random(SHAPE_BODY / 4) * 4;
}

static inline void shape_lie(struct shape *s)
{
    struct shape_field *field = shape_any(s);
    size_t off = shape_random(2) == 0 ? shape_random(9) * 4 : shape_random(0x10000);
    field->claims = (uint16_t)(field->n + off);
}

static inline void shape_change_cookie(struct shape *s)
{
    struct shape_field *cookie = shape_find(s, NTP_EF_COOKIE);
    if (cookie == NULL) {
        cookie = shape_add(s, shape_random(s->count + 1), NTP_EF_COOKIE, 0);
    }
    if (shape_random(2) == 0) {
        shape_new_cookie(cookie);
    } else {
        shape_forge_cookie(cookie);
    }
}

static inline void shape_change_plain(struct shape *s)
{
    if (shape_random(2) == 0) { /* one more well-formed field */
        struct wr w = wr_init(s->plain, SHAPE_BODY);
        w.n = s->plain_n;
        wr_u16(&w, shape_types[shape_random(SHAPE_TYPES)]);
        size_t n = shape_random(8) * 4;
        wr_u16(&w, (uint16_t)(NTP_EF_HEAD_LEN + n));
        wr_zero(&w, n);
        s->plain_n = w.bad ? s->plain_n : w.n;
        return;
    }
    s->plain_n = LLVMFuzzerMutate(s->plain, s->plain_n, SHAPE_BODY / 2);
}

static inline void shape_change_authenticator(struct shape *s)
{
    if (shape_random(2) == 0) {
        s->nonce_n = shape_random(65);
    } else {
        s->padding = shape_random(10) * 4;
    }
}

static inline void shape_change_header(struct shape *s)
{
    (void)LLVMFuzzerMutate(s->header, NTP_HEADER_LEN, NTP_HEADER_LEN);
    if (shape_random(4) != 0) {
        s->header[0] = 4 << 3 | NTP_MODE_CLIENT;
    }
}

static inline void shape_change_head(struct shape *s)
{
    s->head[shape_random(SHAPE_HEAD)] = (uint8_t)shape_random(256);
}

static inline void shape_change_tail(struct shape *s)
{
    s->tail_n = LLVMFuzzerMutate(s->tail, s->tail_n, SHAPE_TAIL);
}

static inline void shape_start_again(struct shape *s)
{
    uint8_t head[SHAPE_HEAD];
    memcpy(head, s->head, SHAPE_HEAD);
    shape_sound(s, shape_random(10));
    memcpy(s->head, head, SHAPE_HEAD);
}

static void (*const shape_changes[])(struct shape *s) = {
    shape_insert,        shape_insert_placeholders, shape_drop,         shape_swap,
    shape_retype,        shape_change_body,         shape_resize,       shape_lie,
    shape_change_cookie, shape_change_plain,        shape_change_plain, shape_change_authenticator,
    shape_change_header, shape_change_head,         shape_change_head,  shape_change_tail,
    shape_start_again,
};

static inline size_t shape_mutate(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    static struct shape s;
    static uint8_t out[SHAPE_MAX];
    shape_seed = seed;
    if (!shape_parse(span_of(data, size), &s)) {
        shape_sound(&s, shape_random(10));
    }
    size_t changes = sizeof(shape_changes) / sizeof(shape_changes[0]);
    for (size_t i = shape_random(4); i < 4; i++) {
        shape_changes[shape_random(changes)](&s);
    }
    size_t n = shape_write(&s, shape_random(8) != 0, out, max < SHAPE_MAX ? max : SHAPE_MAX);
    if (n == 0) { /* it outgrew its room */
        return LLVMFuzzerMutate(data, size, max);
    }
    memcpy(data, out, n);
    return n;
}

#endif
