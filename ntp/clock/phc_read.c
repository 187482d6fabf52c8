/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See phc_read.h.
 */
#include "ntp/clock/phc_read.h"

#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { BOUND_TEXT_MAX = 32 };

const char *phc_method_name(enum phc_method method)
{
    static const char *const names[PHC_METHODS] = {"precise", "extended", "basic"};
    return (unsigned)method < PHC_METHODS ? names[method] : "unknown";
}

static int call_kernel(void *ctx, int fd, unsigned long request, void *arg)
{
    (void)ctx;
    return ioctl(fd, request, arg);
}

NODISCARD enum nts_err phc_open(struct phc_device *device, const char *path)
{
    struct stat st;
    device->call = device->call == NULL ? call_kernel : device->call;
    device->method = PHC_PRECISE;
    device->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (device->fd < 0 || fstat(device->fd, &st) != 0) {
        int saved = errno;
        phc_close(device);
        errno = saved;
        return NTS_ESYSTEM;
    }
    if (!S_ISCHR(st.st_mode)) {
        phc_close(device);
        errno = ENOTTY;
        return NTS_ESYSTEM;
    }
    /* By number: the path may be a link of udev's, such as /dev/ptp_ena. */
    (void)snprintf(device->bound_path, sizeof(device->bound_path),
                   "/sys/dev/char/%u:%u/device/phc_error_bound", major(st.st_rdev),
                   minor(st.st_rdev));
    return NTS_OK;
}

void phc_close(struct phc_device *device)
{
    if (device->fd >= 0) {
        (void)close(device->fd);
    }
    device->fd = -1;
}

/* The request of the device's method, made once. */
static enum nts_err read_once(struct phc_device *device, unsigned reads, struct phc_window *window)
{
    union {
        struct ptp_sys_offset_precise precise;
        struct ptp_sys_offset_extended extended;
        struct ptp_sys_offset basic;
    } said = {0};
    switch (device->method) {
    case PHC_PRECISE:
        if (device->call(device->ctx, device->fd, PTP_SYS_OFFSET_PRECISE, &said.precise) != 0) {
            return NTS_ESYSTEM;
        }
        return phc_window_precise(&said.precise, window) ? NTS_OK : NTS_EFORMAT;
    case PHC_EXTENDED:
        said.extended.n_samples = reads;
        if (device->call(device->ctx, device->fd, PTP_SYS_OFFSET_EXTENDED, &said.extended) != 0) {
            return NTS_ESYSTEM;
        }
        return phc_window_extended(&said.extended, window) ? NTS_OK : NTS_EFORMAT;
    case PHC_BASIC:
        said.basic.n_samples = reads;
        if (device->call(device->ctx, device->fd, PTP_SYS_OFFSET, &said.basic) != 0) {
            return NTS_ESYSTEM;
        }
        return phc_window_basic(&said.basic, window) ? NTS_OK : NTS_EFORMAT;
    case PHC_METHODS:
        break;
    }
    return NTS_EINTERNAL;
}

static bool is_unknown_request(int error)
{
    return error == EOPNOTSUPP || error == ENOTTY || error == EINVAL;
}

NODISCARD enum nts_err phc_read(struct phc_device *device, unsigned reads,
                                struct phc_window *window)
{
    enum phc_method asked = device->method;
    enum nts_err err = read_once(device, reads, window);
    while (err == NTS_ESYSTEM && is_unknown_request(errno) && device->method != PHC_BASIC) {
        device->method = device->method == PHC_PRECISE ? PHC_EXTENDED : PHC_BASIC;
        err = read_once(device, reads, window);
    }
    if (err != NTS_OK) {
        device->method = asked; /* it failed altogether, which says nothing about what it knows */
    }
    return err;
}

NODISCARD enum nts_err phc_error_bound(const struct phc_device *device, int64_t *bound_ns)
{
    uint8_t text[BOUND_TEXT_MAX];
    size_t n = 0;
    int64_t bound = 0;
    TRY(file_read(device->bound_path, text, sizeof(text), &n));
    while (n > 0 && text[n - 1] == '\n') {
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9' || bound > NS_PER_S) {
            return NTS_EFORMAT;
        }
        bound = bound * 10 + (text[i] - '0');
    }
    if (n == 0 || bound > NS_PER_S) {
        return NTS_EFORMAT;
    }
    *bound_ns = bound;
    return NTS_OK;
}
