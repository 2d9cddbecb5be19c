"""A gateway for SMS (http.server inside TLS): every request becomes one line of JSON; what comes of it goes by its path."""
import base64
import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

certificate, key, secret = sys.argv[1:4]
KNOWN = {f"Bearer {secret}", "Basic " + base64.b64encode(f"viaduct:{secret}".encode()).decode()}


def tell(value):
    # A line at once: another thread may print too.
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        data = body.encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        kind = self.headers.get("Content-Type")
        fields = json.loads(body) if kind == "application/json" else dict(parse_qsl(body, strict_parsing=True))
        # Some take the secret as a field.
        known = self.headers.get("Authorization") in KNOWN or (isinstance(fields, dict) and fields.get("key") == secret)
        tell({"method": self.command, "path": self.path, "host": self.headers["Host"], "type": kind, "fields": fields,
              "known": known, "sender": self.headers.get("X-Sender")})
        if not known:
            self.answer(401, "who are you?")
        elif self.path == "/elsewhere":
            self.answer(307, "", [("Location", "/messages")])
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 65536)
            except OSError:
                pass
        elif self.path == "/silent":
            self.rfile.read(1)
        elif self.path == "/broke":
            self.answer(200, '{"status":"9","error":"no credit left, for: ' + json.dumps(body)[1:-1] + '"}')
        else:
            self.answer(202, '{"status":"0"}')
        self.close_connection = True

    do_PUT = do_POST


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.socket = context.wrap_socket(server.socket, server_side=True)
tell({"port": server.server_address[1]})
server.serve_forever()
