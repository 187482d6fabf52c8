/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first TLS handshake message, found in one or more records.
 *
 *   | 22 | 3 | minor | length (16) | ... record (RFC 8446 §5.1)
 *   | 1 | length (24) | ...          ClientHello (RFC 8446 §4)
 */
#include "nts-ke/ke_hello.h"

enum {
    RECORD_HANDSHAKE = 22,
    RECORD_MAJOR = 3,
    RECORD_HEAD_LEN = 5,
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
    return type == RECORD_HANDSHAKE && major == RECORD_MAJOR ? len : 0;
}

static void take_record(struct ke_hello *hello, struct span body)
{
    struct rd r = rd_init(body);
    for (size_t i = hello->seen; i < MESSAGE_HEAD_LEN && r.left > 0; i++) {
        hello->head = hello->head << 8 | rd_u8(&r);
    }
    hello->seen += body.n;
    hello->at += RECORD_HEAD_LEN + body.n;
}

static enum ke_hello_verdict judge(const struct ke_hello *hello)
{
    if (hello->seen < MESSAGE_HEAD_LEN) {
        return KE_HELLO_MORE;
    }
    size_t need = MESSAGE_HEAD_LEN + (hello->head & 0xffffff);
    if (hello->head >> 24 != MESSAGE_CLIENT_HELLO || need > KE_HELLO_MAX) {
        return KE_HELLO_REFUSE;
    }
    return hello->seen >= need ? KE_HELLO_OK : KE_HELLO_MORE;
}

enum ke_hello_verdict ke_hello_scan(struct ke_hello *hello, struct span bytes)
{
    enum ke_hello_verdict verdict = judge(hello);
    while (verdict == KE_HELLO_MORE) {
        struct rd r = rd_init(bytes);
        rd_skip(&r, hello->at);
        if (r.left > 0 && r.p[0] != RECORD_HANDSHAKE) {
            return KE_HELLO_REFUSE;
        }
        if (r.left < RECORD_HEAD_LEN) {
            return bytes.n < KE_HELLO_MAX ? KE_HELLO_MORE : KE_HELLO_REFUSE;
        }
        size_t len = record_len(&r);
        if (len == 0 || hello->at + RECORD_HEAD_LEN + len > KE_HELLO_MAX) {
            return KE_HELLO_REFUSE;
        }
        if (r.left < len) {
            return KE_HELLO_MORE;
        }
        take_record(hello, rd_span(&r, len));
        verdict = judge(hello);
    }
    return verdict;
}
