/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error type of every module and the two macros that make ignoring it impossible.
 */
#ifndef NTSD_COMMON_BASE_ERR_H
#define NTSD_COMMON_BASE_ERR_H

enum nts_err {
    NTS_OK = 0,
    NTS_ESHORT,    /* the input ends before its format does */
    NTS_EFORMAT,   /* the input breaks its format */
    NTS_EAUTH,     /* a tag, a key or a signature does not verify */
    NTS_ESPACE,    /* the output does not fit the room it was given */
    NTS_ELIMIT,    /* a limit of ours was reached */
    NTS_ENOTFOUND, /* what was asked for does not exist */
    NTS_ESYSTEM,   /* the operating system refused; errno says why */
    NTS_EINTERNAL, /* a library failed where it never should */
};

#define NODISCARD __attribute__((warn_unused_result))

/* The only macro that hides a jump. Not to be used while a resource is held. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum nts_err try_err_ = (call);                                                            \
        if (try_err_ != NTS_OK) {                                                                  \
            return try_err_;                                                                       \
        }                                                                                          \
    } while (0)

/* A short lower-case word for `err`; static storage. Thread-safe. */
const char *nts_err_name(enum nts_err err);

#endif
