#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Descriptors run out, and the system calls that the server lives on fail, with the sandbox on. After
# each row one honest exchange has to work, every descriptor be given back, no process have ended
# unasked, few lines be in the log, and the counters add up. FAULT_ALL=1, by hand, tries every error.
# In a network namespace of its own.
# shellcheck source=tests/support/clock_ns.sh
. "$(dirname "$0")/../support/clock_ns.sh" "$0" "${1:-build}" "faults of the machine"
# shellcheck source=tests/support/faults.sh
. "$(dirname "$0")/../support/faults.sh"

upstream source 127.0.0.1 10125 11003
# errors COMMON RARE: which to try.
errors() { echo "$1 ${FAULT_ALL:+$2}"; }
# lost_of LINE: the keeper's; it waits for 50 ms, which strace and a busy machine may take.
lost_of() { sed -n 's/.* lost \([0-9]*\) .*/\1/p' <<<"$1"; }
start_ntsd "server 127.0.0.1 port 10125 minpoll 0 maxpoll 0 iburst"
remember
ke=$(child_named ke) ntp=$(child_named ntp)
for pid in $(children_of "$NTSD_PID"); do
    verdict "$(cat "/proc/$pid/comm") is locked in" "$(grep Seccomp "/proc/$pid/status")" \
        grep -q '^Seccomp:[[:space:]]*2' "/proc/$pid/status"
done

# ---- descriptors
spent=$(processor_ms "$ke")
limit "$ke" --nofile=40
start strangers "$BIN/tests/e2e/strangers" "$CERTS/ca.pem" "127.0.0.1:$KE" 150 150
crowd=$PID
verdict "40 descriptors, 150 connections: some are refused" "none" \
    within 8000 moved ntsd_ke_accept_failed_total 0
sleep 1
used=$(open_files "$ke")
verdict "and no more than 40 are in use" "$used" [ "$used" -le 40 ]
finish "$crowd"
spent=$(($(processor_ms "$ke") - spent))
limit "$ke" --nofile=1100
after "40 descriptors and 150 connections ($spent ms of processor)"

# Without a descriptor to accept with, nobody spins; with one, silent peers make room.
status=$(child_named status)
had=$(open_files "$status") spent=$(processor_ms "$status")
limit "$status" --nofile="$had"
held=()
for _ in 1 2 3 4; do
    exec {fd}<>"/dev/tcp/127.0.0.1/$HTTP" && held+=("$fd")
done
sleep 1
spent=$(($(processor_ms "$status") - spent))
verdict "a status process without descriptors: $spent ms of processor in a second" "spins" \
    [ "$spent" -lt 300 ]
limit "$status" --nofile=$((had + 1))
verdict "a status process with one descriptor, and four silent peers: answers" "not" \
    within 4000 is_ready
for fd in "${held[@]}"; do exec {fd}>&-; done
limit "$status" --nofile=1100
sleep 0.5
# libuv's own spare one, which is not opened again.
[ "$(open_files "$status")" != $((had - 1)) ] || DESCRIPTORS=$((DESCRIPTORS - 1))
after "a status process without descriptors"

# ---- system calls that fail
canary_twice() { canary && canary; }
if ! can_inject; then
    skip "system calls that fail" "strace cannot do it here"
