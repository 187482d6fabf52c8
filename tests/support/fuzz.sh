#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh FUZZERS TARGET SECONDS: fuzzes one target (`fuzz_X` or `X`; empty: each in turn) for so
# long. What is found to be new is kept beside the fuzzers in corpus-X, so the next run goes on from
# there; the checked-in corpus is only read. Ends at the first crash and says where its input is.
set -u
cd "$(dirname "$0")/../.." || exit 1
DIR=${1:?directory of the fuzzers} TARGET=${2:-} SECONDS_EACH=${3:-60}

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

for name in $(targets); do
    [ -x "$DIR/$name" ] || { echo "fuzz: no target $name; there are:" tests/fuzz/fuzz_*.c; exit 2; }
    corpus=$DIR/corpus-${name#fuzz_} log=$DIR/$name.log
    mkdir -p "$corpus"
    timeout -k 5 $((SECONDS_EACH + 60)) "$DIR/$name" -max_total_time="$SECONDS_EACH" -timeout=10 \
        -rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="$DIR/$name-" \
        "$corpus" "tests/fuzz/corpus/$name" >"$log" 2>&1
    status=$?
    coverage=$(grep -oE 'cov: [0-9]+' "$log" | tail -n 1)
    printf '%-28s %12s execs  %-10s %6s new\n' "$name" "$(stat_of number_of_executed_units "$log")" \
        "$coverage" "$(stat_of new_units_added "$log")"
    if [ "$status" != 0 ]; then
        tail -n 60 "$log"
        echo "fuzz: $name failed (status $status); input: $(sed -n 's/.*unit written to //p' "$log")"
        exit 1
    fi
done
