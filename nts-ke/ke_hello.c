/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ClientHello, found in one or more records; the server's first answer to it.
 *
 *   | 22 | 3 | minor | length (16) | ... record (RFC 8446 §5.1)
 *   | 1 | length (24) | ...          ClientHello (RFC 8446 §4)
 *   | 2 | length (24) | version (16) | random (256) | ... ServerHello (RFC 8446 §4.1.3)
 */
#include "nts-ke/ke_hello.h"

enum {
    RECORD_HANDSHAKE = 22,
    RECORD_MAJOR = 3,
    RECORD_HEAD_LEN = 5,
    MESSAGE_CLIENT_HELLO = 1,
    MESSAGE_SERVER_HELLO = 2,
    MESSAGE_HEAD_LEN = 4,
};

/* RFC 8446 §5: what a client may send for the sake of middleboxes, before its second hello. */
static const uint8_t change_cipher_spec[] = {20, 3, 3, 0, 1, 1};

/* RFC 8446 §4.1.3: the random of a ServerHello that is a HelloRetryRequest. */
static const uint8_t retry_random[] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
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

/* OK: the hello begins at hello->at. */
static enum ke_hello_verdict skip_change_cipher_spec(struct ke_hello *hello, struct span bytes)
{
    if (!hello->second || hello->at > 0 || bytes.n == 0 || bytes.p[0] != change_cipher_spec[0]) {
        return KE_HELLO_OK;
    }
    size_t n = bytes.n < sizeof(change_cipher_spec) ? bytes.n : sizeof(change_cipher_spec);
    if (memcmp(bytes.p, change_cipher_spec, n) != 0) {
        return KE_HELLO_REFUSE;
    }
    if (n < sizeof(change_cipher_spec)) {
        return KE_HELLO_MORE;
    }
    hello->at = n;
    return KE_HELLO_OK;
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
    if (hello->seen > need) { /* a client has nothing more to say until it is answered */
        return KE_HELLO_REFUSE;
    }
    return hello->seen == need ? KE_HELLO_OK : KE_HELLO_MORE;
}

enum ke_hello_verdict ke_hello_scan(struct ke_hello *hello, struct span bytes)
{
    enum ke_hello_verdict begun = skip_change_cipher_spec(hello, bytes);
    if (begun != KE_HELLO_OK) {
        return begun;
    }
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

bool ke_hello_is_retry(struct span answer)
{
    struct rd r = rd_init(answer);
    (void)record_len(&r);
    uint8_t type = rd_u8(&r);
    rd_skip(&r, MESSAGE_HEAD_LEN - 1 + 2); /* length and version */
    struct span random = rd_span(&r, sizeof(retry_random));
    return !r.bad && answer.p[0] == RECORD_HANDSHAKE && type == MESSAGE_SERVER_HELLO &&
           span_is(random, retry_random, sizeof(retry_random));
}
