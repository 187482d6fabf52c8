/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See provider_file.h.
 */
#include "common/keys/provider_file.h"

#include "common/base/file.h"
#include "common/keys/provider_refuse.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NAME "%.240s" /* of a path in a fault */

static enum provider_outcome refuse_errno(const char *path, const char *verb,
                                          struct provider_fault *fault)
{
    int error = errno;
    char text[64];
    enum provider_outcome outcome = PROVIDER_FAILED;
    if (error == ENOENT || error == ENOTDIR || error == ELOOP) {
        outcome = PROVIDER_NOT_FOUND;
    }
    if (error == EACCES || error == EPERM) {
        outcome = PROVIDER_DENIED;
    }
    return provider_refuse(fault, outcome, "cannot %s " NAME ": %s", verb, path,
                           strerror_r(error, text, sizeof(text)));
}

static bool is_in_memory(int fd)
{
    struct statfs fs;
    return fstatfs(fd, &fs) == 0 &&
           ((unsigned long)fs.f_type == TMPFS_MAGIC || (unsigned long)fs.f_type == RAMFS_MAGIC);
}

static enum provider_outcome check(const char *path, int fd, struct provider_fault *fault)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return refuse_errno(path, "examine", fault);
    }
    if (!S_ISREG(st.st_mode)) {
        return provider_refuse(fault, PROVIDER_SENSELESS, NAME " is not a regular file", path);
    }
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return provider_refuse(fault, PROVIDER_DENIED,
                               "others than its owner may write " NAME
                               " (mode %04o), and so choose the keys: chmod go-w it",
                               path, (unsigned)st.st_mode & 07777);
    }
    if ((st.st_mode & S_IROTH) != 0 && !is_in_memory(fd)) {
        return provider_refuse(fault, PROVIDER_DENIED,
                               "everybody may read " NAME
                               " (mode %04o), so its secret may be known: chmod o-r it, and "
                               "replace the secret if you are not sure",
                               path, (unsigned)st.st_mode & 07777);
    }
    return PROVIDER_OK;
}

static enum provider_outcome read_all(const char *path, int fd, struct provider_text *text,
                                      struct provider_fault *fault)
{
    enum nts_err err = file_read_fd(fd, text->bytes, sizeof(text->bytes), &text->len);
    if (err == NTS_ELIMIT) {
        return provider_refuse(fault, PROVIDER_TOO_LONG,
                               NAME " is longer than %d octets, so it is no secret document", path,
                               KEYDOC_TEXT_MAX);
    }
    return err == NTS_OK ? PROVIDER_OK : refuse_errno(path, "read", fault);
}

enum provider_outcome provider_file_fetch(const char *path, struct provider_text *text,
                                          struct provider_fault *fault)
{
    provider_text_wipe(text);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return refuse_errno(path, "open", fault);
    }
    enum provider_outcome outcome = check(path, fd, fault);
    if (outcome == PROVIDER_OK) {
        outcome = read_all(path, fd, text, fault);
    }
    if (outcome != PROVIDER_OK) {
        provider_text_wipe(text);
    }
    (void)close(fd);
    return outcome;
}
