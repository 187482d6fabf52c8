#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes the tables of docs/bad-input.md anew from the programs that test the rows.
set -eu
bin=$1 doc=docs/bad-input.md
for table in ntp ke tls; do
    "$bin/tests/e2e/badinput_$table" --table >"$bin/$table.rows"
    sed -i -e "/<!-- $table -->/,/<!-- end -->/{/^|/d}" -e "/<!-- $table -->/r $bin/$table.rows" "$doc"
    rm "$bin/$table.rows"
done
