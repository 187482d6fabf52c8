/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which provider the configuration means. Core.
 */
#ifndef NTSD_NTSD_KEY_SOURCE_H
#define NTSD_NTSD_KEY_SOURCE_H

#include "common/keys/provider.h"
#include "ntsd/config.h"

/* True when the document comes from a provider of common/keys/provider.h; false: `auto`. */
bool key_source_is_fleet(const struct config *config);

/* For a fleet's; strings are the configuration's. */
struct provider_options key_source_options(const struct config *config);

/* For metrics: "auto", "file", "command", "aws-secretsmanager", "agent"; static. */
const char *key_source_name(const struct config *config);

#endif
