/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of the several that a fetch takes, within the time that the fetch has left. Shell
 * module; thread-safe.
 */
#ifndef NTSD_COMMON_KEYS_AWS_ASK_H
#define NTSD_COMMON_KEYS_AWS_ASK_H

#include "common/base/time.h"
#include "common/keys/provider_refuse.h"
#include "common/net/https.h"

enum { AWS_HTTP_OK = 200 };

/* The moment that is `ms` from now, or `deadline` if that is earlier. */
struct mono_ns aws_deadline_within(struct mono_ns deadline, int64_t ms);
struct mono_ns aws_deadline(int64_t ms);

/*
 * Asks; the times in `request` are set here. PROVIDER_OK: an answer came, whatever its status.
 * Otherwise `fault` names the URL, what went wrong and the remedy. `answer` has to be wiped
 * afterwards in any case.
 */
enum provider_outcome aws_ask(struct https_request *request, struct mono_ns deadline,
                              struct https_answer *answer, struct provider_fault *fault);

#endif
