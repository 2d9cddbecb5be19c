"""ONVIF Real Time Streaming using Media2 Device Test Specification (21.06): the steps that stream.

A profile that has the encoding is used as it is: what configures a device is not offered here.
"""
import os
import struct
import time
from urllib.parse import urlsplit, urlunsplit

import rtp
from carriers import LIMIT_SECONDS
from rtsp import Refused, Rtsp
from soap import SPACES

# How much of each track is looked at, in seconds by its RTP times. A group may be sent to already; then the next report comes within six
# seconds, and the first picture is any.
LOOK = 2.5
BACK_CHANNEL = "www.onvif.org/ver20/backchannel"
# 20 ms of G.711.
SPOKEN = 160
PROTOCOLS = {"multicast": "RtspMulticast", "udp": "RtspUnicast", "http": "RtspOverHttp", "tcp": "RTSP", "https": "RtspOverHttp", "ws": "RTSP"}
# Names of encodings in Media2, and in SDP.
SDP = {"H264": {"H264"}, "H265": {"H265"}, "G711": {"PCMU"}, "AAC": {"MP4A-LATM", "MPEG4-GENERIC"}, "METADATA": {"VND.ONVIF.METADATA"}}
MEDIA2 = {"G711": "PCMU", "AAC": "MP4A-LATM"}


def stream(encodings, way):
    def case(context):
        device = context.secure_device if way == "https" else context.device
        wanted = {MEDIA2.get(one, one) for one in encodings}
        profile = next(token for token, has in device.profiles().items() if wanted <= has)
        uri = device.stream_uri(profile, PROTOCOLS[way])
        scheme = urlsplit(uri).scheme
        assert scheme == {"http": "http", "https": "https"}.get(way, "rtsp"), uri
        if way in ("http", "https"):
            assert urlsplit(uri).port == urlsplit(device.services["tds"]).port, f"{uri}: not the port of the web service"
        rtsp = Rtsp(web_socket(context.device) if way == "ws" else uri, context.login, way, context.ca, uri)
        try:
            watch(rtsp, encodings, way)
        finally:
            rtsp.close()

    return case


def web_socket(device):
    """RTSPWebSocketUri, with host and port of the device."""
    told = device.call("tr2", "GetServiceCapabilities").find(".//tr2:StreamingCapabilities", SPACES).get("RTSPWebSocketUri")
    path = urlsplit(told).path
    return urlunsplit(("ws", urlsplit(device.services["tds"]).netloc, path, "", ""))


def watch(rtsp, encodings, way):
    rtsp.describe()
    chosen = []
    for encoding in encodings:
        chosen.append(next(one for one in rtsp.media if one.encoding in SDP[encoding] and "a=sendonly" not in one.text))
        # As the test specification has it, without a word of channels.
        transport = "RTP/AVP/TCP;unicast;client_port=50000-50001" if way in ("http", "https") else None
        rtsp.setup(chosen[-1], transport)
    rtsp.play()
    packets = rtsp.until(lambda packets: is_all_there(packets, dict(enumerate(chosen))), "a report, and enough of each track")
    for track, media in enumerate(chosen):
        rtp.check_sequence(packets, track)
        units = rtp.units_of(packets, track)
        assert len(units) > 5, f"{len(units)} access units of {media.encoding}"
        assert all(unit[0].extension is None for unit in units), "a header extension that nobody asked for"
        if media.encoding in ("H264", "H265") and way != "multicast":
            assert rtp.is_intra(units[0], media.encoding), "does not begin with a key frame"
        if media.encoding == "VND.ONVIF.METADATA":
            assert any(b"MetadataStream" in unit[0].payload for unit in units[:2]), units[0][0].payload[:200]
    assert any(one.rtcp for one in packets), "no RTCP"
    rtp.check_rtcp(packets)
    rtsp.teardown()


def is_all_there(packets, tracks):
    """A report, and enough of each track."""
    return any(one.rtcp for one in packets) and all(is_enough(packets, track, media.rate) for track, media in tracks.items())


def is_enough(packets, track, rate):
    units = rtp.whole_units_of(packets, track)
    return len(units) > 5 and (units[-1][0].timestamp - units[0][0].timestamp) % 2**32 >= LOOK * rate


def talk(way, beside=()):
    """Speaks to the camera that has a speaker. No profile has a decoder of sound, so it is asked of each."""

    def case(context):
        device = context.secure_device if way == "https" else context.device
        for profile in device.profiles():
            uri = device.stream_uri(profile, PROTOCOLS[way])
            rtsp = Rtsp(web_socket(context.device) if way == "ws" else uri, context.login, way, context.ca, uri)
            try:
                rtsp.describe(Require=BACK_CHANNEL)
                speakers = [one for one in rtsp.media if one.encoding in SDP["G711"] and "a=sendonly" in one.text]
                if speakers:
                    speak(rtsp, speakers[0], beside, way)
                    return
            finally:
                rtsp.close()
        raise AssertionError("no back channel in any description")

    return case


