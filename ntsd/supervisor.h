/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent: starts the children, starts those that die again, passes SIGHUP on, drains on
 * SIGTERM, and publishes who runs. It does no work that a stranger could reach. Shell module; the
 * decisions are in backoff.h and drain.h.
 *
 * The one loop that is not libuv's: a fork copies libuv's process-wide signal plumbing (a lock pipe
 * that every child makes anew by itself, and loops' pipes that stay shared with the parent), and
 * children close all descriptors that are not theirs. With signalfd and ppoll the parent has
 * nothing that could be copied, and each child begins with a libuv nobody has used.
 */
#ifndef NTSD_NTSD_SUPERVISOR_H
#define NTSD_NTSD_SUPERVISOR_H

#include "ntsd/child.h"
#include "ntsd/status_values.h"

struct board;

/* Runs until a drain is over. Returns the daemon's exit status: 0 after a drain. `board` is that of
 * struct supervisor_status, writable. */
int supervisor_run(const struct child_world *world, struct board *board);

#endif
