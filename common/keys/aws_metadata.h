/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials of the instance's role, by the metadata service of EC2, version 2: a session token,
 * the role's name, its credentials. Shell module; thread-safe.
 */
#ifndef NTSD_COMMON_KEYS_AWS_METADATA_H
#define NTSD_COMMON_KEYS_AWS_METADATA_H

#include "common/base/time.h"
#include "common/keys/aws_reply.h"

enum { AWS_METADATA_MS = 2000 }; /* of a fetch's time, for all three requests */

/* `url`: of the service, without a slash at its end. NO_CREDENTIALS: nobody is there, or the
 * instance has no role. `credentials` are wiped unless PROVIDER_OK. */
enum provider_outcome aws_metadata_credentials(const char *url, struct mono_ns deadline,
                                               struct aws_credentials *credentials,
                                               struct provider_fault *fault);

#endif
