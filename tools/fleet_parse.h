/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one host says of its keys, out of the text of /metrics: for comparing hosts, and for people.
 * Core; made for text of any origin: words are printable ASCII, and what makes no sense is passed
 * over.
 */
#ifndef NTSD_TOOLS_FLEET_PARSE_H
#define NTSD_TOOLS_FLEET_PARSE_H

#include "common/base/cursor.h"
#include "common/base/err.h"
#include "common/keys/keyring.h"

enum { FLEET_WORD_MAX = 24, FLEET_AGES = 7, FLEET_NAKS = 4 };

struct fleet_key {
    uint32_t id;
    uint8_t fingerprint[KEYRING_FINGERPRINT_LEN];
};

struct fleet_facts {
    char version[FLEET_WORD_MAX];
    char state[FLEET_WORD_MAX]; /* of the clock */
    bool ready;                 /* a load balancer may send clients to some service of it */

    bool has_keys; /* then there is an issuing key, and it is among those held */
    struct fleet_key issuing;
    double issuing_age_s; /* negative: not said */
    size_t held_count;
    struct fleet_key held[KEYRING_MAX];

    char provider[FLEET_WORD_MAX];
    double provider_age_s;   /* since its last good answer; negative: none yet, or provider auto */
    double provider_failing; /* fetches in a row */
    bool from_cache;
    bool cache_failed;

    double opened[FLEET_AGES]; /* cookies by the age of their key, see fleet_age_name() */
    double naks[FLEET_NAKS];   /* see fleet_nak_name() */
};

/* NTS_EFORMAT: no ntsd speaks there. */
NODISCARD enum nts_err fleet_parse(struct span text, struct fleet_facts *facts);

/* The labels in /metrics; static. */
const char *fleet_age_name(size_t i);
const char *fleet_nak_name(size_t i);

/* The provider is known, has to be asked, and has not answered for so long that somebody should
 * look after it. */
enum { FLEET_STALE_S = 900 };
bool fleet_is_stale(const struct fleet_facts *facts);

/* "2a001f" and "0011223344556677" */
enum { FLEET_ID_TEXT = 9, FLEET_FINGERPRINT_TEXT = 2 * KEYRING_FINGERPRINT_LEN + 1 };
void fleet_id_text(uint32_t id, char text[static FLEET_ID_TEXT]);
void fleet_fingerprint_text(const struct fleet_key *key, char text[static FLEET_FINGERPRINT_TEXT]);

#endif
