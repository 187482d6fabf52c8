/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metrics of certificates that clients come with. Why some are refused is among the ends of
 * connections. Core.
 */
#ifndef NTSD_NTSD_METRICS_CLIENTS_H
#define NTSD_NTSD_METRICS_CLIENTS_H

#include "ntsd/snapshot.h"

void metrics_clients_write(const struct snapshot *snapshot, struct wr *out);

#endif
