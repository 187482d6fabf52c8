/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One UDP worker: a libuv loop over its sockets, batch by batch from arrival to answer. Shell
 * module. Allocates in ntp_worker_new() and never again.
 */
#ifndef NTSD_NTP_NTP_WORKER_H
#define NTSD_NTP_NTP_WORKER_H

#include "ntp/ntp_service.h"

struct ntp_worker;

/* Worker `index` of `service`, which outlives it. NULL: out of memory, or libuv refused a socket;
 * errno. */
struct ntp_worker *ntp_worker_new(const struct ntp_service_options *service, size_t index);

/* Serves until stopped. Belongs on a thread of its own, with signals blocked. */
void ntp_worker_run(struct ntp_worker *worker);

/* Makes ntp_worker_run() answer what is queued and return. Any thread, any number of times, as long
 * as the worker is not freed. */
void ntp_worker_stop(struct ntp_worker *worker);

/* After ntp_worker_run() returned, or when it was never called. NULL is fine. */
void ntp_worker_free(struct ntp_worker *worker);

#endif
