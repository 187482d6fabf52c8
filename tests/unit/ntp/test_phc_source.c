/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hardware clocks without hardware: an ioctl of ours behind /dev/null, which is a character device
 * as good as any. Which request is made, how many readings, and what a device that fails or
 * vanishes costs.
 */
#include "common/base/log.h"
#include "ntp/clock/phc_source.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct driver {
    unsigned known; /* bits of enum phc_method */
    int error;      /* otherwise: what it fails with; 0: it works */
    unsigned calls[PHC_METHODS];
    unsigned readings;
    bool senseless;
};

static struct driver driver;

static struct ptp_clock_time now_plus(int64_t ns)
{
    int64_t at = wall_now().ns + ns;
    return (struct ptp_clock_time){.sec = at / NS_PER_S, .nsec = (__u32)(at % NS_PER_S)};
}

static struct ptp_clock_time raw_now(void)
{
    int64_t at = mono_raw_now().ns;
    return (struct ptp_clock_time){.sec = at / NS_PER_S, .nsec = (__u32)(at % NS_PER_S)};
}

static enum phc_method method_of(unsigned long request)
{
    if (request == PTP_SYS_OFFSET_PRECISE) {
        return PHC_PRECISE;
    }
    return request == PTP_SYS_OFFSET_EXTENDED ? PHC_EXTENDED : PHC_BASIC;
}

static void answer(struct driver *d, enum phc_method method, void *arg)
{
    struct ptp_sys_offset_precise *precise = arg;
    struct ptp_sys_offset_extended *extended = arg;
    struct ptp_sys_offset *basic = arg;
    switch (method) {
    case PHC_PRECISE:
        d->readings++;
        precise->device = now_plus(NS_PER_S);
        precise->sys_monoraw = d->senseless ? (struct ptp_clock_time){0} : raw_now();
        return;
    case PHC_EXTENDED:
        d->readings += extended->n_samples;
        for (unsigned i = 0; i < extended->n_samples; i++) {
            extended->ts[i][0] = now_plus(d->senseless ? NS_PER_S : 0);
            extended->ts[i][1] = now_plus(NS_PER_S);
            extended->ts[i][2] = now_plus(0);
        }
        return;
    case PHC_BASIC:
        d->readings += basic->n_samples;
        for (unsigned i = 0; i < 2 * basic->n_samples + 1; i++) {
            basic->ts[i] = now_plus(i % 2 == 1 ? NS_PER_S : 0);
        }
        return;
    case PHC_METHODS:
        return;
    }
}

static int fake_ioctl(void *ctx, int fd, unsigned long request, void *arg)
{
    struct driver *d = ctx;
    enum phc_method method = method_of(request);
    cr_assert_geq(fd, 0);
    d->calls[method]++;
    errno = d->error != 0 ? d->error : EOPNOTSUPP;
    if (d->error != 0 || (d->known & 1U << method) == 0) {
        return -1;
    }
    answer(d, method, arg);
    return 0;
}

static void open_fake(struct phc_device *device, const struct driver *d)
{
    driver = *d;
    *device = (struct phc_device){.fd = -1, .call = fake_ioctl, .ctx = &driver};
    cr_assert_eq(phc_open(device, "/dev/null"), NTS_OK);
}

Test(phc_read, takes_the_best_the_driver_knows)
{
    static const struct {
        unsigned known;
        enum phc_method method;
    } cases[] = {
        {7, PHC_PRECISE}, {6, PHC_EXTENDED}, {4, PHC_BASIC}, {5, PHC_PRECISE}, {2, PHC_EXTENDED}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct phc_device device;
        struct phc_window window;
        open_fake(&device, &(struct driver){.known = cases[i].known});
        for (int turn = 0; turn < 3; turn++) {
            cr_assert_eq(phc_read(&device, 5, &window), NTS_OK);
        }
        cr_expect_eq(device.method, cases[i].method);
        for (int m = 0; m < PHC_METHODS; m++) {
            unsigned calls = m < (int)cases[i].method ? 1 : m == (int)cases[i].method ? 3 : 0;
            cr_expect_eq(driver.calls[m], calls, "case %zu: %s", i,
                         phc_method_name((enum phc_method)m));
        }
        phc_close(&device);
        phc_close(&device);
    }
}

Test(phc_read, what_fails_is_no_reason_to_forget_what_works)
{
    struct phc_device device;
    struct phc_window window;
    open_fake(&device, &(struct driver){.known = 7, .error = EIO});
    cr_expect_eq(phc_read(&device, 5, &window), NTS_ESYSTEM);
    cr_expect_eq(errno, EIO);
    cr_expect_eq(driver.calls[PHC_EXTENDED], 0);
    driver.error = EOPNOTSUPP;
    cr_expect_eq(phc_read(&device, 5, &window), NTS_ESYSTEM);
    cr_expect_eq(device.method, PHC_PRECISE);
    driver.error = 0;
    cr_expect_eq(phc_read(&device, 5, &window), NTS_OK);
    driver.senseless = true;
    cr_expect_eq(phc_read(&device, 5, &window), NTS_EFORMAT);
    phc_close(&device);
}

Test(phc_read, only_devices)
{
    struct phc_device device = {.fd = -1};
    cr_expect_eq(phc_open(&device, "/proc/self/status"), NTS_ESYSTEM);
    cr_expect_eq(errno, ENOTTY);
    cr_expect_eq(phc_open(&device, "/dev/there-is-no-such-device"), NTS_ESYSTEM);
    cr_expect_eq(errno, ENOENT);
    cr_expect_eq(device.fd, -1);
    device.call = NULL; /* the kernel's own: /dev/null knows none of the three */
    cr_assert_eq(phc_open(&device, "/dev/null"), NTS_OK);
    struct phc_window window;
    cr_expect_eq(phc_read(&device, 5, &window), NTS_ESYSTEM);
    phc_close(&device);
}

