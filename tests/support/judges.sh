#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# judges.sh BINARIES [CPPFLAGS...]: what tools of others say about this tree (`make judges`).
# JUDGES="tls binaries memory source" chooses. Each judge ends in a line
#
#   ok - judge: NAME (FIGURES)          or          not ok - judge: NAME (WHAT)
#
# and what it printed is kept in BINARIES/judges/. The TLS scanners are given the ALPN name of
# NTS-KE first: without it they would see nothing but an alert.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/lib.sh"
shift
FLAGS=("$@")
cd "$ROOT" || exit 1
OUT=$BIN/judges
JOBS=$(nproc 2>/dev/null || echo 1)

# verdict_of NAME FIGURES FINDINGS: ok when the file FINDINGS is empty.
verdict_of() {
    if [ -s "$3" ]; then
        sed 's/^/  /' "$3" | head -n 40
        not_ok "judge: $1" "$2; $(wc -l <"$3") findings"
    else
        ok "judge: $1 ($2)"
    fi
}
# expect FINDINGS WHAT COMMAND...: a command that fails is a finding.
expect() {
    local findings=$1 what=$2
    shift 2
    "$@" >/dev/null 2>&1 || echo "$what" >>"$findings"
}

# ---- TLS, of a server as it is shipped, sandbox and all

# The one finding we leave: our development CA has no revocation service. DNS is not ours to judge.
TESTSSL_LEFT='^(cert_revocation|DNS_CAArecord|engine_problem|service) '
testssl_judge() {
    local found=$OUT/testssl.found name=00,10,00,0a,00,08,07,6e,74,73,6b,65,2f,31
    # Its hello by hand gets our ALPN where it has an empty NPN; its openssl gets it as an option.
    sed -e 's/^declare -r ALPN_PROTOs=.*/declare -r ALPN_PROTOs="ntske\/1"/' \
        -e "/^ *extension_next_protocol=\"/,/\"\$/{/=\"/!d;s/=\".*/=\"$name\"/}" \
        "$(command -v testssl)" >"$T/testssl"
    cat >"$T/openssl" <<'SH'
#!/bin/sh
PATH=${PATH#*:} # without this script
[ "$1" = s_client ] || exec openssl "$@"
shift
exec openssl s_client -alpn ntske/1 "$@"
SH
    chmod +x "$T/openssl"
    rm -f "$OUT/testssl.json"
    PATH=$T:$PATH timeout -k 5 1200 bash "$T/testssl" --quiet --color 0 --warnings batch --openssl "$T/openssl" \
        --ip 127.0.0.1 --add-ca "$CERTS/ca.pem" --jsonfile "$OUT/testssl.json" -p -s -f -P -S -U \
        "localhost:$KE" </dev/null >"$OUT/testssl.log" 2>&1
    python3 - "$OUT/testssl.json" "$T/testssl.counts" >"$T/testssl.all" <<'PY'
import collections, json, sys
checks = json.load(open(sys.argv[1]))
count = collections.Counter(c["severity"] for c in checks)
said = {c["id"]: c["finding"] for c in checks}
for c in checks:
    if c["severity"] not in ("OK", "INFO", "DEBUG"):
        print(c["id"], c["severity"], c["finding"])
for old in ("SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2"):
    if not said.get(old, "?").startswith("not offered"):
        print(old, said.get(old, "was not looked at"))
if not said.get("TLS1_3", "").startswith("offered"):
    print("TLS1_3 was not found: nothing was judged")
open(sys.argv[2], "w").write("%d checks, %d ok" % (len(checks), count["OK"]))
PY
    [ -s "$T/testssl.counts" ] || echo "it did not finish, see $OUT/testssl.log" >>"$T/testssl.all"
    grep -vE "$TESTSSL_LEFT" "$T/testssl.all" >"$found"
    verdict_of testssl "$(cat "$T/testssl.counts" 2>/dev/null), TLS 1.3 alone" "$found"
}
nmap_judge() {
    local found=$OUT/nmap.found log=$OUT/nmap.log scripts
    : >"$found"
    mkdir -p "$T/nmap" && cp -rs /usr/share/nmap/* "$T/nmap/" && rm "$T/nmap/nselib/tls.lua"
    cat >"$T/hello.lua" <<'LUA'
  t = t or {}
  t["extensions"] = t["extensions"] or {}
  local alpn = "application_layer_protocol_negotiation"
  t["extensions"][alpn] = EXTENSION_HELPERS[alpn]({"ntske/1"})
LUA
    sed "/^function client_hello(t)\$/r $T/hello.lua" /usr/share/nmap/nselib/tls.lua \
        >"$T/nmap/nselib/tls.lua"
    scripts=+ssl-enum-ciphers,+ssl-cert,+ssl-known-key,+ssl-heartbleed,+ssl-poodle,+sslv2
    scripts=$scripts,+ssl-ccs-injection,+ssl-dh-params,+sslv2-drown,+tls-ticketbleed,+tls-alpn
    NMAPDIR=$T/nmap LD_PRELOAD=$T/alpn.so timeout -k 5 600 \
        nmap -Pn -p "$KE" --script "$scripts" localhost >"$log" 2>&1
    expect "$found" "ssl-enum-ciphers saw no TLS 1.3" grep -q 'TLSv1.3:' "$log"
    expect "$found" "the least strength is not A" grep -q 'least strength: A' "$log"
    expect "$found" "ssl-cert saw no certificate" grep -q 'Subject: .*ntsd' "$log"
    grep -E 'SSLv[23]:|TLSv1\.[012]:|VULNERABLE' "$log" | grep -v 'NOT VULNERABLE' >>"$found"
    verdict_of nmap "$(grep -c 'TLS_AKE' "$log") ciphers, $(grep -o 'least strength: .' "$log"), 11 scripts" \
        "$found"
}
judge_tls() {
    cc -shared -fPIC -D_GNU_SOURCE -I. -o "$T/alpn.so" tests/support/judges/alpn.c -ldl -lssl ||
        { not_ok "judge: tls" "tests/support/judges/alpn.c does not compile"; return; }
    start_ntsd "local stratum 10"
    testssl_judge
    nmap_judge
    verdict "judge: ntsd after the scanners (an honest exchange)" "no answer" canary
    finish "$NTSD_PID"
}

# ---- the binaries

# Every object of ours is made for CET. The binaries are not marked so: Debian's crt1.o is not.
cet_judge() {
    local lib
    [ "$(uname -m)" = x86_64 ] || return
    for lib in "$BIN"/lib/*.a; do
        readelf -n "$lib" 2>/dev/null | awk -v lib="${lib##*/}" '
            /^File:/ { if (file != "" && !marked) print lib ": no IBT and SHSTK: " file; file = $2; marked = 0 }
            /x86 feature: IBT, SHSTK/ { marked = 1 }
            END { if (!marked) print lib ": no IBT and SHSTK: " file }'
    done
}
judge_binaries() {
    local name want found=$OUT/checksec.found
    : >"$found"
    for name in ntsd ntsq ntsctl; do
        checksec --format=csv --file="$BIN/$name" 2>/dev/null >"$OUT/checksec-$name.csv"
        for want in "Full RELRO" "Canary found" "NX enabled" "PIE enabled" "No RPATH" "No RUNPATH"; do
            expect "$found" "$name: not: $want" grep -q "$want" "$OUT/checksec-$name.csv"
        done
        # fortified, fortifiable: some calls are known to be safe at build time and need no check.
        awk -F, -v name="$name" '$8 != "Yes" || $9 + 0 == 0 { print name ": no fortified call" }' \
            "$OUT/checksec-$name.csv" >>"$found"
        readelf -lW "$BIN/$name" | awk -v name="$name" '/GNU_STACK/ && /E / { print name ": stack may be run" }
            /LOAD/ && /RWE/ { print name ": a segment may be written and run" }' >>"$found"
    done
    cet_judge >>"$found"
    verdict_of checksec "3 binaries: full RELRO, canary, NX, PIE, fortified calls $(awk -F, '{ print $9 }' "$OUT"/checksec-*.csv | paste -sd+), all objects for CET" "$found"
}

