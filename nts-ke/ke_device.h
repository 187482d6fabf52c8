/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients with certificates, as the KE service counts and logs them: by authority when let in, by
 * reason when refused. Shell module (logs).
 */
#ifndef NTSD_NTS_KE_KE_DEVICE_H
#define NTSD_NTS_KE_KE_DEVICE_H

#include "certs/client_ca.h"
#include "common/base/log.h"
#include "common/base/stats.h"
#include "nts-ke/ke_outcome.h"

/* A stranger can cause these lines. */
#define KE_DEVICE_LOG_LIMIT                                                                        \
    {                                                                                              \
        .interval_s = 10, .burst = 10                                                              \
    }

/* The handshake is done: the authority is counted, and the subject logged, for debugging. Nothing
 * happens when clients need no certificate. */
void ke_device_admit(const SSL *ssl, struct stats *stats);

/* The handshake failed: the counter for `why`, which is logged at the info level with the subject
 * as long as `limit` allows. KE_COUNTERS: it did not fail for the client's certificate. */
enum ke_count ke_device_refuse(const SSL *ssl, enum client_refusal why, struct log_limit *limit);

#endif
