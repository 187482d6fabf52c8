#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# peers.sh [chrony|ntpsec]...: unpacks Debian's packages of these NTP implementations into
# build/peers/NAME (or $PEERS_DIR/NAME), for tests and the demo to run as they are. They are never
# installed: as packages they exclude each other, and would be started as services. What is there
# already is left alone. On failure one line says why and 1 is returned.
set -u

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PEERS=${PEERS_DIR:-$ROOT/build/peers}

packages_of() {
    case $1 in
    chrony) echo chrony ;;
    ntpsec) echo ntpsec python3-ntp ;;
    *) return 1 ;;
    esac
}
program_of() {
    case $1 in
    chrony) echo usr/sbin/chronyd ;;
    ntpsec) echo usr/sbin/ntpd ;;
    esac
}

# apt with lists of its own where the machine's may not be refreshed by this user.
own_lists() {
    mkdir -p "$PEERS/apt/lists/partial" "$PEERS/apt/cache/archives/partial"
    APT=(-o "Dir::State::Lists=$PEERS/apt/lists" -o "Dir::Cache=$PEERS/apt/cache")
}
apt_get() {
    timeout 120 apt-get -qq -o APT::Sandbox::User= -o Acquire::Retries=1 \
        -o Acquire::http::Timeout=20 ${APT[@]+"${APT[@]}"} "$@"
}
download() {
    APT=()
    apt_get download "$@" 2>/dev/null && return
    if [ "$(id -u)" != 0 ]; then
        own_lists
    fi
    apt_get update >/dev/null 2>&1
    apt_get download "$@"
}

unpack() {
    local name=$1 new="$PEERS/.$1.$$" packages deb
    packages=$(packages_of "$name") || { echo "unknown peer $name"; return 1; }
    [ -x "$PEERS/$name/$(program_of "$name")" ] && return
    for deb in apt-get dpkg-deb; do
        command -v "$deb" >/dev/null || { echo "no $deb here, peers come as Debian packages"; return 1; }
    done
    mkdir -p "$new/deb" || return 1
    # shellcheck disable=SC2086
    if ! (cd "$new/deb" && download $packages) >"$new/log" 2>&1; then
        echo "cannot download $packages: $(grep -m1 '^E:' "$new/log")"
        rm -rf "$new"
        return 1
    fi
    for deb in "$new"/deb/*.deb; do
        dpkg-deb -x "$deb" "$new/root" || return 1
    done
    # ntpq looks for its library beside its modules, or where it would be installed.
    for deb in "$new"/root/usr/lib/*/ntp/libntpc.so; do
        [ -e "$deb" ] && cp -L "$deb" "$new/root/usr/lib/python3/dist-packages/ntp/"
    done
    mv -T "$new/root" "$PEERS/$name" 2>/dev/null || [ -x "$PEERS/$name/$(program_of "$name")" ]
    rm -rf "$new"
}

[ $# -gt 0 ] || set -- chrony ntpsec
# One at a time: tests run side by side.
mkdir -p "$PEERS" && exec 9<"$PEERS" && flock 9
for peer in "$@"; do
    unpack "$peer" || exit 1
    missing=$(ldd "$PEERS/$peer/$(program_of "$peer")" | awk '/not found/ { printf "%s ", $1 }')
    [ -z "$missing" ] || { echo "$peer lacks libraries: $missing"; exit 1; }
done
