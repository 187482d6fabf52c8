#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh unit,sim,fuzz,e2e BINARIES [FUZZERS]: runs the suites named, in that order, and counts.
#
#   unit  each Criterion program BINARIES/tests/unit/*/test_*, two at a time
#   sim   BINARIES/tests/sim/clock_sim and fleet_sim: their tables, and their ok and not ok lines
#   fuzz  each FUZZERS/fuzz_X: replays tests/fuzz/corpus/fuzz_X, then two seconds of mutations of it
#         with a fixed seed; one pass per target
#   e2e   tests/e2e/*.sh, two at a time, those that measure alone; their ok, not ok, skip lines
#
# Nothing runs for ever. Failures are printed in full, all output is kept in BINARIES/logs. The last
# line is `N passed, N failed, N skipped`; the status is 1 when anything failed or nothing ran.
set -u
cd "$(dirname "$0")/../.." || exit 1

SUITES=${1:?suites} B=${2:?directory of the binaries} FUZZERS=${3:-$2/fuzz}
LOGS=$B/logs
PASSED=0 FAILED=0 SKIPPED=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 ASAN_OPTIONS=detect_leaks=1
export TSAN_OPTIONS=halt_on_error=1

# count PASSED FAILED SKIPPED
count() {
    PASSED=$((PASSED + $1)) FAILED=$((FAILED + $2)) SKIPPED=$((SKIPPED + $3))
}
# report NAME PASSED FAILED SKIPPED SECONDS
report() {
    local failed="" skipped=""
    [ "$3" = 0 ] || failed=", $3 FAILED"
    [ "$4" = 0 ] || skipped=", $4 skipped"
    printf '%-34s %4d passed%s%s (%s s)\n' "$1" "$2" "$failed" "$skipped" "$5"
}
# lines REGEX FILE: how many match.
lines() {
    local n
    n=$(grep -cE "$1" "$2" 2>/dev/null)
    echo "${n:-0}"
}
# indented FILE
indented() { sed 's/^/    /' "$1"; }

# ---- unit

