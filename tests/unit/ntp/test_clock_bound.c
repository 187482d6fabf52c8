/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ClockBound's file: the layout octet by octet, what is refused, how its word ages, and that half a
 * value is never believed.
 */
#include "ntp/clock/clock_bound_shm.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LEN = CLOCK_BOUND_LEN };

static uint8_t file[LEN + 8];

static void put(size_t at, const void *value, size_t n)
{
    memcpy(file + at, value, n);
}

static void put_u16(size_t at, uint16_t v)
{
    put(at, &v, sizeof(v));
}

static void put_u32(size_t at, uint32_t v)
{
    put(at, &v, sizeof(v));
}

static void put_i64(size_t at, int64_t v)
{
    put(at, &v, sizeof(v));
}

/* As of 100.5 s, void after 1100.5 s, bound 2 ms, 50 ppm, synchronised. */
static void make(void)
{
    memset(file, 0, sizeof(file));
    put_u32(0, 0x414d5a4e);
    put_u32(4, 0x43420200);
    put_u32(8, LEN);
    put_u16(12, 2);
    put_u16(14, 8);
    put_i64(16, 100);
    put_i64(24, 500000000);
    put_i64(32, 1100);
    put_i64(40, 500000000);
    put_i64(48, 2000000);
    put_i64(56, 77);
    put_u32(64, 50000);
    put_u32(68, 1);
    file[72] = 1;
}

static enum nts_err parse(struct clock_bound *bound, size_t n)
{
    return clock_bound_parse(span_of(file, n), bound);
}

TestSuite(clock_bound, .init = make);

Test(clock_bound, layout)
{
    struct clock_bound b;
    cr_assert_eq(parse(&b, LEN), NTS_OK);
    cr_expect_eq(b.version, 2);
    cr_expect_eq(b.generation, 8);
    cr_expect_eq(b.as_of_ns, 100 * NS_PER_S + 500000000);
    cr_expect_eq(b.void_after_ns, 1100 * NS_PER_S + 500000000);
    cr_expect_eq(b.bound_ns, 2000000);
    cr_expect_eq(b.drift_ppb, 50000);
    cr_expect_eq(b.status, 1);
    cr_expect_eq(parse(&b, LEN + 8), NTS_OK, "a longer file is one");
}

Test(clock_bound, cut_short)
{
    struct clock_bound b;
    for (size_t n = 0; n < LEN; n++) {
        cr_expect_eq(parse(&b, n), NTS_ESHORT, "%zu", n);
    }
    put_u32(8, LEN - 1);
    cr_expect_eq(parse(&b, LEN), NTS_ESHORT, "by its own word");
}

Test(clock_bound, refused)
{
    static const struct {
        size_t at;
        size_t n;
        int64_t value;
        enum nts_err err;
    } cases[] = {
        {0, 4, 0x4e5a4d41, NTS_EFORMAT},                            /* of another byte order */
        {4, 4, 0x43420201, NTS_EFORMAT}, {12, 2, 0, NTS_ENOTFOUND}, /* being set up */
        {14, 2, 0, NTS_ENOTFOUND},       {14, 2, 9, NTS_ENOTFOUND}, /* being written */
        {12, 2, 1, NTS_ELIMIT},          {12, 2, 3, NTS_ELIMIT},
        {12, 2, 0xffff, NTS_ELIMIT},     {48, 8, -1, NTS_EFORMAT},
        {48, 8, INT64_MAX, NTS_EFORMAT}, {64, 4, 1000000000, NTS_EFORMAT},
        {68, 4, 4, NTS_EFORMAT},         {68, 4, -1, NTS_EFORMAT},
        {16, 8, INT64_MIN, NTS_EFORMAT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct clock_bound b;
        make();
        put(cases[i].at, &cases[i].value, cases[i].n);
        cr_expect_eq(parse(&b, LEN), cases[i].err, "case %zu", i);
    }
}

Test(clock_bound, unknown_layout_is_named)
{
    struct clock_bound b;
    put_u16(12, 3);
    cr_assert_eq(parse(&b, LEN), NTS_ELIMIT);
    cr_expect_eq(b.version, 3);
}

Test(clock_bound, ages)
{
    static const struct {
        int32_t status;
        int64_t at_ms; /* from as-of */
        enum clock_bound_trust trust;
        int64_t bound_ns;
    } cases[] = {
        {1, 0, CLOCK_BOUND_KEPT, 2000000},
        {1, 1000, CLOCK_BOUND_KEPT, 2050000},
        {1, 4999, CLOCK_BOUND_KEPT, 2249950},
        {1, 5000, CLOCK_BOUND_DRIFTING, 2250000}, /* its daemon writes no more */
        {1, 999999, CLOCK_BOUND_DRIFTING, 51999950},
        {1, 1000000, CLOCK_BOUND_NONE, INT64_MAX},
        {1, -1, CLOCK_BOUND_KEPT, 2000000}, /* its clock is coarse */
        {1, -1001, CLOCK_BOUND_NONE, INT64_MAX},
        {2, 0, CLOCK_BOUND_DRIFTING, 2000000},
        {2, 1000000, CLOCK_BOUND_NONE, INT64_MAX},
        {0, 0, CLOCK_BOUND_NONE, INT64_MAX},
        {3, 0, CLOCK_BOUND_NONE, INT64_MAX},
    };
    struct clock_bound b;
    cr_assert_eq(parse(&b, LEN), NTS_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t bound = 0;
        struct mono_ns now = {.ns = b.as_of_ns + cases[i].at_ms * NS_PER_MS};
        b.status = cases[i].status;
        cr_expect_eq(clock_bound_at(&b, now, &bound), cases[i].trust, "case %zu", i);
        cr_expect_eq(bound, cases[i].bound_ns, "case %zu: %ld", i, (long)bound);
    }
}

Test(clock_bound, takes_the_place_of_the_kernels_word)
{
    struct clock_bound b;
    struct clock_system_sample sample = {.synchronised = false, .max_error_ns = 16 * NS_PER_S};
    cr_assert_eq(parse(&b, LEN), NTS_OK);
    clock_bound_apply(&b, (struct mono_ns){.ns = b.as_of_ns}, &sample);
    cr_expect(sample.synchronised);
    cr_expect_not(sample.drifting);
    cr_expect_eq(sample.max_error_ns, 2000000);
    clock_bound_apply(&b, (struct mono_ns){.ns = b.as_of_ns + 60 * NS_PER_S}, &sample);
    cr_expect(sample.synchronised);
    cr_expect(sample.drifting);
    cr_expect_eq(sample.max_error_ns, 5000000);
    clock_bound_apply(&b, (struct mono_ns){.ns = b.void_after_ns}, &sample);
    cr_expect_not(sample.synchronised);
}

Test(clock_bound, drifting_is_holdover)
{
    const struct clock_system_options options = {.trust_kernel = true};
    struct clock_system_sample sample = {.raw_ns = NS_PER_S, .synchronised = true};
    cr_expect_eq(clock_system_model(&options, &sample, NULL, NULL).state, CLOCK_SYNCHRONISED);
    sample.drifting = true;
    cr_expect_eq(clock_system_model(&options, &sample, NULL, NULL).state, CLOCK_HOLDOVER);
    sample.synchronised = false;
    cr_expect_eq(clock_system_model(&options, &sample, NULL, NULL).state, CLOCK_STARTING);
}

/* --- The file --- */

static char path[] = "/tmp/clock-bound-XXXXXX";

static int make_file(size_t n)
{
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, file, n), (ssize_t)n);
    return fd;
}

