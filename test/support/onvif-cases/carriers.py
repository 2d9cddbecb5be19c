"""What an RTSP connection runs over: TCP, TLS, HTTP(S) tunnels, WebSockets. Each has send, receive, fileno, pending, close."""
import base64
import os
import socket
import ssl
import struct
from urllib.parse import urlsplit

# For what hangs.
LIMIT_SECONDS = 60


def connect(url, ca):
    parts = urlsplit(url)
    secure = parts.scheme in ("rtsps", "https", "wss")
    plain = socket.create_connection((parts.hostname, parts.port), timeout=LIMIT_SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not secure:
        return plain
    return ssl.create_default_context(cafile=ca).wrap_socket(plain, server_hostname=parts.hostname)


class Direct:
    """RTSP over TCP or TLS."""

    def __init__(self, url, ca):
        self.socket = connect(url, ca)

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        return self.socket.recv(65536)

    def fileno(self):
        return self.socket.fileno()

    def pending(self):
        return self.socket.pending() if isinstance(self.socket, ssl.SSLSocket) else 0

    def close(self):
        self.socket.close()


class Tunnel(Direct):
    """RTSP in HTTP: a GET for what comes, a POST in base64 for what goes (ONVIF Streaming 5.1.1.4)."""

    def __init__(self, url, ca):
        super().__init__(url, ca)
        parts = urlsplit(url)
        cookie = base64.b64encode(os.urandom(12)).decode()
        common = f"Host: {parts.netloc}\r\nx-sessioncookie: {cookie}\r\n"
        self.socket.sendall(
            f"GET {parts.path} HTTP/1.0\r\n{common}Accept: application/x-rtsp-tunnelled\r\n\r\n".encode()
        )
        head = read_head(self.socket)
        assert head.startswith(b"HTTP/1.") and b" 200 " in head.split(b"\r\n")[0], f"GET of a tunnel: {head!r}"
        assert b"application/x-rtsp-tunnelled" in head, f"GET of a tunnel: {head!r}"
        self.post = connect(url, ca)
        self.post.sendall(
            f"POST {parts.path} HTTP/1.0\r\n{common}Content-Type: application/x-rtsp-tunnelled\r\n"
            "Content-Length: 32767\r\n\r\n".encode()
        )

    def send(self, data):
        self.post.sendall(base64.b64encode(data))

    def close(self):
        self.post.close()
        super().close()


class WebSocket(Direct):
    """RTSP in binary messages (RFC 6455; ONVIF Streaming 5.1.1.5)."""

    def __init__(self, url, ca):
        super().__init__(url, ca)
        parts = urlsplit(url)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: rtsp.onvif.org\r\n\r\n".encode()
        )
        head = read_head(self.socket)
        assert b" 101 " in head.split(b"\r\n")[0] and b"rtsp.onvif.org" in head, f"upgrade: {head!r}"
        self.held = b""

    def send(self, data):
        mask = os.urandom(4)
        length = bytes([0x80 | len(data)]) if len(data) < 126 else struct.pack("!BH", 0x80 | 126, len(data))
        self.socket.sendall(b"\x82" + length + mask + bytes(one ^ mask[at % 4] for at, one in enumerate(data)))

    def receive(self):
        """What whole messages hold; b"" at the end."""
        while True:
            message = self._message()
            if message is not None:
                return message
            more = self.socket.recv(65536)
            if more == b"":
                return b""
            self.held += more

    def pending(self):
        return super().pending() or self._complete() is not None

    def _complete(self):
        """Where the payload of a message that is here begins and ends."""
        if len(self.held) < 2:
            return None
        length, start = self.held[1] & 0x7F, 2
        size = {126: 2, 127: 8}.get(length, 0)
        if len(self.held) < start + size:
            return None
        if size:
            length, start = int.from_bytes(self.held[2 : 2 + size], "big"), 2 + size
        return (start, start + length) if len(self.held) >= start + length else None

    def _message(self):
        found = self._complete()
        if found is None:
            return None
        kind, payload = self.held[0], self.held[found[0] : found[1]]
        self.held = self.held[found[1] :]
        assert kind in (0x82, 0x88), f"message of kind {kind:#x}"
        return payload if kind == 0x82 else b""


def read_head(connection):
    """Up to the empty line, byte by byte, so that nothing behind it is taken."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        assert byte != b"", f"closed behind {head!r}"
        head += byte
    return head


def open_carrier(way, url, ca):
    return {"http": Tunnel, "https": Tunnel, "ws": WebSocket}.get(way, Direct)(url, ca)
