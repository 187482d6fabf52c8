#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh FUZZERS TARGET SECONDS: fuzzes one target (`fuzz_X` or `X`) for so long; without one, all
# targets, which share the seconds: a budget of processor time, as many at once as there are
# processors (or JOBS). What is found to be new is kept beside the fuzzers in corpus-X, so the next
# run goes on from there; the checked-in corpus is only read, unless KEEP=1 adds to it whatever
# reaches code that it does not.
#
# A line a target: executions, processor time, edges of the program that its inputs take before and
# after, inputs that are new. Fails when a target does, and says where its input is.
set -u
cd "$(dirname "$0")/../.." || exit 1
DIR=${1:?directory of the fuzzers} TARGET=${2:-} BUDGET=${3:-60}
JOBS=${JOBS:-$(nproc 2>/dev/null || echo 1)}

targets() {
    local source
    if [ -n "$TARGET" ]; then
        echo "fuzz_${TARGET#fuzz_}"
        return
    fi
    for source in tests/fuzz/fuzz_*.c; do basename "$source" .c; done
}
# stat_of NAME LOG: the value of a `stat::NAME: value` line.
stat_of() { sed -n "s/^stat::$1: *//p" "$2"; }
# edges WHICH LOG: of the first or the last line that tells.
edges() { grep -oE 'cov: [0-9]+' "$2" | sed -n "s/cov: //;$1p"; }
of_all() { sed -n 's/^INFO: Loaded .*(\([0-9]*\) inline.*/\1/p' "$1"; }

fuzz() {
    local name=$1 seconds=$2 corpus=$DIR/corpus-${1#fuzz_} log=$DIR/$1.log TIMEFORMAT='%U %S'
    mkdir -p "$corpus" "tests/fuzz/corpus/$name"
    # What limits a length is in the target; these leave room for its longest input.
    {
        time timeout -k 5 $((seconds + 120)) "$DIR/$name" -max_total_time="$seconds" -timeout=20 \
            -max_len=20000 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$DIR/$name-" \
            "$corpus" "tests/fuzz/corpus/$name" >"$log" 2>&1
        echo "$?" >"$DIR/$name.status"
    } 2>"$DIR/$name.time"
}
report() {
    local name=$1 log=$DIR/$1.log cpu status
    read -r status <"$DIR/$name.status"
    cpu=$(awk '{ printf "%.1f", $1 + $2 }' "$DIR/$name.time")
    printf '%-20s %9s runs %6s s cpu, edges %4s -> %4s of %5s, %4s new inputs%s\n' "$name" \
        "$(stat_of number_of_executed_units "$log")" "$cpu" "$(edges 1 "$log")" \
        "$(edges '$' "$log")" "$(of_all "$log")" "$(stat_of new_units_added "$log")" \
        "$([ "$status" = 0 ] || echo ", FAILED")"
    if [ "$status" != 0 ]; then
        tail -n 60 "$log"
        echo "fuzz: $name failed (status $status); input: $(sed -n 's/.*unit written to //p' "$log")"
    fi
}
# Without counters, inputs that only do the same more often are not worth keeping.
keep() {
    local name=$1 before after corpus=tests/fuzz/corpus/$1
    before=$(find "$corpus" -type f | wc -l)
    "$DIR/$name" -merge=1 -use_counters=0 "$corpus" "$DIR/corpus-${name#fuzz_}" \
        >"$DIR/$name.merge.log" 2>&1 || { echo "fuzz: cannot merge, see $DIR/$name.merge.log"; exit 1; }
    after=$(find "$corpus" -type f | wc -l)
    echo "$name: $((after - before)) inputs added to $corpus, $after now"
}
total() {
    local name runs=0 failed=0 n=0 gained=0 cpu
    for name in "${NAMES[@]}"; do
        n=$((n + 1))
        runs=$((runs + $(stat_of number_of_executed_units "$DIR/$name.log" | grep . || echo 0)))
        gained=$((gained + $(edges '$' "$DIR/$name.log") - $(edges 1 "$DIR/$name.log")))
        [ "$(cat "$DIR/$name.status")" = 0 ] || failed=$((failed + 1))
    done
    cpu=$(cd "$DIR" && cat "${NAMES[@]/%/.time}" | awk '{ s += $1 + $2 } END { printf "%.0f", s }')
    echo "$n targets, $runs runs, $cpu s of processor time: $gained new edges, $failed failures"
    return "$failed"
}

mapfile -t NAMES < <(targets)
for name in "${NAMES[@]}"; do
    [ -x "$DIR/$name" ] || { echo "fuzz: no target $name; there are:" tests/fuzz/fuzz_*.c; exit 2; }
    rm -f "$DIR/$name.log" "$DIR/$name.status" "$DIR/$name.time"
done
SECONDS_EACH=$(((BUDGET + ${#NAMES[@]} - 1) / ${#NAMES[@]}))
running=0
for name in "${NAMES[@]}"; do
    { fuzz "$name" "$SECONDS_EACH" && report "$name"; } &
    running=$((running + 1))
    if [ "$running" -ge "$JOBS" ]; then wait -n; fi
done
wait
if [ -n "${KEEP:-}" ]; then
    for name in "${NAMES[@]}"; do keep "$name"; done
fi
total || exit 1
