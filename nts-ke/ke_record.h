/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NTS-KE records (RFC 8915 section 4), read one by one and written. Core; thread-safe.
 *
 *    0                   1                   2                   3
 *   +-+-----------------------------+-------------------------------+
 *   |C|         Record Type         |          Body Length          |
 *   +-+-----------------------------+-------------------------------+
 *   .                              Body                             .
 */
#ifndef NTSD_NTS_KE_KE_RECORD_H
#define NTSD_NTS_KE_KE_RECORD_H

#include "common/base/cursor.h"
#include "nts-ke/ke_proto.h"

struct ke_record {
    bool critical;
    uint16_t type;
    struct span body; /* borrows the input */
};

/* The next record. `r` turns bad when the input ends inside it. */
struct ke_record ke_record_read(struct rd *r);

void ke_record_write(struct wr *w, bool critical, uint16_t type, struct span body);

/* A record whose body is one 16-bit number. */
void ke_record_write_u16(struct wr *w, bool critical, uint16_t type, uint16_t value);

/*
 * How much of a byte stream is a message: walks records up to End of Message without judging them.
 * KE_STREAM_MORE: not there yet. KE_STREAM_DONE: `*len` octets form a message.
 * KE_STREAM_TOO_LONG: it would be longer than `max`. Cost is linear over a connection when `*at`,
 * zero at first, is kept between calls (it remembers the start of the first unread record).
 */
enum ke_stream { KE_STREAM_MORE, KE_STREAM_DONE, KE_STREAM_TOO_LONG };
enum ke_stream ke_stream_scan(struct span bytes, size_t max, size_t *at, size_t *len);

#endif
