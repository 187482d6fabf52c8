#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of faults share: a canary after each row, faults in system calls by strace, and the
# counters. To be sourced behind lib.sh or clock_ns.sh.

# A row of mischief may write as many lines, whatever it does.
LOG_LINES_MAX=${LOG_LINES_MAX:-30}

# ---- figures

# page: the metrics, of a status process that may be new.
page() { curl -s -m 5 "http://127.0.0.1:$HTTP/metrics"; }
# counter NAME: its value; the name with its labels. 0 while nothing is known.
counter() {
    local n
    n=$(page | awk -v name="$1" '$1 == name { print $2 }')
    echo "${n:-0}"
}
moved() { [ "$(counter "$1")" -gt "$2" ]; }
verdict_count() { counter "ntsd_ntp_datagrams_total{verdict=\"$1\"}"; }
# add_up: each datagram that was read has one verdict, and each answer was sent or could not be.
add_up() {
    page | awk '
        /^ntsd_ntp_datagrams_total{/ { all += $2 }
        /^ntsd_ntp_datagrams_total{verdict="(answer|nak|rate)_/ { answers += $2 }
        /^ntsd_ntp_received_total / { received = $2; seen = 1 }
        /^ntsd_ntp_sent_total / { sent = $2 }
        /^ntsd_ntp_send_failed_total / { failed = $2 }
        END { exit !(seen && all == received && answers == sent + failed) }'
}
# child_named ROLE: its process id.
child_named() {
    local pid
    for pid in $(children_of "$NTSD_PID"); do
        if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "ntsd: $1" ]; then echo "$pid"; fi
    done
}
open_files() { find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l; }
descriptors() {
    local pid n=0
    for pid in "$NTSD_PID" $(children_of "$NTSD_PID"); do n=$((n + $(open_files "$pid"))); done
    echo "$n"
}
process_ids() { children_of "$NTSD_PID" | sort -n | tr '\n' ' '; }
# processor_ms PID: spent so far.
processor_ms() { awk '{ print int($1 / 1000000) }' "/proc/$1/schedstat"; }

# limit PID LIMIT...: its soft limits, by whom it runs as: not every root may set those of others.
limit() {
    local pid=$1
    shift
    if is_root; then
        setpriv --reuid=nobody --regid=nogroup --clear-groups prlimit --pid "$pid" "${@/%/:}"
    else
        prlimit --pid "$pid" "${@/%/:}"
    fi
}

# ---- the canary

same_descriptors() { [ "$(descriptors)" = "$DESCRIPTORS" ]; }
# A connection for /metrics may be on its way out.
fewest_descriptors() {
    for _ in 1 2 3 4 5; do
        descriptors
        sleep 0.04
    done | sort -n | head -n 1
}
# remember: how things are, before a row.
remember() {
    quietly ask # what the first exchange opens for good is not a leak
    DESCRIPTORS=$(fewest_descriptors)
    PROCESSES=$(process_ids)
    LINES=$(wc -l <"$T/ntsd.log")
}
# after ROW: an honest exchange, all descriptors given back, the same processes, few lines. Without
# a word about what is as it should be, beyond one line.
after() {
    local why="" took added
    if within 5000 canary; then took=$ELAPSED_MS; else why="no honest exchange; "; fi
    within 6000 same_descriptors || why+="descriptors: $DESCRIPTORS before, $(descriptors) now; "
    [ "$(process_ids)" = "$PROCESSES" ] || why+="processes: $PROCESSES before, $(process_ids) now; "
    added=$(($(wc -l <"$T/ntsd.log") - LINES))
    [ "$added" -le "$LOG_LINES_MAX" ] || why+="$added lines; "
    within 3000 add_up || why+="counters do not add up; "
    if [ -z "$why" ]; then
        ok "canary after $1: served within ${took:-?} ms, nothing leaked, $added log lines"
    else
        not_ok "canary after $1" "$why"
        tail -n 12 "$T/ntsd.log" | sed 's/^/    /'
    fi
    remember
}
# after_deaths ROW: the same where processes were killed, or ended, on purpose.
after_deaths() {
    within 9000 all_there # a process that died often waits for five seconds
    PROCESSES=$(process_ids)
    after "$1"
}
all_there() { [ "$(children_of "$NTSD_PID" | wc -l)" = "$(wc -w <<<"$PROCESSES")" ] && is_ready; }

# ---- faults in system calls

# A call that fails is made a getpid(2), which every sandbox allows: the filter sees what strace puts
# in its place, and not the call it was. PR_SET_DUMPABLE keeps everyone but root from doing this.
can_inject() {
    is_root && quietly strace -e trace=getpid -e inject=getpid:error=EIO:when=1 true
}
attached() { grep -qs "^TracerPid:[[:space:]]*[1-9]" "/proc/$1/task/$2/status"; }
all_attached() {
    local task
    for task in "/proc/$1/task"/*; do attached "$1" "${task##*/}" || return; done
}
# inject PID CALLS ERROR [WHEN]: from now on, until healed; those calls in CALLS_LOG.
inject() {
    local pid=$1 calls=$2 error=$3 when=${4:+:when=$4}
    CALLS_LOG=$T/strace.$pid.out
    : >"$CALLS_LOG"
    start strace strace -f -qq -o "$CALLS_LOG" -p "$pid" -e "trace=$calls" \
        -e "inject=$calls:error=$error:syscall=getpid$when"
    STRACE_PID=$PID
    within 5000 all_attached "$pid" || not_ok "attach to $pid" "$(cat "$T/strace.log")"
}
injected() { grep -c 'INJECTED' "$CALLS_LOG"; }
heal() {
    kill -INT "$STRACE_PID" 2>/dev/null
    wait "$STRACE_PID" 2>/dev/null
}
