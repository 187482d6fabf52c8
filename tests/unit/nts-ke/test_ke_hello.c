/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first look at a connection.
 */
#include "nts-ke/ke_hello.h"

#include <criterion/criterion.h>

#define BYTES(s) s, sizeof(s) - 1

static const struct {
    const char *name;
    const char *p;
    size_t n;
    enum ke_hello want;
} cases[] = {
    {"nothing", BYTES(""), KE_HELLO_MORE},
    {"record head", BYTES("\x16\x03\x01\x02\x00"), KE_HELLO_MORE},
    {"almost", BYTES("\x16\x03\x01\x02\x00\x01\x00\x01"), KE_HELLO_MORE},
    {"hello", BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc"), KE_HELLO_OK},
    {"hello of the greatest length", BYTES("\x16\x03\x01\x40\x00\x01\x00\x40\x00"), KE_HELLO_OK},
    {"one longer", BYTES("\x16\x03\x01\x40\x00\x01\x00\x40\x01"), KE_HELLO_REFUSE},
    {"claims 16 MiB", BYTES("\x16\x03\x01\x00\x04\x01\xff\xff\xff"), KE_HELLO_REFUSE},
    {"other handshake message", BYTES("\x16\x03\x01\x02\x00\x0b\x00\x01\xfc"), KE_HELLO_REFUSE},
    {"alert", BYTES("\x15\x03\x01\x00\x02\x02\x28"), KE_HELLO_REFUSE},
    {"application data", BYTES("\x17"), KE_HELLO_REFUSE},
    {"http", BYTES("GET / HTTP/1.1\r\n"), KE_HELLO_REFUSE},
    {"first octet of it", BYTES("G"), KE_HELLO_REFUSE},
    {"sslv2", BYTES("\x80\x2e\x01\x00\x02"), KE_HELLO_REFUSE},
    {"version 2.1", BYTES("\x16\x02\x01\x02\x00"), KE_HELLO_REFUSE},
    {"empty record", BYTES("\x16\x03\x01\x00\x00"), KE_HELLO_REFUSE},
    {"record too long", BYTES("\x16\x03\x01\x40\x01"), KE_HELLO_REFUSE},
    {"one octet a record",
     BYTES("\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x01\x00\x16\x03\x01\x00\x01\x01"
           "\x16\x03\x01\x00\x01\x00"),
     KE_HELLO_OK},
    {"one octet a record, too long",
     BYTES("\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x01\x01"
           "\x16\x03\x01\x00\x01\x00"),
     KE_HELLO_REFUSE},
    {"split, then something else", BYTES("\x16\x03\x01\x00\x01\x01\x17"), KE_HELLO_REFUSE},
    {"split, then empty", BYTES("\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x00"), KE_HELLO_REFUSE},
    {"split in two", BYTES("\x16\x03\x01\x00\x02\x01\x00\x16\x03\x01\x00\x20\x00\x20"),
     KE_HELLO_OK},
};

Test(ke_hello, table)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(ke_hello_check(span_of(cases[i].p, cases[i].n)), cases[i].want, "%s",
                     cases[i].name);
    }
}

/* However it is cut, the verdict is the same once it is there, and it never changes after. */
Test(ke_hello, a_verdict_is_final)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum ke_hello verdict = KE_HELLO_MORE;
        for (size_t n = 0; n <= cases[i].n; n++) {
            enum ke_hello now = ke_hello_check(span_of(cases[i].p, n));
            cr_assert(verdict == KE_HELLO_MORE || now == verdict, "%s at %zu", cases[i].name, n);
            verdict = now;
        }
    }
}

/* What the caller may rely on for the size of its buffer. */
Test(ke_hello, a_prefix_decides)
{
    uint8_t bytes[KE_HELLO_PREFIX];
    for (unsigned first = 0; first < 256; first++) {
        for (uint8_t len = 0; len < 8; len++) {
            for (size_t i = 0; i < sizeof(bytes); i++) {
                static const uint8_t head[] = {22, 3, 1, 0};
                bytes[i] = i % 6 < 4 ? head[i % 6] : i % 6 == 4 ? len : (uint8_t)first;
            }
            cr_assert_neq(ke_hello_check(span_of(bytes, sizeof(bytes))), KE_HELLO_MORE);
        }
    }
}
