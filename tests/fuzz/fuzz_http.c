/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any octets as an HTTP request, in one piece and grown octet by octet: once judged, more octets do
 * not change the verdict, and what is good is a short path within the input.
 */
#include "ntsd/http_request.h"

#include <stdlib.h>

#define DEMAND(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void check(struct span bytes, enum http_verdict verdict, const struct http_request *request)
{
    DEMAND(verdict < HTTP_VERDICTS);
    DEMAND(verdict != HTTP_MORE || bytes.n < HTTP_HEAD_MAX);
    DEMAND((verdict == HTTP_MORE) == (http_verdict_code(verdict) == 0));
    if (verdict != HTTP_GOOD) {
        DEMAND(request->target.n == 0 && !request->head);
        return;
    }
    struct span t = request->target;
    DEMAND(t.n > 0 && t.n <= HTTP_TARGET_MAX && t.p[0] == '/');
    DEMAND(t.p > bytes.p && t.p + t.n <= bytes.p + bytes.n);
    for (size_t i = 0; i < t.n; i++) {
        DEMAND(t.p[i] > ' ' && t.p[i] < 0x7f && t.p[i] != '?');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_request request;
    enum http_verdict before = HTTP_MORE;
    size_t step = size > 512 ? size / 256 : 1;
    for (size_t n = 0; n < size; n += step) {
        enum http_verdict verdict = http_request_parse(span_of(data, n), &request);
        check(span_of(data, n), verdict, &request);
        DEMAND(before == HTTP_MORE || before == verdict);
        before = verdict;
    }
    enum http_verdict whole = http_request_parse(span_of(data, size), &request);
    check(span_of(data, size), whole, &request);
    DEMAND(before == HTTP_MORE || before == whole);
    return 0;
}
