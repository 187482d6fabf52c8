/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records and the search for the end of a message.
 */
#include "nts-ke/ke_record.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* Next Protocol NTPv4; AEAD 15; End of Message */
static const uint8_t plain[] = {0x80, 1, 0, 2, 0, 0, 0x80, 4, 0, 2, 0, 15, 0x80, 0, 0, 0};

Test(ke_record, reads_every_part)
{
    const uint8_t bytes[] = {0x84, 0x01, 0x00, 0x03, 7, 8, 9, 0x7f, 0xff, 0, 0};
    struct rd r = rd_init(span_of(bytes, sizeof(bytes)));
    struct ke_record first = ke_record_read(&r);
    cr_assert(first.critical);
    cr_assert_eq(first.type, 0x0401);
    cr_assert(span_is(first.body, "\x07\x08\x09", 3));
    struct ke_record second = ke_record_read(&r);
    cr_assert_not(second.critical);
    cr_assert_eq(second.type, 0x7fff);
    cr_assert_eq(second.body.n, 0);
    cr_assert(rd_end(&r));
}

Test(ke_record, ends_inside_a_record)
{
    const uint8_t bytes[] = {0x80, 0x01, 0x00, 0x02, 0, 0};
    for (size_t n = 0; n < sizeof(bytes); n++) {
        struct rd r = rd_init(span_of(bytes, n));
        (void)ke_record_read(&r);
        cr_assert(r.bad, "cut to %zu", n);
    }
}

Test(ke_record, what_is_written_can_be_read)
{
    uint8_t body[300];
    memset(body, 0xa5, sizeof(body));
    for (size_t n = 0; n <= sizeof(body); n++) {
        uint8_t out[sizeof(body) + KE_RECORD_HEAD_LEN];
        struct wr w = wr_init(out, sizeof(out));
        uint16_t type = (uint16_t)(n * 109 % KE_CRITICAL_BIT);
        ke_record_write(&w, n % 2 == 0, type, span_of(body, n));
        struct rd r = rd_init(wr_done(&w));
        struct ke_record record = ke_record_read(&r);
        cr_assert(rd_end(&r));
        cr_assert_eq(record.critical, n % 2 == 0);
        cr_assert_eq(record.type, type);
        cr_assert(span_is(record.body, body, n));
    }
}

Test(ke_record, writer_refuses_what_has_no_form)
{
    static uint8_t out[0x10100];
    static const uint8_t octets[0x10000];
    struct wr type = wr_init(out, sizeof(out));
    ke_record_write(&type, false, 0x8000, span_of(NULL, 0));
    cr_assert(type.bad);
    struct wr body = wr_init(out, sizeof(out));
    ke_record_write(&body, false, 1, span_of(octets, 0x10000));
    cr_assert(body.bad);
    struct wr longest = wr_init(out, sizeof(out));
    ke_record_write(&longest, false, 1, span_of(octets, 0xffff));
    cr_assert_eq(wr_done(&longest).n, 0xffff + KE_RECORD_HEAD_LEN);
    struct wr room = wr_init(out, 5);
    ke_record_write_u16(&room, true, 1, 0);
    cr_assert(room.bad);
}

Test(ke_record, writes_a_number)
{
    uint8_t out[6];
    struct wr w = wr_init(out, sizeof(out));
    ke_record_write_u16(&w, true, KE_NTPV4_PORT, 0x1234);
    cr_assert(span_is(wr_done(&w), "\x80\x07\x00\x02\x12\x34", 6));
}

Test(ke_record, scan_finds_the_end_split_at_every_octet)
{
    for (size_t split = 0; split <= sizeof(plain); split++) {
        size_t at = 0;
        size_t len = 0;
        enum ke_stream first = ke_stream_scan(span_of(plain, split), KE_REQUEST_MAX, &at, &len);
        cr_assert_eq(first, split < sizeof(plain) ? KE_STREAM_MORE : KE_STREAM_DONE);
        enum ke_stream whole =
            ke_stream_scan(span_of(plain, sizeof(plain)), KE_REQUEST_MAX, &at, &len);
        cr_assert_eq(whole, KE_STREAM_DONE);
        cr_assert_eq(len, sizeof(plain));
    }
}

