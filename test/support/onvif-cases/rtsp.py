"""An RTSP client (RFC 2326) with digest log-in that takes RTP over the connection or over UDP."""
import hashlib
import os
import re
import select
import socket
import sys
import time
from urllib.parse import urlsplit, urlunsplit

from carriers import LIMIT_SECONDS, open_carrier
from rtp import Packet

# Of Linux, which Python does not name: how many datagrams a socket had no room for; and groups that others have joined are not heard.
SO_RXQ_OVFL, IP_MULTICAST_ALL = 40, 49


class Refused(Exception):
    def __init__(self, method, status, head):
        super().__init__(f"{method} was answered {status}: {head!r}")
        self.status = status


class Media:
    """One m= section of a description."""

    def __init__(self, text, base):
        self.text = text
        self.kind = re.match(r"m=(\w+)", text)[1]
        rtpmap = re.search(r"(?m)^a=rtpmap:\d+ ([^/\s]+)/(\d+)", text)
        static = {"0": ("PCMU", "8000"), "8": ("PCMA", "8000"), "26": ("JPEG", "90000")}
        encoding, rate = rtpmap.groups() if rtpmap else static[text.split()[3]]
        self.encoding, self.rate = encoding.upper(), int(rate)
        control = re.search(r"(?m)^a=control:(\S+)", text)[1]
        self.url = control if "://" in control else base.rstrip("/") + "/" + control


