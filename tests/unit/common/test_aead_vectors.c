/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each AEAD against published vectors and an unrelated implementation, OpenSSL's.
 *
 * RFC 5297's own vectors have no nonce (A.1) or two strings of associated data (A.2), which the
 * interface of RFC 5116 cannot express. So OpenSSL is shown to reproduce them first, and then our
 * code to agree with OpenSSL on what the interface can express, bit for bit. OpenSSL's SIV ignores
 * an empty plain text, the shape of an NTS request: there its CMAC, put together as RFC 5297 §2.4
 * says, is what we are compared with.
 */
#include "common/crypto/aead.h"

#include "tests/unit/common/hex.h"

#include <openssl/evp.h>

/* Skipping is said aloud: a skipped comparison is not a passed one. */
#define skip(...)                                                                                  \
    do {                                                                                           \
        cr_log_warn(__VA_ARGS__);                                                                  \
        cr_skip_test(__VA_ARGS__);                                                                 \
    } while (0)

enum { ADS_MAX = 3, AD_LEN = 34, PLAIN_LEN = 66 };

/* A job for OpenSSL: SIV takes the nonce as the last of `ad`, GCM-SIV takes it by itself. */
struct job {
    const char *cipher;
    struct span key;
    struct span nonce;
    struct span ad[ADS_MAX];
    size_t ad_count;
};

/* A context with key, nonce and associated data given; NULL when there is no such cipher. */
static EVP_CIPHER_CTX *job_begin(const struct job *job, bool sealing, uint8_t *tag)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, job->cipher, NULL);
    if (cipher == NULL) {
        return NULL;
    }
    int len = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    cr_assert_eq(EVP_CipherInit_ex2(ctx, cipher, job->key.p, job->nonce.p, sealing, NULL), 1);
    EVP_CIPHER_free(cipher);
    if (!sealing) {
        cr_assert_eq(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_LEN, tag), 1);
    }
    for (size_t i = 0; i < job->ad_count; i++) {
        const uint8_t *p = job->ad[i].n > 0 ? job->ad[i].p : (const uint8_t *)"";
        cr_assert_eq(EVP_CipherUpdate(ctx, NULL, &len, p, (int)job->ad[i].n), 1);
    }
    return ctx;
}

/* False when OpenSSL has no such cipher. */
static bool openssl_seal(const struct job *job, struct span plain, uint8_t *out, uint8_t *tag)
{
    EVP_CIPHER_CTX *ctx = job_begin(job, true, NULL);
    if (ctx == NULL) {
        return false;
    }
    int len = 0;
    cr_assert_eq(EVP_CipherUpdate(ctx, out, &len, plain.p, (int)plain.n), 1);
    cr_assert_eq(EVP_CipherFinal_ex(ctx, out + len, &len), 1);
    cr_assert_eq(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_LEN, tag), 1);
    EVP_CIPHER_CTX_free(ctx);
    return true;
}

