/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NTS-KE requests and responses (RFC 8915 section 4), both directions of both: the server parses
 * requests and writes responses, the client the other way round. Core; thread-safe.
 */
#ifndef NTSD_NTS_KE_KE_MESSAGE_H
#define NTSD_NTS_KE_KE_MESSAGE_H

#include "common/base/err.h"
#include "nts-ke/ke_record.h"

enum { KE_LIST_MAX = 32, KE_SERVER_NAME_MAX = 255 };

/* A list of 16-bit numbers in wire order. Longer ones are legal; what does not fit is not kept
 * (`truncated`), which costs a client only its thirty-third choice. */
struct ke_list {
    size_t count;
    bool truncated;
    uint16_t value[KE_LIST_MAX];
};

struct ke_request {
    struct ke_list protocols;
    struct ke_list aeads;
    bool has_aeads;
    bool wants_compliant_gcm_siv; /* record 1024 */
};

/* Why a request is refused; the error code to send follows from it. Every member is a counter. */
enum ke_request_fault {
    KE_REQUEST_OK,
    KE_REQUEST_CRITICAL,     /* Error 0: a critical record we do not know */
    KE_REQUEST_SHORT,        /* Error 1: ends inside a record, or without End of Message */
    KE_REQUEST_TRAILING,     /* Error 1: data after End of Message */
    KE_REQUEST_NO_PROTOCOL,  /* Error 1: no Next Protocol Negotiation */
    KE_REQUEST_NO_AEAD,      /* Error 1: NTPv4 asked for without an AEAD list */
    KE_REQUEST_DUPLICATE,    /* Error 1: two of what may be one */
    KE_REQUEST_BAD_LENGTH,   /* Error 1: a body of a length its type cannot have */
    KE_REQUEST_NOT_CRITICAL, /* Error 1: the critical bit missing where it must be set */
    KE_REQUEST_UNEXPECTED,   /* Error 1: an Error, Warning or cookie from a client */
    KE_REQUEST_TOO_LONG,     /* Error 1: beyond KE_REQUEST_MAX */
    KE_REQUEST_TIMEOUT,      /* Error 1: did not come in time (set by the shell) */
    KE_REQUEST_FAULTS
};
const char *ke_request_fault_name(enum ke_request_fault fault); /* snake_case, for counters */
enum ke_error_code ke_request_fault_code(enum ke_request_fault fault); /* not for KE_REQUEST_OK */

/* Parses one whole message, to its last octet. Of several faults the first in the message is
 * returned. On a fault `request` is zeroed. */
enum ke_request_fault ke_request_parse(struct span message, struct ke_request *request);

/* What a client asks for: NTPv4 and these AEADs; record 1024 beside AEAD 30 and 31. */
void ke_request_write(struct wr *w, const uint16_t *aeads, size_t count);

/* What the server answers. `aead` 0: none fits, the list is then empty and no cookie is sent. */
struct ke_response {
    bool ntpv4; /* false: no protocol in common */
    uint16_t aead;
    bool compliant_gcm_siv;
    const char *server; /* NTPv4 server record, or NULL */
    uint16_t port;      /* NTPv4 port record, or 0 for none */
    size_t cookie_count;
    struct span cookie[KE_COOKIES];
};
void ke_response_write(struct wr *w, const struct ke_response *response);
void ke_response_write_error(struct wr *w, enum ke_error_code code);

/* What the client understood. Spans borrow the message. */
struct ke_answer {
    bool has_error;
    uint16_t error; /* enum ke_error_code or an unknown one */
    bool has_warning;
    uint16_t warning;
    bool ntpv4;
    uint16_t aead; /* 0: the server offers none of ours */
    bool compliant_gcm_siv;
    char server[KE_SERVER_NAME_MAX + 1]; /* empty: the KE server's own address */
    uint16_t port;                       /* 123 when not said */
    size_t cookie_count;
    struct span cookie[KE_COOKIES]; /* further ones are ignored */
};

/*
 * NTS_EFORMAT: breaks RFC 8915 section 4, or has neither error nor what an answer must have
 * (protocol; with NTPv4 an AEAD of `aeads`; with that a cookie). `why` names it, static storage,
 * and `answer` is zeroed but for a warning, which alone is reason enough to refuse (§4.1.4).
 */
NODISCARD enum nts_err ke_answer_parse(struct span message, const uint16_t *aeads, size_t count,
                                       struct ke_answer *answer, const char **why);

#endif
