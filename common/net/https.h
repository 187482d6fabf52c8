/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request and its answer, blocking, over TLS 1.2 or newer or in the clear. Shell module;
 * thread-safe.
 *
 * By libcurl, which is loaded when it is first needed and not linked (curl_lib.h says why), with
 * what a client of a secret store must not have switched off: certificate and name are verified,
 * no redirect is followed, no protocol but http and https is spoken, no cookie, .netrc or cache is
 * used, an answer that grows past its limit is broken off while it comes, and the whole request
 * ends with its deadline, whatever a name server does. Each request has a connection of its own.
 * What was sent and received is wiped from libcurl's memory.
 */
#ifndef NTSD_COMMON_NET_HTTPS_H
#define NTSD_COMMON_NET_HTTPS_H

#include "common/base/cursor.h"
#include "common/base/err.h"

enum { HTTPS_WHY_MAX = 160 };

enum https_outcome {
    HTTPS_OK,            /* an answer came, whatever its status */
    HTTPS_NO_CONNECTION, /* no such name, refused, no route */
    HTTPS_TIMEOUT,
    HTTPS_TLS,      /* the certificate, its name, or the handshake */
    HTTPS_TOO_LONG, /* more than answer_max octets */
    HTTPS_BROKEN,   /* the connection ended too early, or what came is not HTTP */
    HTTPS_INTERNAL, /* no library, no memory, not a URL */
};

/* AWS Signature Version 4, made over the method, the URL, all headers and the body. */
struct https_signer {
    const char *region;
    const char *service;
    const char *access_key_id;
    const char *secret_access_key;
};

struct https_request {
    const char *method;
    const char *url;
    const char *const *headers;        /* "Name: value", without line ends; ends with NULL */
    struct span body;                  /* POST only; {NULL, 0}: none */
    const struct https_signer *signer; /* NULL: not signed */
    const char *ca_file;               /* PEM; NULL: the system's CAs */
    bool direct; /* true: past any proxy that the environment names; for addresses of this host */
    uint32_t connect_ms; /* for the connection to come about, TLS included */
    uint32_t total_ms;   /* for everything */
    size_t answer_max;   /* octets of body */
};

struct https_answer {
    int status;
    struct span body;        /* the answer owns it */
    bool connected;          /* a connection came about, before whatever else happened */
    char why[HTTPS_WHY_MAX]; /* for an outcome other than HTTPS_OK: printable ASCII */
};

/* Loads the library, which https_ask() would do otherwise: to be called before a sandbox closes and
 * before there are threads, which share one heap from then on. NTS_ESYSTEM: `why` says what is
 * missing (static storage). */
NODISCARD enum nts_err https_setup(const char **why);

/* Asks. `answer` has to be wiped afterwards, whatever the outcome. */
NODISCARD enum https_outcome https_ask(const struct https_request *request,
                                       struct https_answer *answer);

/* Wipes and frees the body. */
void https_answer_wipe(struct https_answer *answer);

#endif
