#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What happens to a process in the course of its life: signals it expects and others, more reloads
# than anyone needs, an end in the middle of handshakes, deaths of its children at any moment, and a
# log that nobody reads. The sandbox is on. FAULT_SECONDS is how long children are killed at random;
# minutes, by hand.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
# shellcheck source=tests/support/faults.sh
. "$(dirname "$0")/../support/faults.sh"

FAULT_SECONDS=${FAULT_SECONDS:-8}
is_whole() { [ "$(children_of "$NTSD_PID" | wc -l)" = 5 ] && canary && is_ready; }
line_of() { tail -n 1 "$T/$1.log"; }
value_of() { sed -n "s/.* $2 \([0-9.]*\).*/\1/p" <<<" $(line_of "$1")"; }
# memory_kb: all that the processes have of their own.
memory_kb() {
    local pid
    for pid in "$NTSD_PID" $(children_of "$NTSD_PID"); do
        cat "/proc/$pid/smaps_rollup" 2>/dev/null
    done | awk '/^Private_Dirty/ { sum += $2 } END { print sum + 0 }'
}

start_ntsd "local stratum 10"
remember

# ---- reloads
reloads() { counter 'ntsd_ke_reloads_total{result="loaded"}'; }
start keeper "$BIN/tests/e2e/cookiekeeper" "$CERTS/ca.pem" "$KE" 4 5
keeper=$PID
start load "$BIN/tests/e2e/handshaker" "$CERTS/ca.pem" "$KE" 4 10
load=$PID
within 3000 grep -qs ready "$T/keeper.log"
before=$(memory_kb) loaded=$(reloads) began=$(now_ms)
python3 -c 'import os, sys, time
for _ in range(1000):
    os.kill(int(sys.argv[1]), 1)
    time.sleep(0.0008)' "$NTSD_PID"
sent_in=$(($(now_ms) - began))
wait "$keeper"
wait "$load"
verdict "1000 SIGHUP in $sent_in ms under load: handshakes: $(line_of load)" "failed" \
    [ "$(value_of load failed)" = 0 ]
verdict "and datagrams: $(line_of keeper)" "lost" \
    grep -qE '^answered [0-9]{3,} lost [0-9]{1,2} nak 0 ' <(line_of keeper)
verdict "and the certificate was read again, $(($(reloads) - loaded)) times" "never" \
    moved 'ntsd_ke_reloads_total{result="loaded"}' "$loaded"
grown=$(($(memory_kb) - before))
verdict "and memory is where it was, $grown KiB more" "a leak" [ "$grown" -lt 1024 ]
after "1000 SIGHUP"

# ---- signals
# Those that mean something to it, or stop or end any process, are not strange.
strange=$(kill -l | tr -s '\t ' '\n' | sed -n 's/^SIG//p' |
    grep -vxE 'HUP|INT|QUIT|ILL|TRAP|ABRT|BUS|FPE|KILL|SEGV|TERM|CHLD|CONT|STOP|TSTP|TTIN|TTOU|SYS|XCPU')
for signal in $strange; do
    # shellcheck disable=SC2046
    kill -s "$signal" "$NTSD_PID" $(children_of "$NTSD_PID")
    sleep 0.01
done
sleep 0.3
after "$(wc -w <<<"$strange") signals that mean nothing to it, each to every process"

