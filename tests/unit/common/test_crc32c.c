/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC32C: the examples of RFC 3720 B.4 and the usual check value; in one piece and in two.
 */
#include "common/net/crc32c.h"

#include "tests/unit/common/hex.h"

static const struct {
    const char *octets;
    uint32_t sum;
} cases[] = {
    {"", 0},
    {"313233343536373839", 0xe3069283}, /* "123456789" */
    {"0000000000000000000000000000000000000000000000000000000000000000", 0x8a9136aa},
    {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", 0x62a8ab43},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0x46dd794e},
    {"1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100", 0x113fdb5c},
    /* a SCSI read command */
    {"01c00000000000000000000000000000"
     "14000000000004000000001400000018"
     "28000000000000000200000000000000",
     0xd9963a56},
};

Test(crc32c, published_values)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes octets = unhex(cases[i].octets);
        cr_assert_eq(crc32c(0, bytes_span(&octets)), cases[i].sum, "%zu", i);
    }
    cr_assert_eq(crc32c(0, span_of(NULL, 0)), 0);
}

Test(crc32c, in_two_pieces)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bytes octets = unhex(cases[i].octets);
        for (size_t cut = 0; cut <= octets.n; cut++) {
            uint32_t sum = crc32c(0, span_of(octets.p, cut));
            sum = crc32c(sum, span_of(octets.p + cut, octets.n - cut));
            cr_assert_eq(sum, cases[i].sum, "%zu cut at %zu", i, cut);
        }
    }
}
