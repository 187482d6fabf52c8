#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# lint.sh [CPPFLAGS...]: the rules of the house that a machine can check: format, layers, lengths,
# SPDX tags, unnumbered to-dos, purity of core files, clang-tidy, cppcheck, shellcheck, manual pages.
# Prints what breaks them and fails, or prints `lint: ok`.
set -u
cd "$(dirname "$0")/../.." || exit 1
JOBS=$(nproc 2>/dev/null || echo 2)
FAILED=0

# files PATTERN...: of the tree, also those not yet added.
files() {
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files -co --exclude-standard -- "$@" 2>/dev/null | sort -u | while read -r f; do
            [ -f "$f" ] && echo "$f"
        done
    else
        local p
        for p in "$@"; do find . -path ./build -prune -o -type f -path "./$p" -print; done |
            sed 's,^\./,,' | sort -u
    fi
}
mapfile -t C_FILES < <(files '*.c')
mapfile -t H_FILES < <(files '*.h')
mapfile -t SCRIPTS < <(files '*.sh' '.ci/run')
mapfile -t MAN < <(files 'docs/man/*.[1-8]')
[ ${#C_FILES[@]} -gt 0 ] || { echo "lint: no C files"; exit 1; }

# complain RULE: what is read is a breach of the rule; nothing read, nothing wrong.
complain() {
    local breaches
    breaches=$(cat)
    [ -n "$breaches" ] || return 0
    printf 'lint: %s\n%s\n' "$1" "$(printf '%s\n' "$breaches" | sed 's/^/  /')"
    return 1
}
# check COMMAND...: remembers a failure.
check() { "$@" || FAILED=1; }

format() {
    clang-format --dry-run -Werror "${C_FILES[@]}" "${H_FILES[@]}" 2>&1 | grep 'error:' |
        complain "not as clang-format has it (make format)"
}

# STYLE.md 1: who may include whom. The first rule that fits a file's folder counts. Test code may
# include anything. A service is no codec, so tools may not use it.
layers() {
    grep -HnE '^ *# *include "' "${C_FILES[@]}" "${H_FILES[@]}" | awk -F: '
        BEGIN {
            common = "common/(base|crypto|keys|net)"
            rule("common/base", "common/base")
            rule("common/crypto", "common/(base|crypto)")
            rule("common/keys", common)
            rule("common/net", "common/(base|crypto|net)")
            rule("certs", "(" common "|certs)")
            rule("nts-ke", "(" common "|certs|nts-ke)")
            rule("ntp", "(" common "|ntp|ntp/clock)")
            rule("ntp/clock", "(" common "|ntp|ntp/clock)")
            rule("ntsd", "(" common "|certs|nts-ke|ntp|ntp/clock|ntsd)")
            rule("tools", "(" common "|certs|nts-ke|ntp|tools)")
        }
        function rule(folder, allowed) { may[folder] = "^" allowed "/[^/]*$" }
        {
            folder = $1; sub("/[^/]*$", "", folder)
            split($0, quoted, "\""); used = quoted[2]
            if (folder ~ /^tests/) next
            if (!(folder in may)) print $1 ":" $2 ": folder " folder " is not in the table"
            else if (used !~ may[folder]) print $1 ":" $2 ": " folder " may not use " used
            else if (folder == "tools" && used ~ /_service\.h$/) print $1 ":" $2 ": tools use codecs only"
        }' | complain "layers (STYLE.md 1)"
}
include_paths() {
    local where path
    grep -HnoE '^ *# *include "[^"]*"' "${C_FILES[@]}" "${H_FILES[@]}" | while IFS= read -r where; do
        path=${where#*\"}
        [ -f "${path%\"}" ] || echo "$where"
    done | complain "include paths start at the root of the tree"
}

# STYLE.md 2
lengths() {
    wc -l "${C_FILES[@]}" "${H_FILES[@]}" | awk '
        $2 == "total" { next }
        $2 ~ /^tests\// { max = 600 }
        $2 !~ /^tests\// { max = $2 ~ /\.h$/ ? 120 : 400 }
        $2 ~ /common\/base\/cursor\.h$/ { next }
        $1 > max { print $2 ": " $1 " lines, " max " at most" }' | complain "long files"
    local status=$?
    wc -l Makefile | awk '$1 >= 200 { print "Makefile: " $1 " lines, under 200 wanted" }' |
        complain "long files" || status=1
    return "$status"
}
spdx() {
    local f
    for f in "${C_FILES[@]}" "${H_FILES[@]}" "${SCRIPTS[@]}" Makefile; do
        head -n 2 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$f"
    done | complain "no SPDX tag on top"
}
todos() {
    grep -nE '\b(TO[D]O|FIX[M]E)\b' "${C_FILES[@]}" "${H_FILES[@]}" "${SCRIPTS[@]}" Makefile |
        grep -vE '(TO[D]O|FIX[M]E) ?[(#]+[0-9]+' | complain "to-do without a number"
}
# atoi() says 0 to nonsense.
banned() {
    printf '%s\n' "${C_FILES[@]}" | grep -v '^tests/' |
        xargs grep -nE '\b(atoi|atol|atof|strcpy|strcat|sprintf|gets|strtok)\(' | complain "banned calls"
}
shape() {
    grep -nE '	| +$' "${C_FILES[@]}" "${H_FILES[@]}" | complain "tabs or blanks at the end"
}

# Core files turn bytes and values into bytes and values (STYLE.md 1).
purity() {
    local f listed banned
    listed=$(grep -vE '^(#|$)' tests/support/core-files.txt)
    banned='<(sys/socket|sys/stat|sys/mman|sys/ioctl|unistd|fcntl|poll|time|pthread|uv|netdb)\.h>'
    banned="$banned|common/base/(log|file)\.h"
    banned="$banned|\b(malloc|calloc|realloc|free|strdup|alloca)\("
    banned="$banned|\b(v?f?printf|puts|perror|syslog|log_event)\("
    banned="$banned|\b(clock_gettime|gettimeofday|time|wall_now|mono_now|getrandom|getenv)\("
    for f in $listed; do
        [ -f "$f" ] || { echo "$f: listed, not there"; continue; }
        # Comments may speak of what code may not do.
        sed -E 's,//.*,,; s,/\*.*\*/,,; /^ *\/\*/,/\*\//s/.*//' "$f" | grep -nE "$banned" | sed "s,^,$f: ,"
        # An object at file scope that is neither const nor a type nor a prototype.
        grep -nE '^static [^()]*(=|;)' "$f" | grep -vE '\bconst\b|inline' | sed "s,^,$f: mutable: ,"
    done | complain "core files with a side effect (STYLE.md 1)"
}

scripts() {
    shellcheck -x -S info -e SC1091,SC2317 "${SCRIPTS[@]}" || { echo "lint: shellcheck"; return 1; }
}
manuals() {
    [ ${#MAN[@]} -gt 0 ] || return 0
    mandoc -Tlint -Wwarning "${MAN[@]}" | complain "manual pages (mandoc)"
}
cpp_check() {
    cppcheck -q -j "$JOBS" --std=c11 --language=c --enable=warning,portability --inline-suppr \
        --error-exitcode=1 --suppress=missingInclude --suppress=varFuncNullUB --suppress=missingIncludeSystem \
        --suppress=preprocessorErrorDirective -D_GNU_SOURCE -I. \
        common certs nts-ke ntp ntsd tools 2>&1 | complain "cppcheck"
}
# What is shipped and can be built here. One file each, so that all processors are busy.
tidy() {
    local absent=aead_gcmsiv_nettle
    pkg-config --atleast-version=3.9 nettle && absent=aead_gcmsiv_none
    # shellcheck disable=SC2016
    printf '%s\n' "${C_FILES[@]}" | grep -vE "^tests/|$absent" | xargs -P "$JOBS" -n 1 \
        bash -c 'clang-tidy --quiet "${@: -1}" -- -std=c11 "${@:1:$#-1}" 2>/dev/null' tidy "$@" |
        complain "clang-tidy"
}

for rule in format layers include_paths lengths spdx todos banned shape purity scripts manuals cpp_check; do
    check "$rule"
done
check tidy "$@"
[ "$FAILED" = 0 ] && echo "lint: ok"
exit "$FAILED"