# ---- deaths at random
# back ROLE: as everything has to be, within two seconds of its death.
slowest=0 deaths=0 died="" until=$((SECONDS + FAULT_SECONDS))
start keeper "$BIN/tests/e2e/cookiekeeper" "$CERTS/ca.pem" "$KE" "$FAULT_SECONDS" 20
keeper=$PID
while [ "$SECONDS" -lt "$until" ]; do
    mapfile -t all < <(children_of "$NTSD_PID")
    role=${all[RANDOM % ${#all[@]}]}
    name=$(cat "/proc/$role/comm")
    kill -KILL "$role"
    deaths=$((deaths + 1))
    if within 2000 is_whole; then
        [ "$ELAPSED_MS" -le "$slowest" ] || slowest=$ELAPSED_MS
    else
        died+="${name#ntsd: } after $deaths deaths; "
        within 10000 is_whole
    fi
    # One that dies again and again within ten seconds is made to wait: 100 ms, doubled each time.
    sleep "$((1 + RANDOM % 2)).$((RANDOM % 10))"
done
wait "$keeper"
verdict "$deaths deaths at random in $FAULT_SECONDS s: all was well again within $slowest ms" "not: $died" [ -z "$died" ]
verdict "a device noticed: $(line_of keeper)" "a NAK, or a gap of 2 s" \
    grep -qE '^answered [0-9]{2,} lost [0-9]+ nak 0 gap_ms 1?[0-9]{1,3}$' <(line_of keeper)
verdict "the supervisor stayed" "it died" alive "$NTSD_PID"
LOG_LINES_MAX=$((30 + 15 * deaths)) after_deaths "deaths at random"

# ---- an end in the middle of handshakes
start strangers "$BIN/tests/e2e/strangers" "$CERTS/ca.pem" "127.0.0.1:$KE" 60 60
crowd=$PID
sleep 1
children=$(children_of "$NTSD_PID")
began=$(now_ms)
kill -TERM "$NTSD_PID"
within 6000 gone_or_zombie "$NTSD_PID"
took=$(($(now_ms) - began))
wait "$NTSD_PID"
status=$?
finish "$crowd"
verdict "SIGTERM amid 60 handshakes that never end: ended with $status after $took ms" "wrong" \
    [ "$status" = 0 -a "$took" -lt 5500 ]
none_alive() {
    local pid
    for pid in $children; do gone_or_zombie "$pid" || return 1; done
}
verdict "and no child is left" "$children" within 1000 none_alive

# ---- a log that is not read
# unread NAME STDERR_COMMAND...: a server whose standard error is something else.
unread() {
    local name=$1
    shift
    start ntsd "$@" "$BIN/ntsd" -c "$T/ntsd.conf"
    NTSD_PID=$PID
    within 8000 is_ready
    remember
    [ -z "${THEN:-}" ] || $THEN
    for _ in 1 2 3 4 5; do
        kill -HUP "$NTSD_PID"
        kill -KILL "$(child_named status)" 2>/dev/null
        sleep 0.1
    done
    after_deaths "$name"
    verdict "$name: the supervisor stayed" "it died" alive "$NTSD_PID"
    finish "$NTSD_PID"
    THEN=""
}
# shellcheck disable=SC2016
to_file=(sh -c 'log=$1 && shift && exec "$@" 2>"$log"' sh)
mkfifo "$T/pipe"
chmod 0666 "$T/pipe"
end_reader() { finish "$READER"; }
start reader cat "$T/pipe"
READER=$PID
THEN=end_reader
unread "a log pipe whose reader ended" "${to_file[@]}" "$T/pipe"
start reader cat "$T/pipe"
READER=$PID
stop_reader() {
    kill -STOP "$READER"
    python3 - "$T/pipe" <<'END'
import os, sys
pipe = os.open(sys.argv[1], os.O_WRONLY | os.O_NONBLOCK)
try:
    while os.write(pipe, b"x" * 4096):
        pass
except BlockingIOError:
    pass
END
}
THEN=stop_reader
unread "a log pipe that is full" "${to_file[@]}" "$T/pipe"
kill -CONT "$READER"
finish "$READER"
unread "a log on a full disk" "${to_file[@]}" /dev/full
# As the journal: a stream socket, whose other end a process of its own has, until told.
journal_gone() { rm "$T/journal"; }
touch "$T/journal"
THEN=journal_gone
unread "a log socket whose other end is gone" python3 -c 'import os, socket, sys, time
ours, theirs = socket.socketpair()
if os.fork() == 0:
    ours.close()
    if os.fork() == 0:
        for _ in range(600):
            if not os.path.exists(sys.argv[1]): break
            time.sleep(0.05)
    os._exit(0)
os.wait()
os.dup2(ours.fileno(), 2)
theirs.close()
os.execv(sys.argv[2], sys.argv[2:])' "$T/journal"

[ "$FAILED" = 0 ] || show_logs
