#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No room: in memory, on the disk, in a file, in the log, for a process. Whatever is refused, time is
# served; what could not be written is written when there is room again. The sandbox is on. In
# namespaces of its own.
# shellcheck source=tests/support/clock_ns.sh
. "$(dirname "$0")/../support/clock_ns.sh" "$0" "${1:-build}" "no room"
# shellcheck source=tests/support/faults.sh
. "$(dirname "$0")/../support/faults.sh"

STATE=$T/small/state
GROUP=""
# The directory is on a disk of its own.
mkdir -m 0755 "$T/small"
mount -t tmpfs -o size=64k,mode=0755 none "$T/small"
room_cleanup() {
    trap - EXIT
    [ -z "$GROUP" ] || leave_group
    umount -l "$T/small"
    cleanup
}
trap room_cleanup EXIT
mkdir -m 0700 "$STATE"
give_away "$STATE"
make_certs "$CERTS"
upstream source 127.0.0.1 10125 11003
# configure LINE...: the same server with other lines.
configure() {
    write_conf "$T/ntsd.conf" "server 127.0.0.1 port 10125 minpoll 0 maxpoll 0 iburst" "$@"
    sed -i "s,^ntsdumpdir .*,ntsdumpdir $STATE," "$T/ntsd.conf"
}
await_ready() {
    within 8000 ready_or_dead
    is_ready || { show_logs; not_ok "start ntsd" "not ready"; exit 1; }
    remember
}

# ---- a state directory that cannot be written
# An epoch is due as soon as the clock is trusted, because ntsrotate is another one than before.
# fault NAME LOG BREAK MEND: commands.
rotate=86400
fault() {
    local name=$1 why=$2
    rotate=$((rotate == 86400 ? 43200 : 86400))
    configure "ntsrotate $rotate"
    rm -f "$STATE/clock.state"
    tell 11003 "silence on" >/dev/null
    run_ntsd
    within 5000 quietly page
    within 5000 test -n "$(child_named keys)"
    sleep 0.3
    $3
    tell 11003 "silence off" >/dev/null
    within 8000 is_ready
    refused() {
        [ "$(counter ntsd_keys_save_failed)" = 1 ] &&
            { [ -z "$why" ] || logged "secret document not stored, the keys go on .*$why"; }
    }
    verdict "$name: metric and log say that the secret document is not stored" \
        "$(page | grep save_failed) $(tail -n 5 "$T/ntsd.log")" within 5000 refused
    verdict "$name: ready, and serves" "/readyz says $(readiness)" is_whole
    remember
    $4
    kill -HUP "$NTSD_PID" # at once, and not within a minute
    stored() { [ "$(counter ntsd_keys_save_failed)" = 0 ] && logged "secret document stored again"; }
    verdict "$name, mended: it is stored" "$(tail -n 5 "$T/ntsd.log")" within 10000 stored
    after "$name"
    finish "$NTSD_PID"
    NTSD_PID=""
    : >"$T/ntsd.log"
}
is_whole() { is_ready && canary; }
fill() { dd if=/dev/zero of="$T/small/fill" bs=4k 2>/dev/null; }
unfill() { rm "$T/small/fill"; }
forbid() { chmod 0500 "$STATE"; }
permit() { chmod 0700 "$STATE"; }
break_disk() { inject "$(child_named keys)" fsync EIO; }
forbid_size() { limit "$(child_named keys)" --fsize=0; }
allow_size() { limit "$(child_named keys)" --fsize=unlimited; }

configure
run_ntsd
await_ready
finish "$NTSD_PID"
fault "a full disk" "No space left" fill unfill
fault "a directory that became read-only" "Permission denied" forbid permit
# Its own log lines are too large for that, too.
fault "a limit on the size of files" "" forbid_size allow_size
if can_inject; then
    fault "a disk that fails at fsync" "Input/output error" break_disk heal
else
    skip "a disk that fails at fsync" "strace cannot do it here"
fi
mount -o remount,ro "$T/small"
configure
run_ntsd
verdict "started on a read-only disk: says so, and serves" "$(tail -n 5 "$T/ntsd.log")" \
    within 8000 is_whole
verdict "started on a read-only disk: the log has it" "$(tail -n 9 "$T/ntsd.log")" \
    logged "clock state is not kept for the next start .*Read-only file system"
finish "$NTSD_PID"
mount -o remount,rw "$T/small"

