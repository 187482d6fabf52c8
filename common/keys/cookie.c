/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing and opening of cookies. See cookie.h for the picture.
 */
#include "common/keys/cookie.h"

#include <assert.h>
#include <string.h>

enum {
    HEAD_VERSION_SHIFT = 29,
    HEAD_AEAD_SHIFT = 24,
    HEAD_AEAD_MASK = 0x1f,
    HEAD_ID_MASK = 0xffffff,
    PLAIN_MAX = 2 * SECRET_KEY_MAX,
    FRAME_LEN = COOKIE_HEAD_LEN + COOKIE_NONCE_LEN + AEAD_TAG_LEN,
};

static_assert((AEAD_AES_SIV_CMAC_256 | AEAD_AES_SIV_CMAC_512 | AEAD_AES_128_GCM_SIV |
               AEAD_AES_256_GCM_SIV) < 32,
              "the algorithm's number has five bits of the head");
static_assert(COOKIE_VERSION < 8, "the version has three bits of the head");
static_assert(FRAME_LEN % 4 == 0, "a cookie fills its extension field without padding");
static_assert(_Alignof(struct keyring) == 8, "board_read() copies words of eight octets");

/* The board is shared memory: what it says about its own size is looked at before it is used. */
static bool ring_is_sound(const struct keyring *ring)
{
    return ring->count <= KEYRING_MAX && (ring->count == 0 || ring->issuing < ring->count);
}

static enum nts_err expand(struct cookie_ring *cr, const struct keyring *ring,
                           const struct aead *sealing)
{
    for (size_t i = 0; i < ring->count; i++) {
        struct span bytes = span_of(ring->key[i].bytes, KEYRING_KEY_LEN);
        TRY(aead_key_init(&cr->key[i], sealing, bytes));
        cr->id[i] = ring->key[i].id;
        cr->count = i + 1;
    }
    cr->issuing = ring->issuing;
    return NTS_OK;
}

NODISCARD enum nts_err cookie_ring_prepare(struct cookie_ring *cr, const struct keyring *ring)
{
    if (!ring_is_sound(ring)) {
        return NTS_EFORMAT;
    }
    const struct aead *sealing = aead_find(AEAD_AES_SIV_CMAC_256);
    if (sealing == NULL || sealing->key_len != KEYRING_KEY_LEN) {
        return NTS_EINTERNAL;
    }
    cookie_ring_wipe(cr);
    enum nts_err err = expand(cr, ring, sealing);
    if (err != NTS_OK) {
        cookie_ring_wipe(cr);
    }
    return err;
}

void cookie_ring_wipe(struct cookie_ring *cr)
{
    wipe(cr, sizeof(*cr));
}

NODISCARD enum nts_err cookie_ring_refresh(struct cookie_ring *cr, const struct board *key_board)
{
    if (board_generation(key_board) == cr->generation) {
        return NTS_OK;
    }
    struct keyring ring;
    uint64_t generation = 0;
    enum nts_err err = board_read(key_board, &ring, sizeof(ring), &generation);
    if (err == NTS_OK && generation != 0) {
        err = cookie_ring_prepare(cr, &ring);
        cr->generation = err == NTS_OK ? generation : cr->generation;
    }
    keyring_wipe(&ring);
    return err;
}

size_t cookie_len(const struct aead *alg)
{
    return FRAME_LEN + 2 * alg->key_len;
}

static uint32_t head_of(const struct aead *alg, uint32_t key_id)
{
    return (uint32_t)COOKIE_VERSION << HEAD_VERSION_SHIFT | (uint32_t)alg->id << HEAD_AEAD_SHIFT |
           (key_id & HEAD_ID_MASK);
}

static enum nts_err seal_into(const struct aead_key *key, struct span frame,
                              const struct session_keys *keys, struct wr *out)
{
    uint8_t bytes[PLAIN_MAX];
    struct wr plain = wr_init(bytes, sizeof(bytes));
    wr_bytes(&plain, secret_key_span(&keys->s2c));
    wr_bytes(&plain, secret_key_span(&keys->c2s));
    struct span nonce = span_of(frame.p + COOKIE_HEAD_LEN, COOKIE_NONCE_LEN);
    enum nts_err err =
        aead_seal(key, nonce, span_of(frame.p, COOKIE_HEAD_LEN), wr_done(&plain), out);
    wipe(bytes, sizeof(bytes));
    return err;
}

static enum nts_err seal(const struct cookie_ring *cr, struct rng *rng,
                         const struct session_keys *keys, struct wr *out)
{
    if (cr->count == 0) {
        return NTS_ENOTFOUND;
    }
    if (out->bad || out->cap - out->n < cookie_len(keys->alg)) {
        return NTS_ESPACE;
    }
    const uint8_t *frame = out->start + out->n;
    wr_u32(out, head_of(keys->alg, cr->id[cr->issuing]));
    TRY(rng_bytes(rng, wr_room(out, COOKIE_NONCE_LEN), COOKIE_NONCE_LEN));
    return seal_into(&cr->key[cr->issuing], span_of(frame, COOKIE_HEAD_LEN + COOKIE_NONCE_LEN),
                     keys, out);
}

NODISCARD enum nts_err cookie_seal(const struct cookie_ring *cr, struct rng *rng,
                                   const struct session_keys *keys, struct wr *out)
{
    assert(keys->alg != NULL && keys->alg->key_len <= SECRET_KEY_MAX);
    assert(keys->c2s.len == keys->alg->key_len && keys->s2c.len == keys->alg->key_len);
    enum nts_err err = seal(cr, rng, keys, out);
    if (err != NTS_OK) {
        out->bad = true;
    }
    return err;
}

static bool find_key(const struct cookie_ring *cr, uint32_t id, size_t *slot)
{
    for (size_t i = 0; i < cr->count; i++) {
        if (cr->id[i] == id) {
            *slot = i;
            return true;
        }
    }
    return false;
}

static void set_key(struct secret_key *key, const uint8_t *bytes, size_t len)
{
    key->len = len;
    memcpy(key->bytes, bytes, len);
}

/*
 * The head is used before it is authenticated, because nothing can be authenticated without it: it
 * chooses the length to expect and the key to try, and is the associated data of the seal.
 */
NODISCARD enum nts_err cookie_unseal(const struct cookie_ring *cr, struct span cookie,
                                     struct session_keys *keys, size_t *slot)
{
    session_keys_wipe(keys);
    struct rd r = rd_init(cookie);
    uint32_t head = rd_u32(&r);
    const struct aead *alg = aead_find((uint16_t)(head >> HEAD_AEAD_SHIFT & HEAD_AEAD_MASK));
    if (r.bad || head >> HEAD_VERSION_SHIFT != COOKIE_VERSION || alg == NULL ||
        cookie.n != cookie_len(alg)) {
        return NTS_EFORMAT;
    }
    size_t found;
    if (!find_key(cr, head & HEAD_ID_MASK, &found)) {
        return NTS_ENOTFOUND;
    }
    uint8_t bytes[PLAIN_MAX];
    struct span nonce = rd_span(&r, COOKIE_NONCE_LEN);
    TRY(aead_unseal(&cr->key[found], nonce, span_of(cookie.p, COOKIE_HEAD_LEN), rd_rest(&r),
                    bytes));
    keys->alg = alg;
    set_key(&keys->s2c, bytes, alg->key_len);
    set_key(&keys->c2s, bytes + alg->key_len, alg->key_len);
    wipe(bytes, sizeof(bytes));
    *slot = found;
    return NTS_OK;
}
