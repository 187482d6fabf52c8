/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Help and manual are complete, because they are made of the table.
 */
#include "ntsd/config_print.h"

#include "ntsd/config_table.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *printed(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    print(out);
    cr_assert_eq(fclose(out), 0);
    return text;
}

Test(config_print, help_has_every_directive)
{
    char want[64];
    size_t count = 0;
    char *text = printed(config_print_help);
    const struct config_directive *d = config_directives(&count);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(want, sizeof(want), "\n  %s%s", d[i].name, d[i].args == NULL ? "\n" : " ");
        cr_expect(strstr(text, want) != NULL || strncmp(text, want + 1, strlen(want) - 1) == 0,
                  "%s", d[i].name);
    }
    cr_expect_not_null(strstr(text, "default: 123; 0 to 65535\n"));
    cr_expect_not_null(strstr(text, "default: 86400; 60 to 31622400 seconds\n"));
    free(text);
}

Test(config_print, manual_has_every_directive)
{
    char want[64];
    size_t count = 0;
    char *text = printed(config_print_mdoc);
    const struct config_directive *d = config_directives(&count);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(want, sizeof(want), ".It Ic %s", d[i].name);
        cr_expect_not_null(strstr(text, want), "%s", d[i].name);
    }
    cr_expect_not_null(strstr(text, ".It Ic bindaddress Ar ADDR\n"));
    cr_expect_not_null(strstr(text, ".It Ic local Cm stratum Ar N\n"), "%s", text);
    /* roff would take a line that begins with a dot or quote for a request */
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        cr_expect(strncmp(line, ".It Ic ", 7) == 0 || (line[0] != '.' && line[0] != '\''), "%s",
                  line);
    }
    free(text);
}