# ---- memory
configure
run_ntsd
await_ready
ke=$(child_named ke) ntp=$(child_named ntp)
vm_size() { awk '$1 == "VmSize:" { print $2 * 1024 }' "/proc/$1/status"; }
limit "$ntp" --as="$(vm_size "$ntp")"
start keeper "$BIN/tests/e2e/cookiekeeper" "$CERTS/ca.pem" "$KE" 2 2
keeper=$PID
wait "$keeper"
verdict "no memory to be had for the NTP workers: $(tail -n 1 "$T/keeper.log")" "a NAK or losses" \
    grep -qE '^answered [0-9]{3,} lost [0-9]{1,2} nak 0 ' <(tail -n 1 "$T/keeper.log")
limit "$ntp" --as=unlimited
limit "$ke" --as=$(($(vm_size "$ke") + 200000))
start strangers "$BIN/tests/e2e/strangers" "$CERTS/ca.pem" "127.0.0.1:$KE" 400 400
crowd=$PID
sleep 2
for _ in 1 2 3; do quietly ask; done
finish "$crowd"
limit "$ke" --as=unlimited
after "400 connections and no memory for them"

# ---- processes
remember
before=$(awk '/^Max processes/ { print $3 }' "/proc/$NTSD_PID/limits")
limit "$NTSD_PID" --nproc=1
doomed=$(child_named status)
kill -KILL "$doomed"
no_process() { logged 'process cannot be started process=status error="Resource temporarily unavailable"'; }
verdict "no process to be had: the log says so, time is served" "$(tail -n 3 "$T/ntsd.log")" \
    within 5000 no_process
verdict "no process to be had: time is served" "not" canary
limit "$NTSD_PID" --nproc="$before"
after_deaths "a limit on processes"
finish "$NTSD_PID"

# ---- memory that is not there: a group of processes with a limit
# Of both kinds of control groups one may be made here, or none.
make_group() {
    local dir
    for dir in /sys/fs/cgroup/memory /sys/fs/cgroup; do
        GROUP=$dir/ntsd-test-$$
        mkdir "$GROUP" 2>/dev/null || continue
        for LIMIT in memory.limit_in_bytes memory.max; do [ -w "$GROUP/$LIMIT" ] && return; done
        rmdir "$GROUP"
    done
    GROUP=""
    return 1
}
leave_group() {
    local pid
    while read -r pid; do echo "$pid" >"${GROUP%/*}/cgroup.procs"; done <"$GROUP/cgroup.procs"
    rmdir "$GROUP"
    GROUP=""
}
group_used() { cat "$GROUP/memory.usage_in_bytes" "$GROUP/memory.current" 2>/dev/null; }
# A connection takes under 40 KiB (60-strangers.sh), and 256 places more are kept for those that leave.
PLACES=50
CAP=$(((PLACES + 256) * 40960))
# crowded NAME LIMIT: 500 strangers come to a server that may have so much.
crowded() {
    echo "$2" >"$GROUP/$LIMIT"
    rm -f "$T/keeper.log"
    start keeper "$BIN/tests/e2e/cookiekeeper" "$CERTS/ca.pem" "$KE" 2 5
    keeper=$PID
    within 3000 grep -qs ready "$T/keeper.log"
    start strangers "$BIN/tests/e2e/strangers" "$CERTS/ca.pem" "127.0.0.1:$KE" 500 500
    wait "$keeper"
    verdict "$1: datagrams: $(tail -n 1 "$T/keeper.log")" "lost" \
        grep -qE '^answered [0-9]{3,} lost [0-9]{1,2} nak 0 ' <(tail -n 1 "$T/keeper.log")
}
if make_group; then
    configure "maxntsconnections $PLACES"
    # shellcheck disable=SC2016
    start ntsd sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$GROUP" "$BIN/ntsd" -c "$T/ntsd.conf"
    NTSD_PID=$PID
    await_ready
    idle=$(group_used)
    # Far too little: the kernel kills who grows, and that is not who answers datagrams.
    name="a fifth more memory than idle, 500 strangers"
    crowded "$name" $((idle * 12 / 10))
    finish "$PID"
    echo $((idle + CAP)) >"$GROUP/$LIMIT"
    say "$(grep -c 'ended unasked process=ke' "$T/ntsd.log") times the KE process was killed"
    LOG_LINES_MAX=60 after_deaths "$name"
    verdict "$name: no other process was killed" "$(grep 'ended unasked' "$T/ntsd.log")" \
        [ -z "$(tail -n 40 "$T/ntsd.log" | grep 'ended unasked' | grep -v 'process=\(ke\|status\)')" ]
    name="memory for $PLACES connections, 500 strangers"
    crowded "$name" $((idle + CAP))
    verdict "$name: $((idle / 1024)) KiB idle, $(($(group_used) / 1024)) now: handshakes" "not served" \
        within 3000 canary
    finish "$PID"
    after "$name"
    finish "$NTSD_PID"
    leave_group
else
    skip "a limit on memory" "no control group can be made here"
fi
[ "$FAILED" = 0 ] || show_logs
