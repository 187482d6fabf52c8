/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys for a time source over NTS: one key establishment in one of libuv's helper threads, because
 * it blocks. Shell module; begun and ended on the loop's thread. The one place where the NTS-KE
 * client and the NTP client meet.
 */
#ifndef NTSD_NTSD_CLOCK_KEYS_H
#define NTSD_NTSD_CLOCK_KEYS_H

#include "ntp/clock/ntp_session.h"
#include "ntsd/config.h"

#include <uv.h>

/* `session` NULL: it failed, `why` is a sentence. The session is wiped after the call. */
typedef void (*clock_keys_over)(void *ctx, const struct ntp_session *session, const char *why);

/*
 * Begins. Strings outlive it; `over` is called once, with the loop's thread, even when the loop is
 * told to end meanwhile and is run on. NTS_EINTERNAL: it did not begin, `over` is not called.
 */
NODISCARD enum nts_err clock_keys_begin(uv_loop_t *loop, const struct config_source *source,
                                        const char *ca_file, clock_keys_over over, void *ctx);

#endif