# One program, as its own process: NAME.tap, NAME.log, NAME.status.
run_unit_program() {
    local program=$1 log=$2 start=$SECONDS
    timeout -k 5 240 "$program" -j2 --ignore-warnings --tap="$log.tap" >"$log.log" 2>&1 </dev/null
    echo "$? $((SECONDS - start))" >"$log.status"
}
judge_unit_program() {
    local program=$1 log=$2 status seconds passed failed skipped planned
    read -r status seconds <"$log.status"
    skipped=$(lines '^ok .*# SKIP' "$log.tap")
    passed=$(($(lines '^ok ' "$log.tap") - skipped))
    failed=$(lines '^not ok ' "$log.tap")
    planned=$(sed -n 's/^1\.\.//p' "$log.tap" 2>/dev/null)
    # Died half-way, hung, or found wanting by a sanitizer at its end: then no line says "not ok".
    if [ "$failed" = 0 ] && { [ "$status" != 0 ] || [ $((passed + skipped)) -lt "${planned:-1}" ]; }; then
        failed=1
        echo "ended with status $status after $seconds s" >>"$log.log"
    fi
    report "${program#"$B"/tests/}" "$passed" "$failed" "$skipped" "$seconds"
    if [ "$failed" != 0 ]; then
        grep -vE '^(ok |#|TAP |1\.\.)' "$log.tap" 2>/dev/null | sed 's/^/    /'
        indented "$log.log"
    fi
    count "$passed" "$failed" "$skipped"
}
# The programs that this tree's sources name; what an older tree left behind is not run.
unit_programs() {
    local source
    for source in tests/unit/*/test_*.c; do
        [ -e "$source" ] && echo "$B/${source%.c}"
    done
}
unit_log() { echo "$LOGS/$(echo "${1#"$B"/tests/}" | tr / -)"; }
run_unit() {
    local program running=0
    while read -r program; do
        run_unit_program "$program" "$(unit_log "$program")" &
        running=$((running + 1))
        if [ "$running" -ge 2 ]; then wait -n; fi
    done < <(unit_programs)
    wait
    while read -r program; do
        judge_unit_program "$program" "$(unit_log "$program")"
    done < <(unit_programs)
}

# ---- sim

run_simulation() {
    local name=$1 log=$LOGS/$1.log status passed failed start=$SECONDS
    timeout -k 5 240 "$B/tests/sim/$name" >"$log" 2>&1 </dev/null
    status=$?
    passed=$(lines '^ok - ' "$log")
    failed=$(lines '^not ok - ' "$log")
    if [ "$failed" = 0 ] && { [ "$status" != 0 ] || [ "$passed" = 0 ]; }; then
        failed=1
        echo "not ok - $name (ended with status $status)" >>"$log"
    fi
    report "sim/$name" "$passed" "$failed" 0 "$((SECONDS - start))"
    grep -v '^ok - ' "$log" | sed 's/^/    /'
    count "$passed" "$failed" 0
}
run_sim() {
    run_simulation clock_sim
    run_simulation fleet_sim
}

# ---- fuzz

run_fuzz_target() {
    local target=$1 name corpus scratch start=$SECONDS
    name=$(basename "$target")
    corpus=tests/fuzz/corpus/$name
    scratch=$(mktemp -d)
    {
        if [ -z "$(ls -A "$corpus" 2>/dev/null)" ]; then
            echo "no corpus in $corpus"
            false
        else
            timeout -k 5 120 "$target" -runs=0 -timeout=10 "$corpus" &&
                timeout -k 5 60 "$target" -seed=1 -max_total_time=2 -timeout=10 -rss_limit_mb=1024 \
                    -artifact_prefix="$LOGS/$name-" "$scratch" "$corpus"
        fi
    } >"$LOGS/$name.log" 2>&1
    echo "$? $((SECONDS - start))" >"$LOGS/$name.status"
    rm -rf "$scratch"
}
fuzz_targets() {
    local source
    for source in tests/fuzz/fuzz_*.c; do
        [ -e "$source" ] && echo "$FUZZERS/$(basename "${source%.c}")"
    done
}
run_fuzz() {
    local target name status seconds running=0
    while read -r target; do
        run_fuzz_target "$target" &
        running=$((running + 1))
        if [ "$running" -ge 2 ]; then wait -n; fi
    done < <(fuzz_targets)
    wait
    while read -r target; do
        name=$(basename "$target")
        read -r status seconds <"$LOGS/$name.status"
        if [ "$status" = 0 ]; then
            report "fuzz/$name" 1 0 0 "$seconds"
            count 1 0 0
        else
            report "fuzz/$name" 0 1 0 "$seconds"
            indented "$LOGS/$name.log"
            count 0 1 0
        fi
    done < <(fuzz_targets)
}

# ---- e2e

# One script in its lane; its ports are of that lane (lib.sh).
run_e2e_script() {
    local script=$1 lane=$2 start=$SECONDS log
    log=$LOGS/e2e-$(basename "$script" .sh)
    NTSD_TEST_LANE=$lane timeout -k 15 150 "$script" "$B" >"$log.log" 2>&1 </dev/null
    echo "$? $((SECONDS - start))" >"$log.status"
}
judge_e2e_script() {
    local name log status seconds passed failed skipped
    name=$(basename "$1" .sh)
    log=$LOGS/e2e-$name.log
    read -r status seconds <"$LOGS/e2e-$name.status"
    passed=$(lines '^ok - ' "$log")
    failed=$(lines '^not ok - ' "$log")
    skipped=$(lines '^skip - ' "$log")
    if [ "$failed" = 0 ] && { [ "$status" != 0 ] || [ $((passed + skipped)) = 0 ]; }; then
        failed=1
        echo "not ok - $name (ended with status $status after $seconds s)" >>"$log"
    fi
    report "e2e/$name" "$passed" "$failed" "$skipped" "$seconds"
    if [ "$failed" != 0 ]; then
        grep -vE '^(ok|skip) - ' "$log" | sed 's/^/    /'
    elif [ "$passed" -le 20 ]; then # the figures are of interest, long tables are not
        grep -E '^(ok - |  )' "$log" | sed 's/^/    /'
    fi
    grep '^skip - ' "$log" | sed 's/^/    /'
    count "$passed" "$failed" "$skipped"
}
# Those that measure say so by a line `# alone: ...` and have the machine for themselves.
is_alone() { grep -q '^# alone: ' "$1"; }
run_lane() {
    local script lane=$1
    while read -r script; do
        run_e2e_script "$script" "$lane"
    done
}
# Every second script for each lane; the longest ones stand side by side well enough.
run_e2e() {
    local script together=() n=0
    for script in tests/e2e/*.sh; do
        is_alone "$script" || together+=("$script")
    done
    for n in 0 1; do
        printf '%s\n' "${together[@]}" | awk -v n="$n" 'NR % 2 == n' | run_lane "$n" &
    done
    wait
    for script in tests/e2e/*.sh; do
        if is_alone "$script"; then run_e2e_script "$script" 0; fi
    done
    for script in tests/e2e/*.sh; do judge_e2e_script "$script"; done
}

mkdir -p "$LOGS" || exit 1
rm -f "$LOGS"/*.log "$LOGS"/*.tap "$LOGS"/*.status
B=${B%/}
for suite in ${SUITES//,/ }; do
    case $suite in
    unit) run_unit ;;
    sim) run_sim ;;
    fuzz) run_fuzz ;;
    e2e) run_e2e ;;
    *) echo "run.sh: no suite $suite" >&2 && exit 2 ;;
    esac
done
echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
[ "$FAILED" = 0 ] && [ $((PASSED + FAILED)) -gt 0 ]
