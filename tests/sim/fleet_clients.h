/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The devices of a simulated fleet: each shows a cookie to any instance, now and then, gets the
 * next one from it, and does a handshake with any instance when it was refused.
 */
#ifndef NTSD_TESTS_SIM_FLEET_CLIENTS_H
#define NTSD_TESTS_SIM_FLEET_CLIENTS_H

#include "tests/sim/fleet_host.h"

enum { FLEET_JAR_MAX = 8, FLEET_COOKIE_LEN = 100, FLEET_HOSTS = 8 };

struct fleet_kind {
    const char *name;
    size_t count;
    size_t jar;       /* cookies it keeps; the oldest is shown first */
    int64_t gap_s;    /* between two questions at least */
    int64_t spread_s; /* and so much more at most */
};

struct fleet_cookie {
    struct fleet_sealed sealed;
    uint32_t key_id;
    uint8_t key[KEYRING_KEY_LEN];
    bool is_real; /* `text` was sealed, too */
    uint8_t text[FLEET_COOKIE_LEN];
};

struct fleet_figures {
    uint64_t issued;
    uint64_t shown;
    uint64_t opened;
    uint64_t expired;   /* refused, as promised */
    uint64_t withdrawn; /* refused, as promised */
    uint64_t unsettled; /* refused, where nothing was promised */
    /* violations */
    uint64_t refused;  /* though promised */
    uint64_t too_late; /* opened past its time */
    uint64_t revived;  /* opened by a host that knows that it was withdrawn */
    uint64_t wrong;    /* sealed with another key than the rules say; ring and cookie disagree */
};

struct fleet_client {
    const struct fleet_kind *kind;
    struct fleet_figures *figures; /* of its kind */
    size_t held;
    size_t first;
    struct fleet_cookie jar[FLEET_JAR_MAX];
};

struct fleet_field {
    const struct fleet_terms *terms;
    const struct fleet_store *store;
    struct fleet_host *host; /* [FLEET_HOSTS] */
    struct sim_random random;
    struct rng rng;
    struct fleet_figures *now; /* of what is going on */
};

/* Asks at `t`; when it asks next. */
int64_t fleet_client_tick(struct fleet_field *field, struct fleet_client *client, int64_t t);

static inline uint64_t fleet_violations(const struct fleet_figures *f)
{
    return f->refused + f->too_late + f->revived + f->wrong;
}

#endif
