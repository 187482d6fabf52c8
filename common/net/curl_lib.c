/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading of libcurl. See curl_lib.h.
 */
#include "common/net/curl_lib.h"

#include "common/base/secret.h"

#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define SONAME "libcurl.so.4"

/* From this version on all headers are signed (before, the session token was not), protocols are
 * chosen by name, and a transfer that is over does not wait for a name server. */
#define VERSION_MIN      0x075700
#define VERSION_MIN_TEXT "7.87.0"

static void free_wiped(void *p)
{
    if (p != NULL) {
        wipe(p, malloc_usable_size(p));
        free(p);
    }
}

/* Not realloc(): that may move a block and leave its octets behind. */
static void *realloc_wiped(void *p, size_t size)
{
    void *bigger = malloc(size);
    if (bigger == NULL || p == NULL) {
        return bigger;
    }
    size_t had = malloc_usable_size(p);
    memcpy(bigger, p, had < size ? had : size);
    free_wiped(p);
    return bigger;
}

struct symbol {
    const char *name;
    size_t offset; /* of its pointer in struct curl_lib */
};

#define SYMBOL(field)                                                                              \
    {                                                                                              \
        "curl_" #field, offsetof(struct curl_lib, field)                                           \
    }
static const struct symbol symbols[] = {
    SYMBOL(global_init_mem), SYMBOL(version_info),   SYMBOL(easy_init),    SYMBOL(easy_cleanup),
    SYMBOL(easy_setopt),     SYMBOL(easy_perform),   SYMBOL(easy_getinfo), SYMBOL(easy_strerror),
    SYMBOL(slist_append),    SYMBOL(slist_free_all),
};

/* What loading came to: written once, by load(). */
static struct curl_lib loaded;
static char failure[160];

static void find(void *library, const struct symbol *symbol)
{
    void *address = dlsym(library, symbol->name);
    if (address == NULL && failure[0] == '\0') {
        (void)snprintf(failure, sizeof(failure), SONAME " has no function %s", symbol->name);
    }
    memcpy((char *)&loaded + symbol->offset, &address, sizeof(address));
}

static void check_version(void)
{
    const curl_version_info_data *info = loaded.version_info(CURLVERSION_NOW);
    if (info->version_num < VERSION_MIN) {
        (void)snprintf(failure, sizeof(failure),
                       SONAME " is of version %.20s, and " VERSION_MIN_TEXT " or newer is needed",
                       info->version);
    }
}

static void load(void)
{
    /* Requests come from whichever thread of a pool is free. With a heap for each of them the
     * process would keep the megabytes that a bundle of CAs takes once for each thread. */
    (void)mallopt(M_ARENA_MAX, 1);
    void *library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        (void)snprintf(failure, sizeof(failure),
                       SONAME " cannot be loaded; install it: apt-get install libcurl4, or dnf "
                              "install libcurl-minimal");
        return;
    }
    for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
        find(library, &symbols[i]);
    }
    void *set_options = dlsym(library, "SSL_CTX_set_options");
    memcpy(&loaded.ssl_ctx_set_options, &set_options, sizeof(set_options));
    if (failure[0] == '\0') {
        check_version();
    }
    if (failure[0] == '\0' && loaded.global_init_mem(CURL_GLOBAL_DEFAULT, malloc, free_wiped,
                                                     realloc_wiped, strdup, calloc) != CURLE_OK) {
        (void)snprintf(failure, sizeof(failure), SONAME " cannot be initialised");
    }
}

const struct curl_lib *curl_lib_get(const char **why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* written by the first call */
    (void)pthread_once(&once, load);
    *why = failure;
    return failure[0] == '\0' ? &loaded : NULL;
}
