/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of the first TLS handshake message, put together from one to four records.
 *
 *   | 22 | 3 | minor | length (16) | ... record (RFC 8446 §5.1)
 *   | 1 | length (24) | ...          ClientHello (RFC 8446 §4)
 */
#include "nts-ke/ke_hello.h"

enum {
    RECORD_HANDSHAKE = 22,
    RECORD_MAJOR = 3,
    RECORD_HEAD_LEN = 5,
    RECORD_MAX = 16384,
    MESSAGE_CLIENT_HELLO = 1,
    MESSAGE_HEAD_LEN = 4,
};

/* The length of the record's body; 0 for what cannot begin a handshake (an empty handshake record
 * is forbidden by RFC 8446 §5.1). */
static size_t record_len(struct rd *r)
{
    uint8_t type = rd_u8(r);
    uint8_t major = rd_u8(r);
    rd_skip(r, 1);
    size_t len = rd_u16(r);
    bool good = type == RECORD_HANDSHAKE && major == RECORD_MAJOR && len <= RECORD_MAX;
    return good ? len : 0;
}

static enum ke_hello judge(const uint8_t head[static MESSAGE_HEAD_LEN])
{
    struct rd r = rd_init(span_of(head, MESSAGE_HEAD_LEN));
    uint8_t type = rd_u8(&r);
    uint64_t len = rd_uint(&r, 3);
    return type == MESSAGE_CLIENT_HELLO && len <= KE_HELLO_MAX ? KE_HELLO_OK : KE_HELLO_REFUSE;
}

enum ke_hello ke_hello_check(struct span bytes)
{
    uint8_t head[MESSAGE_HEAD_LEN];
    struct wr message = wr_init(head, sizeof(head));
    struct rd r = rd_init(bytes);
    while (message.n < message.cap) {
        if (r.left > 0 && r.p[0] != RECORD_HANDSHAKE) {
            return KE_HELLO_REFUSE;
        }
        if (r.left < RECORD_HEAD_LEN) {
            return KE_HELLO_MORE;
        }
        size_t len = record_len(&r);
        if (len == 0) {
            return KE_HELLO_REFUSE;
        }
        size_t wanted = message.cap - message.n < len ? message.cap - message.n : len;
        if (r.left < wanted) {
            return KE_HELLO_MORE;
        }
        wr_bytes(&message, rd_span(&r, wanted)); /* what follows in the record is not looked at */
    }
    return judge(head);
}
