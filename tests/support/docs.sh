#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# docs.sh BINARIES [--check]: writes what the documents take from the programs (the directives of
# ntsd.conf(5), the tables of docs/bad-input.md), or says where they differ.
set -eu
cd "$(dirname "$0")/../.."
BIN=$1
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT

# between FILE FROM TO COMMAND...: replaces the lines between two markers by a command's output.
between() {
    local file=$1 from=$2 to=$3
    shift 3
    "$@" >"$SCRATCH/part"
    awk -v from="$from" -v to="$to" -v part="$SCRATCH/part" '
        index($0, to) == 1 { inside = 0 }
        !inside { print }
        index($0, from) == 1 { inside = 1; while ((getline line < part) > 0) print line }
    ' "$file" >"$SCRATCH/whole"
    cat "$SCRATCH/whole" >"$file"
}

mkdir "$SCRATCH/docs"
cp docs/bad-input.md docs/man/ntsd.conf.5 "$SCRATCH/docs"
between "$SCRATCH/docs/ntsd.conf.5" '.\\" directives:' '.\\" end of directives' \
    "$BIN/ntsd" --man-directives
for table in ntp ke tls; do
    between "$SCRATCH/docs/bad-input.md" "<!-- $table -->" "<!-- end -->" \
        "$BIN/tests/e2e/badinput_$table" --table
done
if [ "${2:-}" = --check ]; then
    diff docs/bad-input.md "$SCRATCH/docs/bad-input.md"
    diff docs/man/ntsd.conf.5 "$SCRATCH/docs/ntsd.conf.5"
    exit
fi
cat "$SCRATCH/docs/bad-input.md" >docs/bad-input.md
cat "$SCRATCH/docs/ntsd.conf.5" >docs/man/ntsd.conf.5
