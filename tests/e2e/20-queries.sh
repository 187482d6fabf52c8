#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Many queries without a loss, and a restart that devices do not notice: ntsd and all its children
# killed at once and started again, the cookies handed out before still open.
#
# alone: times are measured
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

start_ntsd "local stratum 10"

# In one handshake as long as cookies last, at no interval: ntsq's exit status is the judge, and
# its own summary is shown.
started=$(now_ms)
if ask --count 1000 --interval 0 >"$T/thousand.log" 2>&1; then
    ok "1000 queries answered and authenticated in $(($(now_ms) - started)) ms"
else
    not_ok "1000 queries answered and authenticated" "$(tail -n 3 "$T/thousand.log")"
fi
if ask --plain --port "$NTP" --count 100 --interval 0 >"$T/plain.log" 2>&1; then
    ok "100 plain queries answered"
else
    not_ok "100 plain queries answered" "$(tail -n 3 "$T/plain.log")"
fi

# count WORD: from the keeper's last line.
count() { awk -v word="$1" '$1 == "answered" { for (i = 1; i < NF; i += 2) if ($i == word) print $(i + 1) }' "$T/keeper.log"; }
start keeper "$BIN/tests/e2e/cookiekeeper" "$CERTS/ca.pem" "$KE" 5 5
keeper=$PID
within 3000 grep -qs ready "$T/keeper.log"
sleep 0.5
kill_ntsd
run_ntsd
verdict "ntsd is ready again after kill -9 of everything" "no" within 5000 is_ready
wait "$keeper"
verdict "cookies of before still open: $(tail -n 1 "$T/keeper.log")" "refused" \
    [ "$(count nak)" = 0 -a "$(count answered)" -gt 200 ]
verdict "devices waited under 2 s" "$(count gap_ms) ms" less "$(count gap_ms)" 2000
verdict "new handshakes work" "canary failed" canary
[ "$FAILED" = 0 ] || show_logs
