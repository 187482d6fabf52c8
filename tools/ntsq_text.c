/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report for people. See ntsq_text.h.
 */
#include "tools/ntsq_text.h"

#include "tools/ntsq_words.h"

#include <stdarg.h>

enum { RECORD_LINES_MAX = 40 };

static const char green[] = "32";
static const char red[] = "31";
static const char yellow[] = "33";

/* "Label         text", the label in bold where there is colour. */
static void line(const struct ntsq_text *text, const char *label, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void line(const struct ntsq_text *text, const char *label, const char *format, ...)
{
    (void)fprintf(text->out, text->colour ? "\033[1m%-12s\033[0m  " : "%-12s  ", label);
    va_list args;
    va_start(args, format);
    (void)vfprintf(text->out, format, args);
    va_end(args);
    (void)fputc('\n', text->out);
}

static void coloured(const struct ntsq_text *text, const char *colour, const char *words)
{
    if (text->colour) {
        (void)fprintf(text->out, "\033[%sm%s\033[0m\n", colour, words);
        return;
    }
    (void)fprintf(text->out, "%s\n", words);
}

static double seconds(int64_t ns)
{
    return (double)ns / 1e9;
}

void ntsq_text_resolved(const struct ntsq_text *text, const struct ntsq_facts *facts)
{
    char host[NTSQ_HOST_MAX + 1];
    ntsq_clean(facts->options->host, host, sizeof(host));
    for (size_t i = 0; i < facts->resolved.count; i++) {
        char addr[NET_ADDR_TEXT_MAX];
        net_addr_format(&facts->resolved.addr[i], addr);
        line(text, i == 0 ? "Host" : "", "%s is %s", host, addr);
    }
}

static void tls_lines(const struct ntsq_text *text, const struct ntsq_facts *facts)
{
    const struct tls_client_info *tls = &facts->ke->tls;
    char names[sizeof(tls->names)];
    char issuer[sizeof(tls->issuer)];
    char until[NTSQ_DATE_TEXT];
    if (tls->version[0] == '\0') {
        return;
    }
    ntsq_clean(tls->names, names, sizeof(names));
    ntsq_clean(tls->issuer, issuer, sizeof(issuer));
    ntsq_date_text((struct wall_ns){.ns = tls->not_after * NS_PER_S}, until);
    line(text, "TLS", "%s, %s, %s", tls->version, tls->group, tls->cipher);
    line(text, "Certificate", "%s", names);
    line(text, "Issuer", "%s", issuer);
    if (facts->options->no_clock) {
        line(text, "Valid until", "%.10s", until);
        return;
    }
    line(text, "Valid until", "%.10s, %lld days left", until,
         (long long)((tls->not_after - facts->started.ns / NS_PER_S) / 86400));
}

static void record_line(const struct ntsq_text *text, const struct ke_record *record, size_t times)
{
    struct ntsq_record_text words;
    char name[48];
    char count[24] = "";
    ntsq_record_describe(record, &words);
    if (times > 1) {
        (void)snprintf(count, sizeof(count), " (%zu)", times);
    }
    (void)snprintf(name, sizeof(name), "%s%s", words.name, count);
    const char *mark = record->critical ? "!" : " ";
    if (words.value[0] == '\0') {
        (void)fprintf(text->out, "  %5u %s %s\n", record->type, mark, name);
        return;
    }
    (void)fprintf(text->out, "  %5u %s %-22s  %s%s\n", record->type, mark, name, words.value,
                  times > 1 ? " each" : "");
}

static bool same_kind(const struct ke_record *a, const struct ke_record *b)
{
    return a->type == KE_NEW_COOKIE && b->type == a->type && a->critical == b->critical &&
           a->body.n == b->body.n;
}

/* Each record of the response; cookies that look alike share a line. */
static void record_lines(const struct ntsq_text *text, struct span message)
{
    struct rd r = rd_init(message);
    struct ke_record pending = {.type = 0};
    size_t times = 0;
    for (size_t lines = 0; r.left > 0 && lines < RECORD_LINES_MAX;) {
        struct ke_record record = ke_record_read(&r);
        if (r.bad) {
            break;
        }
        if (times > 0 && !same_kind(&pending, &record)) {
            record_line(text, &pending, times);
            lines++;
            times = 0;
        }
        pending = record;
        times++;
    }
    if (times > 0) {
        record_line(text, &pending, times);
    }
    if (r.bad || r.left > 0) {
        (void)fprintf(text->out, "        %s\n", r.bad ? "and a part of a record" : "and more");
    }
}

void ntsq_text_keys(const struct ntsq_text *text, const struct ntsq_facts *facts)
{
    const struct ke_client_result *ke = facts->ke;
    char addr[NET_ADDR_TEXT_MAX];
    net_addr_format(&facts->ke_addr, addr);
    if (facts->ke_exchanges > 1) {
        line(text, "New keys", "key establishment number %u", facts->ke_exchanges);
    }
    tls_lines(text, facts);
    if (ke->message_len == 0) {
        return;
    }
    line(text, "NTS-KE", "%s: connected after %.1f ms, TLS after %.1f ms, answered after %.1f ms",
         addr, ke->connect_ms, ke->tls_ms, ke->total_ms);
    record_lines(text, span_of(ke->message, ke->message_len));
}

static const char *leap_text(uint8_t leap)
{
    static const char *const texts[] = {
        [NTP_LEAP_NONE] = "none",
        [NTP_LEAP_INSERT] = "insert a second",
        [NTP_LEAP_DELETE] = "delete a second",
        [NTP_LEAP_UNKNOWN] = "unknown (not synchronised)",
    };
    return texts[leap & 3];
}

static void reply_lines(const struct ntsq_text *text, const struct ntsq_facts *facts,
                        const struct ntsq_sample *s)
{
    char reference[NTSQ_REFERENCE_TEXT];
    char date[NTSQ_DATE_TEXT];
    ntsq_reference_text(&s->header, reference);
    /* The server's own time: ours, moved by what we measured. */
    ntsq_date_text((struct wall_ns){.ns = s->received.ns + s->times.offset_ns}, date);
    if (facts->options->plain) {
        line(text, "Reply", "%zu octets, NOT authenticated", s->reply_len);
    } else {
        line(text, "Reply", "%zu octets, authentic by %s, %zu new cookie%s, %zu in stock",
             s->reply_len, ntsq_aead_name(facts->ke->answer.aead), s->cookies_received,
             s->cookies_received == 1 ? "" : "s", s->cookies_left);
    }
    line(text, "Server", "stratum %u, reference %s, leap %s, precision 2^%d s", s->header.stratum,
         reference[0] != '\0' ? reference : "none", leap_text(s->header.leap), s->header.precision);
    line(text, "Root", "delay %.6f s, dispersion %.6f s",
         seconds(ntp_short_to_ns(s->header.root_delay)),
         seconds(ntp_short_to_ns(s->header.root_dispersion)));
    line(text, "Time", "%s", date);
    line(text, "Offset", "%+.9f s (server minus local clock)", seconds(s->times.offset_ns));
    line(text, "Delay", "%.9f s", seconds(s->times.delay_ns));
}

static void sample_block(const struct ntsq_text *text, const struct ntsq_facts *facts,
                         const struct ntsq_sample *s)
{
    char addr[NET_ADDR_TEXT_MAX];
    char nts[64] = "no NTS";
    net_addr_format(&facts->server, addr);
    if (!facts->options->plain) {
        (void)snprintf(nts, sizeof(nts), "1 cookie, %zu placeholder%s", s->placeholders,
                       s->placeholders == 1 ? "" : "s");
    }
    line(text, "Query", "%s: %zu octets, %s, %u sent", addr, s->request_len, nts, s->tries);
    if (s->new_keys) {
        line(text, "NAK", "the server could not use our cookie: asked again with new keys");
    }
    if (s->late + s->foreign > 0) {
        line(text, "Skipped", "%u late or doubled, %u foreign", s->late, s->foreign);
    }
    if (s->outcome == NTSQ_ANSWERED || s->outcome == NTSQ_UNSYNCHRONISED) {
        reply_lines(text, facts, s);
    }
}

static void sample_line(const struct ntsq_text *text, const struct ntsq_facts *facts,
                        const struct ntsq_sample *s)
{
    const char *nak = s->new_keys ? "  (NAK: new keys)" : "";
    if (s->outcome == NTSQ_ANSWERED) {
        (void)fprintf(text->out, "%6zu  offset %+.6f s  delay %.6f s  stratum %u%s%s\n",
                      facts->sample_count, seconds(s->times.offset_ns), seconds(s->times.delay_ns),
                      s->header.stratum, facts->options->plain ? "  NOT authenticated" : "", nak);
        return;
    }
    (void)fprintf(text->out, "%6zu  %s%s%s%s\n", facts->sample_count, ntsq_outcome_name(s->outcome),
                  s->outcome == NTSQ_REFUSED ? ": " : "",
                  s->outcome == NTSQ_REFUSED ? query_verdict_text(s->verdict) : "", nak);
}

void ntsq_text_sample(const struct ntsq_text *text, const struct ntsq_facts *facts)
{
    const struct ntsq_sample *s = &facts->sample[facts->sample_count - 1];
    if (facts->options->count == 1) {
        sample_block(text, facts, s);
        return;
    }
    sample_line(text, facts, s);
}

void ntsq_text_dates(const struct ntsq_text *text, const struct ntsq_facts *facts)
{
    char date[NTSQ_DATE_TEXT];
    ntsq_date_text(facts->dates_at, date);
    line(text, "Dates", "all certificates of the chain are valid at the time received, %.10s",
         date);
}

static void summary_lines(const struct ntsq_text *text, const struct ntsq_summary *s)
{
    size_t answered = s->outcome[NTSQ_ANSWERED];
    line(text, "Summary", "%zu sent, %zu answered, %zu unsynchronised, %zu refused, %zu lost",
         s->sent, answered, s->outcome[NTSQ_UNSYNCHRONISED], s->outcome[NTSQ_REFUSED],
         s->outcome[NTSQ_LOST] + s->outcome[NTSQ_UNREACHABLE]);
    if (s->late + s->foreign > 0) {
        line(text, "Skipped", "%zu late or doubled, %zu foreign", s->late, s->foreign);
    }
    if (answered > 0) {
        line(text, "Offset", "min %+.6f s, median %+.6f s, max %+.6f s", seconds(s->offset_min_ns),
             seconds(s->offset_median_ns), seconds(s->offset_max_ns));
        line(text, "Delay", "min %.6f s, median %.6f s, max %.6f s", seconds(s->delay_min_ns),
             seconds(s->delay_median_ns), seconds(s->delay_max_ns));
    }
}

void ntsq_text_verdict(const struct ntsq_text *text, const struct ntsq_facts *facts,
                       const struct ntsq_summary *summary, const struct ntsq_verdict *verdict)
{
    if (facts->options->count > 1 && summary->sent > 0) {
        summary_lines(text, summary);
    }
    const char *good = verdict->authenticated ? green : yellow;
    coloured(text, verdict->ok ? good : red, verdict->text);
    if (verdict->hint != NULL) {
        (void)fprintf(text->out, "hint: %s\n", verdict->hint);
    }
}
