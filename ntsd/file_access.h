/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether this process can read a file, and if rights are in the way, the line that mends it.
 * Shell module.
 */
#ifndef NTSD_NTSD_FILE_ACCESS_H
#define NTSD_NTSD_FILE_ACCESS_H

#include "ntsd/privileges.h"

#include <limits.h>
#include <stdbool.h>

struct file_access_fault {
    char text[4 * PATH_MAX]; /* a sentence that names the file or its directory four times */
};

/*
 * False when rights forbid it; `fault` then has one sentence with the chown or chgrp line for
 * the account. Anything else (missing, a directory, ...) is left to who reads the file: true.
 */
bool file_access_is_readable(const char *path, const struct account *account,
                             struct file_access_fault *fault);

#endif