class Rtsp:
    """One connection, one session. `way`: udp, multicast, tcp, rtsps, http, https, ws."""

    def __init__(self, url, login, way, ca=None, rtsp_url=None):
        parts = urlsplit(rtsp_url or url)
        scheme = {"http": "rtsp", "https": "rtsp"}.get(parts.scheme, parts.scheme)
        self.url = urlunsplit((scheme, *parts[1:]))
        self.way, self.host = way, parts.hostname
        self.user, self.password = login
        self.carrier = open_carrier(way, url, ca)
        self.buffer, self.cseq, self.challenge = b"", 0, None
        self.played = None
        self.session, self.base, self.media, self.tracks = None, self.url, [], []
        self.packets = []
        self.sockets = {}
        self.lost = {}
        self.pairs = {}

    def request(self, method, url=None, **headers):
        """The head (names in lower case) and the body of a 200. Logs in where it is asked to, with digest alone."""
        url = url or self.base
        for _ in range(2):
            status, head, body = self._ask(method, url, headers)
            if status != 401:
                break
            challenges = [value for name, value in head if name == "www-authenticate"]
            digest = [one for one in challenges if one.lower().startswith("digest") and "sha-256" not in one.lower()]
            assert digest, f"401 without a digest: {challenges}"
            self.challenge = dict(re.findall(r'(\w+)="?([^",]*)"?', digest[0]))
        if status != 200:
            raise Refused(method, status, head)
        return dict(head), body

    def describe(self, **headers):
        head, body = self.request("DESCRIBE", self.url, Accept="application/sdp", **headers)
        self.base = head.get("content-base", self.url)
        sdp = body.decode()
        check_addresses(sdp, head, self.host)
        aggregate = re.search(r"(?m)^a=control:(\S+)", sdp.split("\nm=")[0])
        self.media = [Media("m=" + part, self.base) for part in sdp.split("\nm=")[1:]]
        if aggregate and "://" in aggregate[1]:
            self.base = aggregate[1]
        return sdp

    def setup(self, media, transport=None, **headers):
        track = len(self.tracks)
        if self.way == "udp":
            pair = udp_pair(self.host)
            ask = f"RTP/AVP;unicast;client_port={pair[0].getsockname()[1]}-{pair[1].getsockname()[1]}"
        elif self.way == "multicast":
            # The ports are the device's choice, whatever is asked for (RFC 2326 12.39).
            ask = "RTP/AVP;multicast;client_port=50000-50001"
        else:
            ask = transport or f"RTP/AVP/TCP;unicast;interleaved={2 * track}-{2 * track + 1}"
        if self.session:
            headers["Session"] = self.session
        head, _ = self.request("SETUP", media.url, Transport=ask, **headers)
        session = re.match(r"([^;\s]+)\s*;\s*timeout=(\d+)$", head["session"])
        assert session, f"Session of SETUP: {head['session']}"
        self.session = session[1]
        answered = head["transport"]
        if self.way == "udp":
            server = re.search(r"server_port=(\d+)-(\d+)", answered)
            assert server and "client_port=" in answered, f"Transport of SETUP: {answered}"
            self.pairs[track] = int(server[1])
            self.sockets.update({pair[0]: (track, False), pair[1]: (track, True)})
        elif self.way == "multicast":
            group = re.search(r"destination=([^;]+)", answered)
            ports = re.search(r"[;]port=(\d+)-(\d+)", answered)
            assert group and ports and "ttl=" in answered, f"Transport of SETUP: {answered}"
            for rtcp, port in enumerate(ports.groups()):
                self.sockets[in_group(group[1], int(port), self.host)] = (track, bool(rtcp))
        else:
            channels = re.search(r"interleaved=(\d+)-(\d+)", answered)
            assert channels, f"Transport of SETUP: {answered}"
            self.pairs[int(channels[1])] = (track, False)
            self.pairs[int(channels[2])] = (track, True)
        self.tracks.append(media)
        return head

    def play(self, **headers):
        """
        Checks what must stand in the answer. Packets from before it was asked do not count any more; of a group, which may be sent to by
        then for others and end with them, none from before the answer.
        """
        self.packets = []
        head, _ = self.request("PLAY", Session=self.session, **named(headers))
        assert head["session"].split(";")[0] == self.session, "Session of PLAY"
        infos = [dict(re.findall(r"(\w+)=([^;]+)", one)) for one in head["rtp-info"].split(",")]
        assert {one["url"] for one in infos} == {media.url for media in self.tracks}, f"RTP-Info {head['rtp-info']}"
        self.played = self.cseq
        if self.way == "multicast":
            self._take_waiting()
            self.packets = []
        return head, infos

    def pause(self, **headers):
        head, _ = self.request("PAUSE", Session=self.session, **named(headers))
        return head

    def say(self, track, data):
        """An RTP packet to the device, in a track that is set up."""
        if self.way == "udp":
            own = next(one for one, of in self.sockets.items() if of == (track, False))
            own.sendto(data, (self.host, self.pairs[track]))
        else:
            channel = next(one for one, of in self.pairs.items() if of == (track, False))
            self.carrier.send(bytes([0x24, channel]) + len(data).to_bytes(2, "big") + data)

    def teardown(self, **headers):
        self.request("TEARDOWN", Session=self.session, **headers)
        self.close()

    def close(self):
        self.carrier.close()
        for one in self.sockets:
            one.close()

    def until(self, enough, what):
        """Takes packets until there are enough. All that have come since the last PLAY."""
        end = time.monotonic() + LIMIT_SECONDS
        while True:
            self._take_waiting()
            if enough(self.packets):
                return self.packets
            assert time.monotonic() < end, f"in {LIMIT_SECONDS} s, not {what}"
            self._take_next(1.0)

    def receive(self, seconds):
        """Takes packets for so long, and all that has come by then. All that have come since the last PLAY."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._take_next(max(0.0, end - time.monotonic()))
        self._take_waiting()
        return self.packets

    def settle(self, url):
        """Takes what was on its way when sending stopped: datagrams may wait for their turn in the device. Between two answers is one."""
        count = -1
        while count != len(self.packets):
            count = len(self.packets)
            for _ in range(2):
                self.request("OPTIONS", url, Session=self.session)
            self._take_waiting()
        return self.packets

    def _take_waiting(self):
        while self._take_next(0.0):
            pass

    def _take_next(self, seconds):
        """False where nothing came."""
        message = self._next(seconds)
        assert message in (True, None), f"unasked: {message}"
        return message is True

    def _ask(self, method, url, headers):
        self.cseq += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self.cseq}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if self.challenge:
            lines.append(f"Authorization: {self._digest(method, url)}")
        self.carrier.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        end = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < end:
            message = self._next(1.0)
            if message in (True, None):
                continue
            status, head, body = message
            assert dict(head).get("cseq") == str(self.cseq), f"CSeq of the answer to {method}: {head}"
            return message
        raise AssertionError(f"no answer to {method}")

    def _digest(self, method, url):
        def h(text):
            return hashlib.md5(text.encode()).hexdigest()

        realm, nonce, count, own = self.challenge["realm"], self.challenge["nonce"], f"{self.cseq:08x}", os.urandom(8).hex()
        first, second = h(f"{self.user}:{realm}:{self.password}"), h(f"{method}:{url}")
        common = f'Digest username="{self.user}", realm="{realm}", nonce="{nonce}", uri="{url}"'
        if "qop" not in self.challenge:
            return f'{common}, response="{h(f"{first}:{nonce}:{second}")}"'
        response = h(f"{first}:{nonce}:{count}:{own}:auth:{second}")
        return f'{common}, qop=auth, nc={count}, cnonce="{own}", response="{response}"'

    def _next(self, seconds):
        """A response, True once something was taken, None where nothing came."""
        taken = self._take()
        if taken is not None:
            return taken
        ready = [self.carrier] if self.carrier.pending() else []
        ready = ready or select.select([self.carrier, *self.sockets], [], [], seconds)[0]
        for one in ready:
            if one is self.carrier:
                more = self.carrier.receive()
                assert more != b"", "the connection was closed"
                self.buffer += more
            else:
                track, rtcp = self.sockets[one]
                data, told, _, (_, port, *_) = one.recvmsg(65536, 64)
                lost = sum(int.from_bytes(count, sys.byteorder) for _, kind, count in told if kind == SO_RXQ_OVFL)
                if self.way == "udp":
                    assert port == self.pairs[track] + rtcp, f"from port {port}, not that of SETUP"
                self.packets.append(Packet(track, rtcp, data, lost - self.lost.get(one, 0)))
                self.lost[one] = lost
        return True if ready else None

    def _take(self):
        """What is whole in the buffer: a response, True for packets, None for nothing."""
        if self.buffer[:1] == b"$":
            found = False
            while self.buffer[:1] == b"$" and len(self.buffer) >= 4:
                end = 4 + int.from_bytes(self.buffer[2:4], "big")
                if len(self.buffer) < end:
                    break
                track, rtcp = self.pairs[self.buffer[1]]
                self.packets.append(Packet(track, rtcp, self.buffer[4:end]))
                self.buffer, found = self.buffer[end:], True
            return True if found else None
        head, mark, rest = self.buffer.partition(b"\r\n\r\n")
        if mark == b"":
            return None
        first, *lines = head.decode().split("\r\n")
        fields = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        length = int(dict(fields).get("content-length", 0))
        if len(rest) < length:
            return None
        self.buffer = rest[length:]
        return int(first.split()[1]), fields, rest[:length]


def named(headers):
    """`Rate_Control="no"` is Rate-Control."""
    return {name.replace("_", "-"): value for name, value in headers.items()}


def check_addresses(sdp, head, host):
    """The procedure HelperCheckIPType: everything is of the kind of address that the client reached."""
    six = ":" in host
    kind, form = ("IP6", r"[\da-f:]+$") if six else ("IP4", r"\d+\.\d+\.\d+\.\d+(/\d+)?$")
    origin = re.search(r"(?m)^o=\S+ \S+ \S+ IN (\S+) (\S+?)\s*$", sdp)
    for found in [origin.groups(), *re.findall(r"(?m)^c=IN (\S+) (\S+)", sdp)]:
        assert found[0] == kind and re.match(form, found[1]), f"{found} for a client of {host}"
    base = head.get("content-base")
    assert base is None or ("[" in base) == six, f"Content-Base {base}"


def make_room(heard):
    """As much as the system gives, and it tells what it has no room for."""
    heard.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    heard.setsockopt(socket.SOL_SOCKET, SO_RXQ_OVFL, 1)


def in_group(group, port, host):
    """A socket that hears a group, on the interface by which the host is reached. Others may, too."""
    assert 224 <= int(group.split(".")[0]) <= 239, f"{group} is no multicast group"
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.connect((host, 9))
    own = one.getsockname()[0]
    one.close()
    heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    heard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    heard.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)
    make_room(heard)
    heard.bind((group, port))
    heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(own))
    return heard


def udp_pair(host):
    """Sockets at an even port and the next one, at the address from which the host is reached."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    own = socket.socket(family, socket.SOCK_DGRAM)
    own.connect((host, 9))
    address = own.getsockname()[0]
    own.close()
    while True:
        rtp, rtcp = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
        make_room(rtp)
        rtp.bind((address, 0))
        port = rtp.getsockname()[1]
        try:
            assert port % 2 == 0
            rtcp.bind((address, port + 1))
            return rtp, rtcp
        except (AssertionError, OSError):
            rtp.close()
            rtcp.close()
