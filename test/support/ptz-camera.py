"""A camera that can be moved, on Python's standard library alone: ONVIF over HTTP with digest, Media 1, PTZ, imaging, relays, a snapshot.

Its stream is somebody else's: the address is given. Arguments: address, RTSP address, user, password. Prints its port, and
then each control request that it gets as a line of JSON.
"""

import hashlib
import json
import re
import secrets
import sys
import xml.etree.ElementTree as tree
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

address, rtsp, user, password = sys.argv[1:]
REALM = "py camera"
NONCES = set()
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + b"picture" + bytes.fromhex("ffd9") + b"\0\0padding"
SCHEMA = "http://www.onvif.org/ver10/schema"
NAMES = {
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tptz": "http://www.onvif.org/ver20/ptz/wsdl",
    "timg": "http://www.onvif.org/ver20/imaging/wsdl",
}
SPACE = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocityGenericSpace"
RANGE = "<o:XRange><o:Min>-1</o:Min><o:Max>1</o:Max></o:XRange><o:YRange><o:Min>-1</o:Min><o:Max>1</o:Max></o:YRange>"
SPACES = "<o:ContinuousPanTiltVelocitySpace><o:URI>%s</o:URI>%s</o:ContinuousPanTiltVelocitySpace>" % (SPACE, RANGE)
# A name that stands before the token, an element of the maker's, and a limit that is no number of XML Schema.
CONFIGURATION = (
    'token="py-ptz"><o:Name>PTZ</o:Name><o:UseCount>1</o:UseCount><v:Maker xmlns:v="urn:maker">x</v:Maker>'
    "<o:NodeToken>py-node</o:NodeToken><o:DefaultPTZTimeout>PT5S</o:DefaultPTZTimeout>"
    "<o:PanTiltLimits><o:Range><o:URI>u</o:URI><o:XRange><o:Min>-INF</o:Min><o:Max>INF</o:Max></o:XRange></o:Range></o:PanTiltLimits>"
)
presets = {}


def answer(name, body):
    ask = lambda path: (body.findtext(".//{*}" + path) or "").strip()
    if name == "GetSystemDateAndTime":
        return "<r:SystemDateAndTime><o:DateTimeType>NTP</o:DateTimeType></r:SystemDateAndTime>"
    if name == "GetDeviceInformation":
        return "<r:Manufacturer>Py</r:Manufacturer><r:Model>PTZ</r:Model><r:FirmwareVersion>1</r:FirmwareVersion><r:SerialNumber>7</r:SerialNumber><r:HardwareId>h</r:HardwareId>"
    if name == "GetServices":
        return "".join(
            "<r:Service><r:Namespace>%s</r:Namespace><r:XAddr>http://203.0.113.9:%d/%s</r:XAddr></r:Service>"
            % (ns, server.server_port, prefix)
            for prefix, ns in NAMES.items()
        )
    if name == "GetProfiles":
        return (
            '<r:Profiles token="py-profile"><o:Name>P</o:Name><o:VideoSourceConfiguration token="c"><o:SourceToken>py-source</o:SourceToken>'
            "</o:VideoSourceConfiguration><o:VideoEncoderConfiguration><o:Encoding>H264</o:Encoding></o:VideoEncoderConfiguration>"
            "<o:PTZConfiguration %s</o:PTZConfiguration></r:Profiles>" % CONFIGURATION
        )
    if name == "GetStreamUri":
        return "<r:MediaUri><o:Uri>%s</o:Uri></r:MediaUri>" % rtsp
    if name == "GetSnapshotUri":
        return "<r:MediaUri><o:Uri>http://203.0.113.9:%d/snap.jpg?n=1</o:Uri></r:MediaUri>" % server.server_port
    if name == "GetConfigurations":
        return "<r:PTZConfiguration %s</r:PTZConfiguration>" % CONFIGURATION
    if name == "GetNodes":
        return (
            '<r:PTZNode token="py-node"><o:Name>N</o:Name><o:SupportedPTZSpaces>%s</o:SupportedPTZSpaces>'
            "<o:HomeSupported>true</o:HomeSupported><o:MaximumNumberOfPresets>9</o:MaximumNumberOfPresets></r:PTZNode>" % SPACES
        )
    if name == "GetStatus" and body.tag.startswith("{" + NAMES["tptz"]):
        return '<r:PTZStatus><o:Position><o:PanTilt x="0.25" y="-0.5"/></o:Position><o:UtcTime>2026-11-25T10:00:00Z</o:UtcTime></r:PTZStatus>'
    if name == "SetPreset":
        token = ask("PresetToken") or "py-preset-%d" % (len(presets) + 1)
        presets[token] = ask("PresetName")
        return "<r:PresetToken>%s</r:PresetToken>" % token
    if name == "GetPresets":
        return "".join('<r:Preset token="%s"><o:Name>%s</o:Name></r:Preset>' % one for one in presets.items())
    if name == "RemovePreset":
        presets.pop(ask("PresetToken"))
        return ""
    if name in ("ContinuousMove", "Stop", "GotoPreset", "GotoHomePosition", "SetImagingSettings", "SetRelayOutputState"):
        return ""
    if name == "GetImagingSettings":
        return "<r:ImagingSettings><o:Contrast>40</o:Contrast><o:Brightness>55</o:Brightness></r:ImagingSettings>"
    if name == "GetRelayOutputs":
        return '<r:RelayOutputs token="py-relay"><o:Properties><o:Mode>Monostable</o:Mode><o:DelayTime>PT1S</o:DelayTime><o:IdleState>open</o:IdleState></o:Properties></r:RelayOutputs>'
    return None


