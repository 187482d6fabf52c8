/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Erasing and comparing of key material.
 */
#include "common/base/secret.h"

#include <criterion/criterion.h>

Test(secret, wipe_clears_exactly_what_it_was_told)
{
    for (size_t n = 0; n <= 32; n++) {
        uint8_t buf[40];
        memset(buf, 0xa5, sizeof(buf));
        wipe(buf + 4, n);
        for (size_t i = 0; i < sizeof(buf); i++) {
            bool inside = i >= 4 && i < 4 + n;
            cr_assert_eq(buf[i], inside ? 0 : 0xa5, "%zu octets, octet %zu", n, i);
        }
    }
    wipe(NULL, 0);
}

Test(secret, ct_equal_sees_every_bit)
{
    uint8_t a[SECRET_KEY_MAX];
    uint8_t b[SECRET_KEY_MAX];
    for (size_t i = 0; i < sizeof(a); i++) {
        a[i] = b[i] = (uint8_t)(i * 37);
    }
    cr_assert(ct_equal(a, b, sizeof(a)));
    for (size_t bit = 0; bit < 8 * sizeof(a); bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        cr_assert_not(ct_equal(a, b, sizeof(a)), "bit %zu", bit);
        cr_assert(ct_equal(a, b, bit / 8), "octets before the difference are equal");
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    cr_assert(ct_equal(NULL, NULL, 0));
}

Test(secret, differences_do_not_cancel_out)
{
    static const uint8_t a[2] = {0x0f, 0xf0};
    static const uint8_t b[2] = {0xf0, 0x0f};
    cr_assert_not(ct_equal(a, b, 2));
}

Test(secret, a_wiped_key_is_empty)
{
    struct secret_key key = {.len = 3, .bytes = {1, 2, 3}};
    cr_assert(span_is(secret_key_span(&key), "\1\2\3", 3));
    secret_key_wipe(&key);
    static const struct secret_key zero;
    cr_assert_eq(key.len, 0);
    cr_assert_eq(memcmp(key.bytes, zero.bytes, sizeof(key.bytes)), 0);
}
