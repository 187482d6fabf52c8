#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cover.sh BINARIES: runs the unit tests and replays the corpora of a build that counts (`make
# cover`), and prints how many lines of each core file of core-files.txt were run, what each fuzz
# target reaches of them, and the lines that nothing reaches (BINARIES/uncovered.txt). Fails when
# less than 95 % of all core lines were run.
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${1:?directory of the binaries}
WANTED=95
PROFILES=$B/profiles
COV=$(command -v llvm-cov-14 || command -v llvm-cov) || { echo "cover: no llvm-cov"; exit 1; }
PROFDATA=$(command -v llvm-profdata-14 || command -v llvm-profdata)
JOBS=$(nproc 2>/dev/null || echo 1)

mapfile -t CORE < <(grep -vE '^(#|$)' tests/support/core-files.txt)
ld -r -o "$B/all.o" --whole-archive "$B"/lib/*.a || exit 1

# One program: its processes add up their counters in one file.
run_unit() {
    local name=${1#tests/unit/}
    name=${name%.c}
    LLVM_PROFILE_FILE="$PROFILES/unit-${name//\//-}-%m.profraw" timeout -k 5 300 \
        "$B/tests/unit/$name" --tap="$PROFILES/${name//\//-}.tap" >"$PROFILES/${name//\//-}.log" 2>&1 ||
        echo "cover: $name failed, see $PROFILES/${name//\//-}.log"
}
run_fuzz() {
    local name
    name=$(basename "$1" .c)
    LLVM_PROFILE_FILE="$PROFILES/$name-%m.profraw" timeout -k 5 300 \
        "$B/fuzz/$name" "tests/fuzz/corpus/$name"/* >"$PROFILES/$name.log" 2>&1 ||
        echo "cover: $name failed, see $PROFILES/$name.log"
}
# lcov PROFILE: what it says about the core files.
lcov() {
    "$COV" export -format=lcov -instr-profile="$1" "$B/all.o" "${CORE[@]}" 2>/dev/null
}
# table: FILE LINES COVERED for each file of an lcov trace on stdin.
table() {
    awk -F'[:,]' -v root="$PWD/" '/^SF:/ { f = substr($0, 4); sub(root, "", f) }
        /^DA:/ { n[f]++; if ($3 > 0) c[f]++ } END { for (f in n) print f, n[f], c[f] + 0 }' | sort
}

rm -rf "$PROFILES"
mkdir -p "$PROFILES" || exit 1
running=0
for source in tests/unit/*/test_*.c tests/fuzz/fuzz_*.c; do
    case $source in
    tests/unit/*) run_unit "$source" & ;;
    *) run_fuzz "$source" & ;;
    esac
    running=$((running + 1))
    if [ "$running" -ge "$JOBS" ]; then wait -n; fi
done
wait

echo "What the corpora reach of the core files:"
for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    "$PROFDATA" merge -sparse -o "$PROFILES/$name.profdata" "$PROFILES/$name"-*.profraw || continue
    lcov "$PROFILES/$name.profdata" | table |
        awk -v name="$name" '{ c += $3; if ($3 > 0) files++ }
            END { printf "  %-22s %5d lines of %2d files\n", name, c, files }'
done

"$PROFDATA" merge -sparse -o "$PROFILES/all.profdata" "$PROFILES"/*.profraw || exit 1
lcov "$PROFILES/all.profdata" >"$B/core.lcov"
awk -F'[:,]' -v root="$PWD/" '/^SF:/ { f = substr($0, 4); sub(root, "", f) }
    /^DA:/ && $3 == 0 { print f ":" $2 }' "$B/core.lcov" >"$B/uncovered.txt"
echo "Core files, unit tests and corpora together:"
table <"$B/core.lcov" | awk -v wanted="$WANTED" '
    { printf "  %-34s %5d of %5d lines  %5.1f %%\n", $1, $3, $2, 100 * $3 / $2; n += $2; c += $3 }
    END {
        if (n == 0) { print "not ok - cover: nothing was counted"; exit 1 }
        share = 100 * c / n
        printf "%s - cover: %d of %d lines of %d core files run, %.2f %% (%d %% wanted)\n",
            share < wanted ? "not ok" : "ok", c, n, NR, share, wanted
        exit share < wanted
    }'