def digest_of(method, uri, field):
    parts = dict(re.findall(r'(\w+)="?([^",]*)"?', field))
    md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
    ha1 = md5("%s:%s:%s" % (user, REALM, password))
    right = md5(":".join([ha1, parts.get("nonce", ""), parts.get("nc", ""), parts.get("cnonce", ""), "auth", md5(method + ":" + uri)]))
    return parts.get("nonce") in NONCES and parts.get("uri") == uri and parts.get("response") == right


class Camera(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def tell(self, status, body, kind, extra=()):
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *extra):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def let_in(self):
        if digest_of(self.command, self.path, self.headers.get("Authorization", "")):
            return True
        nonce = secrets.token_hex(8)
        NONCES.add(nonce)
        challenge = 'Digest realm="%s", nonce="%s", qop="auth", algorithm=MD5' % (REALM, nonce)
        self.tell(401, b"", "text/plain", [("WWW-Authenticate", challenge)])
        return False

    def do_GET(self):
        if self.let_in():
            self.tell(200, JPEG, "image/jpeg")

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"]))
        body = tree.fromstring(text).find("{*}Body")[0]
        namespace, name = body.tag[1:].split("}")
        if name != "GetSystemDateAndTime" and not self.let_in():
            return
        inside = answer(name, body)
        if not name.startswith("Get"):
            found = {one.tag.split("}")[1]: (one.text or "").strip() or dict(one.attrib) for one in body.iter() if one is not body and len(one) == 0}
            # A line at once: another thread may print too.
            sys.stdout.write(json.dumps([name, found]) + "\n")
            sys.stdout.flush()
        head = '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:o="%s" xmlns:r="%s"><e:Body>' % (SCHEMA, namespace)
        if inside is None:
            fault = '<e:Fault><e:Code><e:Value>e:Receiver</e:Value><e:Subcode><e:Value xmlns:t="http://www.onvif.org/ver10/error">t:ActionNotSupported</e:Value></e:Subcode></e:Code><e:Reason><e:Text xml:lang="en">no</e:Text></e:Reason></e:Fault>'
            self.tell(500, (head + fault + "</e:Body></e:Envelope>").encode(), "application/soap+xml")
        else:
            whole = "%s<r:%sResponse>%s</r:%sResponse></e:Body></e:Envelope>" % (head, name, inside, name)
            self.tell(200, whole.encode(), "application/soap+xml")


server = ThreadingHTTPServer((address, 0), Camera)
print(server.server_port, flush=True)
server.serve_forever()
