"""GStreamer's RTSP server as a relay, to compare with. Prints `port N`."""
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)
server = GstRtspServer.RTSPServer.new()
server.set_address("127.0.0.1")
server.set_service("0")
server.set_backlog(1024)
factory = GstRtspServer.RTSPMediaFactory.new()
factory.set_launch(
    f"( rtspsrc location={sys.argv[1]} protocols=tcp latency=0 ! rtph264depay ! rtph264pay name=pay0 pt=96 )"
)
factory.set_shared(True)
server.get_mount_points().add_factory("/live", factory)
if not server.attach(None):
    sys.exit("it cannot listen")
print("port", server.get_bound_port(), flush=True)
GLib.MainLoop().run()
