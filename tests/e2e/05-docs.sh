#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the documents say of the programs is what the programs say: directives, rows of bad input, the
# example configurations.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

verdict "ntsd.conf(5) and docs/bad-input.md are those of the programs" "make docs mends it" \
    "$ROOT/tests/support/docs.sh" "$BIN" --check

# example FILE: the lines of a configuration in it, with paths and the user of this test.
example() {
    sed -n '/^ntsservercert/,/^\(```\|\.Ed\)/p' "$1" | grep -vE '^(```|\.Ed)' |
        sed -e "s,/etc/ntsd,$CERTS," -e "s,/var/lib/ntsd,$T/state," -e "s,^user .*,user $(id -un),"
}
# good CONFIG: -t finds nothing wrong.
good() { "$BIN/ntsd" -c "$1" -t >"$T/test.log" 2>&1 || { show_logs; return 1; }; }

make_certs "$CERTS"
chown -R "$(id -un)" "$CERTS"
for file in README.md docs/man/ntsd.conf.5; do
    example "$ROOT/$file" >"$T/example.conf"
    verdict "the example in $file is a good configuration" "see the log above" \
        good "$T/example.conf"
done
