/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See provider_refuse.h.
 */
#include "common/keys/provider_refuse.h"

#include <stdarg.h>
#include <stdio.h>

enum provider_outcome provider_refuse(struct provider_fault *fault, enum provider_outcome outcome,
                                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    for (char *c = fault->text; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~') {
            *c = '?';
        }
    }
    return outcome;
}
