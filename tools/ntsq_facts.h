/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything a run of ntsq learns, step by step: what the shell (ntsq_run) fills in and the reports
 * (ntsq_text, ntsq_json) are made of. Plain values, no behaviour.
 */
#ifndef NTSD_TOOLS_NTSQ_FACTS_H
#define NTSD_TOOLS_NTSQ_FACTS_H

#include "common/net/addr.h"
#include "ntp/query.h"
#include "nts-ke/ke_client.h"
#include "tools/ntsq_options.h"

enum { NTSQ_ADDRS_MAX = 8, NTSQ_TRIES = 3 };

struct ntsq_addrs {
    size_t count;
    struct net_addr addr[NTSQ_ADDRS_MAX];
};

/* How one query ended. */
enum ntsq_outcome {
    NTSQ_LOST,           /* no datagram that concerns it came in time */
    NTSQ_ANSWERED,       /* authenticated (unless asked plainly) and usable */
    NTSQ_UNSYNCHRONISED, /* likewise, but the server says that it does not know the time */
    NTSQ_REFUSED,        /* a reply came that may not be believed: see `verdict` */
    NTSQ_UNREACHABLE,    /* the system could not send or receive: see `system_error` */
    NTSQ_OUTCOMES
};

struct ntsq_sample {
    enum ntsq_outcome outcome;
    enum query_verdict verdict; /* of the accepted reply, or of the refusal that tells most */
    int system_error;           /* errno of NTSQ_UNREACHABLE */
    unsigned tries;             /* requests sent */
    bool new_keys;              /* NAK: keys were established anew and the query repeated */
    bool kernel_stamp;          /* `received` is the kernel's */
    unsigned late;              /* skipped: replies to earlier requests, and duplicates */
    unsigned foreign;           /* skipped: whatever else is no reply to this request */
    size_t request_len;
    size_t reply_len;
    size_t placeholders;
    size_t cookies_received;
    size_t cookies_left;
    struct wall_ns sent;
    struct wall_ns received;
    struct ntp_header header; /* NTSQ_ANSWERED, NTSQ_UNSYNCHRONISED; a kiss's reference id */
    struct query_times times; /* NTSQ_ANSWERED, NTSQ_UNSYNCHRONISED */
};

/* What has just ended, and is worth a report. */
enum ntsq_step {
    NTSQ_STEP_RESOLVED, /* HOST has addresses */
    NTSQ_STEP_KEYS,     /* a key establishment, well or not: see `ke` and `failure` */
    NTSQ_STEP_SAMPLE,   /* a query */
    NTSQ_STEP_DATES,    /* --no-clock: the certificates' dates hold */
};

/* Where a run ended before its queries were done. */
enum ntsq_stage {
    NTSQ_STAGE_NONE,
    NTSQ_STAGE_RESOLVE,
    NTSQ_STAGE_TRUST, /* the CA file or the system's store */
    NTSQ_STAGE_KE,
    NTSQ_STAGE_NTP,   /* the NTP server's name or socket */
    NTSQ_STAGE_DATES, /* --no-clock: certificate dates against the time received */
    NTSQ_STAGES
};

struct ntsq_failure {
    enum ntsq_stage stage;
    const char *hint; /* what to do about it, static, or NULL */
    char text[900];
};

enum ntsq_dates { NTSQ_DATES_AT_HANDSHAKE, NTSQ_DATES_PENDING, NTSQ_DATES_HOLD, NTSQ_DATES_FAIL };

struct ntsq_facts {
    const struct ntsq_options *options;
    struct wall_ns started;            /* by the local clock */
    struct ntsq_addrs resolved;        /* of HOST */
    struct net_addr ke_addr;           /* last one tried */
    unsigned ke_exchanges;             /* begun */
    const struct ke_client_result *ke; /* the last one, complete or not; NULL: none begun */
    bool has_server;
    struct net_addr server; /* NTP */
    enum ntsq_dates dates;
    struct wall_ns dates_at; /* the authenticated time they were checked against */
    size_t sample_count;
    struct ntsq_sample *sample; /* room for options->count */
    struct ntsq_failure failure;
};

#endif