Test(clock_bound, read_from_a_file)
{
    struct clock_bound b;
    cr_expect_eq(clock_bound_read("/tmp/there-is-no-such-file", &b), NTS_ENOTFOUND);
    int fd = make_file(LEN);
    cr_expect_eq(clock_bound_read(path, &b), NTS_OK);
    cr_expect_eq(b.bound_ns, 2000000);
    cr_assert_eq(ftruncate(fd, 20), 0);
    cr_expect_eq(clock_bound_read(path, &b), NTS_ESHORT);
    cr_assert_eq(ftruncate(fd, 0), 0);
    cr_expect_eq(clock_bound_read(path, &b), NTS_ESHORT);
    (void)close(fd);
    (void)unlink(path);
    cr_expect_eq(clock_bound_read("/tmp", &b), NTS_ESYSTEM, "a directory");
}

static atomic_bool stop;

/* The writer as ClockBound's is: bound and as-of always carry the same number. */
static void *write_for_ever(void *mapping)
{
    volatile uint8_t *m = mapping;
    uint16_t generation = 8;
    for (int64_t i = 1; !atomic_load(&stop); i = i % 1000000 + 1) {
        *(volatile uint16_t *)(m + 14) = ++generation;
        atomic_thread_fence(memory_order_seq_cst);
        *(volatile int64_t *)(m + 16) = i;
        *(volatile int64_t *)(m + 48) = i;
        atomic_thread_fence(memory_order_seq_cst);
        generation = generation == UINT16_MAX ? 2 : (uint16_t)(generation + 1);
        *(volatile uint16_t *)(m + 14) = generation;
        for (volatile int rest = 0; rest < 20000; rest++) {
        }
    }
    return NULL;
}

Test(clock_bound, under_a_busy_writer)
{
    int fd = make_file(LEN);
    void *mapping = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    cr_assert_neq(mapping, MAP_FAILED);
    pthread_t writer;
    unsigned whole = 0;
    put_i64(24, 0);
    cr_assert_eq(pwrite(fd, file, LEN, 0), LEN);
    cr_assert_eq(pthread_create(&writer, NULL, write_for_ever, mapping), 0);
    for (int i = 0; i < 20000; i++) {
        struct clock_bound b;
        if (clock_bound_read(path, &b) == NTS_OK) {
            whole++;
            cr_assert_eq(b.as_of_ns / NS_PER_S, b.bound_ns == 2000000 ? 100 : b.bound_ns);
        }
    }
    atomic_store(&stop, true);
    (void)pthread_join(writer, NULL);
    (void)munmap(mapping, LEN);
    (void)close(fd);
    (void)unlink(path);
    cr_expect_gt(whole, 1000);
}
