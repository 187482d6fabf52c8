/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parsing of what Secrets Manager, its agent and the instance's metadata service answer: JSON by
 * jansson, whose memory is wiped (jsonwipe.h). Members that are not known are ignored: the services
 * add to them. No I/O; thread-safe.
 *
 * Outputs are wiped on failure, and `why` points to static words without anything of the input.
 */
#ifndef NTSD_COMMON_KEYS_AWS_REPLY_H
#define NTSD_COMMON_KEYS_AWS_REPLY_H

#include "common/keys/aws_text.h"
#include "common/keys/provider.h"

enum {
    AWS_ERROR_TYPE_MAX = 64,
    AWS_MESSAGE_MAX = 160,
    AWS_KEY_MAX = 128,
    AWS_SESSION_TOKEN_MAX = 8192,
    AWS_NAME_MAX = 64, /* of a role */
};

/* Secret: wipe with aws_credentials_wipe(). */
struct aws_credentials {
    char access_key_id[AWS_KEY_MAX + 1];
    char secret_access_key[AWS_KEY_MAX + 1];
    char session_token[AWS_SESSION_TOKEN_MAX + 1]; /* empty: none */
    int64_t expires_s;                             /* seconds since 1970; INT64_MAX: never */
};

/* What a service gives as its reason; both may be empty. Printable ASCII. */
struct aws_error {
    char type[AWS_ERROR_TYPE_MAX + 1]; /* ThrottlingException, without what stands before a '#' */
    char message[AWS_MESSAGE_MAX + 1];
};

/*
 * The reply of GetSecretValue, or of the agent: the text and the id of its version.
 * NTS_EFORMAT: it is no such reply, not of the current version, or has no text. NTS_ELIMIT: more
 * than KEYDOC_TEXT_MAX octets of text. NTS_EINTERNAL: memory ran out.
 */
NODISCARD enum nts_err aws_reply_secret(struct span body, struct provider_text *text,
                                        char version_id[static AWS_VERSION_ID_MAX + 1],
                                        const char **why);

/* The reply of PutSecretValue: the id of the new version. Errors as above. */
NODISCARD enum nts_err aws_reply_version(struct span body,
                                         char version_id[static AWS_VERSION_ID_MAX + 1],
                                         const char **why);

/* The credentials of a role, from the metadata service. NTS_ENOTFOUND: it says that there are none.
 * NTS_EFORMAT: it is no such answer. NTS_EINTERNAL: memory ran out. */
NODISCARD enum nts_err aws_reply_credentials(struct span body, struct aws_credentials *credentials,
                                             const char **why);

/* The reason in an answer that is none of the above, as far as it has one. */
void aws_reply_error(struct span body, struct aws_error *error);

void aws_credentials_wipe(struct aws_credentials *credentials);

#endif
