/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bad datagrams, row by row: what is sent, what may come back, which counters move. Groups A and B.
 */
#ifndef NTSD_TESTS_SUPPORT_BAD_DATAGRAMS_H
#define NTSD_TESTS_SUPPORT_BAD_DATAGRAMS_H

#include "ntp/answer.h"
#include "tests/support/shape.h"

enum { ROW_COUNTERS = 3 };
enum answer { SILENT = 1, PLAIN = 2, NAK = 4, AUTHENTIC = 8 };

typedef size_t builder(struct bench *bench, unsigned variant);

struct bad_datagram {
    const char *id;
    const char *input;
    unsigned answers; /* enum answer, any of */
    enum ntp_verdict counter[ROW_COUNTERS];
    size_t counters;
    unsigned variants;
    builder *build;
};

extern const struct bad_datagram bad_datagrams[];
extern const size_t bad_datagram_count;

/* A good request of this version (variant 0 to 3 for 1 to 4). */
builder bad_datagram_none;

#endif
