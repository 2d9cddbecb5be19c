"""An ONVIF replay client on GStreamer's rtspsrc: a stack that nobody here wrote. See test/peers/onvif-replay.peer.ts.

Writes decoded frames, gray, to standard output, and to standard error `at <ms since 1970>` for each header extension, as
rtponvifparse reads it. Ends after --frames frames, or when the server ends. With a negative speed, GStreamer's decoder turns each group of pictures round.
"""
import argparse
import os
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
from gi.repository import GLib, Gst, GstRtsp  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("--from-ms", type=int, required=True, help="milliseconds since 1970")
parser.add_argument("--to-ms", type=int)
parser.add_argument("--frames", type=int, required=True)
parser.add_argument("--speed", type=float, default=1.0)
parser.add_argument("--unpaced", action="store_true")
parser.add_argument("--intra", action="store_true", help="key frames alone")
parser.add_argument("--interval-ms", type=int, default=0, help="at least so far apart")
parser.add_argument("--jump-ms", type=int, help="where to go on, in ms since 1970, ...")
parser.add_argument("--jump-after", type=int, help="... after so many frames")
options = parser.parse_args()

# In any environment the whole of what is written goes out: without a buffer of its own, Python writes a part where it is interrupted.
output = open(sys.stdout.fileno(), "wb", closefd=False)
Gst.init(None)
NTP_TO_UNIX_MS = 2208988800 * 1000


def position(ms):
    return (ms + NTP_TO_UNIX_MS) * Gst.MSECOND


# Positions are ns since 1900. Any other buffer mode drops the beginning of what comes faster than it was captured.
pipeline = Gst.parse_launch(
    "rtspsrc name=source onvif-mode=true latency=0 buffer-mode=none ! queue ! rtponvifparse name=parse ! rtph264depay ! avdec_h264"
    " ! videoconvert ! video/x-raw,format=GRAY8 ! fakesink name=sink sync=false signal-handoffs=true"
)
source = pipeline.get_by_name("source")
source.set_property("location", options.url)
# Not sooner than it hangs: nothing comes for a while from a busy machine.
source.set_property("timeout", 120 * Gst.SECOND // Gst.USECOND)
source.set_property("tcp-timeout", 120 * Gst.SECOND // Gst.USECOND)
source.set_property("protocols", GstRtsp.RTSPLowerTrans.TCP)
source.set_property("onvif-rate-control", not options.unpaced)

loop = GLib.MainLoop()
count = 0
jumping = False
failure = []


def frame(_sink, buffer, _pad):
    global count, jumping
    # On a busy machine more of what was before comes until the jump is under way.
    if jumping or count >= options.frames:
        return
    count += 1
    output.write(buffer.extract_dup(0, buffer.get_size()))
    if count == options.jump_after:
        jumping = True
        # Not from the thread that brings the frames: a flushing seek waits for it.
        GLib.idle_add(lambda: source.send_event(seek(options.jump_ms, None)) and False)
    if count == options.frames:
        loop.quit()


def told(_pad, info):
    """Decoders make up times of their own behind this."""
    buffer = info.get_buffer()
    if buffer.extract_dup(0, 1)[0] & 0x10:
        print("at", buffer.pts / Gst.MSECOND - NTP_TO_UNIX_MS, file=sys.stderr)
    return Gst.PadProbeReturn.OK


def flushed(_pad, info):
    """What comes from here on is of the place that was jumped to."""
    global jumping
    if info.get_event().type == Gst.EventType.FLUSH_STOP:
        jumping = False
    return Gst.PadProbeReturn.OK


def message(_bus, what):
    if what.type == Gst.MessageType.ERROR:
        failure.append(what.parse_error()[0].message)
        loop.quit()
    elif what.type == Gst.MessageType.EOS:
        loop.quit()


pipeline.get_by_name("sink").connect("handoff", frame)
pipeline.get_by_name("sink").get_static_pad("sink").add_probe(Gst.PadProbeType.EVENT_FLUSH, flushed)
pipeline.get_by_name("parse").get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, told)
bus = pipeline.get_bus()
bus.add_signal_watch()
bus.connect("message", message)

def seek(start, stop):
    flags = Gst.SeekFlags.FLUSH | Gst.SeekFlags.ACCURATE
    if options.intra:
        flags |= Gst.SeekFlags.TRICKMODE_KEY_UNITS
    # A segment of GStreamer runs from the earlier to the later instant in both directions.
    low, high = (start, stop) if options.speed > 0 else (stop, start)
    event = Gst.Event.new_seek(
        options.speed,
        Gst.Format.TIME,
        flags,
        Gst.SeekType.NONE if low is None else Gst.SeekType.SET,
        -1 if low is None else position(low),
        Gst.SeekType.NONE if high is None else Gst.SeekType.SET,
        -1 if high is None else position(high),
    )
    if options.interval_ms:
        event.set_seek_trickmode_interval(options.interval_ms * Gst.MSECOND)
    return event


# rtspsrc keeps it for its first PLAY.
source.send_event(seek(options.from_ms, options.to_ms))
pipeline.set_state(Gst.State.PLAYING)
loop.run()
output.flush()
for text in failure:
    print("failed:", text, file=sys.stderr)
sys.stderr.flush()
# Going back to NULL may hang in this mode.
os._exit(1 if failure else 0)
