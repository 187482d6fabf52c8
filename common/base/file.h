/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files, whole: read with a limit, replaced atomically and durably. Shell module.
 */
#ifndef NTSD_COMMON_BASE_FILE_H
#define NTSD_COMMON_BASE_FILE_H

#include "common/base/cursor.h"
#include "common/base/err.h"

#include <sys/types.h>

/*
 * Reads a regular file of at most `cap` octets into `buf`; `*n` receives its length.
 * NTS_ENOTFOUND: it does not exist. NTS_ELIMIT: longer than `cap`. NTS_EFORMAT: not a regular file.
 * NTS_ESYSTEM: errno says why. On failure `buf` is wiped.
 */
NODISCARD enum nts_err file_read(const char *path, uint8_t *buf, size_t cap, size_t *n);

/* The same from what is open already, to its end: also a pipe. NTS_ELIMIT or NTS_ESYSTEM. */
NODISCARD enum nts_err file_read_fd(int fd, uint8_t *buf, size_t cap, size_t *n);

/*
 * Replaces `path` by `bytes` with exactly `mode`: written to a new file in the same directory,
 * fsync, rename, fsync of the directory. Killed at any instruction, the old or the new file is
 * there, whole; a temporary file left behind by a kill is removed by the next call.
 * NTS_ESYSTEM: errno says why, and the old file is untouched; except when only the fsync of the
 * directory failed: then the new file is in place, and after a loss of power either of the two may
 * be there. One writer per path at a time.
 */
NODISCARD enum nts_err file_replace(const char *path, struct span bytes, mode_t mode);

/* The same with an owner and a group, (uid_t)-1 or (gid_t)-1 for those it gets by itself; and if
 * asked, only where nothing is yet: then EEXIST leaves what is there alone. */
struct file_new {
    mode_t mode;
    uid_t uid;
    gid_t gid;
    bool only_new;
};
NODISCARD enum nts_err file_put(const char *path, struct span bytes, const struct file_new *as);

#endif
