/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock's state out of the text of /metrics: lines it knows are taken, all others are not its
 * business. Core; made for text of any origin.
 */
#ifndef NTSD_TOOLS_STATUS_PARSE_H
#define NTSD_TOOLS_STATUS_PARSE_H

#include "common/base/cursor.h"
#include "common/base/err.h"

enum { STATUS_SOURCES_MAX = 16, STATUS_WORD_MAX = 24, STATUS_NAME_MAX = 65 };

struct status_source {
    char name[STATUS_NAME_MAX];
    char kind[STATUS_WORD_MAX];
    char verdict[STATUS_WORD_MAX];
    unsigned stratum;
    unsigned reach;
    double poll_s;
    double age_s; /* -1: no measurement yet */
    double offset_s;
    double deviation_s;
    double delay_s;
    double distance_s;
};

struct status {
    char state[STATUS_WORD_MAX];
    char reference[STATUS_WORD_MAX]; /* eight hexadecimal digits */
    bool trusted;
    bool ready_ntp;
    unsigned stratum;
    unsigned leap;
    bool has_bound;
    double bound_s;
    double remaining_s;
    double frequency_ppm;
    size_t source_count;
    struct status_source source[STATUS_SOURCES_MAX];
};

/* NTS_EFORMAT: no ntsd speaks there, its state is not in the text. */
NODISCARD enum nts_err status_parse(struct span text, struct status *status);

#endif
