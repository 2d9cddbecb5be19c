"""A camera on GStreamer's RTSP server: a stack that nobody here wrote. See gst-camera.ts.

Prints `ready <port>` and serves until it is killed or its parent is gone. With a certificate the whole port is rtsps.
"""
import argparse
import os
import signal
import struct
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--address", default="127.0.0.1")
parser.add_argument("--port", default="0")
parser.add_argument("--user")
parser.add_argument("--password")
parser.add_argument("--cert")
parser.add_argument("--key")
parser.add_argument("--udp-only", action="store_true")
parser.add_argument("--multicast", help="a group to send to, beside everything else")
parser.add_argument("--basic", action="store_true", help="asks for basic instead of digest")
options = parser.parse_args()

Gst.init(None)

# I420, or H.265 comes out in a range extension profile that hardly anything decodes.
VIDEO = "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=25/1"
H264 = "x264enc tune=zerolatency speed-preset=ultrafast bitrate=300 key-int-max=25 ! video/x-h264,profile=baseline ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96"
H265 = "x265enc tune=zerolatency speed-preset=ultrafast bitrate=300 key-int-max=25 ! h265parse config-interval=-1 ! rtph265pay name=pay0 pt=96"
AUDIO = "audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate={rate},channels=1 ! audioconvert"
PCM = AUDIO.format(rate=8000)
AAC = f"{AUDIO.format(rate=44100)} ! avenc_aac ! aacparse ! rtpmp4gpay name=pay1 pt=97"
PCMU = f"{PCM} ! mulawenc ! rtppcmupay name=pay1 pt=0"
# Documents that metadata() pushes, each a packet of its own.
METADATA = (
    "appsrc name=pay2 is-live=true format=time caps=application/x-rtp,media=application,"
    "encoding-name=VND.ONVIF.METADATA,clock-rate=90000,payload=107"
)
MOUNTS = {
    "/h264": f"{VIDEO} ! {H264}",
    "/h265": f"{VIDEO} ! {H265}",
    "/mjpeg": f"{VIDEO} ! jpegenc quality=70 ! rtpjpegpay name=pay0 pt=26",
    "/h264aac": f"{VIDEO} ! {H264} {AAC}",
    "/h264pcmu": f"{VIDEO} ! {H264} {PCMU}",
    "/talk": f"{VIDEO} ! {H264} {PCMU}",
    "/h264pcma": f"{VIDEO} ! {H264} {PCM} ! alawenc ! rtppcmapay name=pay1 pt=8",
    "/h264pcmumeta": f"{VIDEO} ! {H264} {PCMU} {METADATA}",
    # What has no place in our recordings, or that we do not know at all.
    "/h264opus": f"{VIDEO} ! {H264} {AUDIO.format(rate=48000)} ! opusenc ! rtpopuspay name=pay1 pt=97",
    "/h264g726": f"{VIDEO} ! {H264} {PCM} ! avenc_g726 bitrate=32000 ! rtpg726pay name=pay1 pt=97",
    "/vp8": f"{VIDEO} ! vp8enc deadline=1 keyframe-max-dist=25 ! rtpvp8pay name=pay0 pt=96",
    "/h265aac": f"{VIDEO} ! {H265} {AAC}",
    # Every picture with the time of its capture in a header extension, as ONVIF's replay has it.
    "/onvif": f"{VIDEO} ! {H264.replace(' name=pay0', '')} ! rtponviftimestamp name=pay0 ntp-offset=18446744073709551615",
}
DOCUMENT = (
    '<?xml version="1.0" encoding="UTF-8"?><tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema">'
    '<tt:VideoAnalytics><tt:Frame UtcTime="{}"><tt:Object ObjectId="1"/></tt:Frame></tt:VideoAnalytics></tt:MetadataStream>'
)
METADATA_PERIOD_MS = 100


