/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a fleet's secret document comes from: a file, the output of a command, AWS Secrets Manager.
 * (A host's own document is keystore.h's.) Shell module.
 *
 * One call fetches the text, blocking, within PROVIDER_DEADLINE_MS; it is made to be called from a
 * helper thread, one call at a time. What the text is worth is not decided here.
 */
#ifndef NTSD_COMMON_KEYS_PROVIDER_H
#define NTSD_COMMON_KEYS_PROVIDER_H

#include "common/keys/keydoc.h"

enum {
    PROVIDER_DEADLINE_MS = 5000, /* of a fetch, all of it */
    PROVIDER_CONNECT_MS = 2000,  /* of that, for each connection to come about */
};

enum provider_kind { PROVIDER_FILE, PROVIDER_COMMAND, PROVIDER_AWS, PROVIDER_AWS_AGENT };

/* How a fetch ended: a counter each. */
enum provider_outcome {
    PROVIDER_OK,
    PROVIDER_NOT_FOUND,      /* no such file, program or secret */
    PROVIDER_DENIED,         /* no right to it; a mode or owner that gives the secret away */
    PROVIDER_NO_CREDENTIALS, /* none in the environment, none from the instance */
    PROVIDER_UNREACHABLE,    /* no connection; TLS does not verify */
    PROVIDER_TIMEOUT,
    PROVIDER_THROTTLED,
    PROVIDER_TOO_LONG,  /* more than KEYDOC_TEXT_MAX */
    PROVIDER_FAILED,    /* the store or the command said so */
    PROVIDER_SENSELESS, /* an answer that is none */
    PROVIDER_INTERNAL,  /* out of memory, no thread, no library */
    PROVIDER_OUTCOMES
};
const char *provider_outcome_name(enum provider_outcome outcome); /* snake_case, static */

/* One sentence: what is wrong with what, and what mends it. Printable ASCII, no secret, no octet of
 * a credential, no more than 160 octets of what a store or command said. */
struct provider_fault {
    char text[480];
};

/* Secret: wiped by provider_text_wipe(). */
struct provider_text {
    size_t len;
    uint8_t bytes[KEYDOC_TEXT_MAX];
};

struct provider_options {
    enum provider_kind kind;
    const char *source;      /* the file, the ARN; NULL for a command */
    const char *const *argv; /* a command, ends with NULL */
};

struct provider;

/* Strings are borrowed for its lifetime. No I/O but loading a library. NULL: see `fault`. */
struct provider *provider_new(const struct provider_options *options, struct provider_fault *fault);

/* `text` is filled on PROVIDER_OK and wiped otherwise. */
enum provider_outcome provider_fetch(struct provider *provider, struct provider_text *text,
                                     struct provider_fault *fault);

void provider_free(struct provider *provider);
void provider_text_wipe(struct provider_text *text);

#endif