Test(phc_read, error_bound)
{
    static const struct {
        const char *text;
        enum nts_err err;
        int64_t bound_ns;
    } cases[] = {
        {"12345\n", NTS_OK, 12345},
        {"0", NTS_OK, 0},
        {"1000000000\n", NTS_OK, 1000000000},
        {"1000000001\n", NTS_EFORMAT, 0},
        {"99999999999999999999\n", NTS_EFORMAT, 0},
        {"", NTS_EFORMAT, 0},
        {"\n", NTS_EFORMAT, 0},
        {"-1\n", NTS_EFORMAT, 0},
        {"12 34\n", NTS_EFORMAT, 0},
        {"0x10\n", NTS_EFORMAT, 0},
        {"11111111111111111111111111111111111111\n", NTS_ELIMIT, 0},
    };
    struct phc_device device = {.fd = -1};
    char path[] = "/tmp/phc-bound-XXXXXX";
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    (void)snprintf(device.bound_path, sizeof(device.bound_path), "%s", path);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t bound = -5;
        cr_assert_eq(ftruncate(fd, 0), 0);
        cr_assert_eq(pwrite(fd, cases[i].text, strlen(cases[i].text), 0),
                     (ssize_t)strlen(cases[i].text));
        cr_expect_eq(phc_error_bound(&device, &bound), cases[i].err, "'%s'", cases[i].text);
        cr_expect_eq(bound, cases[i].err == NTS_OK ? cases[i].bound_ns : -5, "'%s'", cases[i].text);
    }
    (void)close(fd);
    (void)unlink(path);
    int64_t bound = 0;
    cr_expect_eq(phc_error_bound(&device, &bound), NTS_ENOTFOUND);
}

/* --- The source on its loop --- */

struct seen {
    uv_loop_t loop;
    struct stats stats;
    unsigned samples;
    unsigned misses;
    unsigned until; /* events, then it is closed */
    struct clock_sample last;
    struct phc_source *source;
};

static struct seen seen;

static void count_event(struct seen *s)
{
    if (s->samples + s->misses >= s->until) {
        phc_source_close(s->source);
    }
}

static void on_sample(void *ctx, size_t index, const struct clock_sample *sample)
{
    struct seen *s = ctx;
    cr_expect_eq(index, 3);
    s->samples++;
    s->last = *sample;
    count_event(s);
}

static void on_miss(void *ctx, size_t index)
{
    struct seen *s = ctx;
    cr_expect_eq(index, 3);
    s->misses++;
    count_event(s);
}

/* `until` polls of a device at 2^poll s. */
static void run_source(const char *path, const struct driver *d, int8_t poll, unsigned until)
{
    driver = *d;
    memset(&seen, 0, sizeof(seen));
    seen.until = until;
    log_setup("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    cr_assert_eq(uv_loop_init(&seen.loop), 0);
    const struct phc_source_options options = {
        .loop = &seen.loop,
        .stats = &seen.stats,
        .path = path,
        .poll = poll,
        .index = 3,
        .events = {.ctx = &seen, .sample = on_sample, .miss = on_miss},
        .call = fake_ioctl,
        .call_ctx = &driver,
    };
    seen.source = phc_source_open(&options);
    cr_assert_not_null(seen.source);
    (void)uv_run(&seen.loop, UV_RUN_DEFAULT);
    cr_expect_eq(uv_loop_close(&seen.loop), 0);
}

Test(phc_source, measures)
{
    run_source("/dev/null", &(struct driver){.known = 6}, -6, 4);
    cr_expect_eq(seen.samples, 4);
    cr_expect_eq(stats_get(&seen.stats, PHC_COUNT_READ), 4);
    struct clock_pair pair = clock_pair_read();
    int64_t ahead = seen.last.wall_ns - seen.last.raw_ns - (pair.wall_ns - pair.raw_ns);
    cr_expect(ahead > NS_PER_S - 50 * NS_PER_MS && ahead < NS_PER_S + 50 * NS_PER_MS, "%ld",
              (long)ahead);
}

Test(phc_source, at_most_a_hundred_readings_a_second)
{
    static const struct {
        int8_t poll;
        unsigned readings;
    } cases[] = {{-6, 1}, {-5, 3}, {-4, 5}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        run_source("/dev/null", &(struct driver){.known = 6}, cases[i].poll, 3);
        cr_expect_eq(driver.readings, 3 * cases[i].readings, "poll %d", cases[i].poll);
        cr_expect_leq(cases[i].readings << -cases[i].poll, PHC_READS_PER_SECOND);
    }
}

Test(phc_source, a_device_that_is_not_there)
{
    run_source("/dev/there-is-no-such-device", &(struct driver){.known = 7}, -6, 3);
    cr_expect_eq(seen.misses, 3);
    cr_expect_eq(stats_get(&seen.stats, PHC_COUNT_NO_DEVICE), 3);
}

Test(phc_source, a_device_that_fails)
{
    run_source("/dev/null", &(struct driver){.known = 7, .error = ENODEV}, -6, 3);
    cr_expect_eq(stats_get(&seen.stats, PHC_COUNT_FAILED), 3);
    run_source("/dev/null", &(struct driver){.known = 7, .senseless = true}, -6, 3);
    cr_expect_eq(stats_get(&seen.stats, PHC_COUNT_SENSELESS), 3);
}

Test(phc_source, names)
{
    for (unsigned i = 0; i < PHC_COUNTERS; i++) {
        cr_expect_not_null(phc_count_name(i));
    }
    cr_expect_null(phc_count_name(PHC_COUNTERS));
}
