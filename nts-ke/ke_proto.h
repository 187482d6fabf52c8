/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of the NTS Key Establishment protocol, RFC 8915 sections 4, 5.1 and 7.
 */
#ifndef NTSD_NTS_KE_KE_PROTO_H
#define NTSD_NTS_KE_KE_PROTO_H

#include <stdint.h>

#define KE_ALPN           "ntske/1"                        /* §7.2 */
#define KE_EXPORTER_LABEL "EXPORTER-network-time-security" /* §5.1 */

enum { KE_PORT = 4460 }; /* §7.1 */

/* Record types, §4.1 and §7.6 */
enum ke_record_type {
    KE_END_OF_MESSAGE = 0,
    KE_NEXT_PROTOCOL = 1,
    KE_ERROR = 2,
    KE_WARNING = 3,
    KE_AEAD_ALGORITHM = 4,
    KE_NEW_COOKIE = 5,
    KE_NTPV4_SERVER = 6,
    KE_NTPV4_PORT = 7,
    KE_COMPLIANT_GCM_SIV_EXPORTER = 1024, /* chrony: exporter context as the RFC has it for 30 */
};

enum {
    KE_CRITICAL_BIT = 0x8000,
    KE_RECORD_HEAD_LEN = 4,
    KE_PROTOCOL_NTPV4 = 0, /* §7.7 */
    KE_NTP_PORT_DEFAULT = 123,
    KE_COOKIES = 8,              /* §4.1.6: should be eight */
    KE_EXPORTER_CONTEXT_LEN = 5, /* §5.1 */
    KE_REQUEST_MAX = 16384, /* §4 demands 1024 at least; the AEAD and server lists are short */
    KE_RESPONSE_MAX = 4096, /* 8 cookies of 164 octets, a server name, and heads */
    KE_ANSWER_MAX = 65536,  /* §4: what clients should accept */
};

/* Error codes, §4.1.3 and §7.8 */
enum ke_error_code {
    KE_ERROR_UNRECOGNISED_CRITICAL = 0,
    KE_ERROR_BAD_REQUEST = 1,
    KE_ERROR_INTERNAL = 2,
};

#endif
