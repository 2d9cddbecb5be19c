"""RTP and RTCP packets (RFC 3550), the header extension of ONVIF's replay (ONVIF Streaming 6.2), and what must hold of them."""
import struct
import time

NTP_TO_UNIX = 2208988800


class Packet:
    """One packet of a track. `at`: when it came, on the monotonic clock, in seconds. `lost`: how many our own socket had no room for before it."""

    def __init__(self, track, rtcp, data, lost=0):
        self.track, self.rtcp, self.data, self.lost, self.at = track, rtcp, data, lost, time.monotonic()
        assert data[0] >> 6 == 2, f"version {data[0] >> 6}"
        if rtcp:
            return
        self.marker, self.payload_type = data[1] >> 7, data[1] & 0x7F
        self.sequence, self.timestamp, self.ssrc = struct.unpack("!HII", data[2:12])
        start = 12 + 4 * (data[0] & 15)
        self.extension = None
        if data[0] & 0x10:
            kind, words = struct.unpack("!HH", data[start : start + 4])
            self.extension = Extension(kind, words, data[start + 4 : start + 4 + 4 * words])
            start += 4 + 4 * words
        self.payload = data[start : len(data) - (data[-1] if data[0] & 0x20 else 0)]


class Extension:
    def __init__(self, kind, words, data):
        assert kind == 0xABAC, f"extension {kind:#06x}"
        assert words == 3, f"extension of {words} words"
        whole, fraction, bits, self.cseq, padding = struct.unpack("!IIBBH", data)
        assert bits & 0x0F == 0 and padding == 0, f"bits that must be zero: {bits:#x} {padding:#x}"
        # Seconds since 1970.
        self.time = whole - NTP_TO_UNIX + fraction / 2**32
        self.clean, self.end, self.discontinuity, self.terminal = (bool(bits & 0x80 >> one) for one in range(4))


def rtp_of(packets, track=0):
    return [one for one in packets if not one.rtcp and one.track == track]


def units_of(packets, track=0):
    """Access units: all packets up to a marker (video), or each packet (anything whose markers mean something else). None that our socket lost a part of."""
    units = []
    for one in rtp_of(packets, track):
        if units and not units[-1][-1].marker and units[-1][0].timestamp == one.timestamp:
            units[-1].append(one)
        else:
            units.append([one])
    return [unit for unit, following in zip(units, [*units[1:], None]) if not is_torn(unit, following)]


def is_torn(unit, following):
    return any(one.lost for one in unit) or (following is not None and following[0].lost > 0)


def whole_units_of(packets, track=0):
    """Without the last one, which may have been cut by the end of a look."""
    return units_of(packets, track)[:-1]


def check_sequence(packets, track=0):
    """Numbers in the order of delivery, none missing, one source, one payload type."""
    own = rtp_of(packets, track)
    assert own, f"no packets of track {track}"
    assert len({(one.ssrc, one.payload_type) for one in own}) == 1, "more than one source"
    for before, after in zip(own, own[1:]):
        expected = before.sequence + 1 + after.lost & 0xFFFF
        assert expected == after.sequence, f"sequence {before.sequence}, {after.lost} lost, then {after.sequence}"


def check_extensions(packets, cseq, track=0):
    """Every access unit begins with the extension, of the PLAY that asked for it."""
    for unit in units_of(packets, track):
        assert unit[0].extension, "access unit without header extension"
        assert unit[0].extension.cseq == cseq & 0xFF, f"CSeq {unit[0].extension.cseq} for {cseq}"


def times_of(packets, track=0):
    return [unit[0].extension.time for unit in units_of(packets, track)]


def check_forward(packets, track=0):
    times = times_of(packets, track)
    for before, after in zip(times, times[1:]):
        assert after > before, f"{after} after {before}"


# Until a device knows the delay of a camera that begins to send, and has its first report, it corrects the times of captures; in seconds.
SETTLED = 3.0


def check_timestamps(packets, rate, track=0):
    """
    RTP time goes as the time of the capture does, give or take 20 ms between neighbours that are no gap. Where the camera begins anew in
    the middle of it, that is known only after a while.
    """
    units = units_of(packets, track)
    begun = float("-inf")
    for before, after in zip(units, units[1:]):
        if after[0].extension.discontinuity:
            begun = after[0].extension.time
        if after[0].extension.time - begun < SETTLED:
            continue
        elapsed = after[0].extension.time - before[0].extension.time
        ticks = (after[0].timestamp - before[0].timestamp + 2**31) % 2**32 - 2**31
        if abs(elapsed) < 1.5:
            assert abs(ticks / rate - elapsed) < 0.02, f"{ticks / rate} s of RTP time in {elapsed} s"


def groups_of(packets, track=0):
    """Access units from one discontinuity to the next, as reverse replay sends them."""
    groups = []
    for unit in units_of(packets, track):
        if not groups or unit[0].extension.discontinuity:
            groups.append([])
        groups[-1].append(unit)
    return groups


def check_reverse(packets, track=0):
    """Groups of pictures backwards, each one forwards, each from a clean point."""
    groups = groups_of(packets, track)
    assert len(groups) > 1, "one group of pictures alone"
    times = [[unit[0].extension.time for unit in group] for group in groups]
    for group, own in zip(groups, times):
        assert group[0][0].extension.clean, "a group that begins with no clean point"
        assert own == sorted(own), f"backwards within a group: {own}"
    for before, after in zip(times, times[1:]):
        assert max(after) < min(before), f"{max(after)} behind a group from {min(before)}"


def check_rtcp(packets, first=200):
    """Compound packets that begin with a sender report, or another one, and name their source (RFC 3550 6.1)."""
    for one in packets:
        if not one.rtcp:
            continue
        kinds, at = [], 0
        while at < len(one.data):
            head, kind, words = struct.unpack("!BBH", one.data[at : at + 4])
            assert head >> 6 == 2, "RTCP of another version"
            kinds.append(kind)
            at += 4 + 4 * words
        assert at == len(one.data), "RTCP of another length than it says"
        assert kinds[0] == first and 202 in kinds, f"RTCP {kinds}"


def nal_types(unit, codec):
    """Types of the NAL units that an access unit's packets hold (RFC 6184 5.2, RFC 7798 4.4)."""
    found = set()
    for packet in unit:
        data = packet.payload
        if codec == "H264":
            kind = data[0] & 0x1F
            if kind == 24:
                at = 1
                while at < len(data):
                    found.add(data[at + 2] & 0x1F)
                    at += 2 + int.from_bytes(data[at : at + 2], "big")
            else:
                found.add(data[1] & 0x1F if kind in (28, 29) else kind)
        else:
            kind = data[0] >> 1 & 0x3F
            if kind == 48:
                at = 2
                while at < len(data):
                    found.add(data[at + 2] >> 1 & 0x3F)
                    at += 2 + int.from_bytes(data[at : at + 2], "big")
            else:
                found.add(data[2] & 0x3F if kind == 49 else kind)
    return found


def is_intra(unit, codec):
    kinds = nal_types(unit, codec)
    return 5 in kinds and 1 not in kinds if codec == "H264" else any(16 <= one <= 21 for one in kinds) and 1 not in kinds
