/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a PTP hardware clock: the best of the three requests that the driver knows, and the error
 * bound that the device publishes beside it. Shell module.
 */
#ifndef NTSD_NTP_CLOCK_PHC_READ_H
#define NTSD_NTP_CLOCK_PHC_READ_H

#include "common/base/err.h"
#include "ntp/clock/phc_window.h"

/* ioctl(2), or a test's: fills `arg`, returns 0, or -1 with errno. */
typedef int (*phc_ioctl)(void *ctx, int fd, unsigned long request, void *arg);

enum phc_method { PHC_PRECISE, PHC_EXTENDED, PHC_BASIC, PHC_METHODS };
const char *phc_method_name(enum phc_method method);

enum { PHC_READS_MAX = 25, PHC_PATH_MAX = 256 };

struct phc_device {
    phc_ioctl call; /* set by the caller; NULL: ioctl(2) */
    void *ctx;
    int fd; /* -1: closed */
    enum phc_method method;
    char bound_path[PHC_PATH_MAX]; /* phc_error_bound in sysfs; may not exist */
};

/* Opens `path`, which has to be a character device. NTS_ESYSTEM: errno. */
NODISCARD enum nts_err phc_open(struct phc_device *device, const char *path);
void phc_close(struct phc_device *device); /* safe to call twice */

/*
 * One measurement out of at most `reads` readings (1 to PHC_READS_MAX). A request that the driver
 * does not know is not made again until the next open. NTS_ESYSTEM: errno. NTS_EFORMAT: an answer
 * that is no reading.
 */
NODISCARD enum nts_err phc_read(struct phc_device *device, unsigned reads,
                                struct phc_window *window);

/* The error bound that the device publishes now. NTS_ENOTFOUND: it publishes none. NTS_EFORMAT: it
 * is not a number of nanoseconds from 0 to a second. NTS_ESYSTEM: errno. */
NODISCARD enum nts_err phc_error_bound(const struct phc_device *device, int64_t *bound_ns);

#endif
