/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fleet's secret document as a file that an operator makes and changes. Shell module.
 *
 * A change holds a lock on the file's directory (flock(2), so a kill leaves none behind) from
 * reading to writing: of two at once, neither is lost. What is written takes the file's place
 * whole, with its owner, group and mode. A symbolic link is not followed for a change, because the
 * new file would take the link's place; a file that others may read or write, one that is not ours,
 * and a directory in which anybody may replace it are refused with what mends it.
 */
#ifndef NTSD_TOOLS_KEYS_FILE_H
#define NTSD_TOOLS_KEYS_FILE_H

#include "common/keys/keydoc.h"

#include <stdio.h>
#include <sys/types.h>

enum { KEYS_FILE_LOCK_MS = 10000 };

struct keys_file_fault {
    char text[5000]; /* names of files are in it */
};

struct keys_file {
    const char *path;
    int lock; /* the directory */
    uid_t uid;
    gid_t gid;
    mode_t mode;
    struct keydoc doc; /* secret; what keys_file_save() writes */
};

/*
 * Opens a document for a change and locks it; `path` is borrowed. On failure see `fault`, and there
 * is nothing to close. NTS_ENOTFOUND: no such file. NTS_EAUTH: rights, owner, symbolic link.
 * NTS_EFORMAT: not a document. NTS_ELIMIT: somebody else holds the lock. NTS_ESYSTEM,
 * NTS_EINTERNAL.
 */
NODISCARD enum nts_err keys_file_open(const char *path, struct keys_file *file,
                                      struct keys_file_fault *fault);
/* Writes file->doc. On failure the old document is there, whole, unless `fault` says otherwise. */
NODISCARD enum nts_err keys_file_save(const struct keys_file *file, struct keys_file_fault *fault);
void keys_file_close(struct keys_file *file);

/* Writes a document where nothing is yet, mode 0600. */
NODISCARD enum nts_err keys_file_make(const char *path, const struct keydoc *doc,
                                      struct keys_file_fault *fault);

/* Reads a document for showing, `-` from standard input, and says to `warn` when a file is open to
 * others. NTS_EFORMAT, NTS_ESYSTEM, NTS_EINTERNAL: see `fault`. */
NODISCARD enum nts_err keys_file_read(const char *path, struct keydoc *doc, FILE *warn,
                                      struct keys_file_fault *fault);

#endif
