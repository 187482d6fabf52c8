/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request by libcurl. See https.h.
 */
#include "common/net/https.h"

#include "common/base/secret.h"
#include "common/net/curl_lib.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#define USER_AGENT "ntsd/" NTSD_VERSION

enum { BODY_FIRST = 4096, SIGV4_MAX = 128 };

/* SSL_OP_CLEANSE_PLAINTEXT of OpenSSL 3: TLS buffers are wiped when they are freed. By its value,
 * because it goes to the OpenSSL that libcurl was built with, not to ours. */
#define CLEANSE_PLAINTEXT UINT64_C(2)

/* A request under way. */
struct transfer {
    const struct curl_lib *lib;
    const struct https_request *request;
    CURL *curl;
    struct curl_slist *headers;
    bool refused; /* an option that the library does not have, or no memory */
    bool too_long;
    bool no_memory;
    uint8_t *body;
    size_t len;
    size_t room;
    char sigv4[SIGV4_MAX];
    char error[CURL_ERROR_SIZE];
};

NODISCARD enum nts_err https_setup(const char **why)
{
    return curl_lib_get(why) != NULL ? NTS_OK : NTS_ESYSTEM;
}

void https_answer_wipe(struct https_answer *answer)
{
    uint8_t *body = (uint8_t *)(uintptr_t)answer->body.p;
    if (body != NULL) {
        wipe(body, answer->body.n);
        free(body);
    }
    answer->body = span_of(NULL, 0);
}

static void drop_body(struct transfer *t)
{
    if (t->body != NULL) {
        wipe(t->body, t->room);
        free(t->body);
        t->body = NULL;
    }
    t->len = 0;
    t->room = 0;
}

/* Room for `need` octets in all. Not realloc(): that would leave a copy behind. */
static bool grow(struct transfer *t, size_t need)
{
    if (need <= t->room) {
        return true;
    }
    size_t room = t->room == 0 ? BODY_FIRST : t->room;
    while (room < need) {
        room *= 2;
    }
    uint8_t *bigger = malloc(room);
    if (bigger == NULL) {
        t->no_memory = true;
        return false;
    }
    size_t len = t->len;
    if (len > 0) {
        memcpy(bigger, t->body, len);
    }
    drop_body(t);
    t->body = bigger;
    t->len = len;
    t->room = room;
    return true;
}

/* libcurl's write callback: returning less than it was given ends the transfer. */
static size_t on_body(char *octets, size_t size, size_t count, void *user)
{
    struct transfer *t = user;
    size_t n = size * count;
    if (n > t->request->answer_max - t->len) {
        t->too_long = true;
        return 0;
    }
    if (n == 0 || !grow(t, t->len + n)) {
        return 0;
    }
    memcpy(t->body + t->len, octets, n);
    t->len += n;
    return n;
}

static CURLcode on_tls(CURL *curl, void *ssl_ctx, void *user)
{
    const struct transfer *t = user;
    (void)curl;
    (void)t->lib->ssl_ctx_set_options(ssl_ctx, CLEANSE_PLAINTEXT);
    return CURLE_OK;
}

static void set_long(struct transfer *t, CURLoption option, long value)
{
    t->refused |= t->lib->easy_setopt(t->curl, option, value) != CURLE_OK;
}

static void set_text(struct transfer *t, CURLoption option, const char *value)
{
    t->refused |= t->lib->easy_setopt(t->curl, option, value) != CURLE_OK;
}

static void set_object(struct transfer *t, CURLoption option, void *value)
{
    t->refused |= t->lib->easy_setopt(t->curl, option, value) != CURLE_OK;
}

