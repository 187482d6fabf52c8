/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arbitrary octets as a stream of NTS-KE records, and as the beginning of a TLS connection.
 * Properties: however the stream is cut, the end of the message is found at the same place; it is
 * an End of Message record; and the records up to there, written again, are the same octets.
 *
 *   | step (1) | stream |
 */
#include "nts-ke/ke_hello.h"
#include "nts-ke/ke_record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Reads and writes the records of a whole message. */
static void copy_message(struct span message)
{
    static uint8_t out[KE_REQUEST_MAX];
    struct wr w = wr_init(out, sizeof(out));
    struct rd r = rd_init(message);
    struct ke_record record = {.type = UINT16_MAX};
    while (!rd_end(&r)) {
        require(record.type != KE_END_OF_MESSAGE);
        record = ke_record_read(&r);
        require(!r.bad);
        ke_record_write(&w, record.critical, record.type, record.body);
    }
    require(record.type == KE_END_OF_MESSAGE);
    require(span_is(wr_done(&w), message.p, message.n));
}

static void scan(struct span stream, size_t step)
{
    size_t whole_at = 0;
    size_t whole_len = 0;
    enum ke_stream whole = ke_stream_scan(stream, KE_REQUEST_MAX, &whole_at, &whole_len);
    enum ke_stream stepped = KE_STREAM_MORE;
    size_t at = 0;
    size_t len = 0;
    for (size_t n = 0; stepped == KE_STREAM_MORE && n < stream.n; n += step) {
        stepped = ke_stream_scan(span_of(stream.p, n), KE_REQUEST_MAX, &at, &len);
        require(at <= n || stepped != KE_STREAM_MORE);
    }
    if (stepped == KE_STREAM_MORE) {
        stepped = ke_stream_scan(stream, KE_REQUEST_MAX, &at, &len);
    }
    require(stepped == whole && at == whole_at);
    if (whole == KE_STREAM_DONE) {
        require(len == whole_len && len <= stream.n && len <= KE_REQUEST_MAX);
        copy_message(span_of(stream.p, len));
    }
}

static void look(struct span stream, size_t step)
{
    struct ke_hello once = {.at = 0};
    struct ke_hello hello = {.at = 0};
    enum ke_hello_verdict whole = ke_hello_scan(&once, stream);
    enum ke_hello_verdict stepped = KE_HELLO_MORE;
    for (size_t n = 0; stepped == KE_HELLO_MORE && n < stream.n; n += step) {
        stepped = ke_hello_scan(&hello, span_of(stream.p, n));
    }
    if (stepped == KE_HELLO_MORE) {
        stepped = ke_hello_scan(&hello, stream);
    }
    require(stepped == whole);
    require(whole != KE_HELLO_MORE || stream.n < KE_HELLO_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    size_t step = (size_t)data[0] + 1;
    struct span stream = span_of(data + 1, size - 1);
    scan(stream, step);
    look(stream, step);
    return 0;
}
