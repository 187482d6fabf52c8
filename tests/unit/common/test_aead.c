/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds for every algorithm of the build: what was sealed is unsealed, nothing else is, and no
 * length reaches the library that it would assert or subtract from. test_aead_vectors.c has the
 * published vectors and the comparison with another implementation.
 */
#include "common/crypto/aead.h"

#include <criterion/criterion.h>
#include <pthread.h>

enum { LONG = 80, THREADS = 4 };

static const uint8_t NONCE[AEAD_NONCE_LEN] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 6};

/* Octets that differ from place to place; the same in every test. */
static struct span octets(size_t n)
{
    static uint8_t bytes[UINT16_MAX + 1];
    for (size_t i = 0; bytes[1] == 0 && i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 73 + 11);
    }
    cr_assert_leq(n, sizeof(bytes));
    return span_of(bytes, n);
}

static struct span nonce_for(const struct aead *alg)
{
    return span_of(NONCE, alg->nonce_len);
}

static struct aead_key key_for(const struct aead *alg)
{
    struct aead_key key = {0};
    cr_assert_eq(aead_key_init(&key, alg, octets(alg->key_len)), NTS_OK);
    return key;
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

/* Runs `check` on a prepared key of each algorithm. */
static void each(void (*check)(const struct aead_key *key))
{
    size_t count = 0;
    const struct aead *const *all = aead_all(&count);
    for (size_t i = 0; i < count; i++) {
        struct aead_key key = key_for(all[i]);
        check(&key);
    }
}

Test(aead, the_registry_has_what_the_build_has)
{
    static const struct {
        uint16_t id;
        size_t key_len;
        size_t nonce_len;
        size_t nonce_min;
        size_t nonce_max;
    } known[] = {
        {AEAD_AES_128_GCM_SIV, 16, 12, 12, 12},
        {AEAD_AES_SIV_CMAC_256, 32, 16, 1, UINT16_MAX},
        {AEAD_AES_SIV_CMAC_512, 64, 16, 1, UINT16_MAX},
        {AEAD_AES_256_GCM_SIV, 32, 12, 12, 12},
    };
    size_t count = 0;
    const struct aead *const *all = aead_all(&count);
    cr_assert(count >= 2 && count <= AEAD_MAX);
    size_t found = 0;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const struct aead *alg = aead_find(known[i].id);
        if (alg == NULL) {
            continue;
        }
        cr_assert_eq(all[found++], alg, "the list is in the order of this table");
        cr_assert_eq(alg->id, known[i].id);
        cr_assert_eq(alg->key_len, known[i].key_len);
        cr_assert_eq(alg->nonce_len, known[i].nonce_len);
        cr_assert_eq(alg->nonce_min, known[i].nonce_min);
        cr_assert_eq(alg->nonce_max, known[i].nonce_max);
        cr_assert_not_null(alg->name);
    }
    cr_assert_eq(found, count, "nothing else is offered");
    cr_assert_not_null(aead_find(AEAD_AES_SIV_CMAC_256), "RFC 8915 section 5.1");
    cr_assert_not_null(aead_find(AEAD_AES_SIV_CMAC_512));
}

Test(aead, unknown_numbers_are_not_found)
{
    static const uint16_t ids[] = {0, 1, 14, AEAD_AES_SIV_CMAC_384, 18, 29, 32, 0x7fff, 0xffff};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        cr_assert_null(aead_find(ids[i]), "%u", ids[i]);
    }
}

static void check_identity(const struct aead_key *key)
{
    for (size_t ad = 0; ad < 40; ad++) {
        for (size_t n = 0; n < LONG; n++) {
            uint8_t sealed[LONG + AEAD_TAG_LEN];
            uint8_t plain[LONG];
            struct wr w = wr_init(sealed, sizeof(sealed));
            cr_assert_eq(aead_seal(key, nonce_for(key->alg), octets(ad), octets(n), &w), NTS_OK);
            cr_assert_eq(wr_done(&w).n, n + AEAD_TAG_LEN);
            memset(plain, 0x5a, sizeof(plain));
            cr_assert_eq(aead_unseal(key, nonce_for(key->alg), octets(ad), wr_done(&w), plain),
                         NTS_OK);
            cr_assert(span_is(octets(n), plain, n));
            cr_assert_eq(plain[n], 0x5a, "nothing behind the plain text");
        }
    }
}

Test(aead, what_was_sealed_is_unsealed)
{
    each(check_identity);
}

/* One message, and what becomes of it when one bit of one part is turned. */
struct message {
    uint8_t nonce[AEAD_NONCE_LEN];
    uint8_t ad[21];
    uint8_t sealed[19 + AEAD_TAG_LEN];
    size_t sealed_len;
};

