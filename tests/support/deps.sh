#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Packages that the goals named as arguments need. On Debian, as root or with sudo, what is missing
# is installed (and named); otherwise the one line that installs it is printed and 1 returned.
# Elsewhere only the build's own needs are looked for, by pkg-config.
set -u

build="gcc libc6-dev pkg-config nettle-dev libuv1-dev libssl-dev libjansson-dev libseccomp-dev libcurl4-openssl-dev"
tests="libcriterion-dev clang libclang-rt-14-dev llvm-14 openssl tshark iproute2 nftables procps python3 strace curl"
# What the peers in build/peers (chrony, NTPsec: unpacked, never installed, never started as a
# service) need at run time.
peers="libcap2 libedit2 libgnutls30 libnettle8 libseccomp2 libbsd0 python3 tzdata netbase ca-certificates"
judges="checksec testssl.sh nmap binutils valgrind libc6-dbg cppcheck clang-tidy openssl procps python3 curl libcriterion-dev"
lint="clang-format clang-tidy cppcheck shellcheck mandoc"

# The machine may have a node of another making.
node=""
command -v node >/dev/null && command -v npm >/dev/null || node="nodejs npm"

need=$build
for goal in "$@"; do
    case $goal in
    check | e2e) need="$need $tests $node $peers" ;;
    unit) need="$need libcriterion-dev" ;;
    */test_*) need="$need libcriterion-dev" ;;
    demo | run) need="$need $peers openssl procps" ;;
    fuzz) need="$need clang libclang-rt-14-dev llvm-14" ;;
    cover) need="$need clang libclang-rt-14-dev llvm-14 libcriterion-dev openssl iproute2 procps curl" ;;
    judges) need="$need $judges" ;;
    lint | format) need="$need $lint" ;;
    compdb) need="$need bear" ;;
    esac
done

if ! command -v dpkg-query >/dev/null; then
    for pc in nettle libuv openssl jansson libseccomp libcurl; do
        pkg-config --exists $pc || { echo "ntsd: development files of $pc are missing"; exit 1; }
    done
    exit 0
fi

missing=""
# shellcheck disable=SC2086
for p in $(printf '%s\n' $need | sort -u); do
    case $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) in
    installed) ;;
    *) missing="$missing $p" ;;
    esac
done
[ -z "$missing" ] && exit 0

sudo=""
if [ "$(id -u)" != 0 ]; then
    if ! sudo -n true 2>/dev/null; then
        echo "ntsd: please install what is missing and run make again:"
        echo "  sudo apt-get install --no-install-recommends$missing"
        exit 1
    fi
    sudo="sudo"
fi
echo "ntsd: installing$missing"
$sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
