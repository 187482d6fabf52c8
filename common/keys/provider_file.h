/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret document in a file that somebody else puts there: a deployment, a Kubernetes secret, a
 * systemd credential. Shell module.
 *
 * Symbolic links are followed, because both of the latter are swapped that way: a swap gives the
 * old or the new file, whole. What may be believed is looked at on the open file:
 *  - a regular file;
 *  - that neither its group nor others may write: they would choose the keys of the fleet;
 *  - that others may not read, unless it lies in memory (tmpfs, ramfs). Kubernetes mounts a secret
 *    there with mode 0644, into a container whose users are all the service's; on a disk that mode
 *    is a mistake, and a backup's to keep.
 */
#ifndef NTSD_COMMON_KEYS_PROVIDER_FILE_H
#define NTSD_COMMON_KEYS_PROVIDER_FILE_H

#include "common/keys/provider.h"

/* As provider_fetch(). Does not wait for a FIFO or device; a file system that hangs holds it. */
enum provider_outcome provider_file_fetch(const char *path, struct provider_text *text,
                                          struct provider_fault *fault);

#endif
