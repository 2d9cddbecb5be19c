"""A player on GStreamer's rtspsrc that can be told what gst-launch cannot: which certificate to trust, and to take several tracks.

Writes decoded frames, gray, to standard output: --frames of them, or all that there are. Fails where the server refuses, and where
it cannot prove who it is while --ca is given. See clients.peer.ts, client-matrix.peer.ts and recorded-codecs.peer.ts.
"""
import argparse
import os
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gio, GLib, Gst  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("--ca", help="file with the certificate; without it any is taken")
parser.add_argument("--frames", type=int, help="without it, all up to the end")
parser.add_argument("--protocols", help="as rtspsrc names them", default="tcp")
parser.add_argument("--sound", help="file for 16-bit samples of a PCMU track")
parser.add_argument("--medium", help="audio: what comes of it is written, instead of the picture", default="video")
parser.add_argument("--decode", help="elements that make of RTP what is written; without them, H.264 becomes gray")
options = parser.parse_args()

# In any environment the whole of what is written goes out: without a buffer of its own, Python writes a part where it is interrupted.
output = open(sys.stdout.fileno(), "wb", closefd=False)
Gst.init(None)
# What two threads use first at the same time, PyGObject has not made yet for one of them: `link` is called for picture and sound.
Gst.Caps.new_empty_simple("video/x-raw").get_structure(0).get_string("media")
# Who joins a multicast group that is running must wait for a key frame; everybody else is given one.
wait = str(options.protocols == "udp-mcast").lower()
gray = f"rtph264depay wait-for-keyframe={wait} ! avdec_h264 ! videoconvert ! video/x-raw,format=GRAY8"
written = f"{options.decode or gray} ! fakesink name=sink sync=false signal-handoffs=true"
sound = f"rtppcmudepay ! mulawdec ! filesink location={options.sound} buffer-mode=unbuffered sync=false"
branches = {options.medium: written} | ({"audio": sound} if options.sound else {})
pipeline = Gst.Pipeline.new()
source = Gst.ElementFactory.make("rtspsrc")
source.set_property("latency", 0)
# What comes in while it stands still for some seconds.
source.set_property("udp-buffer-size", 4 * 1024 * 1024)
pipeline.add(source)
bins = {media: Gst.parse_bin_from_description(text, True) for media, text in branches.items()}
for one in bins.values():
    pipeline.add(one)


def link(_source, pad):
    # By ourselves: what gst_parse_launch links later it has linked, on a busy machine, with a pad that was gone again.
    caps = pad.get_current_caps() or pad.query_caps(None)
    branch = bins.get(caps.get_structure(0).get_string("media"))
    if branch is None:
        # Not left alone: what comes first and goes nowhere ends all, for rtspsrc knows of no other pad yet.
        branch = Gst.ElementFactory.make("fakesink")
        branch.set_property("async", False)
        pipeline.add(branch)
        branch.sync_state_with_parent()
    sink = branch.get_static_pad("sink")
    if sink.is_linked():
        sink.get_peer().unlink(sink)
    pad.link(sink)


source.connect("pad-added", link)
source.set_property("location", options.url)
# Not sooner than it hangs: nothing comes for a while from a busy machine.
source.set_property("timeout", 120 * Gst.SECOND // Gst.USECOND)
source.set_property("tcp-timeout", 120 * Gst.SECOND // Gst.USECOND)
Gst.util_set_object_arg(source, "protocols", options.protocols)
if options.ca:
    source.set_property("tls-database", Gio.TlsFileDatabase.new(options.ca))
else:
    source.set_property("tls-validation-flags", Gio.TlsCertificateFlags.NO_FLAGS)

loop = GLib.MainLoop()
count = 0
failure = []


def frame(_sink, buffer, _pad):
    global count
    if options.frames is None or count < options.frames:
        output.write(buffer.extract_dup(0, buffer.get_size()))
    count += 1
    if count == options.frames:
        loop.quit()


def message(_bus, what):
    if what.type == Gst.MessageType.ERROR:
        failure.append(": ".join(str(one) for one in what.parse_error()))
        loop.quit()
    elif what.type == Gst.MessageType.EOS:
        loop.quit()


bins[options.medium].get_by_name("sink").connect("handoff", frame)
bus = pipeline.get_bus()
bus.add_signal_watch()
bus.connect("message", message)
pipeline.set_state(Gst.State.PLAYING)
loop.run()
output.flush()
for text in failure:
    print("failed:", text, file=sys.stderr)
sys.stderr.flush()
os._exit(1 if failure else 0)
