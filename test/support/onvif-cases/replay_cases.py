"""ONVIF Replay Control Device Test Specification (19.12), section 4: what a client does, and what it looks at.

The numbers are those of the published test cases; the steps are written from it, without its configuration of the device.
"""
import time

import rtp
from carriers import LIMIT_SECONDS
from rtsp import Rtsp
from soap import SPACES, SoapFault

REPLAY = {"Require": "onvif-replay"}
UDP, HTTP, TCP = ("udp", "UDP"), ("http", "HTTP"), ("tcp", "RTSP")
# How much of a stream is looked at, in seconds: longer where what it is looked at for has not come by then.
LOOK = 2.5
DELTA = 4.0
# A frame may begin this much before what was asked for: the key frame before it.
INACCURACY = 2.0
KINDS = {"video": ["video"], "audio": ["audio"], "metadata": ["application"], "all": ["video", "audio", "application"]}
TRACKS = {"video": "Video", "audio": "Audio", "application": "Metadata"}


def clock(at):
    whole = time.strftime("%Y%m%dT%H%M%S", time.gmtime(at))
    return f"{whole}.{int(at % 1 * 1000):03d}Z"


class Replay:
    """A recording with tracks of the kinds that a case is about, described and set up."""

    def __init__(self, device, login, kinds, transport, ca=None):
        way, protocol = transport
        wanted = {TRACKS[kind] for kind in kinds}
        token = next(token for token, has in device.recordings().items() if wanted <= has)
        self.first, self.last = device.extent(token)
        url = device.replay_uri(token, protocol)
        self.rtsp = Rtsp(url, login, way, ca)
        self.options = self.rtsp.request("OPTIONS", self.rtsp.url)[0]["public"]
        self.sdp = self.rtsp.describe(**REPLAY)
        self.media = [next(one for one in self.rtsp.media if one.kind == kind) for kind in kinds]
        for one in self.media:
            self.rtsp.setup(one, **REPLAY)

    def play(self, begin=None, end=None, **headers):
        """Plays. Gives what stands in RTP-Info."""
        if begin is not None:
            headers["Range"] = f"clock={clock(begin)}-{clock(end) if end else ''}"
        return self.rtsp.play(**REPLAY, **headers)

    @property
    def tracks(self):
        return range(len(self.media))

    def pause(self, **headers):
        self.rtsp.pause(**headers)

    def look(self, seconds=LOOK, units=1):
        """What comes of the newest PLAY in so long, or until there are so many access units of each track."""
        self.rtsp.receive(seconds)
        self.rtsp.receive(
            LIMIT_SECONDS, lambda _: all(len(rtp.units_of(self.own(), track)) >= units for track in self.tracks)
        )
        return self.own()

    def own(self):
        """What has come of the newest PLAY: packets of the one before may still have been on their way."""
        begun, own = set(), []
        for one in self.rtsp.packets:
            if not one.rtcp and one.extension and one.extension.cseq == self.rtsp.played & 0xFF:
                begun.add(one.track)
            if one.rtcp or one.track in begun:
                own.append(one)
        return own

    def check(self, packets):
        """Every header and header extension of a forward replay, and RTCP."""
        for track, media in enumerate(self.media):
            rtp.check_sequence(packets, track)
            rtp.check_extensions(packets, self.rtsp.played, track)
            rtp.check_forward(packets, track)
            rtp.check_timestamps(packets, media.rate, track)
        rtp.check_rtcp(packets)

    def until(self, end, seconds):
        """Everything up to an end that was named, and 2 s longer: nothing may follow."""
        deadline, count, quiet = time.monotonic() + seconds, -1, 0.0
        while time.monotonic() < deadline and quiet < 2.0:
            packets = self.look(0.25)
            quiet = quiet + 0.25 if len(packets) == count else 0.0
            count = len(packets)
        for track in self.tracks:
            assert max(rtp.times_of(packets, track)) <= end, f"{max(rtp.times_of(packets, track))} is beyond {end}"
        assert quiet >= 2.0, "it does not end"
        return packets


