"""RTSP as libcurl speaks it, which knows digest with SHA-256: the curl program cannot play. See client-matrix.peer.ts.

Sets the first track up inside the connection, plays, and writes --packets interleaved packets, framed as they come, to standard output.
"""
import argparse
import ctypes
import sys

# curl.h; numbers never change.
WRITEDATA, URL, WRITEFUNCTION, NOSIGNAL, HTTPAUTH = 10001, 10002, 20011, 99, 107
USERNAME, PASSWORD, RTSP_REQUEST, RTSP_STREAM_URI, RTSP_TRANSPORT = 10173, 10174, 189, 10191, 10192
INTERLEAVEFUNCTION, TIMEOUT = 20196, 13
RESPONSE_CODE = 0x200002
DIGEST = 2
DESCRIBE, SETUP, PLAY, RECEIVE = 2, 4, 5, 11

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("--user", required=True)
parser.add_argument("--password", required=True)
parser.add_argument("--packets", type=int, required=True)
options = parser.parse_args()

# In any environment the whole of what is written goes out: without a buffer of its own, Python writes a part where it is interrupted.
output = open(sys.stdout.fileno(), "wb", closefd=False)
curl = ctypes.CDLL("libcurl.so.4")
curl.curl_easy_init.restype = ctypes.c_void_p
curl.curl_easy_strerror.restype = ctypes.c_char_p
handle = ctypes.c_void_p(curl.curl_easy_init())
CALLBACK = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.POINTER(ctypes.c_char), ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p)

packets = 0


def on_packet(data, size, count, _):
    global packets
    output.write(data[: size * count])
    packets += 1
    return size * count


def on_body(data, size, count, _):
    return size * count


def put(option, value):
    if isinstance(value, int):
        value = ctypes.c_long(value)
    check(curl.curl_easy_setopt(handle, option, value))


def check(code):
    if code != 0:
        sys.exit(f"failed: {curl.curl_easy_strerror(code).decode()}")


def ask(request, address):
    put(RTSP_REQUEST, request)
    put(RTSP_STREAM_URI, address.encode())
    check(curl.curl_easy_perform(handle))
    status = ctypes.c_long()
    check(curl.curl_easy_getinfo(handle, RESPONSE_CODE, ctypes.byref(status)))
    # What comes between answers has no status.
    if request != RECEIVE and status.value != 200:
        sys.exit(f"failed: {status.value}")


callbacks = [CALLBACK(one) for one in (on_packet, on_body)]
put(URL, options.url.encode())
put(NOSIGNAL, 1)
# For what hangs.
put(TIMEOUT, 120)
put(HTTPAUTH, DIGEST)
put(USERNAME, options.user.encode())
put(PASSWORD, options.password.encode())
put(INTERLEAVEFUNCTION, callbacks[0])
put(WRITEFUNCTION, callbacks[1])
ask(DESCRIBE, options.url)
put(RTSP_TRANSPORT, b"RTP/AVP/TCP;unicast;interleaved=0-1")
ask(SETUP, options.url + "/track0")
ask(PLAY, options.url)
while packets < options.packets:
    ask(RECEIVE, options.url)
output.flush()
