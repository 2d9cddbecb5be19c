"""A camera with a card: recording search by Python's standard library, replay by GStreamer's ONVIF server (RTSPOnvifServer, rtponviftimestamp).

Its card has every instant there ever was. Log-ins are not asked for. Arguments: address, and which recordings it has: card-1 (160 x 128
pixels), card-2 (96 x 64), told apart by GetMediaAttributes alone. Prints the port of its device service.
"""

import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer

address, *cards = sys.argv[1:]
Gst.init(None)
SIZES = {"card-1": (160, 128), "card-2": (96, 64)}
PATHS = {"card-1": "/replay", "card-2": "/replay-small"}
rtsp = GstRtspServer.RTSPOnvifServer()
rtsp.set_address(address)
rtsp.set_service("0")
for card, (width, height) in SIZES.items():
    # The position in an endless source is the time since 1900: a seek to an instant is a seek in time.
    replay = GstRtspServer.RTSPOnvifMediaFactory()
    replay.set_launch(
        "( videotestsrc pattern=ball ! video/x-raw,width=%d,height=%d,framerate=25/1"
        " ! x264enc key-int-max=25 bframes=0 tune=zerolatency speed-preset=ultrafast ! video/x-h264,profile=baseline"
        " ! rtph264pay pt=96 config-interval=-1"
        " ! rtponviftimestamp name=pay0 ntp-offset=0 set-e-bit=true set-t-bit=true )" % (width, height)
    )
    replay.set_replay_support(True)
    replay.set_media_gtype(GstRtspServer.RTSPOnvifMedia.__gtype__)
    rtsp.get_mount_points().add_factory(PATHS[card], replay)
rtsp.attach(None)

NAMES = {
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "tse": "http://www.onvif.org/ver10/search/wsdl",
    "trp": "http://www.onvif.org/ver10/replay/wsdl",
}
INFORMATION = """<o:RecordingInformation><o:RecordingToken>%s</o:RecordingToken>
<o:Source><o:SourceId>urn:sensor</o:SourceId><o:Name/><o:Location/><o:Description/><o:Address/></o:Source>
<o:EarliestRecording>2020-01-01T00:00:00Z</o:EarliestRecording><o:Content/>
<o:Track><o:TrackToken>v</o:TrackToken><o:TrackType>Video</o:TrackType><o:Description/><o:DataFrom>2020-01-01T00:00:00Z</o:DataFrom><o:DataTo>2099-01-01T00:00:00Z</o:DataTo></o:Track>
<o:RecordingStatus>Recording</o:RecordingStatus></o:RecordingInformation>"""
ATTRIBUTES = """<t:MediaAttributes><o:RecordingToken>%s</o:RecordingToken><o:TrackAttributes>
<o:TrackInformation><o:TrackToken>v</o:TrackToken><o:TrackType>Video</o:TrackType><o:Description/><o:DataFrom>2020-01-01T00:00:00Z</o:DataFrom><o:DataTo>2099-01-01T00:00:00Z</o:DataTo></o:TrackInformation>
<o:VideoAttributes><o:Width>%d</o:Width><o:Height>%d</o:Height><o:Encoding>H264</o:Encoding><o:Framerate>25</o:Framerate></o:VideoAttributes></o:TrackAttributes>
<o:From>2020-01-01T00:00:00Z</o:From><o:Until>2099-01-01T00:00:00Z</o:Until></t:MediaAttributes>"""


def answer(name, text):
    if name == "GetSystemDateAndTime":
        now = GLib.DateTime.new_now_utc()
        at = "<o:Hour>%d</o:Hour><o:Minute>%d</o:Minute><o:Second>%d</o:Second>" % (now.get_hour(), now.get_minute(), now.get_second())
        day = "<o:Year>%d</o:Year><o:Month>%d</o:Month><o:Day>%d</o:Day>" % (now.get_year(), now.get_month(), now.get_day_of_month())
        return "tds", (
            "<t:SystemDateAndTime><o:DateTimeType>NTP</o:DateTimeType><o:DaylightSavings>false</o:DaylightSavings>"
            "<o:UTCDateTime><o:Time>%s</o:Time><o:Date>%s</o:Date></o:UTCDateTime></t:SystemDateAndTime>" % (at, day)
        )
    if name == "GetServices":
        one = "<t:Service><t:Namespace>%s</t:Namespace><t:XAddr>http://192.0.2.1/%s</t:XAddr><t:Version><o:Major>2</o:Major><o:Minor>42</o:Minor></t:Version></t:Service>"
        return "tds", "".join(one % (NAMES[prefix], prefix) for prefix in NAMES).replace("192.0.2.1", "%s:%d" % (address, port))
    if name == "FindRecordings":
        return "tse", "<t:SearchToken>search-7</t:SearchToken>"
    if name == "GetRecordingSearchResults" and ">search-7<" in text:
        return "tse", "<t:ResultList><o:SearchState>Completed</o:SearchState>%s</t:ResultList>" % "".join(INFORMATION % card for card in cards)
    card = next((card for card in cards if ">%s<" % card in text), None)
    if name == "GetMediaAttributes" and card:
        return "tse", ATTRIBUTES % (card, *SIZES[card])
    if name == "GetReplayUri" and card:
        return "trp", "<t:Uri>rtsp://%s:%d%s</t:Uri>" % (address, rtsp.get_bound_port(), PATHS[card])
    return None, None


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        name = re.search(r"<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)", text).group(1)
        prefix, content = answer(name, text)
        head = '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:o="http://www.onvif.org/ver10/schema"><e:Body>'
        if prefix is None:
            body = head + (
                "<e:Fault><e:Code><e:Value>e:Receiver</e:Value><e:Subcode><e:Value>ter:ActionNotSupported</e:Value></e:Subcode></e:Code>"
                '<e:Reason><e:Text xml:lang="en">no %s here</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>' % name
            )
        else:
            body = head + '<t:%sResponse xmlns:t="%s">%s</t:%sResponse></e:Body></e:Envelope>' % (name, NAMES[prefix], content, name)
        data = body.encode()
        self.send_response(200 if prefix else 500)
        self.send_header("Content-Type", "application/soap+xml; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


http = ThreadingHTTPServer((address, 0), Handler)
port = http.server_address[1]
threading.Thread(target=http.serve_forever, daemon=True).start()
print(port, flush=True)
GLib.MainLoop().run()
