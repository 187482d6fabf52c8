#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""IPv4 packets that no socket sends, for a network namespace. Standard library only; root.

    strange_packets.py KIND INTERFACE FROM TO PORT TCP_PORT

Kinds: sources (time requests from addresses that nobody has, one each), fragments (a request in
pieces: whole, in the wrong order, tiny, overlapping, the first one only, many first ones only), icmp
(forged errors about the server's flows). Prints how many packets it sent.
"""
import os
import socket
import struct
import sys

REQUEST = b"\x23" + bytes(39) + b"strange!"
SOURCES = ("0.0.0.0", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "169.254.1.1")


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(source, to, protocol, payload, number=0, offset=0, more=False):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), number,
                       (0x2000 if more else 0) | offset // 8, 64, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(to))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(source_port, port, payload):
    return struct.pack("!HHHH", source_port, port, 8 + len(payload), 0) + payload


def pieces(source, to, number, payload, size, tail=b""):
    return [ip(source, to, 17, payload[at:at + size], number, at, at + size < len(payload))
            for at in range(0, len(payload), size)]


def sources(args):
    return [ip(source, args.to, 17, udp(40000, args.port, REQUEST)) for source in
            (*SOURCES, args.to)] + [ip(args.source, args.to, 17, udp(0, args.port, REQUEST))]


def fragments(args):
    whole = udp(40001, args.port, REQUEST)
    out = pieces(args.source, args.to, 1, whole, 24)
    out += reversed(pieces(args.source, args.to, 2, whole, 24))
    out += pieces(args.source, args.to, 3, whole, 8)
    overlapping = pieces(args.source, args.to, 4, whole, 24)
    out += [overlapping[0], ip(args.source, args.to, 17, b"x" * 24, 4, 16, True), *overlapping[1:]]
    for number in range(100, 400):  # what the kernel keeps for the rest is the kernel's to bound
        out.append(pieces(args.source, args.to, number, whole, 24)[0])
    out.append(ip(args.source, args.to, 17, whole[:24], 5, 65512, False))  # beyond 64 KiB
    return out


def icmp(args):
    out = []
    for protocol, port in ((17, args.port), (6, args.tcp_port)):
        for kind, code, rest in ((3, 1, 0), (3, 3, 0), (3, 4, 68), (3, 13, 0), (11, 0, 0),
                                 (12, 0, 0), (4, 0, 0)):
            for peer_port in (40000, 40001, 123, 4460):
                flow = struct.pack("!HHII", port, peer_port, 0, 0)[:8]
                inner = ip(args.to, args.source, protocol, flow)
                body = struct.pack("!BBHI", kind, code, 0, rest) + inner
                body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
                out.append(ip(args.source, args.to, 1, body))
        inner = ip(args.to, args.source, protocol, struct.pack("!HHI", port, 40000, 0))
        body = struct.pack("!BBH4s", 5, 1, 0, socket.inet_aton("10.9.0.9")) + inner  # redirect
        body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
        out.append(ip(args.source, args.to, 1, body))
    return out


class Args:
    def __init__(self, argv):
        self.interface, self.source, self.to = argv[0:3]
        self.port, self.tcp_port = int(argv[3]), int(argv[4])


def main():
    args = Args(sys.argv[2:])
    packets = {"sources": sources, "fragments": fragments, "icmp": icmp}[sys.argv[1]](args)
    # Past routing, which refuses to send what these are: straight onto the wire.
    to = bytes.fromhex(os.environ["TO_MAC"].replace(":", ""))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((args.interface, 0))
        own = wire.getsockname()[4]
        for packet in packets:
            wire.send(to + own + b"\x08\x00" + packet)
    print(len(packets))


if __name__ == "__main__":
    main()
