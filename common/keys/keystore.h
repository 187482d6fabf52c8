/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `auto` provider: a secret document of this host's own in the state directory.
 *
 * The directory is 0700 and the file `keys.json` 0600, both owned by who runs. Written to a new
 * file, fsync, rename, fsync of the directory: killed at any instruction the old or the new
 * document is there. A file that cannot be understood (damaged, foreign, wrong mode or owner) is
 * never replaced: the start fails with a sentence that names the file and the remedy. Shell module.
 */
#ifndef NTSD_COMMON_KEYS_KEYSTORE_H
#define NTSD_COMMON_KEYS_KEYSTORE_H

#include "common/crypto/rng.h"
#include "common/keys/keyring.h"

#define KEYSTORE_FILE "keys.json"

/* One sentence: what is wrong with which file, and what mends it. */
struct keystore_fault {
    char text[512];
};

struct keystore_options {
    const char *dir;
    int64_t now_s;     /* only a document that is made is made for it */
    uint32_t rotate_s; /* likewise; in keydoc.h's range */
    bool may_create;   /* false: keys of a document are in use, so a missing one is a fault */
};

/*
 * Loads DIR/keys.json. When there is none and one may be made: a document with one epoch, begun at
 * the last multiple of rotate_s before now. DIR is then made too when missing (its parent must
 * exist). What is found is not changed: keyplan.h says what it needs, keystore_save() stores it.
 * NTS_ENOTFOUND (none, and none may be made), NTS_ESYSTEM, NTS_EFORMAT, NTS_EAUTH (mode, owner,
 * symbolic link), NTS_ELIMIT (clock beyond the year 9999), NTS_EINTERNAL (out of memory): see
 * `fault`; `doc` is then wiped.
 */
NODISCARD enum nts_err keystore_open(const struct keystore_options *options, struct rng *rng,
                                     struct keydoc *doc, struct keystore_fault *fault);

/* Stores `doc` in place of what is there. On failure the old document remains, whole; or, when only
 * the last step failed, the new one is there and may not survive a loss of power (file_replace()).
 * Either way `doc` has to be stored again. */
NODISCARD enum nts_err keystore_save(const char *dir, const struct keydoc *doc,
                                     struct keystore_fault *fault);

#endif
