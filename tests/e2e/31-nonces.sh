#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Nonces of replies are unique over workers, over a worker process that was killed and its successor,
# and over a restart of everything.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

nonces() {
    "$BIN/tests/e2e/nonces" --ca "$CERTS/ca.pem" --port "$NTP" --ke-port "$KE" --http-port "$HTTP" \
        >>"$T/nonces"
}
ntp_process() { pgrep -P "$NTSD_PID" -f . | while read -r p; do
    grep -q 'ntp' "/proc/$p/comm" && echo "$p"
done; }

start_ntsd "local stratum 3"
nonces
kill -KILL "$(ntp_process)"
within 2000 canary
nonces
kill_ntsd
run_ntsd
within 5000 is_ready
nonces
count=$(wc -l <"$T/nonces")
verdict "60,000 replies carried a nonce" "$count" [ "$count" = 60000 ]
verdict "no nonce occurred twice" "$(sort "$T/nonces" | uniq -d | wc -l) did" \
    [ -z "$(sort "$T/nonces" | uniq -d)" ]
