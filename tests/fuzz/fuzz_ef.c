/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extension fields: what was parsed lies in the input and, written again, is the input; the body of
 * an authenticator likewise. The first octet chooses the rules for fields outside or inside a
 * ciphertext.
 */
#include "ntp/ntp_ef.h"

#include <stdlib.h>

enum { INPUT_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
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

static void check_authenticator(struct span body)
{
    struct ntp_authenticator auth;
    if (ntp_authenticator_parse(body, &auth) != NTS_OK) {
        check(auth.nonce.n == 0 && auth.ciphertext.n == 0);
        return;
    }
    size_t nonce = ntp_ef_padded(auth.nonce.n);
    size_t ciphertext = ntp_ef_padded(auth.ciphertext.n);
    check(4 + nonce + ciphertext + auth.padding == body.n);
    check(auth.nonce.p == body.p + 4 && auth.ciphertext.p == body.p + 4 + nonce);
    check(ntp_authenticator_has_room(&auth, 16) == (nonce + auth.padding >= 16));
    check(!ntp_authenticator_has_room(&auth, 16) || ntp_authenticator_has_room(&auth, 12));
}

static void check_fields(struct span input, bool encrypted)
{
    uint8_t again[INPUT_MAX];
    struct wr w = wr_init(again, sizeof(again));
    struct rd r = rd_init(input);
    struct ntp_ef ef;
    enum nts_err err;
    for (;;) {
        err = encrypted ? ntp_ef_next_encrypted(&r, input.n, &ef) : ntp_ef_next(&r, input.n, &ef);
        if (err != NTS_OK) {
            break;
        }
        check(ef.offset == w.n);
        check(ef.body.p == input.p + ef.offset + NTP_EF_HEAD_LEN);
        check(encrypted || ef.body.n + NTP_EF_HEAD_LEN >= NTP_EF_LEN_MIN);
        check_authenticator(ef.body);
        ntp_ef_write(&w, ef.type, ef.body, 0);
    }
    check(err == NTS_ENOTFOUND || err == NTS_EFORMAT);
    check((err == NTS_ENOTFOUND) == rd_end(&r));
    check(!w.bad && w.n <= input.n && memcmp(again, input.p, w.n) == 0);
    check(err != NTS_ENOTFOUND || w.n == input.n);
}

/* Any body, written and parsed: the same body and zeros. */
static void check_body(struct span body)
{
    uint8_t wire[INPUT_MAX + 64];
    struct wr w = wr_init(wire, sizeof(wire));
    ntp_ef_write(&w, NTP_EF_COOKIE, body, NTP_EF_LAST_LEN_MIN);
    struct rd r = rd_init(wr_done(&w));
    struct ntp_ef ef;
    check(ntp_ef_next(&r, w.n, &ef) == NTS_OK && rd_end(&r));
    check(w.n >= NTP_EF_LAST_LEN_MIN && w.n % 4 == 0);
    check(ef.body.n >= body.n && memcmp(ef.body.p, body.p, body.n) == 0);
    check(is_zero(ef.body.p + body.n, ef.body.n - body.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_MAX) {
        return 0;
    }
    struct span input = span_of(data + 1, size - 1);
    check_fields(input, (data[0] & 1) != 0);
    check_authenticator(input);
    check_body(input);
    return 0;
}