static void set_limits(struct transfer *t)
{
    set_long(t, CURLOPT_NOSIGNAL, 1);
    set_long(t, CURLOPT_CONNECTTIMEOUT_MS, (long)t->request->connect_ms);
    set_long(t, CURLOPT_TIMEOUT_MS, (long)t->request->total_ms);
    /* Otherwise the end of a transfer waits for a name server that does not answer, for as long as
     * the resolver likes, and a deadline would be none. */
    set_long(t, CURLOPT_QUICK_EXIT, 1);
    set_long(t, CURLOPT_FORBID_REUSE, 1);
    set_long(t, CURLOPT_FOLLOWLOCATION, 0);
    set_text(t, CURLOPT_PROTOCOLS_STR, "http,https");
    set_long(t, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    set_long(t, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
    if (t->request->direct) {
        set_text(t, CURLOPT_PROXY, ""); /* stands above the environment */
    }
}

static void set_tls(struct transfer *t)
{
    set_long(t, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    set_long(t, CURLOPT_SSL_VERIFYPEER, 1);
    set_long(t, CURLOPT_SSL_VERIFYHOST, 2);
    set_long(t, CURLOPT_SSL_SESSIONID_CACHE, 0);
    if (t->request->ca_file != NULL) {
        set_text(t, CURLOPT_CAINFO, t->request->ca_file);
        set_text(t, CURLOPT_CAPATH, NULL); /* instead of the system's, not beside them */
    }
    if (t->lib->ssl_ctx_set_options != NULL) {
        /* A libcurl with another TLS library than OpenSSL says no, and has nothing to set. */
        (void)t->lib->easy_setopt(t->curl, CURLOPT_SSL_CTX_FUNCTION, on_tls);
        (void)t->lib->easy_setopt(t->curl, CURLOPT_SSL_CTX_DATA, t);
    }
}

static void set_signer(struct transfer *t)
{
    const struct https_signer *signer = t->request->signer;
    if (signer == NULL) {
        return;
    }
    int len =
        snprintf(t->sigv4, sizeof(t->sigv4), "aws:amz:%s:%s", signer->region, signer->service);
    t->refused |= len < 0 || (size_t)len >= sizeof(t->sigv4);
    set_text(t, CURLOPT_AWS_SIGV4, t->sigv4);
    set_text(t, CURLOPT_USERNAME, signer->access_key_id);
    set_text(t, CURLOPT_PASSWORD, signer->secret_access_key);
}

static void set_request(struct transfer *t)
{
    const struct https_request *request = t->request;
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++) {
        struct curl_slist *longer = t->lib->slist_append(t->headers, request->headers[i]);
        t->no_memory |= longer == NULL;
        t->headers = longer != NULL ? longer : t->headers;
    }
    set_object(t, CURLOPT_HTTPHEADER, t->headers);
    set_text(t, CURLOPT_USERAGENT, USER_AGENT);
    set_text(t, CURLOPT_URL, request->url);
    if (strcmp(request->method, "POST") == 0) {
        set_long(t, CURLOPT_POST, 1);
        set_long(t, CURLOPT_POSTFIELDSIZE, (long)request->body.n);
        set_text(t, CURLOPT_POSTFIELDS, (const char *)request->body.p); /* borrowed, not copied */
    } else {
        set_text(t, CURLOPT_CUSTOMREQUEST, request->method);
    }
}

static void set_output(struct transfer *t)
{
    t->refused |= t->lib->easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK;
    set_object(t, CURLOPT_WRITEDATA, t);
    set_object(t, CURLOPT_ERRORBUFFER, t->error);
}

/* Codes that are not in the table mean that the two did not understand each other. */
static enum https_outcome outcome_of(const struct transfer *t, CURLcode code)
{
    static const struct {
        CURLcode code;
        enum https_outcome outcome;
    } table[] = {
        {CURLE_OK, HTTPS_OK},
        {CURLE_COULDNT_RESOLVE_HOST, HTTPS_NO_CONNECTION},
        {CURLE_COULDNT_RESOLVE_PROXY, HTTPS_NO_CONNECTION},
        {CURLE_COULDNT_CONNECT, HTTPS_NO_CONNECTION},
        {CURLE_PROXY, HTTPS_NO_CONNECTION},
        {CURLE_OPERATION_TIMEDOUT, HTTPS_TIMEOUT},
        {CURLE_SSL_CONNECT_ERROR, HTTPS_TLS},
        {CURLE_PEER_FAILED_VERIFICATION, HTTPS_TLS},
        {CURLE_SSL_CACERT_BADFILE, HTTPS_TLS},
        {CURLE_SSL_ISSUER_ERROR, HTTPS_TLS},
        {CURLE_SSL_INVALIDCERTSTATUS, HTTPS_TLS},
        {CURLE_SSL_CIPHER, HTTPS_TLS},
        {CURLE_USE_SSL_FAILED, HTTPS_TLS},
        {CURLE_OUT_OF_MEMORY, HTTPS_INTERNAL},
        {CURLE_FAILED_INIT, HTTPS_INTERNAL},
        {CURLE_URL_MALFORMAT, HTTPS_INTERNAL},
        {CURLE_UNSUPPORTED_PROTOCOL, HTTPS_INTERNAL},
        {CURLE_NOT_BUILT_IN, HTTPS_INTERNAL},
        {CURLE_BAD_FUNCTION_ARGUMENT, HTTPS_INTERNAL},
        {CURLE_UNKNOWN_OPTION, HTTPS_INTERNAL},
        {CURLE_SSL_ENGINE_INITFAILED, HTTPS_INTERNAL},
    };
    if (t->no_memory) {
        return HTTPS_INTERNAL;
    }
    if (t->too_long) {
        return HTTPS_TOO_LONG;
    }
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].code == code) {
            return table[i].outcome;
        }
    }
    return HTTPS_BROKEN;
}

