/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header on the wire, and NTP times around the era's end in 2036.
 */
#include "ntp/ntp_packet.h"

#include <criterion/criterion.h>

#define S(n) ((n)*NS_PER_S)

Test(ntp_packet, reads_every_part_of_a_header)
{
    const uint8_t wire[NTP_HEADER_LEN] = {
        0xe3, 0x02, 0xfa, 0xe7, 0x00, 0x01, 0x02, 0x03, 0x00, 0x04, 0x05, 0x06,
        0x0a, 0x0b, 0x0c, 0x0d, 0x11, 0,    0,    0,    0,    0,    0,    0x12,
        0x21, 0,    0,    0,    0,    0,    0,    0x22, 0x31, 0,    0,    0,
        0,    0,    0,    0x32, 0x41, 0,    0,    0,    0,    0,    0,    0x42,
    };
    struct rd r = rd_init(span_of(wire, sizeof(wire)));
    struct ntp_header h = ntp_header_read(&r);
    cr_assert(rd_end(&r));
    cr_assert_eq(h.leap, NTP_LEAP_UNKNOWN);
    cr_assert_eq(h.version, 4);
    cr_assert_eq(h.mode, NTP_MODE_CLIENT);
    cr_assert_eq(h.stratum, 2);
    cr_assert_eq(h.poll, -6);
    cr_assert_eq(h.precision, -25);
    cr_assert_eq(h.root_delay, 0x00010203);
    cr_assert_eq(h.root_dispersion, 0x00040506);
    cr_assert_eq(h.reference_id, 0x0a0b0c0d);
    cr_assert_eq(h.reference_time, UINT64_C(0x1100000000000012));
    cr_assert_eq(h.origin_time, UINT64_C(0x2100000000000022));
    cr_assert_eq(h.receive_time, UINT64_C(0x3100000000000032));
    cr_assert_eq(h.transmit_time, UINT64_C(0x4100000000000042));

    uint8_t again[NTP_HEADER_LEN];
    struct wr w = wr_init(again, sizeof(again));
    ntp_header_write(&w, &h);
    cr_assert(span_is(wr_done(&w), wire, sizeof(wire)));
}

Test(ntp_packet, every_first_octet_is_written_as_it_was_read)
{
    for (unsigned first = 0; first < 256; first++) {
        uint8_t wire[NTP_HEADER_LEN] = {(uint8_t)first};
        struct rd r = rd_init(span_of(wire, sizeof(wire)));
        struct ntp_header h = ntp_header_read(&r);
        uint8_t again[NTP_HEADER_LEN];
        struct wr w = wr_init(again, sizeof(again));
        ntp_header_write(&w, &h);
        cr_assert(span_is(wr_done(&w), wire, sizeof(wire)));
    }
}

Test(ntp_packet, a_short_header_is_bad)
{
    uint8_t wire[NTP_HEADER_LEN] = {0};
    for (size_t n = 0; n < NTP_HEADER_LEN; n++) {
        struct rd r = rd_init(span_of(wire, n));
        (void)ntp_header_read(&r);
        cr_assert(r.bad);
        uint8_t out[NTP_HEADER_LEN];
        struct wr w = wr_init(out, n);
        const struct ntp_header h = {0};
        ntp_header_write(&w, &h);
        cr_assert(w.bad);
    }
}

Test(ntp_packet, known_moments)
{
    const struct {
        int64_t wall;
        uint64_t ntp;
    } cases[] = {
        {0, UINT64_C(0x83aa7e8000000000)},                      /* 1970 */
        {S(INT64_C(2085978495)), UINT64_C(0xffffffff00000000)}, /* the last second of era 0 */
        {S(INT64_C(2085978496)), 0},                            /* 2036-02-07T06:28:16Z */
        {S(INT64_C(2085978497)), UINT64_C(0x100000000)},
        {NS_PER_S / 2, UINT64_C(0x83aa7e8080000000)},
        {-1, UINT64_C(0x83aa7e7ffffffffc)},
        {-S(1), UINT64_C(0x83aa7e7f00000000)},
        {-S(NTP_UNIX_OFFSET_S), 0}, /* 1900 */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wall_ns wall = {.ns = cases[i].wall};
        cr_assert_eq(ntp_time_from_wall(wall), cases[i].ntp, "case %zu", i);
        cr_assert_eq(ntp_time_to_wall(cases[i].ntp, wall).ns, wall.ns, "case %zu", i);
    }
}

Test(ntp_packet, wall_times_survive_the_way_there_and_back)
{
    const int64_t walls[] = {0,
                             1,
                             999999999,
                             S(INT64_C(1767225600)) + 123456789,
                             S(INT64_C(2085978495)) + 999999999,
                             S(INT64_C(2085978496)) + 1,
                             S(INT64_C(4102444800)) + 7,
                             -S(INT64_C(86400)) - 3};
    const int64_t shifts[] = {
        0, 1, -1, S(3600), -S(3600), S(INT64_C(2147000000)), -S(INT64_C(2147000000)), 123456789};
    for (size_t i = 0; i < sizeof(walls) / sizeof(walls[0]); i++) {
        for (size_t j = 0; j < sizeof(shifts) / sizeof(shifts[0]); j++) {
            uint64_t ntp = ntp_time_from_wall((struct wall_ns){.ns = walls[i]});
            struct wall_ns pivot = {.ns = walls[i] + shifts[j]};
            cr_assert_eq(ntp_time_to_wall(ntp, pivot).ns, walls[i], "%zu %zu", i, j);
        }
    }
}

Test(ntp_packet, extreme_times_do_not_overflow)
{
    const int64_t walls[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1};
    const uint64_t ntps[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63, (UINT64_C(1) << 63) - 1};
    for (size_t i = 0; i < 4; i++) {
        (void)ntp_time_from_wall((struct wall_ns){.ns = walls[i]});
        for (size_t j = 0; j < 5; j++) {
            (void)ntp_time_to_wall(ntps[j], (struct wall_ns){.ns = walls[i]});
        }
    }
}

Test(ntp_packet, short_format_rounds_up_and_saturates)
{
    const struct {
        int64_t ns;
        uint32_t units;
    } cases[] = {
        {INT64_MIN, 0},
        {-1, 0},
        {0, 0},
        {1, 1},
        {15258, 1},
        {15259, 2}, /* 2^-16 s is 15258.789 ns */
        {NS_PER_S, 65536},
        {NS_PER_S + 1, 65537},
        {INT64_C(65535999984741), UINT32_MAX},
        {S(65536) - 1, UINT32_MAX},
        {S(65536), UINT32_MAX},
        {INT64_MAX, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert_eq(ntp_short_from_ns(cases[i].ns), cases[i].units, "case %zu", i);
    }
}

Test(ntp_packet, short_format_survives_the_way_there_and_back)
{
    for (uint64_t v = 0; v <= UINT32_MAX; v += 65521) {
        cr_assert_eq(ntp_short_from_ns(ntp_short_to_ns((uint32_t)v)), v);
    }
    cr_assert_eq(ntp_short_from_ns(ntp_short_to_ns(UINT32_MAX)), UINT32_MAX);
}
