/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metrics of the key ring and of where its secret comes from. Core.
 */
#ifndef NTSD_NTSD_METRICS_KEYS_H
#define NTSD_NTSD_METRICS_KEYS_H

#include "ntsd/snapshot.h"

void metrics_keys_write(const struct snapshot *snapshot, struct wr *out);

#endif