def metadata(_factory, media):
    source = media.get_element().get_by_name("pay2")
    sequence = 0
    due = None

    def one(running):
        nonlocal sequence
        now = time.time()
        utc = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z"
        ticks = running * 90000 // Gst.SECOND
        head = struct.pack("!BBHII", 0x80, 0x80 | 107, sequence & 0xFFFF, ticks & 0xFFFFFFFF, 0x0D0C0A15)
        sequence += 1
        buffer = Gst.Buffer.new_wrapped(head + DOCUMENT.format(utc).encode())
        buffer.pts = running
        return source.emit("push-buffer", buffer)

    def push():
        nonlocal due
        if source.get_state(0).state != Gst.State.PLAYING:
            due = None
            return True
        running = source.get_clock().get_time() - source.get_base_time()
        flow = Gst.FlowReturn.OK
        # As many as are due: a busy machine comes late.
        due = running if due is None else due
        while due <= running and flow == Gst.FlowReturn.OK:
            flow = one(due)
            due += METADATA_PERIOD_MS * Gst.MSECOND
        return flow in (Gst.FlowReturn.OK, Gst.FlowReturn.FLUSHING)

    GLib.timeout_add(METADATA_PERIOD_MS, push)


server = GstRtspServer.RTSPOnvifServer.new()
server.set_address(options.address)
server.set_service(options.port)

protocols = GstRtsp.RTSPLowerTrans.UDP
if not options.udp_only:
    protocols |= GstRtsp.RTSPLowerTrans.TCP
# A camera sends from the address at which it is dialed; bound to none, the system would choose another of this machine's.
pool = GstRtspServer.RTSPAddressPool.new()
pool.add_range(options.address, options.address, 20000, 60000, 0)

if options.multicast:
    protocols |= GstRtsp.RTSPLowerTrans.UDP_MCAST
    pool.add_range(options.multicast, options.multicast, 5000, 5015, 1)

auth = None
if options.user or options.cert:
    auth = GstRtspServer.RTSPAuth()
if options.user:
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.set_realm("camera")
    if options.basic:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(options.user, options.password), token)
    else:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(options.user, options.password, token)
if options.cert:
    auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(options.cert, options.key))
    protocols |= GstRtsp.RTSPLowerTrans.TLS
if auth:
    server.set_auth(auth)



def listen(_factory, media):
    """Prints what pitch is heard, from the zero crossings of each half second: `heard 440 Hz`."""
    sink = media.get_element().get_by_name("heard")
    samples = []

    def handoff(_sink, buffer, _pad):
        ok, mapped = buffer.map(Gst.MapFlags.READ)
        if ok:
            samples.extend(struct.unpack(f"<{mapped.size // 2}h", mapped.data))
            buffer.unmap(mapped)
        while len(samples) >= 4000:
            half, samples[:4000] = samples[:4000], []
            crossings = sum(1 for one, two in zip(half, half[1:]) if (one < 0) != (two < 0))
            print("heard", crossings, "Hz", flush=True)

    if sink:
        sink.connect("handoff", handoff)


mounts = server.get_mount_points()
for path, description in MOUNTS.items():
    if path == "/talk":
        factory = GstRtspServer.RTSPOnvifMediaFactory()
        factory.set_media_gtype(GstRtspServer.RTSPOnvifMedia.__gtype__)
        factory.set_backchannel_launch(
            '( capsfilter caps="application/x-rtp,media=audio,payload=0,clock-rate=8000,encoding-name=PCMU"'
            " name=depay_backchannel ! rtppcmudepay ! mulawdec ! fakesink name=heard signal-handoffs=true async=false )"
        )
        factory.connect("media-configure", listen)
    else:
        factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(f"( {description} )")
    factory.set_shared(path != "/talk")
    factory.set_protocols(protocols)
    factory.set_address_pool(pool)
    if METADATA in description:
        factory.connect("media-configure", metadata)
    if options.user:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("user", "media.factory.access", True)
        permissions.add_permission_for_role("user", "media.factory.construct", True)
        factory.set_permissions(permissions)
    mounts.add_factory(path, factory)

server.attach(None)
print("ready", server.get_bound_port(), flush=True)

loop = GLib.MainLoop()
for number in (signal.SIGINT, signal.SIGTERM):
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, loop.quit)
parent = os.getppid()


def watch():
    server.get_session_pool().cleanup()
    if os.getppid() != parent:
        loop.quit()
    return True


GLib.timeout_add_seconds(1, watch)
loop.run()
