/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of NTP and of its extension fields: RFC 5905, 7822, 8915 section 5.
 */
#ifndef NTSD_NTP_NTP_PROTO_H
#define NTSD_NTP_NTP_PROTO_H

#include <stdint.h>

enum {
    NTP_PORT = 123,
    NTP_HEADER_LEN = 48,     /* RFC 5905 §7.3 */
    NTP_DATAGRAM_MAX = 1472, /* an Ethernet frame's worth; longer requests are dropped */
    NTP_VERSION_MIN = 1,
    NTP_VERSION_MAX = 4,
    NTP_MODE_CLIENT = 3,
    NTP_MODE_SERVER = 4,
    NTP_LEAP_NONE = 0,
    NTP_LEAP_INSERT = 1,
    NTP_LEAP_DELETE = 2,
    NTP_LEAP_UNKNOWN = 3,
    NTP_STRATUM_KISS = 0,
    NTP_STRATUM_MAX = 15,
};

/* Seconds from 1900 (NTP era 0) to 1970. */
#define NTP_UNIX_OFFSET_S INT64_C(2208988800)

/* Extension field types, RFC 8915 §7.5 */
enum ntp_ef_type {
    NTP_EF_UNIQUE_IDENTIFIER = 0x0104,
    NTP_EF_COOKIE = 0x0204,
    NTP_EF_COOKIE_PLACEHOLDER = 0x0304,
    NTP_EF_AUTHENTICATOR = 0x0404,
};

enum {
    NTP_EF_HEAD_LEN = 4,
    NTP_EF_LEN_MIN = 16,      /* RFC 7822 §7.5.1.1 */
    NTP_EF_LAST_LEN_MIN = 28, /* RFC 7822 §7.5.1.4: last one without a MAC */
    NTP_UID_LEN_MIN = 32,     /* RFC 8915 §5.3 */
    NTP_NONCE_REQ_MAX = 16,   /* RFC 8915 §5.6: N_REQ's cap */
    NTP_COOKIES_MAX = 8,      /* cookies in one reply, RFC 8915 §5.7: keep eight */
};

/* Kiss codes, RFC 5905 §7.4 and RFC 8915 §5.7, as the reference id of a stratum 0 reply */
#define NTP_KISS_NTSN UINT32_C(0x4e54534e)
#define NTP_KISS_RATE UINT32_C(0x52415445)
#define NTP_KISS_DENY UINT32_C(0x44454e59)
#define NTP_KISS_RSTR UINT32_C(0x52535452)

#endif