static struct message message_seal(const struct aead_key *key, size_t plain_len)
{
    struct message m = {.sealed_len = plain_len + AEAD_TAG_LEN};
    memcpy(m.nonce, NONCE, sizeof(m.nonce));
    memcpy(m.ad, octets(sizeof(m.ad)).p, sizeof(m.ad));
    struct wr w = wr_init(m.sealed, sizeof(m.sealed));
    cr_assert_eq(
        aead_seal(key, nonce_for(key->alg), span_of(m.ad, sizeof(m.ad)), octets(plain_len), &w),
        NTS_OK);
    return m;
}

static enum nts_err message_unseal(const struct aead_key *key, const struct message *m)
{
    uint8_t plain[sizeof(m->sealed)];
    memset(plain, 0x5a, sizeof(plain));
    enum nts_err err =
        aead_unseal(key, span_of(m->nonce, key->alg->nonce_len), span_of(m->ad, sizeof(m->ad)),
                    span_of(m->sealed, m->sealed_len), plain);
    size_t plain_len = m->sealed_len - AEAD_TAG_LEN;
    cr_assert(err == NTS_OK || is_zero(plain, plain_len), "no unproven plain text comes out");
    cr_assert_eq(plain[plain_len], 0x5a);
    return err;
}

static void check_flips_in(const struct aead_key *key, struct message *m, uint8_t *part, size_t n)
{
    for (size_t bit = 0; bit < 8 * n; bit++) {
        part[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert_eq(message_unseal(key, m), NTS_EAUTH, "bit %zu", bit);
        part[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_assert_eq(message_unseal(key, m), NTS_OK);
}

static void check_flips(const struct aead_key *key)
{
    for (size_t plain_len = 0; plain_len < 20; plain_len++) {
        struct message m = message_seal(key, plain_len);
        check_flips_in(key, &m, m.nonce, key->alg->nonce_len);
        check_flips_in(key, &m, m.ad, sizeof(m.ad));
        check_flips_in(key, &m, m.sealed, m.sealed_len);
    }
}

Test(aead, any_bit_turned_is_not_authentic)
{
    each(check_flips);
}

static void check_lengths(const struct aead_key *key)
{
    struct message m = message_seal(key, 19);
    uint8_t plain[sizeof(m.sealed)];
    struct span nonce = nonce_for(key->alg);
    for (size_t n = 0; n < m.sealed_len; n++) {
        enum nts_err want = n < AEAD_TAG_LEN ? NTS_ESHORT : NTS_EAUTH;
        struct span ad = span_of(m.ad, sizeof(m.ad));
        cr_assert_eq(aead_unseal(key, nonce, ad, span_of(m.sealed, n), plain), want, "cut to %zu",
                     n);
        cr_assert_eq(aead_unseal(key, nonce, ad, span_of(m.sealed + 1, n), plain), want);
    }
    for (size_t n = 0; n < sizeof(m.ad); n++) {
        cr_assert_eq(
            aead_unseal(key, nonce, span_of(m.ad, n), span_of(m.sealed, m.sealed_len), plain),
            NTS_EAUTH, "associated data cut to %zu", n);
    }
    cr_assert_eq(aead_unseal(key, nonce, span_of(NULL, 0), span_of(NULL, 0), NULL), NTS_ESHORT);
}

Test(aead, a_cut_message_is_refused_before_the_library_sees_it)
{
    each(check_lengths);
}

/* The shape of an authenticated request: associated data and a tag over nothing. */
static void check_empty(const struct aead_key *key)
{
    uint8_t tag[AEAD_TAG_LEN] = {0};
    struct span sealed = span_of(tag, sizeof(tag));
    for (size_t ad = 0; ad <= 200; ad++) {
        struct span nonce = nonce_for(key->alg);
        memset(tag, 0, sizeof(tag));
        cr_assert_eq(aead_unseal(key, nonce, octets(ad), sealed, NULL), NTS_EAUTH);
        for (unsigned round = 1; round < 50; round++) {
            for (size_t i = 0; i < sizeof(tag); i++) {
                tag[i] = (uint8_t)(round * 0x9e3779b9u >> (8 + i));
            }
            cr_assert_eq(aead_unseal(key, nonce, octets(ad), sealed, NULL), NTS_EAUTH);
        }
        struct wr w = wr_init(tag, sizeof(tag));
        cr_assert_eq(aead_seal(key, nonce, octets(ad), span_of(NULL, 0), &w), NTS_OK);
        cr_assert_eq(aead_unseal(key, nonce, octets(ad), sealed, NULL), NTS_OK);
    }
}

Test(aead, a_made_up_tag_over_nothing_is_not_authentic)
{
    each(check_empty);
}

static void check_nonce(const struct aead_key *key, size_t n)
{
    bool fits = n >= key->alg->nonce_min && n <= key->alg->nonce_max;
    uint8_t sealed[4 + AEAD_TAG_LEN] = {0};
    uint8_t plain[4];
    struct wr w = wr_init(sealed, sizeof(sealed));
    enum nts_err err = aead_seal(key, octets(n), octets(5), octets(4), &w);
    cr_assert_eq(err, fits ? NTS_OK : NTS_EFORMAT, "nonce of %zu", n);
    cr_assert(fits || (w.n == 0 && is_zero(sealed, sizeof(sealed))), "nothing written");
    err = aead_unseal(key, octets(n), octets(5), span_of(sealed, sizeof(sealed)), plain);
    cr_assert_eq(err, fits ? NTS_OK : NTS_EFORMAT, "nonce of %zu", n);
}

static void check_nonces(const struct aead_key *key)
{
    for (size_t n = 0; n <= 200; n++) {
        check_nonce(key, n);
    }
    check_nonce(key, UINT16_MAX);
    check_nonce(key, UINT16_MAX + 1);
    uint8_t plain[1];
    cr_assert_eq(aead_unseal(key, span_of(NULL, 0), octets(0), octets(16), plain), NTS_EFORMAT);
}

Test(aead, nonces_of_wrong_length_are_refused_before_the_library_sees_them)
{
    each(check_nonces);
}

static void check_room(const struct aead_key *key)
{
    enum { PLAIN = 11, NEED = PLAIN + AEAD_TAG_LEN, HEAD = 3 };
    for (size_t cap = HEAD; cap <= HEAD + NEED + 1; cap++) {
        uint8_t buf[HEAD + NEED + 2];
        memset(buf, 0x5a, sizeof(buf));
        struct wr w = wr_init(buf, cap);
        wr_zero(&w, HEAD);
        enum nts_err err = aead_seal(key, nonce_for(key->alg), octets(5), octets(PLAIN), &w);
        bool fits = cap >= HEAD + NEED;
        cr_assert_eq(err, fits ? NTS_OK : NTS_ESPACE);
        cr_assert_eq(w.n, fits ? HEAD + NEED : HEAD);
        for (size_t i = w.n; i < sizeof(buf); i++) {
            cr_assert_eq(buf[i], 0x5a, "room %zu, octet %zu", cap, i);
        }
        cr_assert(is_zero(buf, HEAD), "it appends");
    }
}

Test(aead, sealing_needs_room_for_all_of_it)
{
    each(check_room);
}

Test(aead, keys_of_another_length_are_refused)
{
    size_t count = 0;
    const struct aead *const *all = aead_all(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t n = 0; n <= 2 * SECRET_KEY_MAX; n++) {
            struct aead_key key;
            memset(&key, 0x5a, sizeof(key));
            struct aead_key before = key;
            bool fits = n == all[i]->key_len;
            cr_assert_eq(aead_key_init(&key, all[i], octets(n)), fits ? NTS_OK : NTS_EFORMAT);
            cr_assert(fits || memcmp(&key, &before, sizeof(key)) == 0, "untouched");
        }
    }
}

Test(aead, another_key_opens_nothing_and_a_wiped_one_is_empty)
{
    size_t count = 0;
    const struct aead *const *all = aead_all(&count);
    for (size_t i = 0; i < count; i++) {
        struct aead_key key = key_for(all[i]);
        struct message m = message_seal(&key, 10);
        for (size_t bit = 0; bit < 8 * all[i]->key_len; bit++) {
            uint8_t other[SECRET_KEY_MAX];
            memcpy(other, octets(all[i]->key_len).p, all[i]->key_len);
            other[bit / 8] ^= (uint8_t)(1u << bit % 8);
            cr_assert_eq(aead_key_init(&key, all[i], span_of(other, all[i]->key_len)), NTS_OK);
            cr_assert_eq(message_unseal(&key, &m), NTS_EAUTH, "bit %zu", bit);
        }
        aead_key_wipe(&key);
        cr_assert_null(key.alg);
        cr_assert(is_zero(key.state, sizeof(key.state)));
    }
}

static void *use_key(void *arg)
{
    const struct aead_key *key = arg;
    struct message m = message_seal(key, 19);
    for (unsigned i = 0; i < 2000; i++) {
        struct message again = message_seal(key, 19);
        if (memcmp(&m, &again, sizeof(m)) != 0 || message_unseal(key, &again) != NTS_OK) {
            return arg;
        }
    }
    return NULL;
}

static void check_threads(const struct aead_key *key)
{
    pthread_t thread[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_create(&thread[i], NULL, use_key, (void *)(uintptr_t)key), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *wrong = NULL;
        cr_assert_eq(pthread_join(thread[i], &wrong), 0);
        cr_assert_null(wrong);
    }
}

Test(aead, a_key_is_only_read_by_its_users)
{
    (void)octets(0); /* filled before there are threads */
    each(check_threads);
}
