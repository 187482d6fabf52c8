#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How far a server's time is from this host's clock: asks plain NTP again and again, with the
kernel's stamps in both directions, so that what this program waits for does not count.

    offset.py ADDR PORT SECONDS [PER_SECOND]

Prints: samples lost mean_us p99_us worst_us median_delay_us; p99 and worst without their sign.
"""
import os
import socket
import struct
import sys
import time

NTP_UNIX = 2208988800
SO_TIMESTAMPING, FLAGS = 37, 1 << 1 | 1 << 3 | 1 << 4 | 1 << 11  # software, both ways, no copy
MSG_ERRQUEUE = 0x2000


def stamp_of(controls):
    for level, kind, value in controls:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPING and len(value) >= 16:
            seconds, ns = struct.unpack("@ll", value[:16])
            if seconds:
                return seconds * 1_000_000_000 + ns
    return None


def wall(ntp):
    return ((ntp >> 32) - NTP_UNIX) * 1_000_000_000 + ((ntp & 0xFFFFFFFF) * 1_000_000_000 >> 32)


def ask(addr, port):
    """Offset and delay in nanoseconds, or None."""
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, FLAGS)
        sock.settimeout(1)
        sock.connect((addr, port))
        cookie = os.urandom(8)
        t1 = time.time_ns()
        sock.send(b"\x23" + bytes(39) + cookie)
        try:
            reply, controls, _, _ = sock.recvmsg(512, 256)
            t4 = stamp_of(controls) or time.time_ns()
        except OSError:
            return None
        try:
            t1 = stamp_of(sock.recvmsg(1, 256, MSG_ERRQUEUE)[1]) or t1
        except OSError:
            pass
        if len(reply) < 48 or reply[24:32] != cookie or reply[0] >> 6 == 3:
            return None
        t2, t3 = (wall(t) for t in struct.unpack("!QQ", reply[32:48]))
        return ((t2 - t1) + (t3 - t4)) / 2, (t4 - t1) - (t3 - t2)


def main():
    addr, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    pause = 1 / float(sys.argv[4] if len(sys.argv) > 4 else 10)
    results, lost = [], 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = ask(addr, port)
        if result is None:
            lost += 1
        else:
            results.append(result)
        time.sleep(pause)
    if not results:
        print(f"0 {lost} - - - -")
        sys.exit(1)
    offsets = [offset for offset, _ in results]
    sizes = sorted(abs(offset) for offset in offsets)
    delays = sorted(delay for _, delay in results)
    print(len(results), lost, *(f"{value / 1000:.3f}" for value in (
        sum(offsets) / len(offsets), sizes[max(0, -(-len(sizes) * 99 // 100) - 1)], sizes[-1],
        delays[len(delays) // 2])))


if __name__ == "__main__":
    main()
