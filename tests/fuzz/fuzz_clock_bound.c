/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ClockBound's file: any octets. What is believed has a bound that only grows until it is void.
 */
#include "ntp/clock/clock_bound.h"

#include <stdio.h>
#include <stdlib.h>

#define DEMAND(x)                                                                                  \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            (void)fprintf(stderr, "demanded: %s\n", #x);                                           \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct clock_bound bound;
    struct clock_system_sample sample = {0};
    if (clock_bound_parse(span_of(data, size), &bound) != NTS_OK) {
        return 0;
    }
    DEMAND(size >= CLOCK_BOUND_LEN && bound.version == CLOCK_BOUND_VERSION);
    DEMAND(bound.generation % 2 == 0 && bound.generation > 0);
    int64_t last = 0;
    for (int64_t age = 0; age < 2000 && bound.as_of_ns < INT64_MAX / 2; age += 50) {
        struct mono_ns now = {.ns = bound.as_of_ns + age * NS_PER_S};
        int64_t now_bound = 0;
        enum clock_bound_trust trust = clock_bound_at(&bound, now, &now_bound);
        DEMAND((trust == CLOCK_BOUND_NONE) == (now_bound == INT64_MAX));
        DEMAND(now_bound >= last);
        DEMAND(trust == CLOCK_BOUND_NONE || now.ns < bound.void_after_ns);
        last = now_bound;
        clock_bound_apply(&bound, now, &sample);
        DEMAND(sample.synchronised == (trust != CLOCK_BOUND_NONE));
    }
    return 0;
}
