#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A client of NTS-KE and NTP that is not ours: any loopback source, PROXY headers good and bad.

  proxied.py ke CA KE_PORT [from=ADDR] [to=ADDR] [header=WHAT] [client=ADDR] [count=N] [for=SECONDS]
  proxied.py ntp PORT [from=ADDR] [to=ADDR] [count=N] [gap=SECONDS]

`ke` shakes hands and prints "cookies N", or "refused WHY"; with count, how many of each:
"served N refused N". The header is put before the first octet of TLS, for a client at 203.0.113.7:

  nlb     as AWS's Network Load Balancer sends it: TLVs for CRC32C and the VPC endpoint
  crc     the same, with a sum that is wrong
  local   a health check: LOCAL, and the connection is closed
  health  nothing but connect and close
  short   announces 100 octets, sends 20, closes
  v1      the text of version 1

`ntp` sends plain requests and prints "answered N kisses N silent N".
"""
import socket
import ssl
import struct
import sys
import time

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
REQUEST = bytes.fromhex("8001000200008004000200 0f80000000".replace(" ", ""))


def crc32c(data):
    crc = 0xFFFFFFFF
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def nlb_header(client, sum_error=0):
    family, kind = (socket.AF_INET6, 0x21) if ":" in client else (socket.AF_INET, 0x11)
    server = "2001:db8::1" if family == socket.AF_INET6 else "203.0.113.1"
    addresses = socket.inet_pton(family, client) + socket.inet_pton(family, server)
    endpoint = b"\x01vpce-08d2bf15fac5001c9"
    body = addresses + struct.pack("!HH", 51234, 4460)
    tail = struct.pack("!BH", 0xEA, len(endpoint)) + endpoint
    tail += struct.pack("!BH", 4, 16) + bytes(16)
    length = len(body) + 7 + len(tail)
    head = SIGNATURE + struct.pack("!BBH", 0x21, kind, length) + body
    total = crc32c(head + struct.pack("!BHI", 3, 4, 0) + tail) ^ sum_error
    return head + struct.pack("!BHI", 3, 4, total) + tail


def header_of(what, client):
    if what == "crc":
        return nlb_header(client, 1)
    return {
        "nlb": lambda: nlb_header(client),
        "local": lambda: SIGNATURE + struct.pack("!BBH", 0x20, 0, 0),
        "short": lambda: SIGNATURE + struct.pack("!BBH", 0x21, 0x11, 100) + bytes(4),
        "v1": lambda: b"PROXY TCP4 203.0.113.7 203.0.113.1 51234 4460\r\n",
        "health": lambda: b"",
        "none": lambda: b"",
    }[what]()


def cookies_of(answer):
    count, at = 0, 0
    while at + 4 <= len(answer):
        kind, length = struct.unpack("!HH", answer[at : at + 4])
        count += kind & 0x7FFF == 5
        at += 4 + length
    return count


def shake(ca, port, options):
    what = options.get("header", "none")
    to = options.get("to", "127.0.0.1")
    source = (options["from"], 0) if "from" in options else None
    with socket.create_connection((to, port), timeout=5, source_address=source) as tcp:
        tcp.sendall(header_of(what, options.get("client", "203.0.113.7")))
        if what in ("local", "health", "short"):
            return 0
        context = ssl.create_default_context(cafile=ca)
        context.set_alpn_protocols(["ntske/1"])
        with context.wrap_socket(tcp, server_hostname="localhost") as tls:
            tls.sendall(REQUEST)
            answer = b""
            while part := tls.recv(4096):
                answer += part
            return cookies_of(answer)


def attempt(ca, port, options):
    try:
        return shake(ca, port, options), ""
    except OSError as error:
        return 0, type(error).__name__


def run_ke(ca, port, options):
    count, end = int(options.get("count", 1)), time.monotonic() + float(options.get("for", 1e9))
    served = refused = 0
    while served + refused < count and time.monotonic() < end:
        cookies, why = attempt(ca, port, options)
        served, refused = served + (cookies == 8), refused + (cookies != 8)
        if count == 1:
            print(f"refused {why}" if why else f"cookies {cookies}")
    if count != 1:
        print(f"served {served} refused {refused}")


def run_ntp(port, options):
    to, counts = options.get("to", "127.0.0.1"), {"answered": 0, "kisses": 0, "silent": 0}
    udp = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM)
    if "from" in options:
        udp.bind((options["from"], 0))
    udp.connect((to, port))
    udp.settimeout(float(options.get("wait", 0.4)))
    for i in range(int(options.get("count", 1))):
        udp.send(b"\x23" + bytes(39) + struct.pack("!Q", i + 1))
        try:
            reply = udp.recv(2048)
            counts["kisses" if reply[1] == 0 else "answered"] += 1
        except OSError:
            counts["silent"] += 1
        time.sleep(float(options.get("gap", 0)))
    print(" ".join(f"{name} {n}" for name, n in counts.items()))


def main():
    words = [word for word in sys.argv[1:] if "=" not in word]
    options = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
    if words[:1] == ["ke"] and len(words) == 3:
        run_ke(words[1], int(words[2]), options)
    elif words[:1] == ["ntp"] and len(words) == 2:
        run_ntp(int(words[1]), options)
    else:
        sys.exit(__doc__)


main()