def take(rtsp, speaker, transport):
    """Sets the speaker up. It is free only once the camera has been told that the case before has ended."""
    end = time.monotonic() + LIMIT_SECONDS
    while True:
        try:
            return rtsp.setup(speaker, transport, Require=BACK_CHANNEL)
        except Refused as refused:
            if refused.status != 453 or time.monotonic() > end:
                raise
            time.sleep(0.1)


def speak(rtsp, speaker, beside, way):
    transport = "RTP/AVP/TCP;unicast;client_port=50000-50001" if way in ("http", "https") else None
    take(rtsp, speaker, transport)
    seen = [next(one for one in rtsp.media if one.encoding in SDP[encoding] and "a=sendonly" not in one.text) for encoding in beside]
    for one in seen:
        rtsp.setup(one, transport)
    head, _ = rtsp.request("PLAY", Session=rtsp.session, Require=BACK_CHANNEL)
    assert head["session"].split(";")[0] == rtsp.session, "Session of PLAY"
    ssrc = os.urandom(4)
    for count in range(int(LOOK * 50)):
        head = struct.pack("!BBHI", 0x80, 0, count, count * SPOKEN)
        rtsp.say(0, head + ssrc + b"\xff" * SPOKEN)
        rtsp.receive(0.02)
    rtsp.until(
        lambda packets: any(one.track == 0 for one in packets)
        and all(is_enough(packets, track, media.rate) for track, media in enumerate(seen, 1)),
        "a report, and enough of what is beside it",
    )
    reports = [one for one in rtsp.packets if one.track == 0]
    assert reports and all(one.rtcp for one in reports), f"{len(reports)} packets in the back channel"
    rtp.check_rtcp(reports, first=201)
    assert reports[0].data[8:12] == ssrc, "a report of somebody else"
    for track, encoding in enumerate(beside, 1):
        rtp.check_sequence(rtsp.packets, track)
        assert len(rtp.units_of(rtsp.packets, track)) > 5, f"few access units of {encoding}"
    rtsp.teardown(Require=BACK_CHANNEL)


TALKS = {1: "udp", 3: "tcp", 13: "ws", 21: "http", 25: "https"}
TALKS_OVER_IPV6 = {4: "udp", 6: "tcp", 15: "ws", 22: "http", 27: "https"}
FAMILIES = (
    ("1-1", ("H264",), {1: "udp", 2: "http", 3: "tcp", 15: "https", 19: "ws"}),
    ("1-1", ("H265",), {8: "udp", 9: "http", 10: "tcp", 16: "https", 20: "ws"}),
    ("2-1", ("G711",), {1: "udp", 2: "http", 3: "tcp", 13: "https", 17: "ws", 21: "udp"}),
    ("2-1", ("AAC",), {7: "udp", 8: "http", 9: "tcp", 14: "https", 18: "ws"}),
    ("4-1", ("METADATA",), {1: "udp", 2: "http", 3: "tcp", 8: "https", 10: "ws"}),
    ("5-1", ("H264", "G711"), {1: "udp", 2: "http", 3: "tcp"}),
    ("5-1", ("H265", "AAC"), {7: "udp", 8: "http", 9: "tcp"}),
    ("1-2", ("H264",), {1: "multicast"}),
    ("1-2", ("H265",), {3: "multicast"}),
    ("2-2", ("G711",), {1: "multicast"}),
    ("2-2", ("AAC",), {3: "multicast"}),
    ("4-2", ("METADATA",), {1: "multicast"}),
    ("5-2", ("H264", "G711"), {1: "multicast"}),
    ("5-2", ("H265", "AAC"), {3: "multicast"}),
)
OVER_IPV6 = (
    ("1-1", ("H264",), {5: "udp", 6: "http", 7: "tcp", 17: "https", 21: "ws"}),
    ("1-1", ("H265",), {12: "udp", 13: "http", 14: "tcp", 18: "https", 22: "ws"}),
    ("2-1", ("G711",), {4: "udp", 5: "http", 6: "tcp", 15: "https", 19: "ws"}),
    ("2-1", ("AAC",), {10: "udp", 11: "http", 12: "tcp", 16: "https", 20: "ws"}),
    ("4-1", ("METADATA",), {5: "udp", 6: "http", 7: "tcp", 9: "https", 11: "ws"}),
    ("5-1", ("H264", "G711"), {4: "udp", 5: "http", 6: "tcp"}),
    ("5-1", ("H265", "AAC"), {10: "udp", 11: "http", 12: "tcp"}),
)


def cases_of(families):
    return {
        f"MEDIA2_RTSS-{family}-{number}": stream(encodings, way)
        for family, encodings, ways in families
        for number, way in ways.items()
    }


def talks_of(ways):
    return {f"MEDIA2_RTSS-3-1-{number}": talk(way) for number, way in ways.items()}


BESIDE = {"MEDIA2_RTSS-6-1-1": talk("udp", ("H264", "G711"))}
CASES = cases_of(FAMILIES) | talks_of(TALKS) | BESIDE
CASES_OVER_IPV6 = cases_of(OVER_IPV6) | talks_of(TALKS_OVER_IPV6)
# A speaker is one client's at a time.
ALONE = {*talks_of(TALKS), *talks_of(TALKS_OVER_IPV6), *BESIDE}
