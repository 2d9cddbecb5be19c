"""A player on GStreamer's rtspsrc that trusts one certificate: gst-launch cannot be told which. See clients.peer.ts.

Writes --frames decoded frames, gray, to standard output. Fails where the server cannot prove who it is.
"""
import argparse
import os
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gio, GLib, Gst  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("--ca", required=True, help="file with the certificate")
parser.add_argument("--frames", type=int, required=True)
options = parser.parse_args()

Gst.init(None)
pipeline = Gst.parse_launch(
    "rtspsrc name=source latency=0 ! rtph264depay ! avdec_h264 ! videoconvert ! video/x-raw,format=GRAY8"
    " ! fakesink name=sink sync=false signal-handoffs=true"
)
source = pipeline.get_by_name("source")
source.set_property("location", options.url)
source.set_property("tls-database", Gio.TlsFileDatabase.new(options.ca))

loop = GLib.MainLoop()
count = 0
failure = []


def frame(_sink, buffer, _pad):
    global count
    if count < options.frames:
        sys.stdout.buffer.write(buffer.extract_dup(0, buffer.get_size()))
    count += 1
    if count == options.frames:
        loop.quit()


def message(_bus, what):
    if what.type == Gst.MessageType.ERROR:
        failure.append(": ".join(str(one) for one in what.parse_error()))
        loop.quit()


pipeline.get_by_name("sink").connect("handoff", frame)
bus = pipeline.get_bus()
bus.add_signal_watch()
bus.connect("message", message)
pipeline.set_state(Gst.State.PLAYING)
loop.run()
sys.stdout.buffer.flush()
for text in failure:
    print("failed:", text, file=sys.stderr)
sys.stderr.flush()
os._exit(1 if failure else 0)
