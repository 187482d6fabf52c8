/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HKDF-SHA256 against RFC 5869 appendix A, and SHA-256 against FIPS 180-4's example, both also
 * against an unrelated implementation for every small length.
 */
#include "common/crypto/kdf.h"

#include "tests/unit/common/hex.h"

#include <openssl/evp.h>
#include <openssl/kdf.h>

static const struct {
    const char *secret;
    const char *salt;
    const char *info;
    const char *out;
} RFC5869[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
     "f0f1f2f3f4f5f6f7f8f9",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d"
     "2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
     "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d"
     "8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
     "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdd"
     "dedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e59"
     "0e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

Test(kdf, rfc_5869_vectors)
{
    for (size_t i = 0; i < sizeof(RFC5869) / sizeof(RFC5869[0]); i++) {
        struct bytes secret = unhex(RFC5869[i].secret);
        struct bytes salt = unhex(RFC5869[i].salt);
        struct bytes info = unhex(RFC5869[i].info);
        struct bytes want = unhex(RFC5869[i].out);
        uint8_t out[128];
        hkdf_sha256(bytes_span(&salt), bytes_span(&secret), bytes_span(&info), out, want.n);
        cr_assert(span_is(bytes_span(&want), out, want.n), "A.%zu", i + 1);
    }
}

Test(kdf, a_shorter_output_is_a_prefix_and_nothing_is_written_behind_it)
{
    uint8_t longest[100];
    struct span secret = span_of("a secret", 8);
    hkdf_sha256(span_of(NULL, 0), secret, span_of("x", 1), longest, sizeof(longest));
    for (size_t n = 0; n < sizeof(longest); n++) {
        uint8_t out[sizeof(longest)];
        memset(out, 0x5a, sizeof(out));
        hkdf_sha256(span_of(NULL, 0), secret, span_of("x", 1), out, n);
        cr_assert_eq(memcmp(out, longest, n), 0);
        cr_assert_eq(out[n], 0x5a);
    }
}

Test(kdf, every_input_matters)
{
    uint8_t a[32];
    uint8_t b[32];
    hkdf_sha256(span_of("s", 1), span_of("key", 3), span_of("cookie", 6), a, sizeof(a));
    hkdf_sha256(span_of("t", 1), span_of("key", 3), span_of("cookie", 6), b, sizeof(b));
    cr_assert_neq(memcmp(a, b, sizeof(a)), 0);
    hkdf_sha256(span_of("s", 1), span_of("kez", 3), span_of("cookie", 6), b, sizeof(b));
    cr_assert_neq(memcmp(a, b, sizeof(a)), 0);
    hkdf_sha256(span_of("s", 1), span_of("key", 3), span_of("ratchet", 7), b, sizeof(b));
    cr_assert_neq(memcmp(a, b, sizeof(a)), 0);
}

/* The same by OpenSSL, which refuses an empty secret: not asked for one. */
static void hkdf_openssl(struct span salt, struct span secret, struct span info, uint8_t *out,
                         size_t n)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    cr_assert(EVP_PKEY_derive_init(ctx) > 0);
    cr_assert(EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha256()) > 0);
    cr_assert(EVP_PKEY_CTX_set1_hkdf_salt(ctx, salt.p, (int)salt.n) > 0);
    cr_assert(EVP_PKEY_CTX_set1_hkdf_key(ctx, secret.p, (int)secret.n) > 0);
    cr_assert(EVP_PKEY_CTX_add1_hkdf_info(ctx, info.p, (int)info.n) > 0);
    cr_assert(EVP_PKEY_derive(ctx, out, &n) > 0);
    EVP_PKEY_CTX_free(ctx);
}

Test(kdf, agrees_with_an_unrelated_implementation)
{
    uint8_t octets[300];
    for (size_t i = 0; i < sizeof(octets); i++) {
        octets[i] = (uint8_t)(i * 31 + 7);
    }
    for (size_t n = 1; n <= 200; n++) {
        struct span salt = span_of(octets, n);
        struct span secret = span_of(octets + 100, n);
        struct span info = span_of(octets + 50, n);
        uint8_t ours[600];
        uint8_t theirs[600];
        hkdf_sha256(salt, secret, info, ours, 3 * n);
        hkdf_openssl(salt, secret, info, theirs, 3 * n);
        cr_assert_eq(memcmp(ours, theirs, 3 * n), 0, "length %zu", n);
    }
}

Test(kdf, the_longest_output_is_255_blocks)
{
    static uint8_t out[KDF_OUT_MAX];
    static uint8_t theirs[KDF_OUT_MAX];
    struct span s = span_of("secret", 6);
    hkdf_sha256(s, s, s, out, sizeof(out));
    hkdf_openssl(s, s, s, theirs, sizeof(theirs));
    cr_assert_eq(memcmp(out, theirs, sizeof(out)), 0);
}

Test(kdf, sha256_vectors)
{
    static const struct {
        const char *text;
        const char *digest;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes want = unhex(cases[i].digest);
        uint8_t out[KDF_HASH_LEN];
        sha256_digest(span_of(cases[i].text, strlen(cases[i].text)), out);
        cr_assert(span_is(bytes_span(&want), out, sizeof(out)), "%zu", i);
    }
    uint8_t out[KDF_HASH_LEN];
    sha256_digest(span_of(NULL, 0), out);
    struct bytes want = unhex(cases[0].digest);
    cr_assert(span_is(bytes_span(&want), out, sizeof(out)));
}
