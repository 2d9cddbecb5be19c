"""As much of an ONVIF client as the test cases need, on Python's standard library alone."""
import base64
import calendar
import hashlib
import os
import ssl
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET

SPACES = {
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "timg": "http://www.onvif.org/ver20/imaging/wsdl",
    "tptz": "http://www.onvif.org/ver20/ptz/wsdl",
    "tr2": "http://www.onvif.org/ver20/media/wsdl",
    "trc": "http://www.onvif.org/ver10/recording/wsdl",
    "tse": "http://www.onvif.org/ver10/search/wsdl",
    "tmd": "http://www.onvif.org/ver10/deviceIO/wsdl",
    "trp": "http://www.onvif.org/ver10/replay/wsdl",
    "tt": "http://www.onvif.org/ver10/schema",
    "tev": "http://www.onvif.org/ver10/events/wsdl",
    "tns1": "http://www.onvif.org/ver10/topics",
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "wstop": "http://docs.oasis-open.org/wsn/t-1",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "env": "http://www.w3.org/2003/05/soap-envelope",
}
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
# As long as a request for messages may be held, and a while longer.
LIMIT_SECONDS = 90


class SoapFault(Exception):
    """What the device refused with: its codes, outermost first."""

    def __init__(self, codes):
        super().__init__(" / ".join(codes))
        self.codes = codes


class Device:
    """The services of one device. Logs in with a UsernameToken (digest)."""

    def __init__(self, address, user, password, ca=None):
        self.user, self.password = user, password
        self.tls = ssl.create_default_context(cafile=ca) if address.startswith("https:") else None
        self.services = {"tds": address}
        prefixes = {space: prefix for prefix, space in SPACES.items()}
        for one in self.call("tds", "GetServices", "<tds:IncludeCapability>false</tds:IncludeCapability>"):
            space = one.findtext("tds:Namespace", None, SPACES)
            if space in prefixes:
                self.services[prefixes[space]] = one.findtext("tds:XAddr", None, SPACES)

    def call(self, service, operation, inner=""):
        """The answer's element. Raises SoapFault."""
        body = f"<{service}:{operation}>{inner}</{service}:{operation}>"
        return self.body_of(self.send(self.services[service], body))

    def send(self, address, body, header=""):
        """The answer's envelope, whatever it says."""
        names = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in SPACES.items())
        envelope = (
            f"<env:Envelope {names}><env:Header>{self._token()}{header}</env:Header><env:Body>{body}</env:Body></env:Envelope>"
        )
        request = urllib.request.Request(
            address, envelope.encode(), {"Content-Type": "application/soap+xml; charset=utf-8"}
        )
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_SECONDS, context=self.tls) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            text = error.read()
        return ET.fromstring(text)

    @staticmethod
    def body_of(envelope):
        """What stands in it. Raises SoapFault."""
        found = envelope.find("env:Body", SPACES)
        fault = found.find("env:Fault", SPACES)
        if fault is not None:
            raise SoapFault([one.text.split(":")[-1] for one in fault.iterfind(".//env:Value", SPACES)])
        return found[0]

    def stream_uri(self, profile, protocol):
        inner = f"<tr2:Protocol>{protocol}</tr2:Protocol><tr2:ProfileToken>{profile}</tr2:ProfileToken>"
        return self.call("tr2", "GetStreamUri", inner).findtext("tr2:Uri", None, SPACES)

    def profiles(self):
        """Tokens, and the encodings of each: `{"front": {"H264", "PCMU"}}`."""
        found = self.call("tr2", "GetProfiles", "<tr2:Type>All</tr2:Type>").iterfind("tr2:Profiles", SPACES)
        return {
            one.get("token"): {encoding.text.upper() for encoding in one.iterfind(".//tt:Encoding", SPACES)}
            | ({"METADATA"} if one.find(".//tr2:Metadata", SPACES) is not None else set())
            for one in found
        }

    def replay_uri(self, recording, protocol):
        setup = f"<tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>{protocol}</tt:Protocol></tt:Transport>"
        inner = f"<trp:StreamSetup>{setup}</trp:StreamSetup><trp:RecordingToken>{recording}</trp:RecordingToken>"
        return self.call("trp", "GetReplayUri", inner).findtext("trp:Uri", None, SPACES)

    def recordings(self):
        """Tokens of recordings, and what kinds of track each has data of."""
        found = self.call("trc", "GetRecordings").iterfind("trc:RecordingItem", SPACES)
        return {one.findtext("tt:RecordingToken", None, SPACES): self._kinds(one) for one in found}

    def extent(self, recording):
        """EarliestRecording and LatestRecording, seconds since 1970."""
        answer = self.call(
            "tse", "GetRecordingInformation", f"<tse:RecordingToken>{recording}</tse:RecordingToken>"
        ).find("tse:RecordingInformation", SPACES)
        assert answer.findtext("tt:RecordingToken", None, SPACES) == recording, "information of another recording"
        return tuple(seconds(answer.findtext(f"tt:{name}", None, SPACES)) for name in ("EarliestRecording", "LatestRecording"))

    @staticmethod
    def _kinds(item):
        return {track.findtext(".//tt:TrackType", None, SPACES) for track in item.iterfind(".//tt:Track", SPACES)}

    def _token(self):
        nonce = os.urandom(16)
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        digest = base64.b64encode(hashlib.sha1(nonce + created.encode() + self.password.encode()).digest()).decode()
        return (
            f'<wsse:Security xmlns:wsse="{WSSE}wssecurity-secext-1.0.xsd" xmlns:wsu="{WSSE}wssecurity-utility-1.0.xsd">'
            f"<wsse:UsernameToken><wsse:Username>{self.user}</wsse:Username>"
            f'<wsse:Password Type="{WSSE}username-token-profile-1.0#PasswordDigest">{digest}</wsse:Password>'
            f"<wsse:Nonce>{base64.b64encode(nonce).decode()}</wsse:Nonce><wsu:Created>{created}</wsu:Created>"
            "</wsse:UsernameToken></wsse:Security>"
        )


def seconds(text):
    """xs:dateTime in UTC as seconds since 1970."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + (fraction or "0"))
