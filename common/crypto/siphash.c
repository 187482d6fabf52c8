/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SipHash-2-4. See siphash.h.
 */
#include "common/crypto/siphash.h"

#include <endian.h>

enum {
    WORD_LEN = 8,
    COMPRESSION_ROUNDS = 2, /* the 2 and the 4 of its name */
    FINAL_ROUNDS = 4,
};

struct state {
    uint64_t v0;
    uint64_t v1;
    uint64_t v2;
    uint64_t v3;
};

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t read_le64(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return le64toh(word);
}

static void mix(struct state *s, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = rotate_left(s->v1, 13) ^ s->v0;
        s->v3 = rotate_left(s->v3, 16) ^ s->v2;
        s->v0 = rotate_left(s->v0, 32) + s->v3;
        s->v2 += s->v1;
        s->v3 = rotate_left(s->v3, 21) ^ s->v0;
        s->v1 = rotate_left(s->v1, 17) ^ s->v2;
        s->v2 = rotate_left(s->v2, 32);
    }
}

static void absorb(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    mix(s, COMPRESSION_ROUNDS);
    s->v0 ^= word;
}

/* The octets after the last whole word, and the length of the message as the topmost octet. */
static uint64_t last_word(const uint8_t *p, size_t left, size_t len)
{
    uint64_t word = (uint64_t)(len & 0xff) << 56;
    for (size_t i = 0; i < left; i++) {
        word |= (uint64_t)p[i] << (8 * i);
    }
    return word;
}

uint64_t siphash(const uint8_t key[static SIPHASH_KEY_LEN], struct span message)
{
    const uint64_t k0 = read_le64(key);
    const uint64_t k1 = read_le64(key + WORD_LEN);
    struct state s = {
        .v0 = k0 ^ UINT64_C(0x736f6d6570736575), /* "somepseudorandomlygeneratedbytes" */
        .v1 = k1 ^ UINT64_C(0x646f72616e646f6d),
        .v2 = k0 ^ UINT64_C(0x6c7967656e657261),
        .v3 = k1 ^ UINT64_C(0x7465646279746573),
    };
    size_t whole = message.n - message.n % WORD_LEN;
    for (size_t at = 0; at < whole; at += WORD_LEN) {
        absorb(&s, read_le64(message.p + at));
    }
    const uint8_t *rest = whole < message.n ? message.p + whole : NULL;
    absorb(&s, last_word(rest, message.n - whole, message.n));
    s.v2 ^= 0xff;
    mix(&s, FINAL_ROUNDS);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
