/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ntsctl status: what a running ntsd says of its clock and keys, asked over its status address. See
 * ntsctl.h.
 */
#include "tools/ntsctl.h"

#include "tools/http_get.h"
#include "tools/status_keys_text.h"
#include "tools/status_text.h"

#include <stdlib.h>
#include <string.h>

#define URL_DEFAULT "http://127.0.0.1:8080/metrics"

enum { TIMEOUT_MS = 5000, ANSWER_MAX = 1024 * 1024 };

NODISCARD enum nts_err ntsctl_status_parse(int argc, char *const argv[], const char **url,
                                           struct ntsctl_fault *fault)
{
    static const char option[] = "--url";
    *url = URL_DEFAULT;
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], option) == 0 && i + 1 < argc) {
            *url = argv[++i];
        } else if (strncmp(argv[i], "--url=", sizeof(option)) == 0) {
            *url = argv[i] + sizeof(option);
        } else {
            (void)snprintf(fault->text, sizeof(fault->text),
                           strcmp(argv[i], option) == 0 ? "%.200s needs a value"
                                                        : "no such option: %.200s",
                           argv[i]);
            return NTS_EFORMAT;
        }
    }
    return NTS_OK;
}

/* Asks and shows; a URL without a path means the one that ntsd has. */
static int show(const char *text, struct http_url *url, struct wr *buf)
{
    struct http_why why;
    struct span body;
    struct status status;
    struct fleet_facts keys;
    if (strcmp(url->path, "/") == 0) {
        (void)snprintf(url->path, sizeof(url->path), "/metrics");
    }
    if (http_get(url, TIMEOUT_MS, buf, &body, &why) != NTS_OK) {
        (void)fprintf(stderr,
                      "ntsctl status: %s\nhint: --url has to be the httpaddress of ntsd.conf\n",
                      why.text);
        return NTSCTL_FAILED;
    }
    if (status_parse(body, &status) != NTS_OK || fleet_parse(body, &keys) != NTS_OK) {
        (void)fprintf(stderr, "ntsctl status: no ntsd speaks at %s\n", text);
        return NTSCTL_FAILED;
    }
    status_text_print(&status, stdout);
    printf("\n");
    status_keys_print(&keys, stdout);
    return fflush(stdout) == 0 && status.trusted ? NTSCTL_DONE : NTSCTL_FAILED;
}

int ntsctl_status(int argc, char *const argv[])
{
    struct ntsctl_fault fault;
    struct http_url url;
    const char *text = NULL;
    if (ntsctl_status_parse(argc, argv, &text, &fault) != NTS_OK) {
        (void)fprintf(stderr, "ntsctl status: %s\nusage: ntsctl status [--url URL]\n", fault.text);
        return NTSCTL_USAGE;
    }
    if (http_url_parse(text, &url) != NTS_OK) {
        (void)fprintf(stderr, "ntsctl status: not http://HOST[:PORT][/PATH]: %s\n", text);
        return NTSCTL_USAGE;
    }
    uint8_t *answer = malloc(ANSWER_MAX);
    if (answer == NULL) {
        return NTSCTL_FAILED;
    }
    struct wr buf = wr_init(answer, ANSWER_MAX);
    int status = show(text, &url, &buf);
    free(answer);
    return status;
}
