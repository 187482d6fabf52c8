/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ntsq's command line. See ntsq_options.h.
 */
#include "tools/ntsq_options.h"

#include "nts-ke/ke_proto.h"

#include <stddef.h>
#include <string.h>

enum kind { KIND_FLAG, KIND_TEXT, KIND_NUMBER, KIND_SECONDS };

struct option {
    const char *name;
    const char *alias; /* another spelling, or NULL */
    enum kind kind;
    const char *value; /* what the usage text calls it */
    uint32_t min;      /* numbers as they are, seconds in milliseconds */
    uint32_t max;
    size_t offset;
    const char *help;
};

#define AT(field) offsetof(struct ntsq_options, field)

/* clang-format off */
static const struct option table[] = {
    {"--ca", NULL, KIND_TEXT, "FILE", 0, 0, AT(ca_file), "trust the CA certificates in FILE (PEM), not the system's"},
    {"--cert", NULL, KIND_TEXT, "FILE", 0, 0, AT(cert_file), "present the certificate (chain) in FILE (PEM)"},
    {"--key", NULL, KIND_TEXT, "FILE", 0, 0, AT(key_file), "the private key of --cert (PEM)"},
    {"--ke-port", NULL, KIND_NUMBER, "N", 1, 65535, AT(ke_port), "TCP port of NTS key establishment (4460)"},
    {"--port", NULL, KIND_NUMBER, "N", 1, 65535, AT(port), "UDP port to query, whatever the server says"},
    {"--count", NULL, KIND_NUMBER, "N", 1, NTSQ_COUNT_MAX, AT(count), "send N queries and summarise (1)"},
    {"--interval", NULL, KIND_SECONDS, "S", 0, 3600000, AT(interval_ms), "seconds from query to query (0.1)"},
    {"--timeout", NULL, KIND_SECONDS, "S", 100, 60000, AT(timeout_ms), "seconds for each step (5)"},
    {"--plain", NULL, KIND_FLAG, NULL, 0, 0, AT(plain), "ask without NTS: an answer that proves nothing"},
    {"--no-clock", NULL, KIND_FLAG, NULL, 0, 0, AT(no_clock), "check certificate dates against the time received"},
    {"--json", NULL, KIND_FLAG, NULL, 0, 0, AT(json), "print one JSON object"},
    {"--ipv4", "-4", KIND_FLAG, NULL, 0, 0, AT(ipv4_only), "IPv4 only"},
    {"--ipv6", "-6", KIND_FLAG, NULL, 0, 0, AT(ipv6_only), "IPv6 only"},
    {"--help", "-h", KIND_FLAG, NULL, 0, 0, AT(help), "print this text"},
    {"--version", "-V", KIND_FLAG, NULL, 0, 0, AT(version), "print the version"},
};
/* clang-format on */

enum { OPTIONS = sizeof(table) / sizeof(table[0]) };

/* Reads digits, nine at most, and returns how many there were. */
static unsigned read_digits(const char **p, uint32_t *value)
{
    unsigned count = 0;
    *value = 0;
    for (; **p >= '0' && **p <= '9' && count < 9; (*p)++) {
        *value = *value * 10 + (uint32_t)(**p - '0');
        count++;
    }
    return count;
}

static bool parse_number(const char *text, uint32_t *out)
{
    return read_digits(&text, out) > 0 && *text == '\0';
}

/* "2", "0.25", "1.5": decimal seconds, to the millisecond. */
static bool parse_seconds(const char *text, uint32_t *ms)
{
    uint32_t whole;
    uint32_t fraction = 0;
    if (read_digits(&text, &whole) == 0 || whole > UINT32_MAX / 1000 - 1) {
        return false;
    }
    if (*text == '.') {
        text++;
        unsigned digits = read_digits(&text, &fraction);
        if (digits == 0 || digits > 3) {
            return false;
        }
        for (; digits < 3; digits++) {
            fraction *= 10;
        }
    }
    *ms = whole * 1000 + fraction;
    return *text == '\0';
}

static enum nts_err fault_set(struct ntsq_options_fault *fault, const char *before,
                              const char *what, const char *after)
{
    /* What the user typed may be long: enough of it to recognise. */
    (void)snprintf(fault->text, sizeof(fault->text), "%s%.64s%s", before, what, after);
    return NTS_EFORMAT;
}

static enum nts_err number_set(const struct option *option, const char *value, uint32_t *field,
                               struct ntsq_options_fault *fault)
{
    bool seconds = option->kind == KIND_SECONDS;
    bool valid = seconds ? parse_seconds(value, field) : parse_number(value, field);
    if (valid && *field >= option->min && *field <= option->max) {
        return NTS_OK;
    }
    double unit = seconds ? 1000.0 : 1.0;
    (void)snprintf(fault->text, sizeof(fault->text), "%s takes %s from %g to %g, not '%.32s'",
                   option->name, seconds ? "seconds" : "a number", option->min / unit,
                   option->max / unit, value);
    return NTS_EFORMAT;
}

