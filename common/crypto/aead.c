/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of AEAD algorithms and every length check in front of the library. Encrypts nothing
 * itself. RFC 5116 (the interface), RFC 8915 §5.6 (how NTS uses it).
 */
#include "common/crypto/aead.h"

#include "common/crypto/aead_backend.h"

#include <assert.h>

/* The library may hand a pointer to memcpy() even for a length of zero: give it a valid one. */
static struct span with_pointer(struct span s)
{
    static const uint8_t nothing[1] = {0};
    return s.n > 0 ? s : span_of(nothing, 0);
}

static bool nonce_fits(const struct aead *alg, struct span nonce)
{
    return nonce.n >= alg->nonce_min && nonce.n <= alg->nonce_max;
}

const struct aead *aead_find(uint16_t id)
{
    for (size_t i = 0; i < aead_built_count; i++) {
        if (aead_built[i]->id == id) {
            return aead_built[i];
        }
    }
    return NULL;
}

const struct aead *const *aead_all(size_t *count)
{
    *count = aead_built_count;
    return aead_built;
}

NODISCARD enum nts_err aead_key_init(struct aead_key *key, const struct aead *alg,
                                     struct span bytes)
{
    if (bytes.n != alg->key_len) {
        return NTS_EFORMAT;
    }
    aead_key_wipe(key);
    alg->backend->init(key->state, bytes.p);
    key->alg = alg;
    return NTS_OK;
}

void aead_key_wipe(struct aead_key *key)
{
    wipe(key, sizeof(*key));
}

NODISCARD enum nts_err aead_seal(const struct aead_key *key, struct span nonce, struct span ad,
                                 struct span plain, struct wr *out)
{
    assert(key->alg != NULL);
    if (!nonce_fits(key->alg, nonce)) {
        return NTS_EFORMAT;
    }
    uint8_t *room = wr_room(out, plain.n + AEAD_TAG_LEN);
    if (room == NULL) {
        return NTS_ESPACE;
    }
    key->alg->backend->seal(key->state, nonce, with_pointer(ad), with_pointer(plain), room);
    return NTS_OK;
}

NODISCARD enum nts_err aead_unseal(const struct aead_key *key, struct span nonce, struct span ad,
                                   struct span sealed, uint8_t *plain)
{
    assert(key->alg != NULL);
    if (!nonce_fits(key->alg, nonce)) {
        return NTS_EFORMAT;
    }
    if (sealed.n < AEAD_TAG_LEN) {
        return NTS_ESHORT;
    }
    uint8_t nothing[1];
    size_t plain_len = sealed.n - AEAD_TAG_LEN;
    uint8_t *to = plain_len > 0 ? plain : nothing;
    if (!key->alg->backend->unseal(key->state, nonce, with_pointer(ad), sealed, to)) {
        wipe(to, plain_len);
        return NTS_EAUTH;
    }
    return NTS_OK;
}