def media_control(replay):
    methods = {one.strip() for one in replay.options.split(",")}
    assert {"DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "OPTIONS"} <= methods, replay.options
    for media in replay.rtsp.media:
        assert "\na=x-onvif-track:" in media.text, media.text
    _, infos = replay.play(replay.first)
    packets = replay.look()
    replay.check(packets)
    for track, media in enumerate(replay.media):
        info = next(one for one in infos if one["url"] == media.url)
        first = rtp.rtp_of(packets, track)[0]
        # RFC 2326 12.33 lets a server leave them out where it does not know them yet.
        if "seq" in info or track == 0:
            assert (int(info["seq"]), int(info["rtptime"])) == (first.sequence, first.timestamp), info


def forward(replay):
    replay.play(replay.first)
    packets = replay.look(units=6)
    replay.check(packets)
    for track in replay.tracks:
        assert len(rtp.units_of(packets, track)) > 5, f"hardly anything of track {track}"


def reverse(replay):
    replay.play(replay.last, Scale="-1.0")
    packets = replay.look(4.0)
    rtp.check_sequence(packets)
    rtp.check_extensions(packets, replay.rtsp.played)
    rtp.check_reverse(packets)
    rtp.check_rtcp(packets)


def with_range(replay):
    end = replay.first + DELTA
    replay.play(replay.first, end)
    packets = replay.until(end, 20)
    replay.check(packets)
    for track in replay.tracks:
        assert max(rtp.times_of(packets, track)) > end - 1.0, f"track {track} ends early"


def i_frames(replay):
    replay.play(replay.first, Frames="intra")
    packets = replay.look(6.0, units=4)
    rtp.check_sequence(packets)
    rtp.check_extensions(packets, replay.rtsp.played)
    units = rtp.whole_units_of(packets)
    assert len(units) > 2 and all(rtp.is_intra(unit, replay.media[0].encoding) for unit in units)


def rate_control(replay):
    durations, counts = [], []
    for control in ("yes", "no"):
        end = replay.first + DELTA
        replay.play(replay.first, end, **{"Rate-Control": control})
        packets = replay.until(end, 20)
        replay.check(packets)
        own = [one for one in packets if not one.rtcp]
        durations.append(own[-1].at - own[0].at)
        counts.append([len(rtp.units_of(packets, track)) for track in replay.tracks])
    assert counts[0] == counts[1], f"{counts} access units with and without rate control"
    # The first second comes at once, for players to begin with.
    assert durations[0] > DELTA - 2.0 > durations[1], f"took {durations}"


def immediate(replay):
    replay.play(replay.first)
    replay.check(replay.look(1.5))
    target = replay.first + DELTA
    replay.play(target, Immediate="yes")
    packets = replay.look(1.5)
    replay.check(packets)
    for track in replay.tracks:
        assert rtp.units_of(packets, track)[0][0].extension.discontinuity or track > 0, "no D in the first packet"
        assert abs(rtp.times_of(packets, track)[0] - target) < INACCURACY


def pause_without_range(replay):
    replay.play(replay.first)
    replay.look(2.0)
    replay.pause()
    # What was on its way.
    before = replay.look(0.3)
    stopped = max(rtp.times_of(before))
    packets = replay.look(3.0)
    assert len(packets) == len(before), f"{len(packets) - len(before)} packets behind the answer to PAUSE"
    replay.play()
    resumed = replay.look(2.0)
    replay.check(resumed)
    assert abs(rtp.times_of(resumed)[0] - stopped) < INACCURACY, f"paused at {stopped}, goes on at {rtp.times_of(resumed)[0]}"


def pause_with_range(replay):
    point = replay.first + DELTA
    replay.play(replay.first)
    replay.look(1.0)
    replay.pause(Range=f"clock={clock(point)}")
    packets = replay.until(point, 20)
    replay.check(packets)
    assert rtp.times_of(packets)[-1] > point - 1.0, f"paused at {rtp.times_of(packets)[-1]}, not at {point}"
    replay.play()
    resumed = replay.look(2.0)
    replay.check(resumed)
    assert abs(rtp.times_of(resumed)[0] - point) < INACCURACY


def seek(replay):
    middle = replay.first + 2 * DELTA
    sources = []
    for number, target in enumerate((replay.first, middle, middle - DELTA, middle + DELTA)):
        extra = {"Immediate": "yes"} if number else {}
        replay.play(target, **{"Rate-Control": "no"}, **extra)
        packets = replay.look(1.0)
        replay.check(packets)
        assert abs(rtp.times_of(packets)[0] - target) < INACCURACY, f"{rtp.times_of(packets)[0]} instead of {target}"
        sources.append([rtp.rtp_of(packets, track)[0].ssrc for track in replay.tracks])
    # RFC 2326 B: a jump in what is played is none in RTP.
    assert all(one == sources[0] for one in sources), f"sources {sources}"


# Where a case stands in its family: video has I-frames, and audio has no way back.
STEPS = {
    "video": {
        1: (media_control, UDP), 2: (forward, UDP), 3: (forward, HTTP), 4: (forward, TCP), 5: (reverse, UDP),
        6: (reverse, HTTP), 7: (reverse, TCP), 10: (with_range, UDP), 11: (i_frames, UDP), 12: (rate_control, HTTP),
        13: (immediate, UDP), 15: (pause_without_range, UDP), 16: (pause_with_range, UDP), 17: (seek, UDP),
    }
}  # fmt: skip
COMMON = {number: step for number, step in STEPS["video"].items() if number < 5 or number == 10}
COMMON |= {11: STEPS["video"][12], 12: STEPS["video"][13], 14: STEPS["video"][15], 15: STEPS["video"][16], 16: STEPS["video"][17]}
STEPS |= {"audio": COMMON, "metadata": COMMON | {number: STEPS["video"][number] for number in (5, 6, 7)}, "all": COMMON}


def playback(steps, transport, kinds):
    def case(context):
        replay = Replay(context.device, context.login, kinds, transport, context.ca)
        try:
            steps(replay)
            replay.rtsp.teardown()
        finally:
            replay.rtsp.close()

    return case


def capabilities(context):
    answer = context.device.call("trp", "GetServiceCapabilities")
    assert answer.find("trp:Capabilities", SPACES).get("ReversePlayback") == "true"


def consistency(context):
    alone = context.device.call("trp", "GetServiceCapabilities").find("trp:Capabilities", SPACES).attrib
    services = context.device.call("tds", "GetServices", "<tds:IncludeCapability>true</tds:IncludeCapability>")
    own = next(one for one in services if one.findtext("tds:Namespace", None, SPACES) == SPACES["trp"])
    told = own.find("tds:Capabilities/trp:Capabilities", SPACES).attrib
    assert told == alone, f"{told} and {alone}"


def unknown_token(context):
    try:
        context.device.replay_uri("nonexistent", "RTSP")
    except SoapFault as fault:
        # The service's specification has NoRecording; the test specification InvalidToken.
        assert fault.codes[1:] == ["InvalidArgVal", "NoRecording"] or fault.codes[1:] == ["InvalidArgVal", "InvalidToken"], fault
        return
    raise AssertionError("an address of a recording that does not exist")


CASES = {"REPLAY-1-1-1": capabilities, "REPLAY-1-1-2": consistency, "REPLAY-1-2-1": unknown_token} | {
    f"REPLAY-3-{family}-{number}": playback(steps, transport, KINDS[kind])
    for family, kind in enumerate(STEPS, 1)
    for number, (steps, transport) in STEPS[kind].items()
}
