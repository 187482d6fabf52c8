/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shared memory of the daemon: one anonymous file for each board. Shell module.
 *
 * Not one mapping that all children inherit: rights are then a matter of good behaviour, and a
 * child taken over by a stranger's packet could rewrite the clock or read the keys. With one file a
 * board, a child maps only what its role may see, read-only through a descriptor that was opened
 * read-only (the kernel then refuses mprotect as well), and closes all descriptors. The parent
 * keeps the descriptors for children to come, but never maps a board once a secret is in it.
 */
#ifndef NTSD_NTSD_BOARDS_H
#define NTSD_NTSD_BOARDS_H

#include "common/base/err.h"

#include <stddef.h>

enum boards_id {
    BOARDS_KEYS,         /* board of struct keyring: secret */
    BOARDS_KEY_DOC,      /* board of struct keydoc: secret; for the next keys process alone */
    BOARDS_CLOCK,        /* board of struct clock_model */
    BOARDS_CLOCK_REPORT, /* board of struct clock_report */
    BOARDS_CLOCK_MEMORY, /* board of struct clock_memory: for the next clock process alone */
    BOARDS_KEY_STATUS,   /* board of struct key_status */
    BOARDS_KE_STATUS,    /* board of struct ke_status */
    BOARDS_SUPERVISOR,   /* board of struct supervisor_status */
    BOARDS_NTP_STATS,    /* struct stats [workers] */
    BOARDS_KE_STATS,     /* a page for each process, a struct stats at its beginning */
    BOARDS_CLOCK_STATS,  /* struct stats [CLOCK_STATS_BLOCKS] */
    BOARDS_COUNT
};

enum boards_access { BOARDS_NONE, BOARDS_READ, BOARDS_WRITE };

struct boards {
    struct {
        int writable; /* descriptors, owned; -1: none */
        int readable;
        size_t size;
    } file[BOARDS_COUNT];
};

/* Makes all of them, empty and initialised, of a size that can never change. Needs /proc, and has
 * to come before privileges are dropped: the files are closed to everyone but their maker.
 * NTS_ESYSTEM: errno; nothing is open then. */
NODISCARD enum nts_err boards_open(struct boards *boards, size_t workers, size_t ke_processes);
void boards_close(struct boards *boards);

/* Maps a whole board, or NULL (errno). Those with secrets are left out of core dumps and, where
 * limits allow, kept from being swapped; the writer's mapping of the supervisor's is not inherited.
 */
void *boards_map(const struct boards *boards, enum boards_id id, enum boards_access access);

/* Maps the page of one KE process in BOARDS_KE_STATS and nothing beside it. */
void *boards_map_ke_stats(const struct boards *boards, size_t process);

/* Distance of two KE processes' blocks in a mapping of the whole BOARDS_KE_STATS. */
size_t boards_ke_stats_stride(void);

#endif
