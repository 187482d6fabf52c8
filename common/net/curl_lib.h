/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, loaded when it is first asked for and never linked: linking would map it and its 25
 * libraries, four megabytes and some thousand functions, into every process, those that parse
 * strangers' packets included, while one process alone speaks HTTPS. Shell module.
 *
 * All memory that libcurl gives back is wiped first: it held credentials and secrets. The library
 * is never unloaded. For https.c alone; nobody else includes this.
 */
#ifndef NTSD_COMMON_NET_CURL_LIB_H
#define NTSD_COMMON_NET_CURL_LIB_H

#include "common/base/err.h"

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

/* The functions used, with the types of the headers the program was built with. */
struct curl_lib {
    __typeof__(curl_global_init_mem) *global_init_mem;
    __typeof__(curl_version_info) *version_info;
    __typeof__(curl_easy_init) *easy_init;
    __typeof__(curl_easy_cleanup) *easy_cleanup;
    __typeof__(curl_easy_setopt) *easy_setopt;
    __typeof__(curl_easy_perform) *easy_perform;
    __typeof__(curl_easy_getinfo) *easy_getinfo;
    __typeof__(curl_easy_strerror) *easy_strerror;
    __typeof__(curl_slist_append) *slist_append;
    __typeof__(curl_slist_free_all) *slist_free_all;
    /* Of the OpenSSL that libcurl uses; NULL when it is built with another TLS library. */
    uint64_t (*ssl_ctx_set_options)(void *ctx, uint64_t options);
};

/*
 * The library, or NULL: then `why` says what is missing and what to install. The first call loads
 * and initialises it, the others return what came of that. Thread-safe.
 */
const struct curl_lib *curl_lib_get(const char **why);

#endif
