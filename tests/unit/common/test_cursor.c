/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cursors: every width, one octet short, stickiness, sub-cursors, and written-then-read.
 */
#include "common/base/cursor.h"

#include <criterion/criterion.h>

static const uint8_t OCTETS[8] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};

static uint64_t read_width(struct rd *r, size_t width)
{
    switch (width) {
    case 1:
        return rd_u8(r);
    case 2:
        return rd_u16(r);
    case 4:
        return rd_u32(r);
    default:
        return rd_u64(r);
    }
}

static void write_width(struct wr *w, size_t width, uint64_t v)
{
    switch (width) {
    case 1:
        wr_u8(w, (uint8_t)v);
        return;
    case 2:
        wr_u16(w, (uint16_t)v);
        return;
    case 4:
        wr_u32(w, (uint32_t)v);
        return;
    default:
        wr_u64(w, v);
        return;
    }
}

static const struct {
    size_t width;
    uint64_t value;
} INTEGERS[] = {
    {1, 0x01},
    {2, 0x0123},
    {4, 0x01234567},
    {8, 0x0123456789abcdef},
};

Test(cursor, reads_big_endian_and_never_past_the_end)
{
    for (size_t i = 0; i < sizeof(INTEGERS) / sizeof(INTEGERS[0]); i++) {
        size_t width = INTEGERS[i].width;
        for (size_t have = 0; have <= sizeof(OCTETS); have++) {
            struct rd r = rd_init(span_of(OCTETS, have));
            uint64_t v = read_width(&r, width);
            bool enough = have >= width;
            cr_assert_eq(r.bad, !enough, "width %zu of %zu", width, have);
            cr_assert_eq(v, enough ? INTEGERS[i].value : 0, "width %zu of %zu", width, have);
            cr_assert_eq(r.left, enough ? have - width : have);
            cr_assert_eq(rd_end(&r), have == width);
        }
    }
}

Test(cursor, a_reader_that_overran_stays_bad)
{
    struct rd r = rd_init(span_of(OCTETS, 3));
    cr_assert_eq(rd_u32(&r), 0);
    cr_assert(r.bad);
    cr_assert_eq(rd_u8(&r), 0, "the octets that are there are not handed out any more");
    cr_assert_eq(rd_span(&r, 1).n, 0);
    cr_assert_eq(rd_rest(&r).n, 0);
    cr_assert_eq(rd_span(&r, 0).n, 0);
    cr_assert(rd_take(&r, 0).bad, "a sub-cursor of a bad one is bad");
    cr_assert_not(rd_end(&r));
}

Test(cursor, a_sub_cursor_sees_its_own_octets_only)
{
    struct rd r = rd_init(span_of(OCTETS, sizeof(OCTETS)));
    rd_skip(&r, 1);
    struct rd inner = rd_take(&r, 2);
    cr_assert_eq(rd_u16(&inner), 0x2345);
    cr_assert(rd_end(&inner));
    cr_assert_eq(rd_u8(&inner), 0);
    cr_assert(inner.bad);
    cr_assert_not(r.bad, "the outer one goes on");
    cr_assert_eq(rd_u8(&r), 0x67);
    struct rd beyond = rd_take(&r, 5);
    cr_assert(beyond.bad && r.bad);
    cr_assert_eq(beyond.left, 0);
}

Test(cursor, lengths_near_the_largest_do_not_wrap)
{
    struct rd r = rd_init(span_of(OCTETS, sizeof(OCTETS)));
    cr_assert_eq(rd_span(&r, SIZE_MAX).n, 0);
    cr_assert(r.bad);
    uint8_t buf[4];
    struct wr w = wr_init(buf, sizeof(buf));
    wr_u8(&w, 1);
    cr_assert_null(wr_room(&w, SIZE_MAX));
    cr_assert(w.bad);
}

