/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NTP datagrams that can be bent in one place at a time: a description with good defaults, and what
 * writes it. Test code.
 */
#ifndef NTSD_TESTS_SUPPORT_SHAPE_H
#define NTSD_TESTS_SUPPORT_SHAPE_H

#include "ntp/ntp_ef.h"
#include "tests/support/probe.h"

enum { SHAPE_PACKET_MAX = 65507 };

/* An authenticated request and all the ways it can be bent. shape_default() is a good one. */
struct shape {
    uint8_t first; /* leap, version, mode */
    int uid_len;   /* -1: no unique identifier */
    int uid_copies;
    bool uid_copies_differ;
    int cookies;
    int cookie_delta;  /* octets more or fewer */
    bool cookie_first; /* before the unique identifier */
    int placeholders;
    int placeholder_delta;
    bool unknown_before; /* an unknown field in front of the authenticator */
    int authenticators;
    size_t nonce_len;
    int stated_nonce;      /* -1: the true length */
    int stated_ciphertext; /* -1: the true length */
    int ciphertext_len;    /* -1: what sealing gives; otherwise that many octets of `filler` */
    uint8_t filler;
    bool seal_with_s2c;
    size_t extra_padding;
    struct span inner; /* plaintext extension fields */
    size_t junk_after; /* octets behind the authenticator */
};

struct bench {
    struct probe probe;
    struct ke_client_cookie cookie; /* of this row; replay is legal */
    uint8_t uid[256];               /* the first octets of it are the last identifier sent */
    uint8_t packet[SHAPE_PACKET_MAX + 1];
    uint8_t reply[SHAPE_PACKET_MAX + 1];
};

/* A good authenticated request. */
struct shape shape_default(void);

/* Starts a datagram: `first` octet, zeros, a random transmit timestamp. */
struct wr shape_header(struct bench *bench, uint8_t first);

/* Writes the request to bench->packet, sealed with the probe's keys; its length. */
size_t shape_write(struct bench *bench, const struct shape *shape);

#endif
