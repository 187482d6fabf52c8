/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sticky cursors over bytes: the only way the wire is read and written.
 *
 * A reader that overruns turns `bad` and yields zeros from then on; a writer that overruns turns
 * `bad` and writes nothing more. So a whole fixed part can be read first and `bad` be tested once,
 * before any value is used. All integers are big-endian. Pure; no allocation; thread-safe on
 * distinct cursors. Nothing here owns memory: spans borrow.
 */
#ifndef NTSD_COMMON_BASE_CURSOR_H
#define NTSD_COMMON_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Borrowed bytes. `p` may be NULL only when `n` is 0. */
struct span {
    const uint8_t *p;
    size_t n;
};

struct rd {
    const uint8_t *p;
    size_t left;
    bool bad;
};

struct wr {
    uint8_t *start;
    size_t n;   /* written so far */
    size_t cap; /* room in all */
    bool bad;
};

static inline struct span span_of(const void *p, size_t n)
{
    return (struct span){.p = p, .n = n};
}

static inline bool span_is(struct span a, const void *p, size_t n)
{
    return a.n == n && (n == 0 || memcmp(a.p, p, n) == 0);
}

static inline struct rd rd_init(struct span bytes)
{
    return (struct rd){.p = bytes.p, .left = bytes.n, .bad = false};
}

/* The next `n` bytes as a span into the input; an empty span when they are not all there. */
static inline struct span rd_span(struct rd *r, size_t n)
{
    if (r->bad || r->left < n) {
        r->bad = true;
        return (struct span){.p = NULL, .n = 0};
    }
    struct span s = {.p = r->p, .n = n};
    if (n > 0) {
        r->p += n;
        r->left -= n;
    }
    return s;
}

/* A sub-cursor over the next `n` bytes: an inner parser sees these and nothing else. */
static inline struct rd rd_take(struct rd *r, size_t n)
{
    struct span s = rd_span(r, n);
    return (struct rd){.p = s.p, .left = s.n, .bad = r->bad};
}

static inline void rd_skip(struct rd *r, size_t n)
{
    (void)rd_span(r, n);
}

static inline uint64_t rd_uint(struct rd *r, size_t n)
{
    struct span s = rd_span(r, n);
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        v = v << 8 | s.p[i];
    }
    return v;
}

static inline uint8_t rd_u8(struct rd *r)
{
    return (uint8_t)rd_uint(r, 1);
}

static inline uint16_t rd_u16(struct rd *r)
{
    return (uint16_t)rd_uint(r, 2);
}

static inline uint32_t rd_u32(struct rd *r)
{
    return (uint32_t)rd_uint(r, 4);
}

static inline uint64_t rd_u64(struct rd *r)
{
    return rd_uint(r, 8);
}

static inline struct span rd_rest(struct rd *r)
{
    return rd_span(r, r->left);
}

/* True when everything was read and nothing remains. */
static inline bool rd_end(const struct rd *r)
{
    return !r->bad && r->left == 0;
}

/* `cap` is the hard limit of what may be written; see answer.h for what that guarantees. */
static inline struct wr wr_init(uint8_t *start, size_t cap)
{
    return (struct wr){.start = start, .n = 0, .cap = cap, .bad = false};
}

/* Room for `n` bytes that the caller fills, or NULL (and `bad`) when they do not fit. */
static inline uint8_t *wr_room(struct wr *w, size_t n)
{
    if (w->bad || w->cap - w->n < n) {
        w->bad = true;
        return NULL;
    }
    if (n == 0) {
        return w->start; /* which may be NULL: nothing is added to that */
    }
    uint8_t *p = w->start + w->n;
    w->n += n;
    return p;
}

static inline void wr_bytes(struct wr *w, struct span bytes)
{
    uint8_t *p = wr_room(w, bytes.n);
    if (p != NULL && bytes.n > 0) {
        memcpy(p, bytes.p, bytes.n);
    }
}

static inline void wr_zero(struct wr *w, size_t n)
{
    uint8_t *p = wr_room(w, n);
    if (p != NULL && n > 0) {
        memset(p, 0, n);
    }
}

static inline void wr_uint(struct wr *w, uint64_t v, size_t n)
{
    uint8_t *p = wr_room(w, n);
    if (p == NULL) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
    }
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
    wr_uint(w, v, 1);
}

static inline void wr_u16(struct wr *w, uint16_t v)
{
    wr_uint(w, v, 2);
}

static inline void wr_u32(struct wr *w, uint32_t v)
{
    wr_uint(w, v, 4);
}

static inline void wr_u64(struct wr *w, uint64_t v)
{
    wr_uint(w, v, 8);
}

/* What was written so far; empty when the writer is bad, so that half a message never leaves. */
static inline struct span wr_done(const struct wr *w)
{
    return (struct span){.p = w->start, .n = w->bad ? 0 : w->n};
}

#endif
