/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetching a fleet's document without waiting for it: in one of libuv's helper threads, one fetch
 * at a time, so that a slow store never delays a change of keys. Shell module, on the loop's
 * thread; what an answer is worth, and when to ask again, is its owner's.
 */
#ifndef NTSD_NTSD_KEY_FETCH_H
#define NTSD_NTSD_KEY_FETCH_H

#include "certs/watch.h"
#include "common/keys/provider.h"

struct key_fetch {
    uv_loop_t *loop;
    uv_work_t work;
    uv_timer_t timer;
    struct cert_watch watch; /* of a file */
    struct provider *provider;
    void (*answered)(void *ctx);
    void *ctx;
    bool is_running;
    bool is_wanted; /* again, as soon as the one that runs is over */
    bool is_closed;
    /* The answer, while `answered` is called; the helper thread's while a fetch runs. */
    enum provider_outcome outcome;
    struct provider_text text; /* wiped after the call */
    struct provider_fault fault;
};

/*
 * Nothing is fetched yet. Afterwards a fetch begins when it is asked for, and when the file of a
 * PROVIDER_FILE changes. Strings of `options` are borrowed. `fetch` is zeroed and stays where it
 * is until the process ends. NTS_EINTERNAL: see fetch->fault.
 */
NODISCARD enum nts_err key_fetch_open(struct key_fetch *fetch, uv_loop_t *loop,
                                      const struct provider_options *options,
                                      void (*answered)(void *ctx), void *ctx);

/* At once; or, while one runs, once more after it: what it read may be what was. */
void key_fetch_now(struct key_fetch *fetch);

/* Sets the time of the next one. */
void key_fetch_after(struct key_fetch *fetch, uint64_t wait_ms);

/* Nothing is called any more. A fetch that runs goes on: the loop has to be stopped, and what it
 * uses goes with the process. */
void key_fetch_close(struct key_fetch *fetch);

#endif
