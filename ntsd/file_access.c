/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See file_access.h.
 */
#include "ntsd/file_access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The first directory on the way to `path` that may not be passed; false: none. */
static bool blocked_directory(const char *path, char dir[static PATH_MAX])
{
    size_t len = strlen(path);
    if (len >= PATH_MAX) {
        return false;
    }
    for (size_t i = 1; i < len; i++) {
        if (path[i] != '/') {
            continue;
        }
        memcpy(dir, path, i);
        dir[i] = '\0';
        if (faccessat(AT_FDCWD, dir, X_OK, AT_EACCESS) != 0 && errno == EACCES) {
            return true;
        }
    }
    return false;
}

bool file_access_is_readable(const char *path, const struct account *account,
                             struct file_access_fault *fault)
{
    char dir[PATH_MAX];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) {
        (void)close(fd);
        return true;
    }
    if (errno != EACCES && errno != EPERM) {
        return true;
    }
    if (blocked_directory(path, dir)) {
        (void)snprintf(fault->text, sizeof(fault->text),
                       "%s: user %s may not enter %s: chgrp %s %s && chmod g+x %s", path,
                       account->name, dir, account->group, dir, dir);
        return false;
    }
    (void)snprintf(fault->text, sizeof(fault->text),
                   "%s: user %s may not read it, and has to when it is reloaded: chown %s %s", path,
                   account->name, account->name, path);
    return false;
}
