/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extension fields (RFC 7822) and the authenticator's inner layout (RFC 8915 §5.6). Core.
 */
#ifndef NTSD_NTP_NTP_EF_H
#define NTSD_NTP_NTP_EF_H

#include "common/base/cursor.h"
#include "common/base/err.h"
#include "ntp/ntp_proto.h"

/* Octets up to the next multiple of four: how far nonces, ciphertexts and bodies are padded. */
static inline size_t ntp_ef_padded(size_t n)
{
    return (n + 3) / 4 * 4;
}

struct ntp_ef {
    uint16_t type;
    size_t offset;    /* of the field's head from the start of the cursor's bytes */
    struct span body; /* without head, padding included; borrows the input */
};

/*
 * The next field of `r`, which has consumed `packet_len` minus what is left of it (for `offset`).
 * NTS_OK with a field; NTS_ENOTFOUND: at the end; NTS_EFORMAT: length below 16, not a multiple of
 * four, or beyond the packet. `r` is then bad and `ef` zeroed.
 */
NODISCARD enum nts_err ntp_ef_next(struct rd *r, size_t packet_len, struct ntp_ef *ef);

/* The same inside an authenticator's plaintext, where a field may be as short as its head:
 * RFC 8915 §5.5. */
NODISCARD enum nts_err ntp_ef_next_encrypted(struct rd *r, size_t plain_len, struct ntp_ef *ef);

/* Writes head, body and zero padding to a multiple of four and at least `min_len` in all. A field
 * longer than its length can say makes `w` bad. */
void ntp_ef_write(struct wr *w, uint16_t type, struct span body, size_t min_len);

/* Body of an authenticator. Spans borrow. */
struct ntp_authenticator {
    struct span nonce;
    struct span ciphertext; /* tag included */
    size_t padding;         /* octets of additional padding after both */
};

/* NTS_EFORMAT: lengths that do not fit the body. Judges the layout only. */
NODISCARD enum nts_err ntp_authenticator_parse(struct span body, struct ntp_authenticator *auth);

/* RFC 8915 §5.6: true when padded nonce and additional padding cover N_REQ for this nonce length
 * limit. */
bool ntp_authenticator_has_room(const struct ntp_authenticator *auth, size_t aead_nonce_max);

#endif