# ---- memory

VALGRIND=(valgrind -q --vgdb=no --leak-check=full --show-leak-kinds=definite
    --errors-for-leak-kinds=definite "--suppressions=$ROOT/tests/support/judges/valgrind.supp")
# Not under valgrind 3.19: seccomp does not know its calls, it does not know pidfd_open(2), and two
# programs look through memory that is partly its own. test_daemon starts ntsd, as we do below.
NOT_HERE=" ntsd/test_sandbox ntsd/test_daemon common/test_provider_command ntsd/test_key_fetch
 common/test_keys_stack ntsd/test_role_keys_memory "

# complaints NAME: the first of each kind in its logs, with their places.
complaints() {
    local log
    for log in "$OUT/$1".*.vg; do
        [ -s "$log" ] || continue
        awk -v from="$1" '{ sub(/^==[0-9]*== ?/, "") } /^[^ ]/ && !/^(Warning|--)/ { what = $0; n = 0 }
            /^ +(at|by) 0x/ && ++n <= 3 { sub(/^ +(at|by) 0x[0-9A-F]+: /, ""); line = line (n > 1 ? " < " : "") $0 }
            /^$/ && what != "" { print from ": " what " " line; what = line = "" }
            END { if (what != "") print from ": " what " " line }' "$log"
    done | sort | uniq -c | sort -rn | head -n 5
}
# One program of unit tests over tsan_runner.c; Criterion's own workers take ten times as long.
memory_unit() {
    local name=$1 log=$OUT/${1//\//-}
    rm -f "$log".*
    timeout -k 5 300 "${VALGRIND[@]}" --log-file="$log.%p.vg" "$BIN/valgrind/tests/unit/$name" \
        --tap="$log.tap" >"$log.log" 2>&1 </dev/null
    complaints "${name//\//-}" >"$log.found"
    grep -cE '^(not )?ok ' "$log.tap" >"$log.ran"
    # A test may fail here by being slow, or by a call that valgrind does not know; its own findings
    # are what counts.
    grep '^not ok ' "$log.tap" | sed "s,^not ok -,  did not pass under valgrind: $name," >"$log.slow"
}
memory_units() {
    local source name running=0 ran=0 programs=0 slow
    for source in tests/unit/*/test_*.c; do
        name=${source#tests/unit/}
        name=${name%.c}
        case $NOT_HERE in *" $name "*) continue ;; esac
        memory_unit "$name" &
        running=$((running + 1))
        if [ "$running" -ge "$JOBS" ]; then wait -n; fi
    done
    wait
    for source in "$OUT"/*-test_*.ran; do
        programs=$((programs + 1)) ran=$((ran + $(cat "$source")))
    done
    cat "$OUT"/*-test_*.found >"$OUT/valgrind-unit.found"
    cat "$OUT"/*-test_*.slow
    slow=$(cat "$OUT"/*-test_*.slow | wc -l)
    verdict_of "valgrind, unit tests" "$ran tests of $programs programs, $slow of them did not pass under it" \
        "$OUT/valgrind-unit.found"
}
# The whole server: handshakes, cookies, bad input, a reload, the end.
memory_server() {
    local found=$OUT/valgrind-ntsd.found answered=0
    rm -f "$OUT"/ntsd.*.vg
    chmod 0755 "$T"
    mkdir -p "$T/vg"
    give_away "$T/vg"
    choose_ports
    [ -e "$CERTS/server.pem" ] || make_certs "$CERTS"
    mkdir -p "$T/state"
    chmod 0700 "$T/state"
    give_away "$T/state"
    write_conf "$T/valgrind.conf" "local stratum 10" "sandbox no"
    start valgrind-ntsd "${VALGRIND[@]}" --trace-children=yes --log-file="$T/vg/ntsd.%p.vg" \
        "$BIN/ntsd" -c "$T/valgrind.conf"
    NTSD_PID=$PID
    : >"$found"
    within 60000 is_ready || echo "not ready within a minute" >>"$found"
    for _ in 1 2 3 4 5 6 7 8; do
        quietly ask --timeout 20 && answered=$((answered + 1))
    done
    expect "$found" "only $answered of 8 were answered" test "$answered" = 8
    printf 'GET / HTTP/1.1\r\n\r\n' >"/dev/tcp/127.0.0.1/$KE"
    head -c 1000 /dev/urandom >"/dev/udp/127.0.0.1/$NTP"
    kill -HUP "$NTSD_PID"
    quietly ask --timeout 20
    quietly curl -s "http://127.0.0.1:$HTTP/metrics"
    finish "$NTSD_PID" || echo "it ended with status $?" >>"$found"
    cp "$T"/vg/*.vg "$OUT" && complaints ntsd >>"$found"
    verdict_of "valgrind, ntsd from start to end" "$(find "$OUT" -name 'ntsd.*.vg' | wc -l) processes, $answered of 8 exchanges" "$found"
}
judge_memory() {
    memory_units
    memory_server
}

# ---- the source

judge_source() {
    local absent=aead_gcmsiv_nettle
    pkg-config --atleast-version=3.9 nettle && absent=aead_gcmsiv_none
    cppcheck -q -j "$JOBS" --std=c11 --language=c --enable=warning,performance,portability \
        --inline-suppr --suppress=missingInclude --suppress=missingIncludeSystem \
        --suppress=varFuncNullUB --suppress=preprocessorErrorDirective -D_GNU_SOURCE -I. \
        common certs nts-ke ntp ntsd tools tests/fuzz tests/support >"$OUT/cppcheck.found" 2>&1
    verdict_of cppcheck "$(find common certs nts-ke ntp ntsd tools tests/fuzz tests/support -name '*.c' | wc -l) files, warning, performance, portability" \
        "$OUT/cppcheck.found"
    # .clang-tidy has bugprone, cert and the analyzer, and says what it leaves out and why. Besides:
    # a const that a library's prototype lacks is cast away by way of uintptr_t.
    local more='performance-*,-performance-no-int-to-ptr,portability-*,misc-misplaced-const,misc-static-assert'
    # shellcheck disable=SC2016
    find common certs nts-ke ntp ntsd tools -name '*.c' | grep -v "$absent" | sort |
        MORE=$more xargs -P "$JOBS" -n 1 bash -c 'clang-tidy --quiet "--checks=$MORE" "${@: -1}" -- \
            -std=c11 "${@:1:$#-1}" 2>/dev/null' tidy "${FLAGS[@]}" >"$OUT/tidy.found"
    verdict_of clang-tidy \
        "$(clang-tidy --list-checks "--checks=$more" | grep -c '^ ') checks, bugprone, cert, analyzer, performance" \
        "$OUT/tidy.found"
}

mkdir -p "$OUT" || exit 1
for judge in ${JUDGES:-tls binaries memory source}; do
    "judge_$judge"
done
echo "judges: $([ "$FAILED" = 0 ] && echo ok || echo "$FAILED not ok"), see $OUT"
[ "$FAILED" = 0 ]
