/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `ntsctl fleet` reads over the network, up to the table and the JSON object it prints. Hosts'
 * texts are separated by octets of 1. No control character reaches the terminal, a host agrees with
 * its twin, and the order of hosts changes no verdict.
 */
#include "tools/fleet_text.h"

#include "tools/status_keys_text.h"

#include <jansson.h>
#include <stdlib.h>

#define DEMAND(x)                                                                                  \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            (void)fprintf(stderr, "demanded: %s\n", #x);                                           \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum { HOSTS_MAX = 5, SEPARATOR = 1, TEXT_MAX = 256 * 1024 };

static char text[TEXT_MAX];
static struct fleet_host hosts[HOSTS_MAX];
static struct fleet_host turned[HOSTS_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *begin(void)
{
    FILE *out = fmemopen(text, sizeof(text), "w");
    DEMAND(out != NULL);
    return out;
}

static size_t end(FILE *out)
{
    long n = ftell(out);
    (void)fclose(out);
    DEMAND(n > 0 && n < TEXT_MAX);
    for (long i = 0; i < n; i++) {
        DEMAND(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
    }
    return (size_t)n;
}

static void expect_sound(const struct fleet_facts *facts)
{
    bool issued = false;
    DEMAND(facts->held_count <= KEYRING_MAX);
    DEMAND(facts->has_keys || facts->held_count == 0);
    for (size_t i = 0; i < facts->held_count; i++) {
        DEMAND(facts->held[i].id <= 0xffffff);
        for (size_t j = 0; j < i; j++) {
            DEMAND(facts->held[i].id != facts->held[j].id);
        }
        issued = issued || memcmp(&facts->held[i], &facts->issuing, sizeof(facts->issuing)) == 0;
    }
    DEMAND(issued == facts->has_keys);
}

static void read_host(struct fleet_host *host, struct span part)
{
    *host = (struct fleet_host){.name = "h"};
    host->reached = fleet_parse(part, &host->facts) == NTS_OK;
    (void)snprintf(host->why, sizeof(host->why), "%.*s", part.n < 99 ? (int)part.n : 99,
                   part.n > 0 ? (const char *)part.p : "");
    if (host->reached) {
        expect_sound(&host->facts);
        FILE *out = begin();
        status_keys_print(&host->facts, out);
        (void)end(out);
    }
}

static size_t read_hosts(struct span all)
{
    struct rd r = rd_init(all);
    size_t count = 0;
    while (r.left > 0 && count < HOSTS_MAX - 1) {
        const uint8_t *stop = memchr(r.p, SEPARATOR, r.left);
        size_t n = stop == NULL ? r.left : (size_t)(stop - r.p);
        read_host(&hosts[count++], rd_span(&r, n));
        rd_skip(&r, stop == NULL ? 0 : 1);
    }
    return count;
}

static void expect_same_when_turned(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        turned[i] = hosts[count - 1 - i];
    }
    (void)fleet_compare(turned, count);
    for (size_t i = 0; i < count; i++) {
        const struct fleet_host *host = &turned[count - 1 - i];
        /* Of several keys and hosts to name, the first may be another one. */
        DEMAND(fleet_verdict_is_dissent(host->verdict) ==
               fleet_verdict_is_dissent(hosts[i].verdict));
        DEMAND(fleet_verdict_is_dissent(host->verdict) || host->verdict == hosts[i].verdict);
        DEMAND(host->fits == hosts[i].fits);
    }
}

static void expect_twins_agree(void)
{
    hosts[1] = hosts[0];
    (void)fleet_compare(hosts, 2);
    DEMAND(hosts[0].verdict == hosts[1].verdict);
    DEMAND(!fleet_verdict_is_dissent(hosts[0].verdict));
}

/* The last line does. */
static bool says_agreement(size_t n)
{
    const char *stop = memrchr(text, '\n', n - 1);
    DEMAND(stop != NULL);
    struct span last = span_of(stop + 1, n - (size_t)(stop + 1 - text));
    static const char one[] = "1 host, and nothing to compare it with\n";
    return span_is(last, one, sizeof(one) - 1) ||
           (last.n == 14 && memcmp(last.p + 1, " hosts agree\n", 13) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t count = read_hosts(span_of(data, size));
    if (count == 0) {
        return 0;
    }
    bool all = fleet_compare(hosts, count);
    FILE *out = begin();
    fleet_text_print(hosts, count, out);
    DEMAND(all == says_agreement(end(out)));
    out = begin();
    DEMAND(fleet_text_json(hosts, count, out) == NTS_OK);
    json_t *root = json_loadb(text, end(out), 0, NULL);
    DEMAND(root != NULL);
    json_decref(root);
    expect_same_when_turned(count);
    expect_twins_agree();
    return 0;
}
