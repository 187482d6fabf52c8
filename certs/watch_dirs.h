/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories whose entries decide what a path leads to: those of every component, through
 * every symlink, as the kernel would walk. Shell module (reads links); thread-safe.
 */
#ifndef NTSD_CERTS_WATCH_DIRS_H
#define NTSD_CERTS_WATCH_DIRS_H

/* Calls `visit` for each directory on the way, the first one first, some more than once, and at
 * last for what the path leads to, also where a component is missing. Ends quietly at a loop of
 * symlinks or a path that grows too long. */
void watch_dirs_walk(const char *path, void (*visit)(void *ctx, const char *dir), void *ctx);

#endif
