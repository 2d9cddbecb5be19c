"""A client on GStreamer's rtspsrc that talks: a tone to the speaker of a camera, while it watches.

Usage: gst-talk.py URL PROTOCOLS HERTZ. Says `watching` and `talking` once it has seen pictures and sent packets enough. Ends when its
input is closed.
"""
import ctypes
import os
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

PICTURES = 21
PACKETS = 91

# The element takes a reference that PyGObject does not know of.
library = ctypes.CDLL("libgstreamer-1.0.so.0")
library.gst_mini_object_ref.argtypes = [ctypes.c_void_p]
library.gst_mini_object_ref.restype = ctypes.c_void_p

Gst.init(None)
url, protocols, hertz = sys.argv[1:4]
pipeline = Gst.parse_launch(
    f"rtspsrc backchannel=onvif name=source protocols={protocols} latency=0 tls-validation-flags=0 source. ! queue"
    " ! application/x-rtp,media=video ! rtph264depay ! fakesink name=seen signal-handoffs=true async=false"
)
source = pipeline.get_by_name("source")
source.set_property("location", url)
# Not sooner than it hangs: nothing comes for a while from a busy machine.
source.set_property("timeout", 120 * Gst.SECOND // Gst.USECOND)
source.set_property("tcp-timeout", 120 * Gst.SECOND // Gst.USECOND)
counts = {"sent": 0, "seen": 0}
talkers = []


def saw(*_):
    counts["seen"] += 1
    if counts["seen"] == PICTURES:
        print("watching", flush=True)


pipeline.get_by_name("seen").connect("handoff", saw)


def select(_source, stream, caps):
    structure = caps.get_structure(0)
    if structure.has_field("a-sendonly"):
        print("speaker", structure.get_string("encoding-name"), flush=True)
        talker = Gst.parse_launch(
            f"audiotestsrc is-live=true freq={hertz} samplesperbuffer=160 ! audio/x-raw,rate=8000,channels=1"
            " ! mulawenc ! rtppcmupay pt=0 ! appsink name=out emit-signals=true sync=false"
        )

        def say(sink):
            sample = sink.emit("pull-sample")
            library.gst_mini_object_ref(hash(sample))
            if source.emit("push-backchannel-buffer", stream, sample) == Gst.FlowReturn.OK:
                counts["sent"] += 1
                if counts["sent"] == PACKETS:
                    print("talking", flush=True)
            return Gst.FlowReturn.OK

        talker.get_by_name("out").connect("new-sample", say)
        talker.set_state(Gst.State.PLAYING)
        talkers.append(talker)
    return True


def failed(_bus, message):
    error, detail = message.parse_error()
    print("failed:", error.message, detail, flush=True)


source.connect("select-stream", select)
bus = pipeline.get_bus()
bus.add_signal_watch()
bus.connect("message::error", failed)
pipeline.set_state(Gst.State.PLAYING)
loop = GLib.MainLoop()
GLib.io_add_watch(sys.stdin.fileno(), GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, lambda *_: loop.quit())
loop.run()
# To put the pipeline away can hang.
os._exit(0)
