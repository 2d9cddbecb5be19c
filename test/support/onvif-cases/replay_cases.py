"""ONVIF Replay Control Device Test Specification (19.12), section 4: what a client does, and what it looks at.

The numbers are those of the published test cases; the steps are written from it, without its configuration of the device.
"""
import time

import rtp
from rtsp import Rtsp
from soap import SPACES, SoapFault

REPLAY = {"Require": "onvif-replay"}
UDP, HTTP, TCP = ("udp", "UDP"), ("http", "HTTP"), ("tcp", "RTSP")
# So much of a recording is there from rtp.SETTLED on, in seconds, and older than any cache when the cases begin.
KEPT = 13.0
# How much of a stream is looked at, in seconds of what is told.
LOOK = 3.0
# How long what must not come is waited for.
QUIET = 2.0
DELTA = 4.0
# A frame may begin this much before what was asked for: the key frame before it.
INACCURACY = 2.0
# With rate control, so much comes at once, for players to begin with; and longer stretches without footage are skipped.
LEAD, GAP = 1.0, 2.0
# Of times in ranges, which have milliseconds.
ROUNDING = 0.002
KINDS = {"video": ["video"], "audio": ["audio"], "metadata": ["application"], "all": ["video", "audio", "application"]}
TRACKS = {"video": "Video", "audio": "Audio", "application": "Metadata"}


def clock(at):
    whole = time.strftime("%Y%m%dT%H%M%S", time.gmtime(at))
    return f"{whole}.{int(at % 1 * 1000):03d}Z"


class Replay:
    """A recording with tracks of the kinds that a case is about, described and set up."""

    def __init__(self, device, login, kinds, transport, ca=None):
        way, protocol = transport
        self.again = lambda more: Replay(device, login, kinds + more, TCP, ca)
        wanted = {TRACKS[kind] for kind in kinds}
        token = next(token for token, has in device.recordings().items() if wanted <= has)
        self.first, self.last = device.extent(token)
        self.first += rtp.SETTLED
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

    def until(self, enough, what):
        """What comes of the newest PLAY, until it is `enough` of each track. Its last access units may be there in part."""
        self.rtsp.until(lambda _: self.each(enough), what)
        return self.own()

    def each(self, enough):
        packets = self.own()
        return all(enough(packets, track) for track in self.tracks)

    def look(self, seconds=LOOK):
        """So much of each track, in seconds of its capture."""

        def enough(packets, track):
            times = [unit[0].extension.time for unit in rtp.whole_units_of(packets, track)]
            return len(times) > 1 and times[-1] - times[0] >= seconds

        return self.until(enough, f"{seconds} s of each track")

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

    def ended(self):
        """Everything up to an end that was named, whose last access unit says so."""

        def is_over(packets, track):
            return any(one.extension and one.extension.terminal for one in rtp.rtp_of(packets, track))

        return self.until(is_over, "the end of each track")

    def quiet(self):
        """What has come, and does in a while."""
        self.rtsp.receive(QUIET)
        self.rtsp.settle(self.rtsp.url)
        return self.own()

    def nothing_beyond(self, end):
        """Nothing follows what was captured at `end`. All that has come."""
        packets = self.quiet()
        for track in self.tracks:
            assert max(rtp.times_of(packets, track)) <= end, f"{max(rtp.times_of(packets, track))} is beyond {end}"
        return packets

    def kept(self):
        """What is kept from where a case begins: told by another session, which has the picture besides, as fast as it can be."""
        other = self.again([] if "video" in (one.kind for one in self.media) else ["video"])
        try:
            other.play(self.first, self.first + KEPT, **{"Rate-Control": "no"})
            return Kept(other, other.ended())
        finally:
            other.rtsp.close()


class Kept:
    """When what is kept was captured: `times` of each track, and those of key frames."""

    def __init__(self, replay, packets):
        self.times = [rtp.times_of(packets, track) for track in replay.tracks]
        video = next(track for track, media in enumerate(replay.media) if media.kind == "video")
        self.keys = [unit[0].extension.time for unit in rtp.units_of(packets, video) if unit[0].extension.clean]

    def is_near(self, at, target, track=0):
        """
        So near to what was asked for as a key frame is. A camera that stood still for a while has none, and tells nothing: then it is the
        one before that, or there is nothing nearer.
        """
        low, high = sorted((at, target))
        if high - low < INACCURACY or not any(low + ROUNDING < one < high - ROUNDING for one in self.times[track]):
            return True
        return at < target and not any(at + ROUNDING < one <= target - 1.0 for one in self.keys)


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
    packets = replay.look()
    replay.check(packets)
    for track in replay.tracks:
        assert len(rtp.units_of(packets, track)) > 5, f"hardly anything of track {track}"


def reverse(replay):
    replay.play(replay.last, Scale="-1.0")
    packets = replay.until(lambda packets, track: len(rtp.groups_of(packets, track)) > 3, "groups of pictures")
    rtp.check_sequence(packets)
    rtp.check_extensions(packets, replay.rtsp.played)
    rtp.check_reverse(packets)
    rtp.check_rtcp(packets)


