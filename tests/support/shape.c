/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See shape.h.
 */
#include "tests/support/shape.h"

#include <stdlib.h>

struct shape shape_default(void)
{
    return (struct shape){
        .first = 0x23,
        .uid_len = 32,
        .uid_copies = 1,
        .cookies = 1,
        .authenticators = 1,
        .nonce_len = 16,
        .stated_nonce = -1,
        .stated_ciphertext = -1,
        .ciphertext_len = -1,
    };
}

struct wr shape_header(struct bench *bench, uint8_t first)
{
    struct wr w = wr_init(bench->packet, sizeof(bench->packet));
    wr_u8(&w, first);
    wr_zero(&w, NTP_TRANSMIT_OFFSET - 1);
    uint8_t *transmit = wr_room(&w, 8);
    if (transmit == NULL || rng_bytes(bench->probe.rng, transmit, 8) != NTS_OK) {
        exit(1);
    }
    return w;
}

static void put_uids(struct bench *bench, struct wr *w, const struct shape *shape)
{
    if (rng_bytes(bench->probe.rng, bench->uid, sizeof(bench->uid)) != NTS_OK) {
        exit(1);
    }
    for (int i = 0; shape->uid_len >= 0 && i < shape->uid_copies; i++) {
        uint8_t uid[256];
        memcpy(uid, bench->uid, sizeof(uid));
        uid[0] = (uint8_t)(uid[0] ^ (shape->uid_copies_differ ? i : 0));
        ntp_ef_write(w, NTP_EF_UNIQUE_IDENTIFIER, span_of(uid, (size_t)shape->uid_len), 0);
    }
}

static void put_cookies(struct bench *bench, struct wr *w, const struct shape *shape)
{
    uint8_t body[1024] = {0};
    memcpy(body, bench->cookie.bytes, bench->cookie.len);
    size_t len = (size_t)((int)bench->cookie.len + shape->cookie_delta);
    for (int i = 0; i < shape->cookies; i++) {
        ntp_ef_write(w, NTP_EF_COOKIE, span_of(body, len), 0);
    }
    memset(body, 0, sizeof(body));
    len = (size_t)((int)bench->cookie.len + shape->placeholder_delta);
    for (int i = 0; i < shape->placeholders; i++) {
        ntp_ef_write(w, NTP_EF_COOKIE_PLACEHOLDER, span_of(body, len), 0);
    }
}

static size_t put_ciphertext(struct bench *bench, struct wr *w, const struct shape *shape,
                             struct span nonce, size_t ad_len)
{
    if (shape->ciphertext_len >= 0) {
        size_t len = (size_t)shape->ciphertext_len;
        uint8_t *room = wr_room(w, (len + 3) / 4 * 4);
        if (room != NULL) {
            memset(room, shape->filler, (len + 3) / 4 * 4);
        }
        return len;
    }
    struct aead_key key;
    const struct session_keys *keys = &bench->probe.keys;
    const struct secret_key *secret = shape->seal_with_s2c ? &keys->s2c : &keys->c2s;
    /* A nonce our own sealing refuses is sent with a tag of zeros instead. */
    if (aead_key_init(&key, keys->alg, secret_key_span(secret)) != NTS_OK ||
        aead_seal(&key, nonce, span_of(bench->packet, ad_len), shape->inner, w) != NTS_OK) {
        w->bad = false;
        wr_zero(w, AEAD_TAG_LEN);
        return AEAD_TAG_LEN;
    }
    wr_zero(w, (4 - shape->inner.n % 4) % 4);
    return shape->inner.n + AEAD_TAG_LEN;
}

static void put_authenticator(struct bench *bench, struct wr *w, const struct shape *shape)
{
    size_t start = w->n;
    size_t nonce_padded = (shape->nonce_len + 3) / 4 * 4;
    wr_u16(w, NTP_EF_AUTHENTICATOR);
    wr_zero(w, 6); /* field length, nonce length, ciphertext length: filled in below */
    uint8_t *nonce = wr_room(w, nonce_padded);
    if (nonce == NULL || rng_bytes(bench->probe.rng, nonce, nonce_padded) != NTS_OK) {
        exit(1);
    }
    size_t len = put_ciphertext(bench, w, shape, span_of(nonce, shape->nonce_len), start);
    wr_zero(w, shape->extra_padding);
    struct wr head = wr_init(bench->packet + start + 2, 6);
    wr_u16(&head, (uint16_t)(w->n - start));
    wr_u16(&head,
           (uint16_t)(shape->stated_nonce < 0 ? (int)shape->nonce_len : shape->stated_nonce));
    wr_u16(&head, (uint16_t)(shape->stated_ciphertext < 0 ? (int)len : shape->stated_ciphertext));
}

size_t shape_write(struct bench *bench, const struct shape *shape)
{
    struct wr w = shape_header(bench, shape->first);
    if (shape->cookie_first) {
        put_cookies(bench, &w, shape);
    }
    put_uids(bench, &w, shape);
    if (!shape->cookie_first) {
        put_cookies(bench, &w, shape);
    }
    if (shape->unknown_before) {
        ntp_ef_write(&w, 0x7fff, span_of("unknown field", 13), 0);
    }
    for (int i = 0; i < shape->authenticators; i++) {
        put_authenticator(bench, &w, shape);
    }
    wr_zero(&w, shape->junk_after);
    return w.n;
}
