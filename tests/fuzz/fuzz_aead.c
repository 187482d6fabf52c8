/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arbitrary lengths through every AEAD. Properties: what was sealed is unsealed to the same octets;
 * with any one bit turned, or a part cut off, it is not; octets that nobody sealed are refused, and
 * what is refused leaves zeros; no length crashes.
 *
 *   | algorithm (1) | key fill (1) | nonce length (2) | ad length (2) | bit (2) | nonce | ad | text
 * |
 */
#include "common/crypto/aead.h"

#include <stdlib.h>

enum { TEXT_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool is_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != 0) {
            return false;
        }
    }
    return true;
}

struct input {
    struct aead_key key;
    struct span nonce;
    struct span ad;
    struct span text;
    size_t bit;
};

/* Exact-size copies on the heap, so that the sanitizer sees an octet too far. */
static uint8_t *copy(struct span s)
{
    uint8_t *p = malloc(s.n > 0 ? s.n : 1);
    require(p != NULL);
    if (s.n > 0) {
        memcpy(p, s.p, s.n);
    }
    return p;
}

static enum nts_err unseal(const struct input *in, struct span nonce, struct span ad,
                           struct span sealed)
{
    static const uint8_t fill[1] = {0x5a};
    size_t n = sealed.n > AEAD_TAG_LEN ? sealed.n - AEAD_TAG_LEN : 0;
    uint8_t *plain = malloc(n > 0 ? n : 1);
    require(plain != NULL);
    memset(plain, fill[0], n);
    enum nts_err err = aead_unseal(&in->key, nonce, ad, sealed, plain);
    if (err == NTS_OK) {
        require(span_is(in->text, plain, n));
    }
    require(err != NTS_EAUTH || is_zero(plain, n));
    free(plain);
    return err;
}

/* One bit of nonce, associated data or sealed text, whichever `bit` falls into, is turned. */
static void check_flip(const struct input *in, struct span sealed)
{
    size_t bits = 8 * (in->nonce.n + in->ad.n + sealed.n);
    size_t bit = in->bit % bits;
    uint8_t *nonce = copy(in->nonce);
    uint8_t *ad = copy(in->ad);
    uint8_t *text = copy(sealed);
    size_t at = bit / 8;
    uint8_t turned = (uint8_t)(1u << bit % 8);
    if (at < in->nonce.n) {
        nonce[at] ^= turned;
    } else if (at < in->nonce.n + in->ad.n) {
        ad[at - in->nonce.n] ^= turned;
    } else {
        text[at - in->nonce.n - in->ad.n] ^= turned;
    }
    require(unseal(in, span_of(nonce, in->nonce.n), span_of(ad, in->ad.n),
                   span_of(text, sealed.n)) == NTS_EAUTH);
    free(text);
    free(ad);
    free(nonce);
}

static void check_cuts(const struct input *in, struct span sealed)
{
    require(sealed.n >= AEAD_TAG_LEN);
    size_t n = in->bit % sealed.n;
    enum nts_err want = n < AEAD_TAG_LEN ? NTS_ESHORT : NTS_EAUTH;
    require(unseal(in, in->nonce, in->ad, span_of(sealed.p, n)) == want);
    require(unseal(in, in->nonce, in->ad, span_of(sealed.p + sealed.n - n, n)) == want);
    if (in->ad.n > 0) {
        struct span ad = span_of(in->ad.p, in->bit % in->ad.n);
        require(unseal(in, in->nonce, ad, sealed) == NTS_EAUTH);
    }
}

static void check_sealed(const struct input *in)
{
    const struct aead *alg = in->key.alg;
    size_t need = in->text.n + AEAD_TAG_LEN;
    uint8_t *out = malloc(need);
    require(out != NULL);
    bool nonce_fits = in->nonce.n >= alg->nonce_min && in->nonce.n <= alg->nonce_max;
    struct wr small = wr_init(out, need - 1);
    enum nts_err err = aead_seal(&in->key, in->nonce, in->ad, in->text, &small);
    require(err == (nonce_fits ? NTS_ESPACE : NTS_EFORMAT) && small.n == 0);
    struct wr w = wr_init(out, need);
    err = aead_seal(&in->key, in->nonce, in->ad, in->text, &w);
    require(err == (nonce_fits ? NTS_OK : NTS_EFORMAT));
    if (nonce_fits) {
        require(unseal(in, in->nonce, in->ad, wr_done(&w)) == NTS_OK);
        check_flip(in, wr_done(&w));
        check_cuts(in, wr_done(&w));
    }
    free(out);
}

/* The text itself as if somebody had sealed it: nobody has the key. */
static void check_forged(const struct input *in)
{
    const struct aead *alg = in->key.alg;
    bool nonce_fits = in->nonce.n >= alg->nonce_min && in->nonce.n <= alg->nonce_max;
    enum nts_err want = !nonce_fits                 ? NTS_EFORMAT
                        : in->text.n < AEAD_TAG_LEN ? NTS_ESHORT
                                                    : NTS_EAUTH;
    require(unseal(in, in->nonce, in->ad, in->text) == want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t count = 0;
    const struct aead *const *all = aead_all(&count);
    struct rd r = rd_init(span_of(data, size));
    const struct aead *alg = all[rd_u8(&r) % count];
    uint8_t key[SECRET_KEY_MAX];
    memset(key, rd_u8(&r), sizeof(key));
    struct input in = {.bit = 0};
    size_t nonce_len = rd_u16(&r);
    size_t ad_len = rd_u16(&r);
    in.bit = rd_u16(&r);
    in.nonce = rd_span(&r, nonce_len < r.left ? nonce_len : r.left);
    in.ad = rd_span(&r, ad_len < r.left ? ad_len : r.left);
    in.text = rd_rest(&r);
    if (r.bad || in.text.n > TEXT_MAX) {
        return 0;
    }
    require(aead_key_init(&in.key, alg, span_of(key, alg->key_len)) == NTS_OK);
    check_sealed(&in);
    check_forged(&in);
    aead_key_wipe(&in.key);
    return 0;
}
