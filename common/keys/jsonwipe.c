/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wiping allocator of the JSON library. See jsonwipe.h.
 */
#include "common/keys/jsonwipe.h"

#include "common/base/secret.h"

#include <jansson.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

/* The size is asked of malloc instead of being kept in front of the block: so a block that came
 * from the library before the change may be given back after it. */
static void free_wiped(void *p)
{
    if (p != NULL) {
        wipe(p, malloc_usable_size(p));
        free(p);
    }
}

static void set_allocator(void)
{
    json_set_alloc_funcs(malloc, free_wiped);
}

void jsonwipe_setup(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* written by the first call */
    (void)pthread_once(&once, set_allocator);
}
