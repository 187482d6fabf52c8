/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic on nanoseconds that stops at the ends of int64_t instead of overflowing: times come
 * from packets, boards and clocks, and none of them is trusted to be sane. Core.
 */
#ifndef NTSD_NTP_SATURATE_H
#define NTSD_NTP_SATURATE_H

#include <stdint.h>

static inline int64_t sat_add(int64_t a, int64_t b)
{
    int64_t sum;
    if (!__builtin_add_overflow(a, b, &sum)) {
        return sum;
    }
    return b < 0 ? INT64_MIN : INT64_MAX;
}

static inline int64_t sat_sub(int64_t a, int64_t b)
{
    int64_t difference;
    if (!__builtin_sub_overflow(a, b, &difference)) {
        return difference;
    }
    return b < 0 ? INT64_MAX : INT64_MIN;
}

static inline int64_t sat_mul(int64_t a, int64_t b)
{
    int64_t product;
    if (!__builtin_mul_overflow(a, b, &product)) {
        return product;
    }
    return (a < 0) == (b < 0) ? INT64_MAX : INT64_MIN;
}

/* ns x ppb / 1e9, without the product having to fit. */
static inline int64_t sat_ppb(int64_t ns, int64_t ppb)
{
    const int64_t billion = INT64_C(1000000000);
    return sat_add(sat_mul(ns / billion, ppb), sat_mul(ns % billion, ppb) / billion);
}

static inline int64_t sat_abs(int64_t a)
{
    return a < 0 ? sat_sub(0, a) : a;
}

#endif
