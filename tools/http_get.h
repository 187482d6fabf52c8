/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One small text over plain HTTP, for the status page of an ntsd on this host or a private network.
 * Blocking, with one deadline for all of it but the name. Shell module; parsing a URL is pure.
 */
#ifndef NTSD_TOOLS_HTTP_GET_H
#define NTSD_TOOLS_HTTP_GET_H

#include "common/base/cursor.h"
#include "common/base/err.h"

struct http_url {
    char host[256]; /* a name or an address, without brackets */
    char port[8];
    char authority[272]; /* as it was written: for the Host header */
    char path[512];      /* from the slash on */
};

/* "http://HOST[:PORT][/PATH]"; no user, no query of more than the path's room. NTS_EFORMAT: not
 * that. */
NODISCARD enum nts_err http_url_parse(const char *text, struct http_url *url);

struct http_why {
    char text[400]; /* a sentence for people */
};

/*
 * The body of the answer, which has to be a 200, into `buf`; `body` borrows it. NTS_ESYSTEM: nobody
 * answers. NTS_ELIMIT: too long, or not in time. NTS_EFORMAT: not HTTP, or another status.
 */
NODISCARD enum nts_err http_get(const struct http_url *url, unsigned timeout_ms, struct wr *buf,
                                struct span *body, struct http_why *why);

#endif
