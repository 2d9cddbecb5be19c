"""Plays an RTSP stream over TCP with Python's standard library alone, and prints what its sender reports say, as JSON.

Usage: sender-reports.py rtsp://NAME:SECRET@HOST:PORT/PATH. For each track: its SSRC, and how far the capture times of its packets
(RFC 3550 6.4.1: NTP and RTP time of the report, and the packet's RTP time) are from when they were read, by this machine's clock in
milliseconds: of the one that came soonest, for any may be late on a busy machine. Ends when each track has had one in time, or many.
"""
import hashlib
import json
import re
import socket
import struct
import sys
import time
from urllib.parse import urlsplit

IN_TIME_MS = 2500
# A minute of a track that has one each second.
PACKETS = 60
NTP_1970 = 2208988800

url = urlsplit(sys.argv[1])
address = f"{url.scheme}://{url.hostname}:{url.port}{url.path}"
connection = socket.create_connection((url.hostname, url.port), 120)
buffer = b""
packets = []
state = {"cseq": 0, "challenge": None, "session": None}


def more():
    global buffer
    chunk = connection.recv(65536)
    if not chunk:
        raise SystemExit("the server hung up")
    buffer += chunk


def take():
    """The next packet or answer."""
    global buffer
    while True:
        if buffer[:1] == b"$" and len(buffer) >= 4:
            end = 4 + struct.unpack(">H", buffer[2:4])[0]
            if len(buffer) >= end:
                packet = (buffer[1], buffer[4:end], time.time())
                buffer = buffer[end:]
                return packet
        elif buffer and buffer[:1] != b"$" and b"\r\n\r\n" in buffer:
            head, _, rest = buffer.partition(b"\r\n\r\n")
            length = int((re.search(rb"(?i)content-length: *(\d+)", head) or [0, 0])[1])
            if len(rest) >= length:
                buffer = rest[length:]
                return head.decode(), rest[:length].decode()
        more()


def answer(method, uri):
    challenge = state["challenge"]
    if challenge is None:
        return ""
    md5 = lambda text: hashlib.md5(text.encode()).hexdigest()  # noqa: E731
    one = md5(f"{url.username}:{challenge['realm']}:{url.password}")
    proof = md5(f"{one}:{challenge['nonce']}:00000001:ab:auth:{md5(f'{method}:{uri}')}")
    return (
        f'Authorization: Digest username="{url.username}", realm="{challenge["realm"]}", nonce="{challenge["nonce"]}",'
        f' uri="{uri}", qop=auth, nc=00000001, cnonce="ab", response="{proof}", algorithm=MD5\r\n'
    )


def ask(method, uri, headers=""):
    for _ in range(2):
        state["cseq"] += 1
        session = f"Session: {state['session']}\r\n" if state["session"] else ""
        text = f"{method} {uri} RTSP/1.0\r\nCSeq: {state['cseq']}\r\n{answer(method, uri)}{session}{headers}\r\n"
        connection.sendall(text.encode())
        while True:
            got = take()
            if isinstance(got[0], int):
                packets.append(got)
                continue
            break
        head, body = got
        for line in head.split("\r\n"):
            if line.startswith("WWW-Authenticate: Digest") and "SHA" not in line:
                state["challenge"] = dict(re.findall(r'(\w+)="([^"]*)"', line))
        if " 401 " in head.split("\r\n")[0]:
            continue
        if " 200 " not in head.split("\r\n")[0]:
            raise SystemExit(f"{method}: {head}")
        found = re.search(r"Session: *(\w+)", head)
        state["session"] = found[1] if found else state["session"]
        return body
    raise SystemExit("not logged in")


description = ask("DESCRIBE", address, "Accept: application/sdp\r\n")
tracks = []
for section in description.split("\r\nm=")[1:]:
    clock = int(re.search(r"a=rtpmap:\d+ [^/]+/(\d+)", section)[1])
    control = re.search(r"a=control:(\S+)", section)[1]
    tracks.append({"media": section.split()[0], "clock": clock, "report": None, "off": []})
    channel = 2 * len(tracks) - 2
    ask("SETUP", f"{address}/{control}", f"Transport: RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}\r\n")
ask("PLAY", address)


def report(track, packet, _at):
    if packet[1] == 200:
        track["report"] = struct.unpack(">IIII", packet[4:20])


def measure(track, packet, at):
    if track["report"] is None:
        return
    ssrc, seconds, fraction, rtp = track["report"]
    timestamp, source = struct.unpack(">II", packet[4:12])
    if source != ssrc:
        raise SystemExit(f"{track['media']}: report of {ssrc}, packet of {source}")
    ticks = (timestamp - rtp + 2**31) % 2**32 - 2**31
    captured = seconds - NTP_1970 + fraction / 2**32 + ticks / track["clock"]
    track["off"].append((at - captured) * 1000)


def known(track):
    return len(track["off"]) >= PACKETS or min(track["off"], default=IN_TIME_MS) < IN_TIME_MS


while not all(known(track) for track in tracks):
    if not packets:
        got = take()
        if not isinstance(got[0], int):
            continue
        packets.append(got)
    channel, packet, at = packets.pop(0)
    (report if channel % 2 == 1 else measure)(tracks[channel // 2], packet, at)

print(json.dumps([{"media": one["media"], "ssrc": one["report"][0], "offMs": min(one["off"])} for one in tracks]))
