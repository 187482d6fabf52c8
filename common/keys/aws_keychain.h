/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credentials that requests are signed with: those of the environment, else those of the
 * instance's role, which are kept until five minutes before they expire. Shell module; one thread
 * at a time.
 */
#ifndef NTSD_COMMON_KEYS_AWS_KEYCHAIN_H
#define NTSD_COMMON_KEYS_AWS_KEYCHAIN_H

#include "common/base/time.h"
#include "common/keys/aws_place.h"
#include "common/keys/aws_reply.h"

/* Secret. All zeros: nothing kept yet. Wipe with aws_keychain_wipe(). */
struct aws_keychain {
    struct aws_credentials kept;
    bool has_kept; /* from the instance */
};

/* Where credentials come from, and until when they have to be here. Borrowed. */
struct aws_keychain_source {
    const struct aws_variables *variables;
    const struct aws_place *place;
    struct mono_ns deadline;
};

/*
 * Copies credentials to `out`. When the instance does not give new ones, those kept are used for as
 * long as there are any: whether they are still good is for the service to say. `out` is wiped
 * unless PROVIDER_OK.
 */
enum provider_outcome aws_keychain_get(struct aws_keychain *keychain,
                                       const struct aws_keychain_source *source,
                                       struct aws_credentials *out, struct provider_fault *fault);

/* The service does not take the credentials. True when others may be had by asking again. */
bool aws_keychain_drop(struct aws_keychain *keychain);

void aws_keychain_wipe(struct aws_keychain *keychain);

#endif