Test(cursor, empty_input_may_be_null)
{
    struct rd r = rd_init(span_of(NULL, 0));
    cr_assert(rd_end(&r));
    cr_assert_eq(rd_rest(&r).n, 0);
    cr_assert(rd_end(&r));
    cr_assert(span_is(span_of(NULL, 0), "", 0));
    uint8_t none[1] = {0x5a};
    struct wr w = wr_init(none, 0);
    wr_bytes(&w, span_of(NULL, 0));
    wr_zero(&w, 0);
    cr_assert_not(w.bad);
    wr_u8(&w, 1);
    cr_assert(w.bad);
    cr_assert_eq(wr_done(&w).n, 0);
}

Test(cursor, span_is_compares_length_and_octets)
{
    struct span s = span_of(OCTETS, 4);
    cr_assert(span_is(s, OCTETS, 4));
    cr_assert_not(span_is(s, OCTETS, 3));
    cr_assert_not(span_is(s, OCTETS + 1, 4));
    cr_assert_not(span_is(span_of(NULL, 0), OCTETS, 1));
}

Test(cursor, a_writer_stops_at_its_capacity)
{
    for (size_t i = 0; i < sizeof(INTEGERS) / sizeof(INTEGERS[0]); i++) {
        size_t width = INTEGERS[i].width;
        for (size_t cap = 0; cap <= sizeof(OCTETS); cap++) {
            uint8_t buf[sizeof(OCTETS) + 1];
            memset(buf, 0x5a, sizeof(buf));
            struct wr w = wr_init(buf, cap);
            write_width(&w, width, INTEGERS[i].value);
            bool fits = cap >= width;
            cr_assert_eq(w.bad, !fits);
            cr_assert_eq(wr_done(&w).n, fits ? width : 0);
            for (size_t j = 0; j < sizeof(buf); j++) {
                uint8_t want = fits && j < width ? OCTETS[j] : 0x5a;
                cr_assert_eq(buf[j], want, "width %zu, room %zu, octet %zu", width, cap, j);
            }
        }
    }
}

Test(cursor, a_writer_that_overran_writes_nothing_more)
{
    uint8_t buf[4] = {0};
    struct wr w = wr_init(buf, sizeof(buf));
    wr_u16(&w, 0x0102);
    wr_u32(&w, 0xffffffff);
    cr_assert(w.bad);
    wr_u8(&w, 0xff);
    wr_bytes(&w, span_of(OCTETS, 1));
    cr_assert_eq(w.n, 2);
    cr_assert_eq(buf[2], 0);
    cr_assert_eq(wr_done(&w).n, 0, "half a message never leaves");
}

Test(cursor, what_was_written_is_read_back)
{
    uint8_t buf[64];
    struct wr w = wr_init(buf, sizeof(buf));
    wr_u8(&w, 0xfe);
    wr_u16(&w, 0xfedc);
    wr_u32(&w, 0xfedcba98);
    wr_u64(&w, 0xfedcba9876543210);
    wr_uint(&w, 0xabcdef, 3);
    wr_bytes(&w, span_of(OCTETS, sizeof(OCTETS)));
    memset(wr_room(&w, 2), 0x77, 2);
    wr_zero(&w, 3);
    cr_assert_not(w.bad);

    struct rd r = rd_init(wr_done(&w));
    cr_assert_eq(r.left, 1 + 2 + 4 + 8 + 3 + 8 + 2 + 3);
    cr_assert_eq(rd_u8(&r), 0xfe);
    cr_assert_eq(rd_u16(&r), 0xfedc);
    cr_assert_eq(rd_u32(&r), 0xfedcba98);
    cr_assert_eq(rd_u64(&r), 0xfedcba9876543210);
    cr_assert_eq(rd_uint(&r, 3), 0xabcdef);
    cr_assert(span_is(rd_span(&r, 8), OCTETS, 8));
    cr_assert_eq(rd_u16(&r), 0x7777);
    cr_assert(span_is(rd_rest(&r), "\0\0\0", 3));
    cr_assert(rd_end(&r));
}
