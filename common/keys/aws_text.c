/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies, escapes, tokens and times. See aws_text.h.
 */
#include "common/keys/aws_text.h"

#include "common/crypto/kdf.h"

#include <assert.h>

enum { REPEATED_MIN = 8 };

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";

static void wr_text(struct wr *out, const char *text)
{
    wr_bytes(out, span_of(text, strlen(text)));
}

/* ---- bodies */

/* RFC 8259 §7: quotation mark, backslash and control characters must be escaped, others may. */
static void wr_string(struct wr *out, struct span text)
{
    wr_u8(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (c < ' ') {
            wr_text(out, "\\u00");
            wr_u8(out, (uint8_t)hex_lower[c >> 4]);
            wr_u8(out, (uint8_t)hex_lower[c & 0xf]);
            continue;
        }
        if (c == '"' || c == '\\') {
            wr_u8(out, '\\');
        }
        wr_u8(out, c);
    }
    wr_u8(out, '"');
}

static void wr_member(struct wr *out, const char *name, const char *value)
{
    wr_text(out, name);
    wr_string(out, span_of(value, strlen(value)));
}

NODISCARD enum nts_err aws_get_body_write(const char *secret_id, struct wr *out)
{
    wr_member(out, "{\"SecretId\":", secret_id);
    wr_text(out, "}");
    return out->bad ? NTS_ESPACE : NTS_OK;
}

NODISCARD enum nts_err aws_put_body_write(const struct aws_put *put, struct wr *out)
{
    wr_member(out, "{\"SecretId\":", put->secret_id);
    wr_member(out, ",\"ClientRequestToken\":", put->token);
    wr_text(out, ",\"SecretString\":");
    wr_string(out, put->text);
    wr_text(out, "}");
    return out->bad ? NTS_ESPACE : NTS_OK;
}

static bool is_unreserved(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void aws_percent_write(const char *text, struct wr *out)
{
    for (; *text != '\0'; text++) {
        uint8_t c = (uint8_t)*text;
        if (is_unreserved(c)) {
            wr_u8(out, c);
            continue;
        }
        wr_u8(out, '%');
        wr_u8(out, (uint8_t)hex_upper[c >> 4]);
        wr_u8(out, (uint8_t)hex_upper[c & 0xf]);
    }
}

/* ---- tokens */

void aws_put_token(const char *version_id, char token[static AWS_TOKEN_LEN + 1])
{
    uint8_t hash[KDF_HASH_LEN];
    sha256_digest(span_of(version_id, strlen(version_id)), hash);
    hash[6] = (uint8_t)((hash[6] & 0x0f) | 0x80); /* RFC 9562 §4.2: version 8, made our own way */
    hash[8] = (uint8_t)((hash[8] & 0x3f) | 0x80); /* §4.1: variant 10 */
    size_t n = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            token[n++] = '-';
        }
        token[n++] = hex_lower[hash[i] >> 4];
        token[n++] = hex_lower[hash[i] & 0xf];
    }
    assert(n == AWS_TOKEN_LEN);
    token[n] = '\0';
}

/* ---- times */

/* `n` digits and the character after them, NUL for any. */
static int take_number(const char **text, size_t n, char after)
{
    int value = 0;
    for (size_t i = 0; i < n; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9') {
            return -1;
        }
        value = 10 * value + (c - '0');
    }
    if (after != '\0' && (*text)[n] != after) {
        return -1;
    }
    *text += n + (after != '\0');
    return value;
}

static bool is_leap_year(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap_year(year) ? 1 : 0);
}

/* From 1970-01-01 on. */
static int64_t days_until(int year, int month, int day)
{
    int64_t before = year - 1;
    int64_t days = before * 365 + before / 4 - before / 100 + before / 400 - 719162;
    for (int m = 1; m < month; m++) {
        days += days_in(year, m);
    }
    return days + day - 1;
}

static bool is_end(const char *text)
{
    if (*text == '.') {
        text++;
        text += strspn(text, "0123456789");
    }
    return strcmp(text, "Z") == 0;
}

NODISCARD enum nts_err aws_time_parse(const char *text, int64_t *seconds)
{
    static const struct {
        size_t digits;
        char after;
        int min;
        int max;
    } fields[] = {{4, '-', 1970, 9999}, {2, '-', 1, 12}, {2, 'T', 1, 31},
                  {2, ':', 0, 23},      {2, ':', 0, 59}, {2, '\0', 0, 60}};
    int value[6];
    for (size_t i = 0; i < 6; i++) {
        value[i] = take_number(&text, fields[i].digits, fields[i].after);
        if (value[i] < fields[i].min || value[i] > fields[i].max) {
            return NTS_EFORMAT;
        }
    }
    if (value[2] > days_in(value[0], value[1]) || !is_end(text)) {
        return NTS_EFORMAT;
    }
    *seconds = days_until(value[0], value[1], value[2]) * 86400 + value[3] * 3600 + value[4] * 60 +
               value[5];
    return NTS_OK;
}

/* ---- showing */

bool aws_is_header_word(const char *text)
{
    bool good = *text != '\0';
    for (; good && *text != '\0'; text++) {
        good = *text > ' ' && *text <= '~';
    }
    return good;
}

void aws_show(char *out, size_t cap, struct span text)
{
    assert(cap > 0);
    size_t n = text.n < cap - 1 ? text.n : cap - 1;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = text.p[i];
        out[i] = (char)(c >= ' ' && c <= '~' ? c : '?');
    }
    out[n] = '\0';
}

bool aws_repeats(const char *text, const char *secret)
{
    size_t len = secret == NULL ? 0 : strlen(secret);
    size_t part = len < REPEATED_MIN ? len : REPEATED_MIN;
    for (size_t i = 0; part > 0 && i + part <= len; i++) {
        if (memmem(text, strlen(text), secret + i, part) != NULL) {
            return true;
        }
    }
    return false;
}
