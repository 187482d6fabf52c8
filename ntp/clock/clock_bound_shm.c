/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See clock_bound_shm.h.
 *
 * pread() instead of a mapping: a file that is cut short while it is mapped kills its reader. The
 * writer makes the generation odd, changes the values, and makes it even again, so two equal copies
 * with an even one have no half-written value in between.
 */
#include "ntp/clock/clock_bound_shm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { LOOKS_MAX = 8 };

struct copy {
    size_t n;
    uint8_t bytes[CLOCK_BOUND_LEN];
};

static bool look(int fd, struct copy *copy)
{
    ssize_t got = pread(fd, copy->bytes, sizeof(copy->bytes), 0);
    copy->n = got > 0 ? (size_t)got : 0;
    return got >= 0;
}

static enum nts_err read_value(int fd, struct clock_bound *bound)
{
    struct copy copy[2];
    if (!look(fd, &copy[0])) {
        return NTS_ESYSTEM;
    }
    for (int i = 1; i < LOOKS_MAX; i++) {
        struct copy *now = &copy[i % 2];
        const struct copy *before = &copy[(i + 1) % 2];
        if (!look(fd, now)) {
            return NTS_ESYSTEM;
        }
        if (now->n == before->n && memcmp(now->bytes, before->bytes, now->n) == 0) {
            return clock_bound_parse(span_of(now->bytes, now->n), bound);
        }
    }
    return NTS_ENOTFOUND; /* written faster than read: the next look will tell */
}

NODISCARD enum nts_err clock_bound_read(const char *path, struct clock_bound *bound)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *bound = (struct clock_bound){0};
    if (fd < 0) {
        return errno == ENOENT ? NTS_ENOTFOUND : NTS_ESYSTEM;
    }
    enum nts_err err = read_value(fd, bound);
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return err;
}
