#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A UDP relay that is as bad as the network can be, for kernels without netem. Standard library only.

    relay.py PORT TO_ADDR TO_PORT [--loss P] [--twice P] [--late P] [--corrupt P] [--delay S]

Listens on every IPv4 address; each client has a socket of its own towards the server. Of the
datagrams in either direction a share is lost, comes twice, comes after those of the next 0.1 s, has
one bit changed; all of them come later by so much. The share is 0 to 1. On SIGTERM it says how many
datagrams met which fate.
"""
import argparse
import heapq
import random
import select
import signal
import socket
import sys
import time


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("to_addr")
    parser.add_argument("to_port", type=int)
    for name in ("loss", "twice", "late", "corrupt", "delay"):
        parser.add_argument("--" + name, type=float, default=0.0)
    args = parser.parse_args()
    chance = random.Random(1)
    fate = dict.fromkeys(("relayed", "lost", "twice", "late", "corrupt"), 0)
    ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ours.bind(("", args.port))
    clients, owner, waiting = {}, {}, []

    def end(*_):
        print(*(f"{name} {count}" for name, count in fate.items()), flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    print("relaying", flush=True)

    def suffer(data, send):
        if chance.random() < args.loss:
            fate["lost"] += 1
            return
        fate["relayed"] += 1
        if chance.random() < args.corrupt:
            bit = chance.randrange(len(data) * 8)
            data = bytearray(data)
            data[bit // 8] ^= 1 << bit % 8
            fate["corrupt"] += 1
        due = time.monotonic() + args.delay
        if chance.random() < args.late:
            due += 0.1
            fate["late"] += 1
        heapq.heappush(waiting, (due, fate["relayed"], bytes(data), send))
        if chance.random() < args.twice:
            fate["twice"] += 1
            heapq.heappush(waiting, (due, -fate["relayed"], bytes(data), send))

    while True:
        pause = max(0.0, waiting[0][0] - time.monotonic()) if waiting else 1.0
        for sock in select.select([ours, *owner], [], [], pause)[0]:
            try:
                data, peer = sock.recvfrom(65536)
            except OSError:
                continue
            if not data:
                continue
            if sock is ours:
                if peer not in clients:
                    clients[peer] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    clients[peer].connect((args.to_addr, args.to_port))
                    owner[clients[peer]] = peer
                suffer(data, clients[peer].send)
            else:
                suffer(data, lambda out, to=owner[sock]: ours.sendto(out, to))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, data, send = heapq.heappop(waiting)
            try:
                send(data)
            except OSError:
                pass


if __name__ == "__main__":
    main()
