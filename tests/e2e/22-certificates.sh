#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The certificate is replaced under a load of handshakes: the new one is served once its files have
# settled, a bad one is not, and no handshake fails.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

choose_ports
make_certs "$CERTS"
make_certs "$T/second" second.example
make_certs "$T/third" third.example
cat "$CERTS/ca.pem" "$T/second/ca.pem" "$T/third/ca.pem" >"$T/trusted.pem"
start_ntsd "local stratum 10"

start load "$BIN/tests/e2e/handshaker" "$T/trusted.pem" "$KE" 9
load=$PID
serves() { grep '^leaf ' "$T/load.log" | tail -n 1 | grep -q "$1"; }
# complained: a line about the file, newer than line SEEN of the log.
complained() { tail -n +$((seen + 1)) "$T/ntsd.log" | grep -q "$1"; }
verdict "handshakes are served" "none" within 3000 serves localhost

# As a deploy script does it: one file after the other, each in two writes.
replace() {
    local from=$1 to=$2
    head -c 100 "$from" >"$to"
    sleep 0.1
    tail -c +101 "$from" >>"$to"
}
replace "$T/second/server.key" "$CERTS/server.key"
replace "$T/second/server.pem" "$CERTS/server.pem"
verdict "the new certificate is served" "still the old one" within 3000 serves second.example

seen=$(wc -l <"$T/ntsd.log")
head -c 300 "$T/third/server.pem" >"$CERTS/server.pem"
verdict "a half-written one is refused with its name in the log" "no line" \
    within 3000 complained "server\.pem"
cp "$T/third/server.pem" "$CERTS/server.pem"
kill -HUP "$NTSD_PID"
sleep 1.5
verdict "one that does not fit its key is refused, the old one stays" "it was served" \
    serves second.example
cp "$T/third/server.key" "$CERTS/server.key"
kill -HUP "$NTSD_PID"
verdict "the next good one is served" "still the old one" within 3000 serves third.example

wait "$load"
result=$(tail -n 1 "$T/load.log")
verdict "no handshake failed: $result" "$(grep -m 3 '^failed' "$T/load.log")" \
    grep -qE '^handshakes [0-9]{2,} failed 0 ' <(echo "$result")
median=$(echo "$result" | sed -n 's/.* median_ms \([0-9.]*\) .*/\1/p')
verdict "an exchange takes under 10 ms, median $median ms" "more" less "$median" 10
[ "$FAILED" = 0 ] || show_logs
