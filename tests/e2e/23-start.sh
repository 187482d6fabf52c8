#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Start, size and end: first answer within a second, 40 MB in all, mistakes named by file and line,
# SIGTERM drains, and a server without a clock says so.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

choose_ports
make_certs "$CERTS"
mkdir -m 0700 "$T/state"
chmod 0755 "$T"
give_away "$T/state"

# ---- the first start ever, with its key document to make
write_conf "$T/ntsd.conf" "local stratum 10"
run_ntsd
if within 5000 canary; then
    verdict "start to first authenticated answer: $ELAPSED_MS ms" "over 1 s" \
        [ "$ELAPSED_MS" -lt 1000 ]
else
    not_ok "start to first authenticated answer" "none within 5 s"
    show_logs
fi
verdict "ready" "/readyz says $(http_status /readyz)" within 2000 is_ready
verdict "alive" "/healthz says $(http_status /healthz)" [ "$(http_status /healthz)" = 200 ]

# ---- size: resident pages, and each page counted once for all processes that share it
# kilobytes FILE FIELD: of /proc/PID/FILE, summed over ntsd and its children.
kilobytes() {
    local pid
    for pid in "$NTSD_PID" $(children_of "$NTSD_PID"); do
        cat "/proc/$pid/$1" 2>/dev/null
    done | awk -v field="$2:" '$1 == field { sum += $2 } END { print sum + 0 }'
}
rss=$(kilobytes status VmRSS) pss=$(kilobytes smaps_rollup Pss)
[ "$pss" -gt 0 ] || pss="(not readable)"
verdict "all processes together under 40 MB: sum of Rss $rss kB, of Pss $pss kB" "more" \
    [ "$rss" -gt 0 -a "$rss" -lt 40960 ]

# ---- the end
children=$(children_of "$NTSD_PID")
started=$(now_ms)
kill -TERM "$NTSD_PID"
if within 5500 gone_or_zombie "$NTSD_PID"; then
    took=$(($(now_ms) - started))
    wait "$NTSD_PID"
    status=$?
    verdict "SIGTERM: ends with 0 after $took ms" "status $status" [ "$status" = 0 ]
else
    not_ok "SIGTERM ends it within 5 s" "still there"
fi
none_alive() {
    local pid
    for pid in $children; do gone_or_zombie "$pid" || return 1; done
}
verdict "no child is left" "$children" within 1000 none_alive

# ---- a mistake in the configuration
write_conf "$T/bad.conf" "local stratum 99"
line=$(grep -n 'local stratum' "$T/bad.conf" | cut -d: -f1)
"$BIN/ntsd" -c "$T/bad.conf" -t >"$T/check.log" 2>&1
status=$?
verdict "-t names file and line: $(grep -m 1 -o 'bad\.conf:.*' "$T/check.log")" \
    "status $status: $(cat "$T/check.log")" grep -q "$T/bad.conf:$line: " "$T/check.log"
verdict "-t fails on it with 1" "status $status" [ "$status" = 1 ]
verdict "-t is content with a good one" "$("$BIN/ntsd" -c "$T/ntsd.conf" -t 2>&1)" \
    quietly "$BIN/ntsd" -c "$T/ntsd.conf" -t

# ---- nothing to take the time from: leap 3 and stratum 0, authenticated, not ready
# The source is then the kernel clock, so its kernel has to be unsynchronised: adjtimex() says 5.
kernel=$(python3 -c 'import ctypes; print(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(256)))')
if [ "$kernel" != 5 ]; then
    skip "unsynchronised: leap 3, stratum 0, not ready" "this machine's clock is synchronised"
    exit 0
fi
write_conf "$T/ntsd.conf"
run_ntsd
says_so() {
    ask --json >"$T/unsynchronised.json" 2>&1
    [ $? = 1 ] && grep -q '"leap"' "$T/unsynchronised.json"
}
verdict "unsynchronised: ntsq says so with status 1" "not so" \
    within 5000 says_so
verdict "unsynchronised: leap 3" "$(cat "$T/unsynchronised.json")" \
    grep -qE '"leap": *3' "$T/unsynchronised.json"
verdict "unsynchronised: stratum 0" "$(cat "$T/unsynchronised.json")" \
    grep -qE '"stratum": *0' "$T/unsynchronised.json"
verdict "unsynchronised: not ready" "/readyz says $(http_status /readyz)" \
    [ "$(http_status /readyz)" = 503 ]
finish "$NTSD_PID"
[ "$FAILED" = 0 ] || show_logs
