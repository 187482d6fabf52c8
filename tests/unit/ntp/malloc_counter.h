/* SPDX-License-Identifier: Apache-2.0 */
/*
 * malloc, calloc, realloc and free that count their calls. To be included by one file of a program.
 * Test code.
 *
 * Sanitizers bring a malloc of their own: there nothing is replaced, and the tests say that they
 * are skipped.
 */
#ifndef NTSD_TESTS_UNIT_NTP_MALLOC_COUNTER_H
#define NTSD_TESTS_UNIT_NTP_MALLOC_COUNTER_H

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

/* Where this process counts; a test may point it to memory shared with its parent. */
static _Atomic uint64_t malloc_counter_own;
static _Atomic uint64_t *malloc_counter = &malloc_counter_own;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MALLOC_COUNTER_OFF
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MALLOC_COUNTER_OFF
#endif

#ifdef MALLOC_COUNTER_OFF

static inline void malloc_counter_skip(void)
{
    cr_skip_test("a sanitizer has replaced malloc: allocations are not counted in this build");
}

#else

static inline void malloc_counter_skip(void)
{
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void __libc_free(void *p);

void *malloc(size_t size)
{
    atomic_fetch_add(malloc_counter, 1);
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    atomic_fetch_add(malloc_counter, 1);
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    atomic_fetch_add(malloc_counter, 1);
    return __libc_realloc(p, size);
}

void free(void *p)
{
    atomic_fetch_add(malloc_counter, 1);
    __libc_free(p);
}

#endif

#endif
