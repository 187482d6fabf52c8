#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole daemon is started again on the same boot: it goes on with the line it served, neither
# bursts nor asks too soon, also when all of it was killed; a second daemon in its directory, a
# damaged file and a full disk do no harm. In a network namespace.
# shellcheck source=tests/support/clock_ns.sh
. "$(dirname "$0")/../support/clock_ns.sh" "$0" "${1:-build}" \
    "the daemon started again" "a damaged clock state" "no room for the clock state"

# ---- stopped and started, killed and started: no burst, and never without the time
upstream again 127.0.0.1 10125 11003
follow "server 127.0.0.1 port 10125 minpoll 2 maxpoll 2 iburst"
answered_four() { [ "$(event 127.0.0.1 ok)" -ge 4 ]; }
verdict "started first: a burst" "$(cat "$T/again.requests")" within 15000 answered_four
BURST=$(tell 11003 count)
goes_on() { [ "$(grep -c 'clock goes on with the line of the last run' "$T/ntsd.log")" -ge "$1" ]; }
unfollow
run_ntsd
verdict "started again: goes on with the line" "$(tail -n 5 "$T/ntsd.log")" within 5000 goes_on 1
verdict "started again: synchronised" "$(metrics | grep clock_state)" within 5000 clock_is synchronised
verdict "started again: it says what it said" "$(metrics | grep clock_)" \
    [ "$(metric ntsd_clock_stratum)" = 3 ]
verdict "started again: synchronised without having asked" "$(grep 'clock changed' "$T/ntsd.log")" \
    awk '/goes on with the line/ { n = 1 } n && /clock changed/ { exit !/state=synchronised reason=none/ }' \
    "$T/ntsd.log"
verdict "started again: ready" "/readyz says $(readiness)" within 5000 is_ready
children_gone() { ! kill -0 "${CHILDREN[@]}" 2>/dev/null; }
for n in 2 3 4 5; do # killed, all of it: what was noted before the last request has to do
    mapfile -t CHILDREN < <(children_of "$NTSD_PID")
    kill -KILL "$NTSD_PID"
    wait "$NTSD_PID" 2>/dev/null
    within 5000 children_gone
    run_ntsd
    within 5000 goes_on "$n"
done
verdict "killed and started again, four times: goes on each time" "$(tail -n 9 "$T/ntsd.log")" \
    goes_on 5
sent=$(tell 11003 count)
asked_on() { [ "$(tell 11003 count)" -gt "$sent" ]; }
verdict "and asks on" "$(tell 11003 count)" within 20000 asked_on
# Those of the burst are two seconds apart. Half a second is what a busy machine may add.
gap=$(awk -v burst="$BURST" 'NR > burst { d = $1 - last; if (least == "" || d < least) least = d } { last = $1 }
    END { printf "%.3f", least }' "$T/again.requests")
verdict "six starts, one burst: no two requests within 4 s after it, the closest $gap s" \
    "$(cat "$T/again.requests")" awk -v gap="$gap" 'BEGIN { exit !(gap >= 3.5) }'

# ---- places where nothing can be kept
FIRST_PORTS="$NTP $KE $HTTP"
choose_ports # a second daemon in the same directory: keeps nothing there
write_conf "$T/second.conf" "server 127.0.0.1 port 10125 minpoll 2 maxpoll 2"
start second "$BIN/ntsd" -c "$T/second.conf"
SECOND_PID=$PID
unkept() { grep -q "clock state is not kept.*error=\"Resource temporarily" "$T/second.log"; }
verdict "a second daemon leaves the file alone" "$(cat "$T/second.log")" within 5000 unkept
verdict "and runs without" "not ready" within 5000 is_ready
finish "$SECOND_PID"
read -r NTP KE HTTP <<<"$FIRST_PORTS"
unfollow
printf 'x' | dd of="$T/state/clock.state" bs=1 seek=600 conv=notrunc 2>/dev/null
run_ntsd
damaged() { logged 'clock state ignored file=[^ ]*/clock.state reason=damaged'; }
verdict "a damaged file is ignored" "$(tail -n 3 "$T/ntsd.log")" within 5000 damaged
verdict "and the clock starts anew" "$(metrics | grep clock_state)" within 5000 clock_is synchronised
unfollow
mount -t tmpfs -o size=64k none "$T/state" # a full disk
mkdir -m 0700 "$T/state/full"
give_away "$T/state/full"
sed -i "s,^ntsdumpdir .*,ntsdumpdir $T/state/full," "$T/ntsd.conf"
run_ntsd
within 5000 is_ready
unfollow
rm "$T/state/full/clock.state"
dd if=/dev/zero of="$T/state/fill" bs=4k 2>/dev/null
run_ntsd
no_room() { logged 'clock state cannot be written .*No space left'; }
verdict "a full disk is named in the log" "$(tail -n 3 "$T/ntsd.log")" within 5000 no_room
verdict "and nothing else happens" "$(metrics | grep clock_state)" within 5000 clock_is synchronised
verdict "and counted" "$(metrics | grep clock_state)" \
    [ "$(metric ntsd_clock_state_write_failures_total)" -ge 1 ]
unfollow
umount "$T/state"
[ "$FAILED" = 0 ] || show_logs
