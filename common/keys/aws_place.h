/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a secret of AWS Secrets Manager is to be asked for, from its name and the variables that
 * every AWS tool honours. Core; thread-safe.
 *
 * A secret is named by its ARN, arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME, or by
 * NAME alone. The ARN's Region counts; only where there is none, AWS_REGION does.
 */
#ifndef NTSD_COMMON_KEYS_AWS_PLACE_H
#define NTSD_COMMON_KEYS_AWS_PLACE_H

#include "common/keys/provider.h"

enum {
    AWS_SECRET_ID_MAX = 700, /* an ARN with a name of 512 octets */
    AWS_REGION_MAX = 32,
    AWS_URL_MAX = 512,
};

/* The variables; NULL for one that is not set or empty. */
struct aws_variables {
    const char *region;            /* AWS_REGION, or else AWS_DEFAULT_REGION */
    const char *service_endpoint;  /* AWS_ENDPOINT_URL_SECRETS_MANAGER, or else AWS_ENDPOINT_URL */
    const char *metadata_endpoint; /* AWS_EC2_METADATA_SERVICE_ENDPOINT */
    const char *metadata_disabled; /* AWS_EC2_METADATA_DISABLED */
    const char *ca_file;           /* AWS_CA_BUNDLE */
    const char *access_key_id;     /* AWS_ACCESS_KEY_ID */
    const char *secret_access_key; /* AWS_SECRET_ACCESS_KEY */
    const char *session_token;     /* AWS_SESSION_TOKEN */
};

struct aws_place {
    char region[AWS_REGION_MAX + 1]; /* signatures are made for it */
    char service_url[AWS_URL_MAX];
    char metadata_url[AWS_URL_MAX]; /* of the instance; without a slash at its end */
    bool has_metadata;              /* false: it must not be asked */
};

/* NTS_EFORMAT: `fault` says what is wrong with the name or with which variable. */
NODISCARD enum nts_err aws_place_init(struct aws_place *place, const char *secret_id,
                                      const struct aws_variables *variables,
                                      struct provider_fault *fault);

/* Whether it has the form of a secret's ARN or name. */
bool aws_secret_id_is_good(const char *secret_id);

/*
 * Whether requests that carry secrets may go to this URL: https, or http to a loopback address. No
 * user, query or fragment, nothing but printable ASCII, shorter than AWS_URL_MAX.
 */
bool aws_url_is_safe(const char *url);

#endif
