/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authenticators as a whole: what was sealed opens, with nothing else, and what cannot be sealed
 * leaves nothing behind.
 */
#include "ntp/ntp_auth.h"

#include <criterion/criterion.h>

enum { ROOM = 256, HEADER = 48 };

static uint8_t packet[ROOM];
static const uint8_t nonce[AEAD_NONCE_LEN] = {1, 2, 3};
static const uint8_t plain[] = "some extension fields";

static struct secret_key secret_of(const struct aead *alg, uint8_t first)
{
    struct secret_key key = {.len = alg->key_len, .bytes = {first}};
    return key;
}

static enum nts_err seal(const struct aead *alg, size_t nonce_len, size_t cap, struct wr *w)
{
    struct aead_key key;
    struct secret_key secret = secret_of(alg, 9);
    cr_assert_eq(aead_key_init(&key, alg, secret_key_span(&secret)), NTS_OK);
    *w = wr_init(packet, cap);
    wr_zero(w, HEADER);
    return ntp_auth_seal(&key, span_of(nonce, nonce_len), span_of(plain, sizeof(plain)), w);
}

static enum nts_err open_with(const struct aead *alg, uint8_t first, uint8_t *out, size_t *len)
{
    struct ntp_authenticator auth;
    struct secret_key secret = secret_of(alg, first);
    size_t body = (size_t)packet[HEADER + 2] << 8 | packet[HEADER + 3];
    struct span field = span_of(packet + HEADER + NTP_EF_HEAD_LEN, body - NTP_EF_HEAD_LEN);
    cr_assert_eq(ntp_authenticator_parse(field, &auth), NTS_OK);
    *len = auth.ciphertext.n - AEAD_TAG_LEN;
    return ntp_auth_open(alg, &secret, &auth, span_of(packet, HEADER), out);
}

Test(ntp_auth, what_was_sealed_opens_and_nothing_else)
{
    size_t count;
    const struct aead *const *all = aead_all(&count);
    for (size_t i = 0; i < count; i++) {
        struct wr w;
        uint8_t out[ROOM];
        size_t len;
        cr_assert_eq(seal(all[i], all[i]->nonce_len, ROOM, &w), NTS_OK);
        cr_expect_eq(w.n, HEADER + ntp_auth_len(all[i]->nonce_len, sizeof(plain)));
        cr_assert_eq(open_with(all[i], 9, out, &len), NTS_OK);
        cr_expect(span_is(span_of(out, len), plain, sizeof(plain)));
        cr_expect_eq(open_with(all[i], 8, out, &len), NTS_EAUTH, "another key");
        for (size_t at = 0; at < HEADER; at++) {
            packet[at] ^= 0x10;
            cr_expect_eq(open_with(all[i], 9, out, &len), NTS_EAUTH, "octet %zu", at);
            packet[at] ^= 0x10;
        }
    }
}

Test(ntp_auth, without_room_nothing_is_left)
{
    const struct aead *alg = aead_find(AEAD_AES_SIV_CMAC_256);
    size_t whole = HEADER + ntp_auth_len(alg->nonce_len, sizeof(plain));
    struct wr w;
    cr_expect_eq(seal(alg, alg->nonce_len, whole, &w), NTS_OK);
    cr_expect_eq(seal(alg, alg->nonce_len, whole - 1, &w), NTS_ESPACE);
    cr_expect(w.bad);
    cr_expect_eq(wr_done(&w).n, 0);
}

Test(ntp_auth, a_nonce_that_the_algorithm_cannot_take)
{
    size_t count;
    const struct aead *const *all = aead_all(&count);
    for (size_t i = 0; i < count; i++) {
        struct wr w;
        cr_expect_eq(seal(all[i], all[i]->nonce_min - 1, ROOM, &w), NTS_EFORMAT);
        cr_expect(w.bad);
        cr_expect_eq(wr_done(&w).n, 0);
    }
}
