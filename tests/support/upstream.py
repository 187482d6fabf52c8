#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An NTP server that lies as it is told, for tests of a time client. Standard library only.

    upstream.py --bind ADDR --port N [--control N] [--log FILE] [--set "COMMAND"]...

Serves this host's clock, changed by commands, one a line, that come on standard input or as
datagrams to 127.0.0.1:CONTROL (each answered with `ok` or what is wrong):

    offset S      the time is off by so many seconds
    drift PPM     and runs away from now on
    jitter S      each answer's stamps are off by up to so much, evenly and independently
    delay S       each answer waits that long (and says nothing about it)
    loss P        share of requests that get no answer, 0 to 1
    leap N        leap indicator 0 to 3
    stratum N     0 to 255
    root D P      root delay and root dispersion in seconds
    refid HEX     reference id
    kiss CODE     answers with this kiss code; `kiss off`
    silence on|off
    twice on|off  each answer is sent two times
    origin on|off off: the request's transmit timestamp is not echoed
    count         answers with the number of requests so far
    quit

The log has a line for each request: seconds, source address, source port, transmit timestamp in
hexadecimal. Noise is seeded: the same commands give the same server.
"""
import argparse
import random
import select
import socket
import struct
import sys
import time

NTP_UNIX = 2208988800
SO_TIMESTAMPNS = 35


def stamp(seconds_ns):
    seconds, ns = divmod(seconds_ns, 1_000_000_000)
    return ((seconds + NTP_UNIX) & 0xFFFFFFFF) << 32 | (ns << 32) // 1_000_000_000


def short(seconds):
    return min(max(int(seconds * 65536), 0), 0xFFFFFFFF)


class Upstream:
    def __init__(self):
        self.offset = self.jitter = self.delay = self.loss = 0.0
        self.drift = 0.0
        self.drift_since = 0
        self.leap, self.stratum, self.refid = 0, 2, 0x7F7F0101
        self.root = (0.0, 0.0)
        self.kiss = None
        self.silence = self.twice = False
        self.origin = True
        self.requests = 0
        self.noise = random.Random(1)

    def served_ns(self, real_ns):
        """What this server's clock shows when the host's shows real_ns."""
        drifted = (real_ns - self.drift_since) * self.drift * 1e-6 if self.drift else 0
        return real_ns + round(self.offset * 1e9 + drifted)

    def command(self, line):
        words = line.split()
        try:
            return getattr(self, "do_" + words[0])(*words[1:]) or "ok"
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            return f"no: {error}"

    def number(name):  # noqa: N805 - makes methods
        def set_number(self, value):
            setattr(self, name, float(value))
        return set_number

    def switch(name):  # noqa: N805
        def set_switch(self, value):
            setattr(self, name, {"on": True, "off": False}[value])
        return set_switch

    do_offset, do_jitter, do_delay, do_loss = map(number, ("offset", "jitter", "delay", "loss"))
    do_silence, do_twice, do_origin = map(switch, ("silence", "twice", "origin"))

    def do_drift(self, ppm):
        self.offset = (self.served_ns(time.time_ns()) - time.time_ns()) / 1e9
        self.drift_since, self.drift = time.time_ns(), float(ppm)

    def do_leap(self, value):
        self.leap = int(value) & 3

    def do_stratum(self, value):
        self.stratum = int(value) & 255

    def do_refid(self, value):
        self.refid = int(value, 16) & 0xFFFFFFFF

    def do_root(self, delay, dispersion):
        self.root = (float(delay), float(dispersion))

    def do_kiss(self, code):
        self.kiss = None if code == "off" else code.encode("ascii").ljust(4, b"\0")[:4]

    def do_count(self):
        return str(self.requests)

    def do_quit(self):
        sys.exit(0)

    def shaken(self, real_ns):
        return self.served_ns(real_ns) + round(self.noise.uniform(-self.jitter, self.jitter) * 1e9)

    def answer(self, request, received_ns):
        """The reply, or None; the transmit stamp is of now."""
        self.requests += 1
        if len(request) < 48 or request[0] & 7 != 3 or self.silence:
            return None
        if self.loss and self.noise.random() < self.loss:
            return None
        if self.delay:
            time.sleep(self.delay)
        stratum = 0 if self.kiss else self.stratum
        refid = struct.unpack("!I", self.kiss)[0] if self.kiss else self.refid
        first = (3 if self.kiss else self.leap) << 6 | 4 << 3 | 4
        head = struct.pack("!BBbbIII", first, stratum, 4, -23, short(self.root[0]),
                           short(self.root[1]), refid)
        received = self.shaken(received_ns)
        origin = request[40:48] if self.origin else b"\1" * 8
        reference = stamp(self.served_ns(received_ns) - 10_000_000_000)
        sent = max(self.shaken(time.time_ns()), received)
        return head + struct.pack("!Q8sQQ", reference, origin, stamp(received), stamp(sent))


def receive(sock):
    data, controls, _, peer = sock.recvmsg(2048, 256)
    now = time.time_ns()
    for level, kind, value in controls:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(value) >= 16:
            seconds, ns = struct.unpack("@ll", value[:16])
            now = seconds * 1_000_000_000 + ns
    return data, peer, now


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bind", default="127.0.0.1")
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--control", type=int, default=0)
    options.add_argument("--log")
    options.add_argument("--set", action="append", default=[])
    args = options.parse_args()
    family = socket.AF_INET6 if ":" in args.bind else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.bind((args.bind, args.port))
    watched = [sock, sys.stdin]
    control = None
    if args.control:
        control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        control.bind(("127.0.0.1", args.control))
        watched.append(control)
    log = open(args.log, "a", buffering=1, encoding="ascii") if args.log else None
    upstream = Upstream()
    for line in args.set:
        print(f"{line}: {upstream.command(line)}", flush=True)
    print("serving", flush=True)
    while True:
        for ready in select.select(watched, [], [])[0]:
            if ready is sys.stdin:
                line = sys.stdin.readline()
                if line.strip():
                    print(upstream.command(line), flush=True)
                elif not line:
                    watched.remove(sys.stdin)
            elif ready is control:
                line, peer = control.recvfrom(512)
                control.sendto(upstream.command(line.decode("ascii", "replace")).encode(), peer)
            else:
                request, peer, now = receive(sock)
                if log:
                    print(f"{time.monotonic():.6f} {peer[0]} {peer[1]} {request[40:48].hex()}",
                          file=log)
                reply = upstream.answer(request, now)
                for _ in range(0 if reply is None else 2 if upstream.twice else 1):
                    sock.sendto(reply, peer)


if __name__ == "__main__":
    main()