static enum nts_err option_set(const struct option *option, const char *value,
                               struct ntsq_options *options, struct ntsq_options_fault *fault)
{
    char *field = (char *)options + option->offset;
    switch (option->kind) {
    case KIND_FLAG:
        *(bool *)field = true;
        return NTS_OK;
    case KIND_TEXT:
        if (value[0] == '\0') {
            return fault_set(fault, "", option->name, " takes a file name");
        }
        *(const char **)field = value;
        return NTS_OK;
    case KIND_NUMBER:
    case KIND_SECONDS:
        return number_set(option, value, (uint32_t *)field, fault);
    }
    return NTS_EINTERNAL;
}

static const struct option *option_find(const char *arg, size_t len)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        const char *alias = table[i].alias;
        if ((strlen(table[i].name) == len && memcmp(table[i].name, arg, len) == 0) ||
            (alias != NULL && strlen(alias) == len && memcmp(alias, arg, len) == 0)) {
            return &table[i];
        }
    }
    return NULL;
}

/* One option at argv[*i]; steps over its value when that is the next argument. */
static enum nts_err option_take(int argc, char *const argv[], int *i, struct ntsq_options *options,
                                struct ntsq_options_fault *fault)
{
    const char *arg = argv[*i];
    const char *equals = strncmp(arg, "--", 2) == 0 ? strchr(arg, '=') : NULL;
    size_t len = equals != NULL ? (size_t)(equals - arg) : strlen(arg);
    const struct option *option = option_find(arg, len);
    if (option == NULL) {
        return fault_set(fault, "unknown option '", arg, "'");
    }
    if (option->kind == KIND_FLAG) {
        return equals != NULL ? fault_set(fault, "", option->name, " takes no value")
                              : option_set(option, NULL, options, fault);
    }
    if (equals != NULL) {
        return option_set(option, equals + 1, options, fault);
    }
    if (*i + 1 >= argc) {
        return fault_set(fault, "", option->name, " needs a value");
    }
    *i += 1;
    return option_set(option, argv[*i], options, fault);
}

/* A host as typed; "[::1]" stands for the address in it. */
static enum nts_err host_set(const char *arg, struct ntsq_options *options,
                             struct ntsq_options_fault *fault)
{
    if (options->host[0] != '\0') {
        return fault_set(fault, "one HOST at a time, '", arg, "' is too many");
    }
    size_t len = strlen(arg);
    if (len >= 2 && arg[0] == '[' && arg[len - 1] == ']') {
        arg++;
        len -= 2;
    }
    if (len == 0 || len > NTSQ_HOST_MAX) {
        return fault_set(fault, "'", arg, "' is not the name or address of a host");
    }
    memcpy(options->host, arg, len);
    options->host[len] = '\0';
    return NTS_OK;
}

static enum nts_err options_check(const struct ntsq_options *options,
                                  struct ntsq_options_fault *fault)
{
    if (options->help || options->version) {
        return NTS_OK;
    }
    if (options->host[0] == '\0') {
        return fault_set(fault, "which HOST?", "", "");
    }
    if (options->plain && options->no_clock) {
        return fault_set(fault, "--no-clock needs an authenticated answer, ", "--plain",
                         " has none");
    }
    if ((options->cert_file == NULL) != (options->key_file == NULL)) {
        return fault_set(fault, "--cert and --key ", "belong", " together");
    }
    if (options->ipv4_only && options->ipv6_only) {
        return fault_set(fault, "-4 and -6 ", "exclude", " each other");
    }
    return NTS_OK;
}

static enum nts_err arguments_take(int argc, char *const argv[], struct ntsq_options *options,
                                   struct ntsq_options_fault *fault)
{
    bool only_hosts = false;
    for (int i = 1; i < argc; i++) {
        if (!only_hosts && strcmp(argv[i], "--") == 0) {
            only_hosts = true;
        } else if (!only_hosts && argv[i][0] == '-') {
            TRY(option_take(argc, argv, &i, options, fault));
        } else {
            TRY(host_set(argv[i], options, fault));
        }
    }
    return options_check(options, fault);
}

NODISCARD enum nts_err ntsq_options_parse(int argc, char *const argv[],
                                          struct ntsq_options *options,
                                          struct ntsq_options_fault *fault)
{
    *options = (struct ntsq_options){
        .ke_port = KE_PORT,
        .count = 1,
        .timeout_ms = NTSQ_TIMEOUT_MS,
        .interval_ms = NTSQ_INTERVAL_MS,
    };
    *fault = (struct ntsq_options_fault){.text = ""};
    enum nts_err err = arguments_take(argc, argv, options, fault);
    if (err != NTS_OK) {
        *options = (struct ntsq_options){.host = ""};
    }
    return err;
}

void ntsq_options_usage(FILE *out)
{
    (void)fputs("usage: ntsq [options] HOST\n"
                "One NTS time query (RFC 8915), explained.\n\n",
                out);
    for (size_t i = 0; i < OPTIONS; i++) {
        char left[40];
        const struct option *o = &table[i];
        (void)snprintf(left, sizeof(left), "%s%s%s%s%s", o->alias != NULL ? o->alias : "",
                       o->alias != NULL ? ", " : "", o->name, o->value != NULL ? " " : "",
                       o->value != NULL ? o->value : "");
        (void)fprintf(out, "  %-15s  %s\n", left, o->help);
    }
    (void)fputs("\nExit status: 0 when every query got a good answer, 1 when one did not, 2 for\n"
                "wrong usage.\n",
                out);
}
