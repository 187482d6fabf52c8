#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A layer-4 load balancer made of nftables, for tests of a fleet. Standard library only.

    balancer.py --virtual ADDR --backend ADDR... --http PORT --admin DIR [--drain S]

Runs in a network namespace of its own, as root. UDP 123 and TCP 4460 of the virtual address go to
one of the backends, chosen by a hash of source address and port when a flow begins; source
addresses are kept. It stands for a Network Load Balancer:

    health   asks each backend for http://ADDR:PORT/readyz, several times a second; two answers of
             the same kind in a row count
    out      unhealthy, or deregistered: no new flows; those there are go on for the drain time and
             are cut then
    in       healthy again: new flows
    none in  fails open: every backend gets flows

A file DIR/N deregisters backend N (from 1) for as long as it is there; its health is found out anew
afterwards. On standard output, a line
for each thing that happens: `SECONDS in|out|cut N`.

The table `fleet` also remembers who went where: sets udp1, udp2, ... of `address . port`.
"""
import argparse
import http.client
import itertools
import os
import socket
import struct
import subprocess
import threading
import time

CHECK_EVERY_S = 0.2
CHECK_TIMEOUT_S = 1.5
THRESHOLD = 2

NLM_F_REQUEST, NLM_F_ACK = 1, 4
CT_DELETE = 1 << 8 | 2  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE
CTA_MARK, CTA_MARK_MASK = 8, 21
NETLINK_NETFILTER = 12


def nft(text):
    subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)


def say(what, number):
    print(f"{time.time():.3f} {what} {number}", flush=True)


def among(backends):
    return "among" + "".join(str(b.number) for b in backends)


def cut_flows(mark):
    """Deletes the connections that carry this mark, as the end of a drain does."""
    body = struct.pack("=BBH", socket.AF_INET, 0, 0)
    for kind, value in ((CTA_MARK, mark), (CTA_MARK_MASK, 0xFFFFFFFF)):
        body += struct.pack("=HH", 8, kind) + struct.pack("!I", value)
    head = struct.pack("=IHHII", 16 + len(body), CT_DELETE, NLM_F_REQUEST | NLM_F_ACK, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as netlink:
        netlink.send(head + body)
        error = struct.unpack_from("=i", netlink.recv(4096), 16)[0]
    if error != 0:
        raise OSError(-error, os.strerror(-error))


class Backend:
    def __init__(self, number, address, admin):
        self.number, self.address = number, address
        self.deregistration = f"{admin}/{number}"
        self.healthy = self.listed = False
        self.cut_at = None

    def is_deregistered(self):
        return os.path.exists(self.deregistration)

    def is_ready(self, port):
        connection = http.client.HTTPConnection(self.address, port, timeout=CHECK_TIMEOUT_S)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def watch(self, port):
        in_a_row = 0
        while True:
            if self.is_deregistered():
                self.healthy, in_a_row = False, 0
            elif self.is_ready(port) == self.healthy:
                in_a_row = 0
            else:
                in_a_row += 1
            if in_a_row >= THRESHOLD:
                self.healthy, in_a_row = not self.healthy, 0
            time.sleep(CHECK_EVERY_S)


class Balancer:
    def __init__(self, options):
        self.options = options
        self.backends = [Backend(n + 1, a, options.admin) for n, a in enumerate(options.backend)]

    def make_table(self):
        """A chain for each set of backends that may be listed. To go over from one to another then
        changes one `goto`: a map changed while a packet looks into it has nothing to say."""
        lines = ["table ip fleet {"]
        for b in self.backends:
            lines += [f"set udp{b.number} {{ typeof ip saddr . udp sport; size 1000000; flags dynamic; }}",
                      f"chain to{b.number} {{",
                      f"  meta l4proto udp add @udp{b.number} {{ ip saddr . udp sport }}",
                      f"  dnat to {b.address}", "}"]
        ways = ", ".join(f"{b.number} : goto to{b.number}" for b in self.backends)
        for size in range(1, len(self.backends) + 1):
            for chosen in itertools.combinations(self.backends, size):
                share = ", ".join(f"{i} : {b.number}" for i, b in enumerate(chosen))
                pick = f"sport mod {size} seed 0x7f3a map {{ {share} }}"
                lines += [f"chain {among(chosen)} {{"]
                lines += [f"  meta l4proto {p} ct mark set jhash ip saddr . {p} {pick}" for p in ("udp", "tcp")]
                lines += [f"  ct mark vmap {{ {ways} }}", "}"]
        lines += ["chain pick { }",
                  "chain arrive { type nat hook prerouting priority dstnat; policy accept;",
                  f"  ip daddr {self.options.virtual} udp dport 123 goto pick",
                  f"  ip daddr {self.options.virtual} tcp dport 4460 goto pick", "}", "}"]
        nft("\n".join(lines) + "\n")

    def spread(self, backends):
        """New flows go to these. The mark tells the flows of a backend."""
        nft(f"flush chain ip fleet pick\nadd rule ip fleet pick goto {among(backends)}\n")

    def turn(self):
        changed = []
        now = time.monotonic()
        for b in self.backends:
            wanted = b.healthy and not b.is_deregistered()
            if wanted != b.listed:
                b.listed = wanted
                b.cut_at = None if wanted else now + self.options.drain
                changed.append(b)
            elif b.cut_at is not None and now >= b.cut_at:
                cut_flows(b.number)
                say("cut", b.number)
                b.cut_at = None
        if changed:
            self.spread([b for b in self.backends if b.listed] or self.backends)
            for b in changed:
                say("in" if b.listed else "out", b.number)

    def run(self):
        self.make_table()
        for b in self.backends:
            threading.Thread(target=b.watch, args=(self.options.http,), daemon=True).start()
        while True:
            self.turn()
            time.sleep(0.02)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--virtual", required=True)
    parser.add_argument("--backend", action="append", required=True)
    parser.add_argument("--http", type=int, required=True)
    parser.add_argument("--admin", required=True)
    parser.add_argument("--drain", type=float, default=2.0)
    Balancer(parser.parse_args()).run()


main()