Test(ke_record, scan_octet_by_octet_equals_scan_at_once)
{
    size_t at = 0;
    size_t len = 0;
    for (size_t n = 0; n < sizeof(plain); n++) {
        cr_assert_eq(ke_stream_scan(span_of(plain, n), 1024, &at, &len), KE_STREAM_MORE);
        cr_assert_leq(at, n);
    }
    cr_assert_eq(ke_stream_scan(span_of(plain, sizeof(plain)), 1024, &at, &len), KE_STREAM_DONE);
}

Test(ke_record, scan_leaves_what_follows)
{
    uint8_t bytes[sizeof(plain) + 3] = {0};
    memcpy(bytes, plain, sizeof(plain));
    size_t at = 0;
    size_t len = 0;
    cr_assert_eq(ke_stream_scan(span_of(bytes, sizeof(bytes)), 1024, &at, &len), KE_STREAM_DONE);
    cr_assert_eq(len, sizeof(plain));
}

Test(ke_record, scan_ends_at_an_end_of_message_of_any_shape)
{
    /* Not critical and with a body: the end all the same; the parser refuses it. */
    const uint8_t bytes[] = {0, 0, 0, 2, 1, 2};
    size_t at = 0;
    size_t len = 0;
    cr_assert_eq(ke_stream_scan(span_of(bytes, 5), 1024, &at, &len), KE_STREAM_MORE);
    cr_assert_eq(ke_stream_scan(span_of(bytes, 6), 1024, &at, &len), KE_STREAM_DONE);
    cr_assert_eq(len, 6);
}

Test(ke_record, scan_knows_the_limit)
{
    size_t len = 0;
    size_t at = 0;
    cr_assert_eq(ke_stream_scan(span_of(plain, sizeof(plain)), sizeof(plain), &at, &len),
                 KE_STREAM_DONE);
    at = 0;
    cr_assert_eq(ke_stream_scan(span_of(plain, sizeof(plain)), sizeof(plain) - 1, &at, &len),
                 KE_STREAM_TOO_LONG);
    /* Told by the head alone, before any of the body came. */
    const uint8_t head[] = {0, 99, 0x40, 0x00};
    at = 0;
    cr_assert_eq(ke_stream_scan(span_of(head, sizeof(head)), KE_REQUEST_MAX, &at, &len),
                 KE_STREAM_TOO_LONG);
    /* A record that fits, but leaves no room for End of Message behind it. */
    const uint8_t fills[] = {0, 99, 0, 2, 1, 2};
    at = 0;
    cr_assert_eq(ke_stream_scan(span_of(fills, sizeof(fills)), 9, &at, &len), KE_STREAM_TOO_LONG);
    at = 0;
    cr_assert_eq(ke_stream_scan(span_of(fills, sizeof(fills)), 10, &at, &len), KE_STREAM_MORE);
}

Test(ke_record, scan_reads_each_record_once)
{
    /* 4095 empty records, one octet at a time: cheap only when the position is remembered. */
    static uint8_t bytes[KE_REQUEST_MAX];
    for (size_t i = 0; i < sizeof(bytes); i += KE_RECORD_HEAD_LEN) {
        bytes[i] = 0x40;
    }
    bytes[sizeof(bytes) - KE_RECORD_HEAD_LEN] = 0x80;
    size_t at = 0;
    size_t len = 0;
    for (size_t n = 0; n < sizeof(bytes); n++) {
        cr_assert_eq(ke_stream_scan(span_of(bytes, n), KE_REQUEST_MAX, &at, &len), KE_STREAM_MORE);
        cr_assert_eq(at, n - n % KE_RECORD_HEAD_LEN, "all whole records are behind us");
    }
    cr_assert_eq(ke_stream_scan(span_of(bytes, sizeof(bytes)), KE_REQUEST_MAX, &at, &len),
                 KE_STREAM_DONE);
    cr_assert_eq(len, KE_REQUEST_MAX);
}
