/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See status_page.h.
 */
#include "ntsd/status_page.h"

#include "ntsd/readiness.h"

#include <string.h>

static const char plain[] = "text/plain; charset=utf-8";

static void put(struct wr *body, const char *text)
{
    wr_bytes(body, span_of(text, strlen(text)));
}

static unsigned write_ready(const struct snapshot *s, enum readiness_service service,
                            struct wr *body)
{
    enum readiness readiness = readiness_of(s, service);
    put(body, readiness_text(readiness));
    put(body, "\n");
    return readiness == READY ? 200 : 503;
}

static unsigned write_health(const struct snapshot *s, struct wr *body)
{
    enum role missing = ROLE_COUNT;
    if (readiness_is_healthy(s, &missing)) {
        put(body, "ok\n");
        return 200;
    }
    put(body, role_name(missing));
    put(body, " process not running\n");
    return 503;
}

static bool is(struct span path, const char *name)
{
    return span_is(path, name, strlen(name));
}

unsigned status_page_write(const struct snapshot *snapshot, struct span path, struct wr *body,
                           const char **type)
{
    *type = plain;
    if (is(path, "/healthz")) {
        return write_health(snapshot, body);
    }
    if (is(path, "/readyz")) {
        return write_ready(snapshot, READINESS_ALL, body);
    }
    if (is(path, "/readyz/ntp")) {
        return write_ready(snapshot, READINESS_NTP, body);
    }
    if (is(path, "/readyz/ke")) {
        return write_ready(snapshot, READINESS_KE, body);
    }
    if (is(path, "/metrics")) {
        *type = "text/plain; version=0.0.4; charset=utf-8";
        metrics_write(snapshot, body);
        return 200;
    }
    put(body, "not found\n");
    return 404;
}