/* The library's words may repeat what a server sent. */
static void say_why(char why[static HTTPS_WHY_MAX], const char *text)
{
    size_t n = strnlen(text, HTTPS_WHY_MAX - 1);
    for (size_t i = 0; i < n; i++) {
        why[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    }
    why[n] = '\0';
}

static enum https_outcome perform(struct transfer *t, struct https_answer *answer)
{
    set_limits(t);
    set_tls(t);
    set_signer(t);
    set_request(t);
    set_output(t);
    if (t->no_memory || t->refused) {
        say_why(answer->why, t->no_memory ? "memory ran out" : "libcurl lacks an option");
        return HTTPS_INTERNAL;
    }
    CURLcode code = t->lib->easy_perform(t->curl);
    long status = 0;
    curl_off_t connect_us = 0;
    (void)t->lib->easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    (void)t->lib->easy_getinfo(t->curl, CURLINFO_CONNECT_TIME_T, &connect_us);
    answer->status = (int)status;
    answer->connected = connect_us > 0;
    enum https_outcome outcome = outcome_of(t, code);
    if (code == CURLE_UNSUPPORTED_PROTOCOL && answer->connected) {
        outcome = HTTPS_BROKEN; /* theirs (HTTP/0.9), not that of the URL */
    }
    if (outcome == HTTPS_TOO_LONG) {
        (void)snprintf(answer->why, sizeof(answer->why), "more than %zu octets came",
                       t->request->answer_max);
    } else if (outcome != HTTPS_OK) {
        say_why(answer->why, t->error[0] != '\0' ? t->error : t->lib->easy_strerror(code));
    }
    return outcome;
}

NODISCARD enum https_outcome https_ask(const struct https_request *request,
                                       struct https_answer *answer)
{
    struct transfer t = {.request = request};
    const char *why;
    *answer = (struct https_answer){0};
    t.lib = curl_lib_get(&why);
    if (t.lib == NULL) {
        say_why(answer->why, why);
        return HTTPS_INTERNAL;
    }
    t.curl = t.lib->easy_init();
    if (t.curl == NULL) {
        say_why(answer->why, "memory ran out");
        return HTTPS_INTERNAL;
    }
    enum https_outcome outcome = perform(&t, answer);
    t.lib->easy_cleanup(t.curl);
    t.lib->slist_free_all(t.headers);
    /* The CAs took megabytes, and the next request is minutes away. */
    (void)malloc_trim(0);
    if (outcome != HTTPS_OK) {
        drop_body(&t);
    }
    answer->body = span_of(t.body, t.len);
    wipe(t.error, sizeof(t.error));
    return outcome;
}
