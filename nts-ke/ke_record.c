/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NTS-KE records, read and written, and the search for the end of a message. RFC 8915 section 4.
 * See ke_record.h for the picture. Judges nothing: what a record may hold is the message's affair.
 */
#include "nts-ke/ke_record.h"

struct ke_record ke_record_read(struct rd *r)
{
    uint16_t head = rd_u16(r);
    uint16_t len = rd_u16(r);
    struct span body = rd_span(r, len);
    return (struct ke_record){
        .critical = (head & KE_CRITICAL_BIT) != 0,
        .type = head & (KE_CRITICAL_BIT - 1),
        .body = body,
    };
}

void ke_record_write(struct wr *w, bool critical, uint16_t type, struct span body)
{
    if (type >= KE_CRITICAL_BIT || body.n > UINT16_MAX) {
        w->bad = true;
        return;
    }
    wr_u16(w, critical ? (uint16_t)(type | KE_CRITICAL_BIT) : type);
    wr_u16(w, (uint16_t)body.n);
    wr_bytes(w, body);
}

void ke_record_write_u16(struct wr *w, bool critical, uint16_t type, uint16_t value)
{
    const uint8_t body[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    ke_record_write(w, critical, type, span_of(body, sizeof(body)));
}

enum ke_stream ke_stream_scan(struct span bytes, size_t max, size_t *at, size_t *len)
{
    for (;;) {
        /* Whatever else comes, an End of Message record has to fit behind. */
        if (*at > max || max - *at < KE_RECORD_HEAD_LEN) {
            return KE_STREAM_TOO_LONG;
        }
        if (*at > bytes.n || bytes.n - *at < KE_RECORD_HEAD_LEN) {
            return KE_STREAM_MORE;
        }
        struct rd head = rd_init(span_of(bytes.p + *at, KE_RECORD_HEAD_LEN));
        uint16_t type = rd_u16(&head) & (KE_CRITICAL_BIT - 1);
        size_t record_len = (size_t)KE_RECORD_HEAD_LEN + rd_u16(&head);
        if (record_len > max - *at) {
            return KE_STREAM_TOO_LONG;
        }
        if (record_len > bytes.n - *at) {
            return KE_STREAM_MORE;
        }
        if (type == KE_END_OF_MESSAGE) {
            *len = *at + record_len;
            return KE_STREAM_DONE;
        }
        *at += record_len;
    }
}
