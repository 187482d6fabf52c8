/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `ntsctl status` reads over the network, up to the table it prints: no control character of
 * it reaches the terminal.
 */
#include "tools/status_text.h"

#include <stdlib.h>

#define DEMAND(x)                                                                                  \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            (void)fprintf(stderr, "demanded: %s\n", #x);                                           \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

enum { TABLE_MAX = 16384 };

static char table[TABLE_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct status status;
    if (status_parse(span_of(data, size), &status) != NTS_OK) {
        DEMAND(status.state[0] == '\0');
        return 0;
    }
    DEMAND(status.state[0] != '\0' && status.source_count <= STATUS_SOURCES_MAX);
    FILE *out = fmemopen(table, sizeof(table), "w");
    DEMAND(out != NULL);
    status_text_print(&status, out);
    long n = ftell(out);
    (void)fclose(out);
    DEMAND(n > 0 && n < TABLE_MAX);
    for (long i = 0; i < n; i++) {
        DEMAND(table[i] == '\n' || (table[i] >= ' ' && table[i] <= '~'));
    }
    return 0;
}
