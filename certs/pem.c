/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks of a PEM text. See pem.h.
 */
#include "certs/pem.h"

static const char BEGIN_MARK[] = "-----BEGIN ";
static const char END_MARK[] = "-----END ";
static const char DASHES[] = "-----";

struct line {
    struct span text; /* without line end and trailing white space */
    bool last;        /* the text ends here without a newline */
};

static struct line line_next(struct rd *r)
{
    const uint8_t *newline = r->left > 0 ? memchr(r->p, '\n', r->left) : NULL;
    size_t len = newline != NULL ? (size_t)(newline - r->p) : r->left;
    struct span text = rd_span(r, len);
    if (newline != NULL) {
        rd_skip(r, 1);
    }
    while (text.n > 0 && (text.p[text.n - 1] == '\r' || text.p[text.n - 1] == ' ' ||
                          text.p[text.n - 1] == '\t')) {
        text.n--;
    }
    return (struct line){.text = text, .last = newline == NULL};
}

static bool starts_with(struct span text, const char *mark)
{
    size_t n = strlen(mark);
    return text.p != NULL && text.n >= n && memcmp(text.p, mark, n) == 0;
}

/* The label of a line "-----BEGIN LABEL-----"; false when the line does not have that form. */
static bool label_of(struct span line, const char *mark, struct span *label)
{
    size_t head = strlen(mark);
    size_t tail = sizeof(DASHES) - 1;
    if (!starts_with(line, mark) || line.n < head + tail) {
        return false;
    }
    if (memcmp(line.p + line.n - tail, DASHES, tail) != 0) {
        return false;
    }
    *label = span_of(line.p + head, line.n - head - tail);
    return true;
}

/* A last line that may have wanted to become a BEGIN line: "-----BEG". */
static bool is_begin_cut_short(struct line line)
{
    size_t n = line.text.n;
    return line.last && n > 0 && n < sizeof(BEGIN_MARK) && memcmp(line.text.p, BEGIN_MARK, n) == 0;
}

/* Reads on to the END line that belongs to `label`. */
static enum nts_err block_end(struct rd *r, struct span label)
{
    while (r->left > 0) {
        struct line line = line_next(r);
        if (line.text.n > 0 && line.text.p[0] != '-') {
            continue;
        }
        struct span end;
        if (label_of(line.text, END_MARK, &end)) {
            return span_is(end, label.p, label.n) ? NTS_OK : NTS_EFORMAT;
        }
        if (line.text.n > 0) {
            return line.last ? NTS_ESHORT : NTS_EFORMAT;
        }
    }
    return NTS_ESHORT;
}

NODISCARD enum nts_err pem_next(struct rd *r, struct pem_block *block)
{
    while (r->left > 0) {
        const uint8_t *start = r->p;
        struct line line = line_next(r);
        if (label_of(line.text, BEGIN_MARK, &block->label)) {
            TRY(block_end(r, block->label));
            block->text = span_of(start, (size_t)(r->p - start));
            return NTS_OK;
        }
        if (is_begin_cut_short(line)) {
            return NTS_ESHORT;
        }
        if (starts_with(line.text, BEGIN_MARK)) {
            return line.last ? NTS_ESHORT : NTS_EFORMAT;
        }
        if (starts_with(line.text, END_MARK)) {
            return NTS_EFORMAT;
        }
    }
    return NTS_ENOTFOUND;
}

bool pem_label_is(struct span label, const char *word)
{
    return span_is(label, word, strlen(word));
}
