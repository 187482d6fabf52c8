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
    enum ke_hello_verdict want;
} cases[] = {
    {"nothing", BYTES(""), KE_HELLO_MORE},
    {"record head", BYTES("\x16\x03\x01\x02\x00"), KE_HELLO_MORE},
    {"head of the message", BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc"), KE_HELLO_MORE},
    {"hello, one octet short", BYTES("\x16\x03\x01\x00\x06\x01\x00\x00\x02."), KE_HELLO_MORE},
    {"hello", BYTES("\x16\x03\x01\x00\x06\x01\x00\x00\x02.."), KE_HELLO_OK},
    {"hello and more", BYTES("\x16\x03\x01\x00\x06\x01\x00\x00\x02..\x17"), KE_HELLO_OK},
    {"more in the record", BYTES("\x16\x03\x01\x00\x07\x01\x00\x00\x02..."), KE_HELLO_REFUSE},
    {"claims 16 MiB", BYTES("\x16\x03\x01\x00\x04\x01\xff\xff\xff"), KE_HELLO_REFUSE},
    {"record longer than a hello", BYTES("\x16\x03\x01\x2f\xfc"), KE_HELLO_REFUSE},
    {"record as long as a hello", BYTES("\x16\x03\x01\x2f\xfb"), KE_HELLO_MORE},
    {"other handshake message", BYTES("\x16\x03\x01\x00\x04\x0b\x00\x00\x00"), KE_HELLO_REFUSE},
    {"alert", BYTES("\x15\x03\x01\x00\x02\x02\x28"), KE_HELLO_REFUSE},
    {"application data", BYTES("\x17"), KE_HELLO_REFUSE},
    {"http", BYTES("GET / HTTP/1.1\r\n"), KE_HELLO_REFUSE},
    {"first octet of it", BYTES("G"), KE_HELLO_REFUSE},
    {"sslv2", BYTES("\x80\x2e\x01\x00\x02"), KE_HELLO_REFUSE},
    {"version 2.1", BYTES("\x16\x02\x01\x02\x00"), KE_HELLO_REFUSE},
    {"empty record", BYTES("\x16\x03\x01\x00\x00"), KE_HELLO_REFUSE},
    {"one octet a record",
     BYTES("\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x01\x00\x16\x03\x01\x00\x01\x00"
           "\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x01."),
     KE_HELLO_OK},
    {"one octet a record, one missing",
     BYTES("\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x01\x00\x16\x03\x01\x00\x01\x00"
           "\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x01"),
     KE_HELLO_MORE},
    {"one octet a record, too long",
     BYTES("\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x01\x01"
           "\x16\x03\x01\x00\x01\x00"),
     KE_HELLO_REFUSE},
    {"split, then something else", BYTES("\x16\x03\x01\x00\x01\x01\x17"), KE_HELLO_REFUSE},
    {"split, then empty", BYTES("\x16\x03\x01\x00\x01\x01\x16\x03\x01\x00\x00"), KE_HELLO_REFUSE},
    {"split in two", BYTES("\x16\x03\x01\x00\x02\x01\x00\x16\x03\x01\x00\x04\x00\x02.."),
     KE_HELLO_OK},
};

Test(ke_hello, table)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ke_hello hello = {.at = 0};
        cr_expect_eq(ke_hello_scan(&hello, span_of(cases[i].p, cases[i].n)), cases[i].want, "%s",
                     cases[i].name);
    }
}

/* However it is cut, the verdict is the same once it is there, and it never changes after. */
Test(ke_hello, octet_by_octet_equals_at_once)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ke_hello hello = {.at = 0};
        enum ke_hello_verdict verdict = KE_HELLO_MORE;
        for (size_t n = 0; n <= cases[i].n; n++) {
            enum ke_hello_verdict now = ke_hello_scan(&hello, span_of(cases[i].p, n));
            cr_assert(verdict == KE_HELLO_MORE || now == verdict, "%s at %zu", cases[i].name, n);
            verdict = now;
        }
        cr_assert_eq(verdict, cases[i].want, "%s", cases[i].name);
    }
}

#define CCS   "\x14\x03\x03\x00\x01\x01"
#define HELLO "\x16\x03\x03\x00\x06\x01\x00\x00\x02.."
static const struct {
    const char *name;
    const char *p;
    size_t n;
    enum ke_hello_verdict want;
} second_cases[] = {
    {"hello", BYTES(HELLO), KE_HELLO_OK},
    {"change_cipher_spec", BYTES(CCS), KE_HELLO_MORE},
    {"and hello", BYTES(CCS HELLO), KE_HELLO_OK},
    {"two of them", BYTES(CCS CCS HELLO), KE_HELLO_REFUSE},
    {"after a part of the hello", BYTES("\x16\x03\x03\x00\x01\x01" CCS), KE_HELLO_REFUSE},
    {"another one", BYTES("\x14\x03\x03\x00\x01\x02"), KE_HELLO_REFUSE},
    {"long", BYTES("\x14\x03\x03\x00\x02\x01\x01"), KE_HELLO_REFUSE},
    {"claims 16 MiB", BYTES(CCS "\x16\x03\x03\x00\x04\x01\xff\xff\xff"), KE_HELLO_REFUSE},
};

Test(ke_hello, the_second_one)
{
    for (size_t i = 0; i < sizeof(second_cases) / sizeof(second_cases[0]); i++) {
        struct ke_hello hello = {.second = true};
        enum ke_hello_verdict verdict = KE_HELLO_MORE;
        for (size_t n = 0; n <= second_cases[i].n; n++) {
            enum ke_hello_verdict now = ke_hello_scan(&hello, span_of(second_cases[i].p, n));
            cr_assert(verdict == KE_HELLO_MORE || now == verdict, "%s at %zu", second_cases[i].name,
                      n);
            verdict = now;
        }
        cr_expect_eq(verdict, second_cases[i].want, "%s", second_cases[i].name);
        if (verdict == KE_HELLO_OK) {
            cr_expect_eq(hello.at, second_cases[i].n);
        }
    }
    struct ke_hello first = {.at = 0};
    cr_assert_eq(ke_hello_scan(&first, span_of(BYTES(CCS HELLO))), KE_HELLO_REFUSE);
}

/* What the caller may rely on for the size of its buffer, even with crumbs. */
Test(ke_hello, there_is_always_a_verdict)
{
    static uint8_t bytes[KE_HELLO_MAX];
    for (size_t body = 1; body < 300; body++) {
        struct ke_hello hello = {.at = 0};
        struct wr w = wr_init(bytes, sizeof(bytes));
        uint8_t message[300] = {1, 0, 0x2f, 0};
        while (w.cap - w.n >= 5 + body) {
            wr_bytes(&w, span_of("\x16\x03\x01", 3));
            wr_u16(&w, (uint16_t)body);
            wr_bytes(&w, span_of(message + (w.n < 5 * 4 ? w.n / 6 : 4), 1));
            wr_zero(&w, body - 1);
        }
        (void)ke_hello_scan(&hello, span_of(bytes, w.n));
        memset(bytes + w.n, 0x16, sizeof(bytes) - w.n);
        cr_assert_neq(ke_hello_scan(&hello, span_of(bytes, sizeof(bytes))), KE_HELLO_MORE, "%zu",
                      body);
    }
}