def with_range(replay):
    end = replay.first + DELTA
    kept = replay.kept()
    replay.play(replay.first, end)
    replay.ended()
    packets = replay.nothing_beyond(end)
    replay.check(packets)
    for track in replay.tracks:
        last = rtp.times_of(packets, track)[-1]
        missing = [one for one in kept.times[track] if last + ROUNDING < one < end - ROUNDING]
        assert not missing, f"track {track} ends at {last}, without {missing}"


def i_frames(replay):
    replay.play(replay.first, Frames="intra")
    packets = replay.until(lambda packets, track: len(rtp.whole_units_of(packets, track)) > 2, "pictures")
    rtp.check_sequence(packets)
    rtp.check_extensions(packets, replay.rtsp.played)
    units = rtp.whole_units_of(packets)
    assert len(units) > 2 and all(rtp.is_intra(unit, replay.media[0].encoding) for unit in units)


def rate_control(replay):
    counts = []
    for control in ("yes", "no"):
        end = replay.first + DELTA
        asked = time.monotonic()
        replay.play(replay.first, end, **{"Rate-Control": control})
        replay.ended()
        packets = replay.nothing_beyond(end)
        replay.check(packets)
        counts.append([len(rtp.units_of(packets, track)) for track in replay.tracks])
        if control == "yes":
            assert ahead(packets, replay.first, asked) < LEAD + 0.1, f"{ahead(packets, replay.first, asked)} s too early"
    assert counts[0] == counts[1], f"{counts} access units with and without rate control"
    # However late one thing or another is, of so much something comes earlier than with rate control anything may.
    asked = time.monotonic()
    replay.play(replay.first, **{"Rate-Control": "no"})
    packets = replay.look(KEPT)
    assert ahead(packets, replay.first, asked) > LEAD + 0.5, f"{ahead(packets, replay.first, asked)} s ahead without rate control"


def ahead(packets, begin, asked):
    """How much earlier something came than it was captured, in seconds, both counted from the beginning of a replay, or of what there is of it."""
    told = [one for one in packets if not one.rtcp and one.extension]
    begin = max(begin, told[0].extension.time)
    most, newest, skipped = 0.0, begin, 0.0
    for one in told:
        skipped += one.extension.time - newest if one.extension.time - newest > GAP else 0.0
        newest = max(newest, one.extension.time)
        most = max(most, one.extension.time - begin - skipped - (one.at - asked))
    return most


def immediate(replay):
    kept = replay.kept()
    replay.play(replay.first)
    replay.check(replay.look(1.5))
    target = replay.first + DELTA
    replay.play(target, Immediate="yes")
    packets = replay.look(1.5)
    replay.check(packets)
    for track in replay.tracks:
        assert rtp.units_of(packets, track)[0][0].extension.discontinuity or track > 0, "no D in the first packet"
        assert kept.is_near(rtp.times_of(packets, track)[0], target, track)


def pause_without_range(replay):
    kept = replay.kept()
    replay.play(replay.first)
    replay.look(2.0)
    replay.pause()
    replay.rtsp.settle(replay.rtsp.url)
    before = replay.own()
    stopped = max(rtp.times_of(before))
    packets = replay.quiet()
    assert len(packets) == len(before), f"{len(packets) - len(before)} packets behind the answer to PAUSE"
    replay.play()
    resumed = replay.look(1.5)
    replay.check(resumed)
    begin = rtp.times_of(resumed)[0]
    assert kept.is_near(begin, stopped), f"paused at {stopped}, goes on at {begin}"


def pause_with_range(replay):
    kept = replay.kept()
    # Far ahead: it must not be passed before PAUSE is there.
    point = replay.first + KEPT - DELTA
    last = [max(one for one in kept.times[track] if one < point - ROUNDING) for track in replay.tracks]
    replay.play(replay.first)
    replay.look(0.5)
    replay.pause(Range=f"clock={clock(point)}")
    # Of one track at least: what another has rarely may wait behind that for what follows.
    replay.rtsp.until(
        lambda _: any(one > last[track] - ROUNDING for track in replay.tracks for one in rtp.times_of(replay.own(), track)),
        f"what is kept up to {point}",
    )
    packets = replay.nothing_beyond(point)
    replay.check(packets)
    replay.play()
    resumed = replay.look(1.5)
    replay.check(resumed)
    begin = rtp.times_of(resumed)[0]
    assert kept.is_near(begin, point), f"paused at {point}, goes on at {begin}"


def seek(replay):
    middle = replay.first + 2 * DELTA
    sources, kept = [], replay.kept()
    for number, target in enumerate((replay.first, middle, middle - DELTA, middle + DELTA)):
        extra = {"Immediate": "yes"} if number else {}
        replay.play(target, **{"Rate-Control": "no"}, **extra)
        packets = replay.look(1.0)
        replay.check(packets)
        assert kept.is_near(rtp.times_of(packets)[0], target), f"{rtp.times_of(packets)[0]} instead of {target}"
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