else
    # A client is taken at another try. EMFILE is answered by refusing one, so that nobody hangs.
    for error in $(errors "EMFILE ENFILE ENOMEM ECONNABORTED EPROTO" "ENOBUFS EPERM EINTR"); do
        inject "$ke" accept4 "$error" 1+4
        verdict "accept4: $error again and again: clients are served" "not" within 8000 canary_twice
        verdict "accept4: $error happened" "never" [ "$(injected)" -gt 0 ]
        heal
    done
    after "accept4 that fails"
    # With a client waiting, a call that always fails must not be tried without a pause.
    for error in EMFILE ENOMEM; do
        inject "$ke" accept4 "$error"
        start waiting "$BIN/ntsq" --ca "$CERTS/ca.pem" --ke-port "$KE" --timeout 10 localhost
        waiting=$PID
        sleep 1
        n=$(injected)
        heal
        verdict "accept4: always $error: tried $n times in a second, no more" "spins" \
            [ "$n" -gt 0 -a "$n" -lt 200 ]
        verdict "accept4: always $error: who waited is served afterwards" "$(cat "$T/waiting.log")" \
            wait "$waiting"
    done
    after "accept4 that always fails"

    # A reply that cannot be sent is lost, and no other one.
    for error in $(errors "ENOBUFS EPERM EHOSTUNREACH" "EAGAIN EMSGSIZE ECONNREFUSED ENETDOWN EINVAL"); do
        before=$(counter ntsd_ntp_send_failed_total)
        inject "$ntp" sendmmsg "$error" 1+2
        keeper_line=$("$BIN/tests/e2e/cookiekeeper" "$CERTS/ca.pem" "$KE" 1 20 2>&1 | tail -n 1)
        n=$(injected)
        heal
        failed=$(($(counter ntsd_ntp_send_failed_total) - before))
        verdict "sendmmsg: $error $n times: $failed counted, others sent: $keeper_line" "not so" \
            [ "$n" -gt 0 -a "$failed" = "$n" -a "${keeper_line%% lost*}" != "answered 0" ]
    done
    after "sendmmsg that fails"

    for error in $(errors "EAGAIN EINTR ECONNREFUSED" "ENOBUFS ENOMEM EHOSTUNREACH ENETDOWN"); do
        before=$(counter ntsd_ntp_receive_failed_total)
        inject "$ntp" recvmmsg "$error" 1+2
        keeper_line=$("$BIN/tests/e2e/cookiekeeper" "$CERTS/ca.pem" "$KE" 1 20 2>&1 | tail -n 1)
        n=$(injected)
        heal
        failed=$(($(counter ntsd_ntp_receive_failed_total) - before))
        case $error in EAGAIN | EINTR) expected=0 ;; *) expected=$n ;; esac
        verdict "recvmmsg: $error $n times: $failed counted: $keeper_line" "not so" \
            [ "$n" -gt 0 -a "$failed" = "$expected" -a "$(lost_of "$keeper_line")" -le 5 ]
    done
    after "recvmmsg that fails"

    # Without randomness there is no nonce, and without a nonce no reply.
    for error in $(errors "EAGAIN ENOSYS" EIO); do
        dry=$(verdict_count drop_no_random) good=$(verdict_count answer_nts)
        inject "$ntp" getrandom "$error"
        "$BIN/tests/e2e/cookiekeeper" "$CERTS/ca.pem" "$KE" 1 2 >"$T/dry.log" 2>&1
        n=$(injected)
        dry=$(($(verdict_count drop_no_random) - dry)) good=$(($(verdict_count answer_nts) - good))
        heal
        verdict "getrandom: $error $n times: $good answers from what was there, then silence, $dry times" \
            "$(tail -n 1 "$T/dry.log")" [ "$n" -gt 0 -a "$dry" -gt 0 ]
    done
    after "getrandom that fails"
    rm -f "$T/nonces"
    inject "$ntp" getrandom EINTR 1+2
    "$BIN/tests/e2e/nonces" --ca "$CERTS/ca.pem" --port "$NTP" --ke-port "$KE" --http-port "$HTTP" \
        >"$T/nonces"
    n=$(injected)
    heal
    doubles=$(sort "$T/nonces" | uniq -d | wc -l)
    verdict "getrandom: EINTR $n times: $(wc -l <"$T/nonces") nonces, $doubles twice" "wrong" \
        [ "$n" -gt 0 -a "$doubles" = 0 -a "$(wc -l <"$T/nonces")" = 20000 ]
    inject "$ke" getrandom ENOSYS
    for _ in 1 2 3 4 5 6; do quietly ask; done
    heal
    after "getrandom that fails for the KE"
fi

[ "$FAILED" = 0 ] || show_logs
