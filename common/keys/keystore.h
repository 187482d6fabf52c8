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

/*
 * Loads DIR/keys.json, or makes a new document (one epoch, id 1, begun at the last multiple of
 * rotate_s before now) when there is none. DIR is created when missing (its parent must exist).
 * When rotate_s differs from the newest epoch's, or half of the newest epoch's periods are used up,
 * an epoch of rotate_s is added and stored, beginning with the end of the running period.
 * `rotate_s` is in keydoc.h's range. NTS_ESYSTEM, NTS_EFORMAT, NTS_EAUTH (mode, owner, symbolic
 * link), NTS_ELIMIT (no room for one more epoch), NTS_EINTERNAL (out of memory): see `fault`; `doc`
 * is then wiped.
 */
NODISCARD enum nts_err keystore_open(const char *dir, int64_t now_s, uint32_t rotate_s,
                                     struct rng *rng, struct keydoc *doc,
                                     struct keystore_fault *fault);

/* Stores `doc` in place of what is there. On failure the old document remains. */
NODISCARD enum nts_err keystore_save(const char *dir, const struct keydoc *doc,
                                     struct keystore_fault *fault);

#endif
