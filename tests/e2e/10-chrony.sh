#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Debian's chronyd as an NTS client: it must select ntsd, authenticated, under 1 ms away. It runs
# with -x and without any capability, so that it cannot touch this machine's clock.
#
# alone: offsets are measured
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

need_peer chrony "chronyd synchronises over NTS"
start_ntsd "local stratum 10"

has_full_jar() { [ "$(chrony_auth 9)" = 8 ]; }

is_close() {
    offset=$(chrony_data Offset)
    offset=${offset% seconds}
    less "$offset" 0.001
}

# synchronise NAME ADDRESS
synchronise() {
    local name=$1 offset=none
    start_chronyd "$2" || return
    if ! within 10000 chrony_selected; then
        not_ok "$name: ntsd is selected" "$(chronyc sources | tail -n 1)"
        show_logs
    else
        ok "$name: ntsd is selected after $ELAPSED_MS ms"
    fi
    verdict "$name: chronyd has no right to set the clock" "capabilities left" \
        cannot_set_clock "$CHRONYD_PID"
    verdict "$name: mode NTS, no NAK" "$(chronyc -c authdata)" \
        [ "$(chrony_auth 2) $(chrony_auth 8)" = "NTS 0" ]
    verdict "$name: key id counts handshakes: one" "$(chrony_auth 3)" [ "$(chrony_auth 3)" = 1 ]
    verdict "$name: eight cookies kept" "$(chrony_auth 9)" within 2000 has_full_jar
    verdict "$name: replies are authenticated" "$(chrony_data Authenticated)" \
        [ "$(chrony_data Authenticated)" = Yes ]
    # A busy machine spoils a sample now and then, never all of them.
    within 5000 is_close
    verdict "$name: offset under 1 ms: $offset s" "never in 5 s" less "$offset" 0.001
    finish "$CHRONYD_PID"
}

synchronise "chronyd, IPv4" 127.0.0.1
if has_ipv6; then
    synchronise "chronyd, IPv6" ::1
else
    skip "chronyd, IPv6" "no ::1 here"
fi
