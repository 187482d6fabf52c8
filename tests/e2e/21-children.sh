#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each child process is killed in turn under load. Its successor must be there, a whole exchange
# must work and the instance be ready within 2 s; devices must not notice more than such a gap.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

start_ntsd "local stratum 10"
start keeper "$BIN/tests/e2e/cookiekeeper" "$CERTS/ca.pem" "$KE" 5 5
keeper=$PID
within 3000 grep -qs ready "$T/keeper.log"

before=$(children_of "$NTSD_PID" | wc -l)
verdict "five children run" "$before" [ "$before" = 5 ]
is_whole() { gone "$child" && [ "$(children_of "$NTSD_PID" | wc -l)" = "$before" ] && canary && is_ready; }
for child in $(children_of "$NTSD_PID"); do
    role=$(cat "/proc/$child/comm")
    kill -KILL "$child"
    if within 2000 is_whole; then
        ok "$role killed: everything works again after $ELAPSED_MS ms"
    else
        not_ok "$role killed" "not whole after 2 s: $(ps -o pid=,stat=,args= --ppid "$NTSD_PID")"
    fi
done
verdict "the supervisor stayed" "it died" alive "$NTSD_PID"
wait "$keeper"
result=$(tail -n 1 "$T/keeper.log")
verdict "devices: $result" "a NAK, or a gap of 2 s" \
    grep -qE '^answered [0-9]{3,} lost [0-9]+ nak 0 gap_ms 1?[0-9]{1,3}$' <(echo "$result")
[ "$FAILED" = 0 ] || show_logs