static bool openssl_unseal(const struct job *job, struct span text, uint8_t *tag, uint8_t *plain)
{
    EVP_CIPHER_CTX *ctx = job_begin(job, false, tag);
    cr_assert_not_null(ctx);
    int len = 0;
    bool good = EVP_CipherUpdate(ctx, plain, &len, text.p, (int)text.n) == 1 &&
                EVP_CipherFinal_ex(ctx, plain + len, &len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return good;
}

/* RFC 5297 appendix A: what is appended to the vector of strings, and what comes out. */
static const struct {
    const char *key;
    const char *ad[ADS_MAX];
    const char *plain;
    const char *tag;
    const char *text;
} RFC5297[] = {
    {
        "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
        {"101112131415161718191a1b1c1d1e1f2021222324252627", NULL, NULL},
        "112233445566778899aabbccddee",
        "85632d07c6e8f37f950acd320a2ecc93",
        "40c02b9690c4dc04daef7f6afe5c",
    },
    {
        "7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f",
        {"00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100",
         "102030405060708090a0", "09f911029d74e35bd84156c5635688c0"},
        "7468697320697320736f6d6520706c61696e7465787420746f20656e6372797074207573696e67205349562d"
        "414553",
        "7bdb6e3b432667eb06f4d14bff2fbd0f",
        "cb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c485b62a3"
        "fd5c0d",
    },
};

Test(aead_vectors, openssl_reproduces_rfc_5297)
{
    for (size_t i = 0; i < sizeof(RFC5297) / sizeof(RFC5297[0]); i++) {
        struct bytes key = unhex(RFC5297[i].key);
        struct bytes plain = unhex(RFC5297[i].plain);
        struct bytes want_tag = unhex(RFC5297[i].tag);
        struct bytes want = unhex(RFC5297[i].text);
        struct bytes ad[ADS_MAX];
        struct job job = {.cipher = "AES-128-SIV", .key = bytes_span(&key)};
        while (job.ad_count < ADS_MAX && RFC5297[i].ad[job.ad_count] != NULL) {
            ad[job.ad_count] = unhex(RFC5297[i].ad[job.ad_count]);
            job.ad[job.ad_count] = bytes_span(&ad[job.ad_count]);
            job.ad_count++;
        }
        uint8_t out[128];
        uint8_t tag[AEAD_TAG_LEN];
        cr_assert(openssl_seal(&job, bytes_span(&plain), out, tag));
        cr_assert(span_is(bytes_span(&want), out, want.n), "A.%zu", i + 1);
        cr_assert(span_is(bytes_span(&want_tag), tag, sizeof(tag)), "A.%zu", i + 1);
    }
}

static const struct {
    uint16_t id;
    const char *name; /* in RFC 8452 appendix C */
    const char *key;
    const char *nonce;
    const char *ad;
    const char *plain;
    const char *result;
} RFC8452[] = {
    {30, "C.1 empty", "01000000000000000000000000000000", "030000000000000000000000", "", "",
     "dc20e2d83f25705bb49e439eca56de25"},
    {30, "C.1, 8 octets", "01000000000000000000000000000000", "030000000000000000000000", "",
     "0100000000000000", "b5d839330ac7b786578782fff6013b815b287c22493a364c"},
    {30, "C.1, 12 octets", "01000000000000000000000000000000", "030000000000000000000000", "",
     "010000000000000000000000", "7323ea61d05932260047d942a4978db357391a0bc4fdec8b0d106639"},
    {30, "C.1, one block", "01000000000000000000000000000000", "030000000000000000000000", "",
     "01000000000000000000000000000000",
     "743f7c8077ab25f8624e2e948579cf77303aaf90f6fe21199c6068577437a0c4"},
    {30, "C.1, two blocks", "01000000000000000000000000000000", "030000000000000000000000", "",
     "0100000000000000000000000000000002000000000000000000000000000000",
     "84e07e62ba83a6585417245d7ec413a9fe427d6315c09b57ce45f2e3936a94451a8e45dcd4578c667cd86847bf61"
     "55ff"},
    {30, "C.1, 12 and 4", "01000000000000000000000000000000", "030000000000000000000000",
     "010000000000000000000000", "02000000", "a8fe3e8707eb1f84fb28f8cb73de8e99e2f48a14"},
    {30, "C.1, 18 and 20", "01000000000000000000000000000000", "030000000000000000000000",
     "010000000000000000000000000000000200", "0300000000000000000000000000000004000000",
     "6bb0fecf5ded9b77f902c7d5da236a4391dd029724afc9805e976f451e6d87f6fe106514"},
    {30, "C.1, 20 and 12", "b3fed1473c528b8426a582995929a149", "9e9ad8780c8d63d0ab4149c0",
     "c9882e5386fd9f92ec489c8fde2be2cf97e74e93", "9f572c614b4745914474e7c7",
     "f54673c5ddf710c745641c8bc1dc2f871fb7561da1286e655e24b7b0"},
    {31, "C.2 empty", "0100000000000000000000000000000000000000000000000000000000000000",
     "030000000000000000000000", "", "", "07f5f4169bbf55a8400cd47ea6fd400f"},
    {31, "C.2, 8 octets", "0100000000000000000000000000000000000000000000000000000000000000",
     "030000000000000000000000", "", "0100000000000000",
     "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"},
    {31, "C.2, three blocks", "0100000000000000000000000000000000000000000000000000000000000000",
     "030000000000000000000000", "",
     "01000000000000000000000000000000020000000000000000000000000000000300000000000000000000000000"
     "0000",
     "c00d121893a9fa603f48ccc1ca3c57ce7499245ea0046db16c53c7c66fe717e39cf6c748837b61f6ee3adcee1753"
     "4ed5790bc96880a99ba804bd12c0e6a22cc4"},
    {31, "C.2, 18 and 20", "0100000000000000000000000000000000000000000000000000000000000000",
     "030000000000000000000000", "010000000000000000000000000000000200",
     "0300000000000000000000000000000004000000",
     "43dd0163cdb48f9fe3212bf61b201976067f342bb879ad976d8242acc188ab59cabfe307"},
    {31, "C.2, 35 and 21", "3c535de192eaed3822a2fbbe2ca9dfc88255e14a661b8aa82cc54236093bbc23",
     "688089e55540db1872504e1c",
     "734320ccc9d9bbbb19cb81b2af4ecbc3e72834321f7aa0f70b7282b4f33df23f167541",
     "ced532ce4159b035277d4dfbb7db62968b13cd4eec",
     "626660c26ea6612fb17ad91e8e767639edd6c9faee9d6c7029675b89eaf4ba1ded1a286594"},
    {31, "C.3, the counter wraps",
     "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "000000000000000000000000000000004db923dc793ee6497c76dcc03a98e108",
     "f3f80f2cf0cb2dd9c5984fcda908456cc537703b5ba70324a6793a7bf218d3eaffffffff00000000000000000000"
     "0000"},
    {31, "C.3, the counter wraps in the last block",
     "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "eb3640277c7ffd1303c7a542d02d3e4c0000000000000000",
     "18ce4f0b8cb4d0cac65fea8f79257b20888e53e72299e56dffffffff000000000000000000000000"},
};

static void check_rfc_8452(size_t i)
{
    struct bytes key_bytes = unhex(RFC8452[i].key);
    struct bytes nonce = unhex(RFC8452[i].nonce);
    struct bytes ad = unhex(RFC8452[i].ad);
    struct bytes plain = unhex(RFC8452[i].plain);
    struct bytes want = unhex(RFC8452[i].result);
    struct aead_key key = {0};
    cr_assert_eq(aead_key_init(&key, aead_find(RFC8452[i].id), bytes_span(&key_bytes)), NTS_OK);
    uint8_t sealed[128];
    uint8_t opened[128];
    struct wr w = wr_init(sealed, sizeof(sealed));
    cr_assert_eq(aead_seal(&key, bytes_span(&nonce), bytes_span(&ad), bytes_span(&plain), &w),
                 NTS_OK);
    cr_assert(span_is(wr_done(&w), want.p, want.n), "%s", RFC8452[i].name);
    cr_assert_eq(aead_unseal(&key, bytes_span(&nonce), bytes_span(&ad), bytes_span(&want), opened),
                 NTS_OK);
    cr_assert(span_is(bytes_span(&plain), opened, plain.n), "%s", RFC8452[i].name);
}

Test(aead_vectors, rfc_8452)
{
    for (size_t i = 0; i < sizeof(RFC8452) / sizeof(RFC8452[0]); i++) {
        if (aead_find(RFC8452[i].id) == NULL) {
            skip("AEAD %u is not in this build: nettle before 3.9", RFC8452[i].id);
        }
        check_rfc_8452(i);
    }
}

/* AES-CMAC of `s` under the first half of a SIV key, by OpenSSL. */
static void cmac(struct span siv_key, struct span s, uint8_t out[static 16])
{
    size_t n = 0;
    struct span key = span_of(siv_key.p, siv_key.n / 2);
    const char *cipher = key.n == 16 ? "AES-128-CBC" : "AES-256-CBC";
    const uint8_t *p = s.n > 0 ? s.p : (const uint8_t *)"";
    cr_assert_not_null(
        EVP_Q_mac(NULL, "CMAC", NULL, cipher, NULL, key.p, key.n, p, s.n, out, 16, &n));
    cr_assert_eq(n, 16);
}

/* RFC 5297 §2.3: multiplication by x in GF(2^128), then the next string is mixed in. */
static void double_and_xor(uint8_t d[static 16], const uint8_t *next)
{
    unsigned carry = 0;
    for (size_t i = 16; i-- > 0;) {
        unsigned v = (unsigned)d[i] << 1 | carry;
        d[i] = (uint8_t)v;
        carry = v >> 8;
    }
    d[15] ^= carry != 0 ? 0x87 : 0;
    for (size_t i = 0; i < 16; i++) {
        d[i] ^= next[i];
    }
}

/* S2V(ad, nonce, nothing): the tag over an empty plain text. */
static void tag_of_nothing(struct span siv_key, struct span ad, struct span nonce,
                           uint8_t tag[static 16])
{
    static const uint8_t zero[16];
    static const uint8_t padded[16] = {0x80};
    uint8_t d[16];
    uint8_t mac[16];
    cmac(siv_key, span_of(zero, 16), d);
    cmac(siv_key, ad, mac);
    double_and_xor(d, mac);
    cmac(siv_key, nonce, mac);
    double_and_xor(d, mac);
    double_and_xor(d, padded);
    cmac(siv_key, span_of(d, 16), tag);
}

/* How the two sides name and lay out one algorithm. */
struct pair {
    uint16_t id;
    const char *cipher;
    bool tag_first;
};

struct input {
    struct span nonce;
    struct span ad;
    struct span plain;
};

static void agree_on_nothing(const struct aead_key *key, struct span key_bytes,
                             const struct input *in)
{
    uint8_t theirs[AEAD_TAG_LEN];
    uint8_t ours[AEAD_TAG_LEN];
    struct wr w = wr_init(ours, sizeof(ours));
    tag_of_nothing(key_bytes, in->ad, in->nonce, theirs);
    cr_assert_eq(aead_seal(key, in->nonce, in->ad, in->plain, &w), NTS_OK);
    cr_assert(span_is(wr_done(&w), theirs, sizeof(theirs)), "nonce %zu, data %zu", in->nonce.n,
              in->ad.n);
    cr_assert_eq(aead_unseal(key, in->nonce, in->ad, wr_done(&w), NULL), NTS_OK);
}

/* Both seal the same, and each opens what the other sealed. False: OpenSSL cannot. */
static bool agree(const struct pair *pair, const struct aead_key *key, struct span key_bytes,
                  const struct input *in)
{
    struct job job = {.cipher = pair->cipher, .key = key_bytes, .ad = {in->ad}, .ad_count = 1};
    if (pair->tag_first) {
        job.ad[job.ad_count++] = in->nonce;
    } else {
        job.nonce = in->nonce;
    }
    uint8_t theirs[PLAIN_LEN + AEAD_TAG_LEN];
    uint8_t *text = theirs + (pair->tag_first ? AEAD_TAG_LEN : 0);
    uint8_t *tag = theirs + (pair->tag_first ? 0 : in->plain.n);
    if (!openssl_seal(&job, in->plain, text, tag)) {
        return false;
    }
    uint8_t ours[sizeof(theirs)];
    uint8_t opened[PLAIN_LEN + 1];
    struct wr w = wr_init(ours, sizeof(ours));
    cr_assert_eq(aead_seal(key, in->nonce, in->ad, in->plain, &w), NTS_OK);
    struct span sealed = span_of(theirs, in->plain.n + AEAD_TAG_LEN);
    cr_assert(span_is(wr_done(&w), sealed.p, sealed.n), "nonce %zu, data %zu, plain %zu",
              in->nonce.n, in->ad.n, in->plain.n);
    cr_assert_eq(aead_unseal(key, in->nonce, in->ad, sealed, opened), NTS_OK);
    cr_assert(span_is(in->plain, opened, in->plain.n));
    cr_assert(openssl_unseal(&job, span_of(text, in->plain.n), tag, opened));
    cr_assert(span_is(in->plain, opened, in->plain.n));
    return true;
}

static void check_agreement(const struct pair *pair)
{
    static const size_t nonces[] = {1, 2, 11, 12, 13, 15, 16, 17, 32, 33};
    const struct aead *alg = aead_find(pair->id);
    if (alg == NULL) {
        skip("AEAD %u is not in this build: nettle before 3.9", pair->id);
    }
    uint8_t pool[256];
    for (size_t i = 0; i < sizeof(pool); i++) {
        pool[i] = (uint8_t)((i * i * 131 + i * 17 + pair->id) >> 3);
    }
    struct aead_key key = {0};
    struct span key_bytes = span_of(pool, alg->key_len);
    cr_assert_eq(aead_key_init(&key, alg, key_bytes), NTS_OK);
    for (size_t c = 0; c < sizeof(nonces) / sizeof(nonces[0]) * AD_LEN * PLAIN_LEN; c++) {
        struct input in = {
            .nonce = span_of(pool + 64 + c % 7, nonces[c / (AD_LEN * PLAIN_LEN)]),
            .ad = span_of(pool + 100 + c % 11, c / PLAIN_LEN % AD_LEN),
            .plain = span_of(pool + 150 + c % 13, c % PLAIN_LEN),
        };
        if (in.nonce.n < alg->nonce_min || in.nonce.n > alg->nonce_max) {
            continue;
        }
        if (pair->tag_first && in.plain.n == 0) {
            agree_on_nothing(&key, key_bytes, &in);
            continue;
        }
        if (!agree(pair, &key, key_bytes, &in)) {
            skip("this OpenSSL has no %s (3.2 has)", pair->cipher);
        }
    }
}

Test(aead_vectors, siv_cmac_256_agrees_with_openssl, .timeout = 120)
{
    check_agreement(&(struct pair){AEAD_AES_SIV_CMAC_256, "AES-128-SIV", true});
}

Test(aead_vectors, siv_cmac_512_agrees_with_openssl, .timeout = 120)
{
    check_agreement(&(struct pair){AEAD_AES_SIV_CMAC_512, "AES-256-SIV", true});
}

Test(aead_vectors, gcm_siv_128_agrees_with_openssl, .timeout = 120)
{
    check_agreement(&(struct pair){AEAD_AES_128_GCM_SIV, "AES-128-GCM-SIV", false});
}

Test(aead_vectors, gcm_siv_256_agrees_with_openssl, .timeout = 120)
{
    check_agreement(&(struct pair){AEAD_AES_256_GCM_SIV, "AES-256-GCM-SIV", false});
}
