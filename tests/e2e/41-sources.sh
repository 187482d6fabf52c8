#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Kinds of sources and their manners, in a network namespace: a server that forbids, slows down, is
# silent, answers twice or with a wrong origin; storms of restarts and SIGHUP; a server over NTS;
# ClockBound's file; a hardware clock that is not there; an operator's word for the time in between.
# shellcheck source=tests/support/clock_ns.sh
. "$(dirname "$0")/../support/clock_ns.sh" "$0" "${1:-build}" \
    "kisses" "restart storms" "a source over NTS" "ClockBound" "no hardware clock"

# ---- a server that changes its mind
upstream moody 127.0.0.1 10123 11001 "root 0.0005 0.0002"
follow "server 127.0.0.1 port 10123 minpoll -1 maxpoll -1 iburst" "maxclockerror 1"
moody() { event 127.0.0.1 "$1"; }
more() { [ "$(moody "$1")" -gt "$2" ]; }
verdict "scripted upstream: synchronised" "$(metrics | grep clock_state)" \
    within 5000 clock_is synchronised
# moody_says NAME COMMAND EVENT: after the command the event is counted
moody_says() {
    local before
    before=$(moody "$3")
    tell 11001 "$2" >/dev/null
    verdict "$1" "$(metrics | grep source_events)" within 4000 more "$3" "$before"
}
moody_says "a wrong origin is counted and no answer" "origin off" origin
tell 11001 "origin on" >/dev/null
tell 11001 "twice on" >/dev/null
before=$(moody ok) sent=$(moody sent)
sleep 2
verdict "a copy of the answer finds a closed port" "$(metrics | grep source_events)" \
    [ "$(($(moody ok) - before))" -le "$(($(moody sent) - sent + 1))" ]
tell 11001 "twice off" >/dev/null
moody_says "leap 3 is of no use" "leap 3" unsynchronised
tell 11001 "leap 0" >/dev/null
moody_says "stratum 16 is of no use" "stratum 16" unsynchronised
tell 11001 "stratum 2" >/dev/null
moody_says "a root distance of 2 s is of no use" "root 1 1.5" distance
tell 11001 "root 0.0005 0.0002" >/dev/null
moody_says "silence is a miss" "silence on" timeout
tell 11001 "silence off" >/dev/null
moody_says "an unknown kiss is of no use" "kiss XYZW" kiss
moody_says "RATE is heeded" "kiss RATE" rate
tell 11001 "kiss off" >/dev/null
# A kiss may come twice before it is turned off.
slower() { less 0.9 "$(metric 'ntsd_source_poll_seconds{source="127.0.0.1"}')"; }
verdict "RATE: asked every second (or less often) instead of every half" "$(metrics | grep poll_seconds)" \
    within 3000 slower
moody_says "DENY is heeded" "kiss DENY" deny
tell 11001 "kiss off" >/dev/null
before=$(tell 11001 count)
sleep 3
verdict "DENY: not asked any more" "$before, then $(tell 11001 count)" [ "$(tell 11001 count)" = "$before" ]
kill -KILL "$(clock_process)"
restarted() { [ -n "$(clock_process)" ] && more silenced 0; }
within 3000 restarted
sleep 1
verdict "DENY: not by the next process either" "$(tell 11001 count)" [ "$(tell 11001 count)" = "$before" ]
verdict "the next process goes on with the served line" "$(metrics | grep clock_state)" \
    [ "$(metric ntsd_clock_trusted)" = 1 ]
unfollow

# ---- storms
upstream storm 127.0.0.1 10124 11002
follow "server 127.0.0.1 port 10124 minpoll 1 maxpoll 1"
within 5000 clock_is synchronised
for _ in 1 2 3 4 5 6; do
    kill -KILL "$(clock_process)" 2>/dev/null
    for _ in {1..50}; do kill -HUP "$NTSD_PID"; done
    sleep 0.7
done
sleep 3
# Half a second is what a busy machine may add to one and take from the next.
verdict "six kills and 300 SIGHUP: no two requests within 2 s, the closest $(closest storm) s" \
    "$(cat "$T/storm.requests")" awk -v gap="$(closest storm)" 'BEGIN { exit !(gap >= 1.5) }'
verdict "and it was asked on" "$(tell 11002 count) times" [ "$(tell 11002 count)" -ge 3 ]
ports=$(cut -d' ' -f3 "$T/storm.requests" | sort -u | wc -l)
stamps=$(cut -d' ' -f4 "$T/storm.requests" | sort -u | wc -l)
total=$(wc -l <"$T/storm.requests")
verdict "$total requests from $ports ports with $stamps different transmit timestamps" "repetitions" \
    [ "$stamps" = "$total" -a "$ports" -ge $((total - 1)) ]
unfollow

# ---- a server over NTS: another ntsd
follow "local stratum 5"
SERVER_PID=$NTSD_PID SERVER_NTP=$NTP SERVER_KE=$KE SERVER_HTTP=$HTTP
within 5000 is_ready
choose_ports
mkdir -m 0700 "$T/state2"
give_away "$T/state2"
write_conf "$T/nts.conf" "ntstrustedcerts $CERTS/ca.pem" \
    "server localhost port $SERVER_NTP nts ntsport $SERVER_KE minpoll -1 maxpoll -1 iburst"
sed -i "s,^ntsdumpdir .*,ntsdumpdir $T/state2," "$T/nts.conf"
start ntsd2 "$BIN/ntsd" -c "$T/nts.conf"
NTSD_PID=$PID
verdict "over NTS: synchronised" "$(cat "$T/ntsd2.log")" within 6000 clock_is synchronised
verdict "over NTS: stratum 6, kind nts" "$(metrics | grep -E 'stratum|info')" \
    [ "$(metric ntsd_clock_stratum)$(metric 'ntsd_source_info{source="localhost",kind="nts"}')" = 61 ]
