/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ntsq was asked to do: its command line as a struct, or the sentence that says what is wrong
 * with it. One table holds every option; the parser and the usage text are made from it. Core.
 */
#ifndef NTSD_TOOLS_NTSQ_OPTIONS_H
#define NTSD_TOOLS_NTSQ_OPTIONS_H

#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    NTSQ_COUNT_MAX = 100000,
    NTSQ_TIMEOUT_MS = 5000,
    NTSQ_INTERVAL_MS = 100,
    NTSQ_HOST_MAX = 255, /* the longest DNS name */
};

/* Strings borrow argv, but for the host, which loses the brackets of an IPv6 address. */
struct ntsq_options {
    char host[NTSQ_HOST_MAX + 1];
    const char *ca_file;   /* NULL: the system's trust store */
    const char *cert_file; /* for servers that ask for one; NULL: none */
    const char *key_file;
    uint32_t ke_port;
    uint32_t port; /* 0: what the server says, else 123 */
    uint32_t count;
    uint32_t timeout_ms;  /* for each step */
    uint32_t interval_ms; /* from query to query */
    bool json;
    bool plain;
    bool no_clock;
    bool ipv4_only;
    bool ipv6_only;
    bool help;
    bool version;
};

struct ntsq_options_fault {
    char text[160];
};

/*
 * Reads argv[1] to argv[argc - 1]; options and HOST in any order, "--" ends the options,
 * "--name value" and "--name=value" mean the same. NTS_EFORMAT: `fault` says why, `options` is
 * zeroed. With `help` or `version` set nothing else is required.
 */
NODISCARD enum nts_err ntsq_options_parse(int argc, char *const argv[],
                                          struct ntsq_options *options,
                                          struct ntsq_options_fault *fault);

void ntsq_options_usage(FILE *out);

#endif
