/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To be preloaded: a host whose clock is stepped, without touching the host's. CLOCK_REALTIME and
 * the kernel's receive and transmit stamps are off by the nanoseconds that the file STEP_FILE
 * begins with; all other clocks are as they are. The file is mapped when the program starts, so
 * that it is there in every process forked later, whatever it may open then.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *step; /* written once, before main() */

__attribute__((constructor)) static void map_step(void)
{
    const char *path = getenv("STEP_FILE");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *p = fd >= 0 ? mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (p == MAP_FAILED) {
        abort();
    }
    (void)close(fd);
    step = p;
}

static void shift(struct timespec *ts)
{
    int64_t ns = (int64_t)ts->tv_sec * 1000000000 + ts->tv_nsec + *step;
    int64_t rest = ns % 1000000000;
    ts->tv_sec = ns / 1000000000 - (rest < 0 ? 1 : 0);
    ts->tv_nsec = rest < 0 ? rest + 1000000000 : rest;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
    static int (*real)(clockid_t, struct timespec *);
    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    }
    int rc = real(id, ts);
    if (rc == 0 && id == CLOCK_REALTIME) {
        shift(ts);
    }
    return rc;
}

/* A stamp that is not set stays so. */
static void shift_stamp(unsigned char *at)
{
    struct timespec ts;
    memcpy(&ts, at, sizeof(ts));
    if (ts.tv_sec != 0) {
        shift(&ts);
        memcpy(at, &ts, sizeof(ts));
    }
}

static void shift_message(struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_SOCKET &&
            (c->cmsg_type == SO_TIMESTAMPNS || c->cmsg_type == SO_TIMESTAMPING)) {
            shift_stamp(CMSG_DATA(c));
        }
    }
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
    ssize_t n = syscall(SYS_recvmsg, fd, msg, flags);
    if (n >= 0) {
        shift_message(msg);
    }
    return n;
}

int recvmmsg(int fd, struct mmsghdr *msg, unsigned count, int flags, struct timespec *timeout)
{
    int n = (int)syscall(SYS_recvmmsg, fd, msg, count, flags, timeout);
    for (int i = 0; i < n; i++) {
        shift_message(&msg[i].msg_hdr);
    }
    return n;
}
