/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files, whole. See file.h.
 */
#include "common/base/file.h"

#include "common/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads to the end of `fd`; one octet of room beyond `cap` tells a file that is too long. */
static enum nts_err read_all(int fd, uint8_t *buf, size_t cap, size_t *n)
{
    *n = 0;
    for (;;) {
        uint8_t extra;
        bool full = *n == cap;
        ssize_t got = full ? read(fd, &extra, 1) : read(fd, buf + *n, cap - *n);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return NTS_ESYSTEM;
        }
        if (got == 0) {
            return NTS_OK;
        }
        if (full) {
            return NTS_ELIMIT;
        }
        *n += (size_t)got;
    }
}

NODISCARD enum nts_err file_read(const char *path, uint8_t *buf, size_t cap, size_t *n)
{
    /* O_NONBLOCK: a FIFO put in the file's place must not hold the process. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT ? NTS_ENOTFOUND : NTS_ESYSTEM;
    }
    struct stat st;
    enum nts_err err = fstat(fd, &st) != 0 ? NTS_ESYSTEM : NTS_OK;
    if (err == NTS_OK && !S_ISREG(st.st_mode)) {
        err = NTS_EFORMAT;
    }
    if (err == NTS_OK) {
        err = read_all(fd, buf, cap, n);
    }
    int saved = errno;
    if (err != NTS_OK) {
        wipe(buf, cap);
        *n = 0;
    }
    (void)close(fd);
    errno = saved;
    return err;
}

NODISCARD enum nts_err file_read_fd(int fd, uint8_t *buf, size_t cap, size_t *n)
{
    enum nts_err err = read_all(fd, buf, cap, n);
    if (err != NTS_OK) {
        int saved = errno;
        wipe(buf, cap);
        *n = 0;
        errno = saved;
    }
    return err;
}

static enum nts_err write_all(int fd, struct span bytes)
{
    size_t done = 0;
    while (done < bytes.n) {
        ssize_t put = write(fd, bytes.p + done, bytes.n - done);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return NTS_ESYSTEM;
        }
        done += (size_t)put;
    }
    return NTS_OK;
}

/* The owner first: a change of it can clear bits of the mode. */
static enum nts_err dress(int fd, const struct file_new *as)
{
    bool owned = as->uid != (uid_t)-1 || as->gid != (gid_t)-1;
    bool done = (!owned || fchown(fd, as->uid, as->gid) == 0) && fchmod(fd, as->mode) == 0;
    return done ? NTS_OK : NTS_ESYSTEM;
}

/* Creates `tmp`, fills it and makes it durable. A leftover of a killed writer is removed first. */
static enum nts_err write_new(int dir, const char *tmp, struct span bytes,
                              const struct file_new *as)
{
    (void)unlinkat(dir, tmp, 0);
    int fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return NTS_ESYSTEM;
    }
    enum nts_err err = dress(fd, as);
    if (err == NTS_OK) {
        err = write_all(fd, bytes);
    }
    if (err == NTS_OK && fsync(fd) != 0) {
        err = NTS_ESYSTEM;
    }
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return err;
}

static int name_it(int dir, const char *tmp, const char *name, bool only_new)
{
    return only_new ? renameat2(dir, tmp, dir, name, RENAME_NOREPLACE)
                    : renameat(dir, tmp, dir, name);
}

static enum nts_err put_in(int dir, const char *name, struct span bytes, const struct file_new *as)
{
    char tmp[NAME_MAX + 1];
    int len = snprintf(tmp, sizeof(tmp), ".%s.new", name);
    if (len < 0 || (size_t)len >= sizeof(tmp)) {
        errno = ENAMETOOLONG;
        return NTS_ESYSTEM;
    }
    enum nts_err err = write_new(dir, tmp, bytes, as);
    if (err == NTS_OK && name_it(dir, tmp, name, as->only_new) != 0) {
        err = NTS_ESYSTEM;
    }
    if (err != NTS_OK) {
        int saved = errno;
        (void)unlinkat(dir, tmp, 0);
        errno = saved;
        return err;
    }
    return fsync(dir) != 0 ? NTS_ESYSTEM : NTS_OK;
}

NODISCARD enum nts_err file_put(const char *path, struct span bytes, const struct file_new *as)
{
    const char *slash = strrchr(path, '/');
    char parent[PATH_MAX] = ".";
    if (slash != NULL) {
        size_t len = slash == path ? 1 : (size_t)(slash - path);
        if (len >= sizeof(parent)) {
            errno = ENAMETOOLONG;
            return NTS_ESYSTEM;
        }
        memcpy(parent, path, len);
        parent[len] = '\0';
    }
    int dir = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        return NTS_ESYSTEM;
    }
    enum nts_err err = put_in(dir, slash == NULL ? path : slash + 1, bytes, as);
    int saved = errno;
    (void)close(dir);
    errno = saved;
    return err;
}

NODISCARD enum nts_err file_replace(const char *path, struct span bytes, mode_t mode)
{
    const struct file_new as = {.mode = mode, .uid = (uid_t)-1, .gid = (gid_t)-1};
    return file_put(path, bytes, &as);
}
