/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SipHash-2-4: the vectors that its authors publish (vectors_sip64: the key is 00 01 .. 0f, message
 * n is the first n octets of 00 01 02 ..), and a second implementation beside it.
 */
#include "common/crypto/siphash.h"

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

enum { VECTORS = 64 };

static const char *const published[VECTORS] = {
    "310e0edd47db6f72", "fd67dc93c539f874", "5a4fa9d909806c0d", "2d7efbd796666785",
    "b7877127e09427cf", "8da699cd64557618", "cee3fe586e46c9cb", "37d1018bf50002ab",
    "6224939a79f5f593", "b0e4a90bdf82009e", "f3b9dd94c5bb5d7a", "a7ad6b22462fb3f4",
    "fbe50e86bc8f1e75", "903d84c02756ea14", "eef27a8e90ca23f7", "e545be4961ca29a1",
    "db9bc2577fcc2a3f", "9447be2cf5e99a69", "9cd38d96f0b3c14b", "bd6179a71dc96dbb",
    "98eea21af25cd6be", "c7673b2eb0cbf2d0", "883ea3e395675393", "c8ce5ccd8c030ca8",
    "94af49f6c650adb8", "eab8858ade92e1bc", "f315bb5bb835d817", "adcf6b0763612e2f",
    "a5c91da7acaa4dde", "716595876650a2a6", "28ef495c53a387ad", "42c341d8fa92d832",
    "ce7cf2722f512771", "e37859f94623f3a7", "381205bb1ab0e012", "ae97a10fd434e015",
    "b4a31508beff4d31", "81396229f0907902", "4d0cf49ee5d4dcca", "5c73336a76d8bf9a",
    "d0a704536ba93e0e", "925958fcd6420cad", "a915c29bc8067318", "952b79f3bc0aa6d4",
    "f21df2e41d4535f9", "87577519048f53a9", "10a56cf5dfcd9adb", "eb75095ccd986cd0",
    "51a9cb9ecba312e6", "96afadfc2ce666c7", "72fe52975a4364ee", "5a1645b276d592a1",
    "b274cb8ebf87870a", "6f9bb4203de7b381", "eaecb2a30b22a87f", "9924a43cc1315724",
    "bd838d3aafbf8db7", "0b1a2a3265d51aea", "135079a3231ce660", "932b2846e4d70666",
    "e1915f5cb1eca46c", "f325965ca16d629f", "575ff28e60381be5", "724506eb4c328a95",
};

/* 00 01 02 .. */
static void count_up(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)i;
    }
}

static void print_le(uint64_t hash, char text[static 17])
{
    for (size_t i = 0; i < 8; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", (unsigned)(hash >> (8 * i) & 0xff));
    }
}

Test(siphash, published_vectors)
{
    uint8_t key[SIPHASH_KEY_LEN];
    uint8_t message[VECTORS];
    count_up(key, sizeof(key));
    count_up(message, sizeof(message));
    for (size_t n = 0; n < VECTORS; n++) {
        char text[17];
        print_le(siphash(key, span_of(message, n)), text);
        cr_assert_str_eq(text, published[n], "%zu octets", n);
    }
}

Test(siphash, nothing_may_be_nowhere)
{
    uint8_t key[SIPHASH_KEY_LEN];
    char text[17];
    count_up(key, sizeof(key));
    print_le(siphash(key, span_of(NULL, 0)), text);
    cr_assert_str_eq(text, published[0]);
}

static uint64_t other_siphash(EVP_MAC *mac, const uint8_t *key, struct span message)
{
    uint8_t out[8];
    size_t len = 0;
    unsigned size = sizeof(out);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_SIZE, &size),
                           OSSL_PARAM_construct_end()};
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
    cr_assert_not_null(ctx);
    cr_assert_eq(EVP_MAC_init(ctx, key, SIPHASH_KEY_LEN, params), 1);
    cr_assert_eq(EVP_MAC_update(ctx, message.p, message.n), 1);
    cr_assert_eq(EVP_MAC_final(ctx, out, &len, sizeof(out)), 1);
    EVP_MAC_CTX_free(ctx);
    uint64_t hash = 0;
    for (size_t i = 0; i < sizeof(out); i++) {
        hash |= (uint64_t)out[i] << (8 * i);
    }
    return hash;
}

/* Keys and messages of all values, lengths beyond 256: where the length octet wraps. */
Test(siphash, agrees_with_openssl)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
    cr_assert_not_null(mac);
    uint8_t key[SIPHASH_KEY_LEN];
    uint8_t message[600];
    uint32_t state = 1;
    for (size_t n = 0; n < sizeof(message); n++) {
        for (size_t i = 0; i < sizeof(key); i++) {
            state = state * 1664525U + 1013904223U;
            key[i] = (uint8_t)(state >> 24);
            message[(n + i) % sizeof(message)] = (uint8_t)(state >> 16);
        }
        struct span span = span_of(message, n);
        cr_assert_eq(siphash(key, span), other_siphash(mac, key, span), "%zu octets", n);
    }
    EVP_MAC_free(mac);
}

Test(siphash, does_not_care_where_the_message_lies)
{
    uint8_t key[SIPHASH_KEY_LEN];
    uint8_t room[64 + 8];
    char text[17];
    count_up(key, sizeof(key));
    for (size_t shift = 0; shift < 8; shift++) {
        count_up(room + shift, 63);
        print_le(siphash(key, span_of(room + shift, 63)), text);
        cr_assert_str_eq(text, published[63], "shifted by %zu", shift);
    }
}
