/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Published test vectors as they are printed: hexadecimal text into octets. Test code.
 */
#ifndef NTSD_TESTS_UNIT_COMMON_HEX_H
#define NTSD_TESTS_UNIT_COMMON_HEX_H

#include "common/base/cursor.h"

#include <criterion/criterion.h>

struct bytes {
    size_t n;
    uint8_t p[256];
};

static inline unsigned hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    cr_assert_not_null(at, "not a hexadecimal digit: %c", c);
    return (unsigned)(at - digits);
}

static inline struct bytes unhex(const char *text)
{
    struct bytes out = {.n = strlen(text) / 2};
    cr_assert(strlen(text) % 2 == 0 && out.n <= sizeof(out.p));
    for (size_t i = 0; i < out.n; i++) {
        out.p[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    }
    return out;
}

static inline struct span bytes_span(const struct bytes *bytes)
{
    return span_of(bytes->p, bytes->n);
}

#endif
