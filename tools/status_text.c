/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See status_text.h.
 */
#include "tools/status_text.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

void status_text_seconds(double s, char text[static STATUS_SPAN_TEXT_MAX])
{
    static const struct {
        double below;
        double factor;
        const char *unit;
    } scales[] = {{999.5e-9, 1e9, "ns"}, {999.5e-6, 1e6, "us"}, {999.5e-3, 1e3, "ms"}};
    for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
        if (fabs(s) < scales[i].below) {
            double scaled = s * scales[i].factor;
            int digits = fabs(scaled) >= 99.95 || i == 0 ? 0 : fabs(scaled) >= 9.995 ? 1 : 2;
            (void)snprintf(text, STATUS_SPAN_TEXT_MAX, "%.*f%s", digits, scaled, scales[i].unit);
            return;
        }
    }
    (void)snprintf(text, STATUS_SPAN_TEXT_MAX, "%.4gs", s);
}

void status_text_age(double s, char text[static STATUS_SPAN_TEXT_MAX])
{
    static const struct {
        double below;
        double size;
        char unit;
    } scales[] = {{1000, 1, 's'}, {1000 * 60.0, 60, 'm'}, {100 * 3600.0, 3600, 'h'}};
    if (s < 0) {
        (void)snprintf(text, STATUS_SPAN_TEXT_MAX, "-");
        return;
    }
    if (s > 0 && s < 1) {
        status_text_seconds(s, text);
        return;
    }
    for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
        if (s < scales[i].below) {
            (void)snprintf(text, STATUS_SPAN_TEXT_MAX, "%.0f%c", floor(s / scales[i].size),
                           scales[i].unit);
            return;
        }
    }
    (void)snprintf(text, STATUS_SPAN_TEXT_MAX, "%.0fd", floor(s / 86400));
}

void status_text_reference(const char *hex, unsigned stratum,
                           char text[static STATUS_SPAN_TEXT_MAX])
{
    unsigned long id = strtoul(hex, NULL, 16);
    unsigned octet[4] = {(unsigned)(id >> 24 & 255), (unsigned)(id >> 16 & 255),
                         (unsigned)(id >> 8 & 255), (unsigned)(id & 255)};
    if (stratum != 1) {
        (void)snprintf(text, STATUS_SPAN_TEXT_MAX, "%u.%u.%u.%u", octet[0], octet[1], octet[2],
                       octet[3]);
        return;
    }
    size_t n = 0;
    for (size_t i = 0; i < 4 && octet[i] != 0; i++) {
        text[n++] = (char)(octet[i] > ' ' && octet[i] <= '~' ? octet[i] : '?');
    }
    text[n] = '\0';
}

static const char *leap_text(unsigned leap)
{
    static const char *const texts[] = {"no leap second", "a second to be inserted",
                                        "a second to be deleted", "not synchronised"};
    return texts[leap & 3];
}

/* chronyc's marks where it has them. */
static char mark_of(const char *verdict)
{
    static const struct {
        const char *verdict;
        char mark;
    } marks[] = {{"selected", '*'},  {"combined", '+'},    {"spare", '-'},
                 {"candidate", ' '}, {"falseticker", 'x'}, {"far", '~'}};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (strcmp(marks[i].verdict, verdict) == 0) {
            return marks[i].mark;
        }
    }
    return '?';
}

/* What comes over the network is shown as plain ASCII. */
static void print_word(const char *word, int width, FILE *out)
{
    char plain[STATUS_NAME_MAX];
    size_t n = 0;
    for (; n < sizeof(plain) - 1 && word[n] != '\0'; n++) {
        plain[n] = (char)(word[n] >= ' ' && word[n] <= '~' ? word[n] : '?');
    }
    plain[n] = '\0';
    (void)fprintf(out, "%-*s", width, plain);
}

static void print_source(const struct status_source *source, FILE *out)
{
    char poll[STATUS_SPAN_TEXT_MAX];
    char age[STATUS_SPAN_TEXT_MAX];
    char offset[STATUS_SPAN_TEXT_MAX] = "-";
    char deviation[STATUS_SPAN_TEXT_MAX] = "-";
    char distance[STATUS_SPAN_TEXT_MAX] = "-";
    status_text_age(source->poll_s, poll);
    status_text_age(source->age_s, age);
    if (source->age_s >= 0) {
        status_text_seconds(source->offset_s, offset);
        status_text_seconds(source->deviation_s, deviation);
        status_text_seconds(source->distance_s, distance);
    }
    (void)fprintf(out, "%c ", mark_of(source->verdict));
    print_word(source->name, 28, out);
    (void)fprintf(out, " ");
    print_word(source->kind, 4, out);
    (void)fprintf(out, " %7u %6s %5o %6s %9s %9s %9s  ", source->stratum, poll, source->reach, age,
                  offset, deviation, distance);
    print_word(source->verdict, 0, out);
    (void)fprintf(out, "\n");
}

static void print_clock(const struct status *status, FILE *out)
{
    char text[STATUS_SPAN_TEXT_MAX];
    (void)fprintf(out, "State        ");
    print_word(status->state, 0, out);
    (void)fprintf(out, ", %s, %s\n", status->trusted ? "time is served" : "no time is served",
                  status->ready_ntp ? "ready" : "not ready");
    status_text_reference(status->reference, status->stratum, text);
    (void)fprintf(out, "Reference    %s, stratum %u, %s\n", text, status->stratum,
                  leap_text(status->leap));
    status_text_seconds(status->bound_s, text);
    (void)fprintf(out, "Error bound  %s\n", status->has_bound ? text : "unknown");
    if (status->source_count > 0) {
        status_text_seconds(status->remaining_s, text);
        (void)fprintf(out, "Offset       %s still to be slewed; frequency %.3f ppm\n", text,
                      status->frequency_ppm);
    }
}

void status_text_print(const struct status *status, FILE *out)
{
    print_clock(status, out);
    if (status->source_count == 0) {
        (void)fprintf(out, "Source       the kernel clock\n");
        return;
    }
    (void)fprintf(out, "\n  %-28s %-4s %7s %6s %5s %6s %9s %9s %9s  %s\n", "Source", "Kind",
                  "Stratum", "Poll", "Reach", "Age", "Offset", "Deviation", "Distance", "Verdict");
    for (size_t i = 0; i < status->source_count; i++) {
        print_source(&status->source[i], out);
    }
}