asked() { [ "$(event localhost ok)" -ge 12 ]; }
within 8000 asked
verdict "over NTS: one key establishment for $(event localhost ok) answers" "$(event localhost established)" \
    [ "$(event localhost established)" = 1 ]
finish "$SERVER_PID"
HTTP_KEPT=$HTTP
rm -rf "$T/state"
mkdir -m 0700 "$T/state"
give_away "$T/state"
start ntsd "$BIN/ntsd" -c "$T/ntsd.conf" # the same server with another secret: it knows no cookie
SERVER_PID=$PID HTTP=$SERVER_HTTP
within 5000 is_ready
HTTP=$HTTP_KEPT
again() { [ "$(event localhost established)" -ge 2 ]; }
verdict "over NTS: cookies refused, new keys" "$(metrics | grep source_events)" within 8000 again
verdict "over NTS: the NAK was seen" "$(event localhost nak)" [ "$(event localhost nak)" -ge 1 ]
before=$(event localhost ok)
answered() { [ "$(event localhost ok)" -gt "$before" ]; }
verdict "over NTS: and answers again" "$(metrics | grep source_events)" within 5000 answered
unfollow
write_conf "$T/nts.conf" \
    "server localhost port $SERVER_NTP nts ntsport $SERVER_KE minpoll -1 maxpoll -1 iburst"
sed -i "s,^ntsdumpdir .*,ntsdumpdir $T/state2," "$T/nts.conf"
start ntsd2 "$BIN/ntsd" -c "$T/nts.conf"
NTSD_PID=$PID
refused() { [ "$(event localhost keys_refused)" -ge 1 ]; }
verdict "over NTS: a certificate nobody vouches for gives no time" "$(metrics | grep source_events)" \
    within 5000 refused
verdict "over NTS: nor does the line of one who was vouched for" "$(metrics | grep clock_state)" \
    clock_is starting
verdict "over NTS: and the log says why" "$(tail -n 3 "$T/ntsd2.log")" \
    grep -q 'no keys for time source source=localhost reason=".*certificate' "$T/ntsd2.log"
unfollow
finish "$SERVER_PID"

# ---- ClockBound, at its own place in a mount namespace
mount -t tmpfs none /run
mkdir -m 0755 /run/clockbound
# clock_bound VERSION STATUS SECONDS: writes each half second that nothing is wrong but 2 ms.
clock_bound() {
    start clockbound python3 -c 'import struct, sys, time
version, status, seconds = (int(word) for word in sys.argv[1:])
with open("/run/clockbound/shm0", "wb", buffering=0) as shm:
    for turn in range(2 * seconds):
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        value = struct.pack("=IIIHHqqqqqQIiB7x", 0x414d5a4e, 0x43420200, 80, version, 2 * turn + 2,
                            now // 10**9, now % 10**9, now // 10**9 + 1000, 0, 2_000_000, 0,
                            50000, status, 0)
        shm.seek(0)
        shm.write(value)
        time.sleep(0.5)' "$@"
}
follow "clock system"
within 2000 clock_is starting
clock_bound 2 1 30
BOUND_PID=$PID
verdict "ClockBound: synchronised, whatever the kernel says" "$(metrics | grep clock_)" \
    within 4000 clock_is synchronised
verdict "ClockBound: its bound, $(metric ntsd_clock_error_bound_seconds) s" "not 2 ms" \
    awk -v b="$(metric ntsd_clock_error_bound_seconds)" 'BEGIN { exit !(b > 0.002 && b < 0.0022) }'
finish "$BOUND_PID"
clock_bound 2 2 30
BOUND_PID=$PID
verdict "ClockBound runs free: holdover" "$(metrics | grep clock_state)" within 4000 clock_is holdover
finish "$BOUND_PID"
clock_bound 3 1 30
BOUND_PID=$PID
verdict "ClockBound of an unknown layout is refused by name" "$(tail -n 3 "$T/ntsd.log")" \
    within 4000 logged 'ClockBound refused: layout version not known file=/run/clockbound/shm0 version=3'
finish "$BOUND_PID"
unfollow

# ---- a hardware clock that is not there, alone and with the operator's word
follow "refclock PHC /dev/ptp_ena poll 0"
within 3000 clock_is starting
verdict "no hardware clock: a source that is down" "$(tail -n 3 "$T/ntsd.log")" \
    within 3000 logged 'hardware clock is down device=/dev/ptp_ena reason="No such file or directory"'
verdict "no hardware clock: not ready" "/readyz says $(readiness)" [ "$(readiness)" = 503 ]
verdict "no hardware clock: nothing else happens" "restarts" \
    [ "$(metric 'ntsd_process_restarts_total{process="clock",index="0"}')" = 0 ]
"$BIN/ntsctl" status --url "http://127.0.0.1:$HTTP/metrics" >"$T/status.txt" 2>&1
verdict "ntsctl status shows it" "$(cat "$T/status.txt")" \
    grep -q '^? /dev/ptp_ena  *phc .* silent$' "$T/status.txt"
unfollow
follow "refclock PHC /dev/ptp_ena" "local stratum 9"
verdict "with local stratum 9: served meanwhile" "$(metrics | grep clock_)" within 3000 is_ready
verdict "with local stratum 9: stratum 9" "$(metric ntsd_clock_stratum)" \
    [ "$(metric ntsd_clock_stratum)" = 9 ]
unfollow
[ "$FAILED" = 0 ] || show_logs
