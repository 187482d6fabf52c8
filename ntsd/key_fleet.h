/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fleet's document: asked for again and again, judged, taken or refused, kept for a successor of
 * this process and, when the configuration says so, sealed for a start without the store. Shell
 * module, on the loop's thread.
 *
 * Nothing that a store does or says ends a ring that is in service: a document has to be
 * well-formed and to know all that the one in service knows (keychange.h). The first one is taken
 * as it is, there being nothing to compare it with. The document is never written back.
 */
#ifndef NTSD_NTSD_KEY_FLEET_H
#define NTSD_NTSD_KEY_FLEET_H

#include "common/keys/keycache.h"
#include "ntsd/key_fetch.h"
#include "ntsd/key_schedule.h"
#include "ntsd/key_told.h"
#include "ntsd/key_upkeep.h"
#include "ntsd/status_values.h"

struct key_fleet {
    const struct config *config;
    struct board *memory; /* BOARDS_KEY_DOC */
    struct rng *rng;
    struct key_fetch fetch;
    struct key_schedule schedule;
    struct key_provider_status status;
    struct keycache cache;
    bool uncached; /* the document is newer than the sealed copy */
    struct key_told trouble;
    struct key_told cache_trouble;
};

struct key_fleet_options {
    const struct role_context *context;
    uv_loop_t *loop;
    struct rng *rng;
    void (*answered)(void *ctx); /* there is something for key_fleet_answer() */
    void *ctx;
};

/*
 * Begins to ask, at once. `fleet` is zeroed and stays where it is until the process ends. `doc`
 * becomes the document that a predecessor of this process had in service, if there is one;
 * otherwise it has no epoch until an answer brings some. False: logged.
 */
bool key_fleet_open(struct key_fleet *fleet, const struct key_fleet_options *options,
                    struct keydoc *doc);

/* What came of a fetch. True when `doc` is another one now. */
bool key_fleet_answer(struct key_fleet *fleet, struct keydoc *doc, struct key_moment moment);

/* What this moment does to the document. True when it changed. */
bool key_fleet_keep_up(struct key_fleet *fleet, struct keydoc *doc, struct key_moment moment);

/* Seals what is new, when that is asked for. After the ring is out: a disk may be slow. */
void key_fleet_seal(struct key_fleet *fleet, const struct keydoc *doc, struct key_moment moment);

void key_fleet_close(struct key_fleet *fleet);

#endif
