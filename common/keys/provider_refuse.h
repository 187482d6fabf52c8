/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way a provider says why there is no document.
 */
#ifndef NTSD_COMMON_KEYS_PROVIDER_REFUSE_H
#define NTSD_COMMON_KEYS_PROVIDER_REFUSE_H

#include "common/keys/provider.h"

/* printf into the fault, what is not printable ASCII as `?`; returns `outcome`. Thread-safe. */
enum provider_outcome provider_refuse(struct provider_fault *fault, enum provider_outcome outcome,
                                      const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
