#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Strangers hold far more connections than there are places, of every kind that costs them little:
# silent, stopped at each step of the handshake, one octet a second. Honest clients are served all
# the same, also from the strangers' own address, and memory stays where it was said to stay.
#
# alone: times are measured under load
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

SECONDS_LONG=${STRANGERS_SECONDS:-6}
choose_ports
make_certs "$CERTS"
start_ntsd "local stratum 10"

# ke_memory: KiB that the KE process has of its own.
ke_process() { for p in $(children_of "$NTSD_PID"); do
    if [ "$(cat "/proc/$p/comm")" = "ntsd: ke" ]; then echo "$p"; fi
done; }
ke_memory() { awk '/^Private_Dirty/ { print $2 }' "/proc/$(ke_process)/smaps_rollup"; }
counted() {
    curl -s -m 5 "http://127.0.0.1:$HTTP/metrics" |
        sed -n "s/^ntsd_ke_connections_total{outcome=\"$1\"} //p"
}
crowded() { [ "$(ss -Htn state established "sport = :$KE" | wc -l)" -ge "$1" ]; }
# honest SECONDS: shakes hands four times a second; `line` is what came of it.
honest() {
    "$BIN/tests/e2e/handshaker" "$CERTS/ca.pem" "$KE" "$1" 4 >"$T/honest.log"
    line=$(tail -n 1 "$T/honest.log")
}
value() { sed -n "s/.* $1 \([0-9.]*\).*/\1/p" <<<" $line"; }

before=$(ke_memory)
start strangers "$BIN/tests/e2e/strangers" "$CERTS/ca.pem" "127.0.0.1:$KE" 1500 1500
strangers=$PID
verdict "1500 strangers fill the 1000 places" "$(ss -Htn "sport = :$KE" | wc -l)" \
    within 10000 crowded 950
# Whatever else the machine does for a moment is not held against it: the best of three rounds.
for _ in 1 2 3; do
    honest "$SECONDS_LONG"
    verdict "every honest handshake is served: $line" "$(grep -m 3 '^failed' "$T/honest.log")" \
        [ "$(value failed)" = 0 ]
    less "$(value p95_ms)" 300 && break
done
verdict "95 in 100 take under 300 ms: $(value p95_ms) ms, half of them under $(value median_ms) ms" \
    "more" less "$(value p95_ms)" 300
held=$(ss -Htn state established "sport = :$KE" | wc -l)
each=$((($(ke_memory) - before) / (held > 0 ? held : 1)))
verdict "a held connection takes under 40 KiB, $each KiB with $held of them" "$each" \
    [ "$each" -lt 40 ]
verdict "strangers make room for others: $(counted displaced) did" "nobody did" \
    [ "$(counted displaced)" -gt 0 ]
finish "$strangers"
say "$(tail -n 1 "$T/strangers.log")"

# Ten thousand at once: the pool holds, and nobody is the worse for it when they are gone.
start strangers "$BIN/tests/e2e/strangers" "$CERTS/ca.pem" "127.0.0.1:$KE" 10000 10000
strangers=$PID
sleep 4
peak=$(ke_memory)
verdict "10,000 attempted: $peak KiB in the KE process" "more than 1256 x 40 KiB" \
    [ "$peak" -lt $((1256 * 40)) ]
verdict "nobody is left without an answer for good" "refused" \
    quietly "$BIN/ntsq" --ca "$CERTS/ca.pem" --ke-port "$KE" --timeout 20 localhost
finish "$strangers"
say "$(tail -n 1 "$T/strangers.log")"
calm() { honest 1 && less "$(value slowest_ms)" 300; }
verdict "honest clients notice nothing any more when they are gone" "$line" within 20000 calm
verdict "no process has died" "$(grep 'ended unasked' "$T/ntsd.log")" \
    [ "$(grep -c 'ended unasked' "$T/ntsd.log")" = 0 ]
[ "$FAILED" = 0 ] || show_logs
