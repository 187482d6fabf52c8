#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# aws.sh: puts what the AWS fixture signs with (tests/support/aws/package-lock.json: exact versions
# with their hashes) into build/aws, or $AWS_FIXTURE_DIR. What is there already is left alone. On
# failure one line says why and 1 is returned.
set -u

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
HERE=$ROOT/tests/support/aws
DIR=${AWS_FIXTURE_DIR:-$ROOT/build/aws}

for tool in node npm; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed"; exit 1; }
done
[ "$(node -p 'process.versions.node.split(".")[0] >= 18')" = true ] ||
    { echo "node $(node --version) is older than 18"; exit 1; }
cmp -s "$HERE/package-lock.json" "$DIR/done" && exit 0

# One at a time: tests run side by side.
mkdir -p "$DIR" && exec 9<"$DIR" && flock 9
cmp -s "$HERE/package-lock.json" "$DIR/done" && exit 0
cp "$HERE/package.json" "$HERE/package-lock.json" "$DIR/" || exit 1
if ! said=$(cd "$DIR" && timeout 100 npm ci --ignore-scripts --no-audit --no-fund 2>&1); then
    echo "npm ci failed: $(printf '%s\n' "$said" | grep -m 1 -iE 'error|err!' | cut -c 1-120)"
    exit 1
fi
cp "$HERE/package-lock.json" "$DIR/done"
