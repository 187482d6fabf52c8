/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `ntsctl keys rotate --aws ARN`: the document in AWS Secrets Manager read, changed and put back,
 * so that of any number who do so at once exactly one changes it. Shell module.
 *
 * A new version's id is made from the id of the version that was read, and Secrets Manager takes
 * one text for an id and refuses all others: who comes second reads again, and finds that nothing
 * is left to do. A secret that is not there, or empty, is never made here: a typing error in its
 * name would split the fleet.
 */
#ifndef NTSD_TOOLS_KEYS_AWS_H
#define NTSD_TOOLS_KEYS_AWS_H

#include "common/crypto/rng.h"
#include "tools/keys_options.h"

enum { KEYS_AWS_TRIES = 5 };

/* Returns the program's exit status. */
int keys_aws_rotate(struct keys_options *options, struct rng *rng);

#endif
