#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Bad datagrams, NTS-KE requests and TLS connections against a running server, row by row, with an
# honest exchange after each; then: nothing leaked, nothing restarted, the log stayed short.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

# resources: open descriptors of all processes, one line.
descriptors() {
    local pid n=0
    for pid in "$NTSD_PID" $(children_of "$NTSD_PID"); do
        n=$((n + $(find "/proc/$pid/fd" -mindepth 1 2>/dev/null | wc -l)))
    done
    echo "$n"
}
process_ids() { children_of "$NTSD_PID" | sort -n | tr '\n' ' '; }
same_descriptors() { [ "$(descriptors)" = "$fds" ]; }

start_ntsd "local stratum 3"
canary # what the first exchange opens for good is not a leak
fds=$(descriptors)
children=$(process_ids)
lines=$(wc -l <"$T/ntsd.log")
for program in ntp ke tls; do
    "$BIN/tests/e2e/badinput_$program" --ca "$CERTS/ca.pem" --port "$NTP" --ke-port "$KE" \
        --http-port "$HTTP"
done
verdict "all descriptors given back" "$fds before, $(descriptors) now" within 4000 same_descriptors
verdict "no process was restarted" "were $children, are $(process_ids)" \
    [ "$(process_ids)" = "$children" ]
added=$(($(wc -l <"$T/ntsd.log") - lines))
verdict "strangers wrote under 20 log lines" "$added lines" [ "$added" -lt 20 ]
