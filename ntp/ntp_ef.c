/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extension fields and the layout of an authenticator's body. See ntp_ef.h.
 *
 *   |  type (16)  | length (16), head included |          RFC 7822
 *   |  body, padded to a multiple of four      |
 *
 *   | nonce length (16) | ciphertext length (16) |        RFC 8915 §5.6, the body of 0x0404
 *   | nonce, padded     | ciphertext, padded     |
 *   | additional padding                         |
 */
#include "ntp/ntp_ef.h"

static enum nts_err next(struct rd *r, size_t whole, size_t len_min, struct ntp_ef *ef)
{
    *ef = (struct ntp_ef){0};
    if (rd_end(r)) {
        return NTS_ENOTFOUND;
    }
    size_t offset = whole - r->left;
    uint16_t type = rd_u16(r);
    uint16_t len = rd_u16(r);
    if (r->bad || len < len_min || len % 4 != 0) {
        r->bad = true;
        return NTS_EFORMAT;
    }
    struct span body = rd_span(r, len - (size_t)NTP_EF_HEAD_LEN);
    if (r->bad) {
        return NTS_EFORMAT;
    }
    *ef = (struct ntp_ef){.type = type, .offset = offset, .body = body};
    return NTS_OK;
}

NODISCARD enum nts_err ntp_ef_next(struct rd *r, size_t packet_len, struct ntp_ef *ef)
{
    return next(r, packet_len, NTP_EF_LEN_MIN, ef);
}

NODISCARD enum nts_err ntp_ef_next_encrypted(struct rd *r, size_t plain_len, struct ntp_ef *ef)
{
    return next(r, plain_len, NTP_EF_HEAD_LEN, ef);
}

void ntp_ef_write(struct wr *w, uint16_t type, struct span body, size_t min_len)
{
    size_t len = NTP_EF_HEAD_LEN + ntp_ef_padded(body.n);
    if (len < min_len) {
        len = ntp_ef_padded(min_len);
    }
    if (len > UINT16_MAX) {
        w->bad = true;
        return;
    }
    wr_u16(w, type);
    wr_u16(w, (uint16_t)len);
    wr_bytes(w, body);
    wr_zero(w, len - NTP_EF_HEAD_LEN - body.n);
}

NODISCARD enum nts_err ntp_authenticator_parse(struct span body, struct ntp_authenticator *auth)
{
    struct rd r = rd_init(body);
    size_t nonce_len = rd_u16(&r);
    size_t ciphertext_len = rd_u16(&r);
    struct span nonce = rd_span(&r, nonce_len);
    rd_skip(&r, ntp_ef_padded(nonce_len) - nonce_len);
    struct span ciphertext = rd_span(&r, ciphertext_len);
    rd_skip(&r, ntp_ef_padded(ciphertext_len) - ciphertext_len);
    *auth = (struct ntp_authenticator){0};
    if (r.bad) {
        return NTS_EFORMAT;
    }
    /* What remains is additional padding: any length is allowed, its content means nothing. */
    *auth = (struct ntp_authenticator){
        .nonce = nonce,
        .ciphertext = ciphertext,
        .padding = r.left,
    };
    return NTS_OK;
}

bool ntp_authenticator_has_room(const struct ntp_authenticator *auth, size_t aead_nonce_max)
{
    size_t lesser = aead_nonce_max < NTP_NONCE_REQ_MAX ? aead_nonce_max : NTP_NONCE_REQ_MAX;
    return ntp_ef_padded(auth->nonce.n) + auth->padding >= ntp_ef_padded(lesser);
}
