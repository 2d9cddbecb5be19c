"""ONVIF Recording Search (20.06) and Recording Control (21.06) Device Test Specifications, as far as nothing has to be made for them.

Recordings and their jobs are there because cameras are.
"""
import time

from media_cases import refused, same_capabilities, text
from soap import SPACES, seconds

# The least that a device must support, and one that lasts much longer; in seconds.
KEEP_ALIVE, LONG_KEEP_ALIVE = 10, 90
STATES = {"tns1:RecordingHistory/Recording/State", "tns1:RecordingHistory/Track/State"}
# Of the seconds that the device tells, for they are cut to milliseconds.
ROUNDING = 0.002


def stamp(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f"{at % 1:.3f}"[1:] + "Z"


def element(name, value):
    return f"<{name}>{value}</{name}>"


class Search:
    """A session for recordings or events; `results` are asked for until it is over."""

    def __init__(self, device, kind, inner):
        self.device, self.kind = device, kind
        find = {"Recording": "FindRecordings", "Event": "FindEvents"}[kind]
        self.token = device.call("tse", find, inner).findtext("tse:SearchToken", None, SPACES)

    def ask(self, **wishes):
        inner = element("tse:SearchToken", self.token)
        for name in ("MinResults", "MaxResults", "WaitTime"):
            if name in wishes:
                inner += element(f"tse:{name}", wishes[name])
        return self.device.call("tse", f"Get{self.kind}SearchResults", inner).find("tse:ResultList", SPACES)

    def results(self, **wishes):
        found = []
        for _ in range(100):
            answer = self.ask(**wishes)
            some = [one for one in answer if one.tag.endswith("}RecordingInformation") or one.tag.endswith("}Result")]
            assert len(some) <= wishes.get("MaxResults", 10**6), f"{len(some)} results"
            found += some
            if answer.findtext("tt:SearchState", None, SPACES) == "Completed":
                return found
        raise AssertionError("the search does not end")


def recordings(device, scope="", most=None, keep_alive=LONG_KEEP_ALIVE):
    most = element("tse:MaxMatches", most) if most is not None else ""
    scope = element("tt:RecordingInformationFilter", scope) if scope else ""
    return Search(device, "Recording", f"<tse:Scope>{scope}</tse:Scope>{most}<tse:KeepAliveTime>PT{keep_alive}S</tse:KeepAliveTime>")


def events(device, recording, start, end, start_state=False, most=None, keep_alive=LONG_KEEP_ALIVE):
    most = element("tse:MaxMatches", most) if most is not None else ""
    scope = element("tt:IncludedRecordings", recording)
    return Search(
        device,
        "Event",
        f"<tse:StartPoint>{stamp(start)}</tse:StartPoint><tse:EndPoint>{stamp(end)}</tse:EndPoint><tse:Scope>{scope}</tse:Scope><tse:SearchFilter/>"
        f"<tse:IncludeStartState>{str(start_state).lower()}</tse:IncludeStartState>{most}<tse:KeepAliveTime>PT{keep_alive}S</tse:KeepAliveTime>",
    )


def tokens(found):
    return sorted(one.findtext("tt:RecordingToken", None, SPACES) for one in found)


def kinds(information):
    return {one.text for one in information.iterfind("tt:Track/tt:TrackType", SPACES)}


def paged(*pages):
    """However the results are asked for, they are all there, once."""

    def case(context):
        every = tokens(recordings(context.device).results())
        assert every == sorted(context.device.recordings()), every
        for page in pages:
            assert tokens(recordings(context.device).results(**page)) == every, page

    return case


def most_matches(context):
    every = len(context.device.recordings())
    for most in {1, every - 1, every, every + 1} - {0}:
        assert len(recordings(context.device, most=most).results()) == min(most, every), most


def filtered(*types):
    def case(context):
        scope = " and ".join(f'boolean(//Track[TrackType = "{one}"])' for one in types)
        found = recordings(context.device, scope).results(MinResults=1, WaitTime="PT5S")
        assert found and all(set(types) <= kinds(one) for one in found), [kinds(one) for one in found]
        others = [one for one in recordings(context.device).results() if one.findtext("tt:RecordingToken", None, SPACES) not in tokens(found)]
        assert not any(set(types) <= kinds(one) for one in others), "one is missing"

    return case


def unknown_session(operation):
    return lambda context: refused(
        lambda: context.device.call("tse", operation, element("tse:SearchToken", "none")), "Sender", "InvalidArgVal", "InvalidToken"
    )


def over(context):
    search = recordings(context.device)
    context.device.call("tse", "EndSearch", element("tse:SearchToken", search.token))
    refused(search.ask, "Sender", "InvalidArgVal", "InvalidToken")


def same_information(context):
    for one in recordings(context.device).results(MaxResults=1):
        token = one.findtext("tt:RecordingToken", None, SPACES)
        again = context.device.call("tse", "GetRecordingInformation", element("tse:RecordingToken", token))[0]
        assert text(settled(one)) == text(settled(again)), (token, text(one), text(again))


def settled(information):
    """Without what goes on while it is recorded: where it ends."""
    for parent in (information, *information.iterfind("tt:Track", SPACES)):
        for name in ("tt:LatestRecording", "tt:DataTo"):
            found = parent.find(name, SPACES)
            if found is not None:
                parent.remove(found)
    return information


def kept_alive(begin):
    """It lives where one that was to be kept for a shorter time does not any more."""

    def case(context):
        search = begin(context.device, LONG_KEEP_ALIVE)
        time.sleep(KEEP_ALIVE + 3)
        search.ask(WaitTime="PT5S")

    return case


def expired(begin):
    def case(context):
        search = begin(context.device, KEEP_ALIVE)
        time.sleep(KEEP_ALIVE + 3)
        refused(lambda: search.ask(WaitTime="PT5S"), "Sender", "InvalidArgVal", "InvalidToken")

    return case


def recordings_for(device, keep_alive):
    return recordings(device, keep_alive=keep_alive)


def events_of_one_for(device, keep_alive):
    token = sorted(device.recordings())[0]
    return events(device, token, *device.extent(token), keep_alive=keep_alive)


class Happened:
    def __init__(self, result):
        self.at = seconds(result.findtext("tt:Time", None, SPACES))
        self.start_state = result.findtext("tt:StartStateEvent", None, SPACES) == "true"
        self.topic = result.findtext("tt:Event/wsnt:Topic", None, SPACES)
        self.recording = result.findtext("tt:RecordingToken", None, SPACES)


def both_ways(wider):
    """`wider`: seconds by which the search goes beyond the recording, or stays within it."""

    def case(context):
        device = context.device
        token = sorted(device.recordings())[0]
        first, last = device.extent(token)
        first, last = first - wider, last + wider
        for start, end in ((first, last), (last, first)):
            for start_state in (True, False):
                found = [Happened(one) for one in events(device, token, start, end, start_state).results(WaitTime="PT5S")]
                virtual = [one for one in found if one.start_state]
                assert all(one.recording == token for one in found)
                assert not virtual or start_state, "a virtual event that nobody asked for"
                assert not start_state or STATES <= {one.topic for one in virtual}, [one.topic for one in virtual]
                assert all(abs(one.at - start) < ROUNDING for one in virtual), "a virtual event elsewhere"
                real = [one.at for one in found if not one.start_state]
                low, high = min(start, end) - ROUNDING, max(start, end) + ROUNDING
                assert all(low <= at <= high for at in real), (low, real, high)
                assert real == sorted(real, reverse=end < start), real
                # Its beginning is in what is searched.
                assert wider < 0 or any(one.topic == "tns1:RecordingHistory/Recording/State" for one in found), "no beginning"

    return case


def one_event(context):
    token = sorted(context.device.recordings())[0]
    assert len(events(context.device, token, *context.device.extent(token), most=1).results(WaitTime="PT5S")) <= 1


def summary(context):
    found = context.device.call("tse", "GetRecordingSummary").find("tse:Summary", SPACES)
    assert int(found.findtext("tt:NumberRecordings", None, SPACES)) == len(context.device.recordings())
    assert seconds(found.findtext("tt:DataFrom", None, SPACES)) < seconds(found.findtext("tt:DataUntil", None, SPACES))


def jobs(device):
    return {
        one.findtext("tt:JobToken", None, SPACES): one.find("tt:JobConfiguration", SPACES)
        for one in device.call("trc", "GetRecordingJobs").iterfind("trc:JobItem", SPACES)
    }


def items(device):
    found = device.call("trc", "GetRecordings").iterfind("trc:RecordingItem", SPACES)
    return {one.findtext("tt:RecordingToken", None, SPACES): one for one in found}


def same_configuration(context):
    for token, item in items(context.device).items():
        own = context.device.call("trc", "GetRecordingConfiguration", element("trc:RecordingToken", token))[0]
        assert text(own) == text(item.find("tt:Configuration", SPACES)), token


def same_tracks(context):
    for token, item in items(context.device).items():
        for track in item.iterfind("tt:Tracks/tt:Track", SPACES):
            inner = element("trc:RecordingToken", token) + element("trc:TrackToken", track.findtext("tt:TrackToken", None, SPACES))
            own = context.device.call("trc", "GetTrackConfiguration", inner)[0]
            assert text(own) == text(track.find("tt:Configuration", SPACES)), token


def unknown_track(context):
    token = next(iter(items(context.device)))
    for recording, track, word in ((token, "none", "NoTrack"), ("none", "VIDEO001", "NoRecording")):
        inner = element("trc:RecordingToken", recording) + element("trc:TrackToken", track)
        refused(lambda inner=inner: context.device.call("trc", "GetTrackConfiguration", inner), "Sender", "InvalidArgVal", word)


def same_job(context):
    for token, configuration in jobs(context.device).items():
        own = context.device.call("trc", "GetRecordingJobConfiguration", element("trc:JobToken", token))[0]
        assert text(own) == text(configuration), token


def job_states(context):
    of = items(context.device)
    for token, configuration in jobs(context.device).items():
        state = context.device.call("trc", "GetRecordingJobState", element("trc:JobToken", token))[0]
        assert state.findtext("tt:RecordingToken", None, SPACES) == configuration.findtext("tt:RecordingToken", None, SPACES) in of
        assert state.findtext("tt:State", None, SPACES) in ("Idle", "Active", "PartiallyActive", "Error")


def unknown(operation, name, word):
    return lambda context: refused(
        lambda: context.device.call("trc", operation, element(f"trc:{name}", "none")), "Sender", "InvalidArgVal", word
    )


CASES = {
    "SEARCH-1-1-1": lambda context: context.device.call("tse", "GetServiceCapabilities"),
    "SEARCH-1-1-2": same_capabilities("tse"),
    "SEARCH-4-1-1": summary,
    "SEARCH-2-1-3": paged({"MinResults": 2}, {"MinResults": 3}),
    "SEARCH-2-1-4": paged({"MaxResults": 1}, {"MaxResults": 2}, {"MaxResults": 3}),
    "SEARCH-2-1-5": paged({"WaitTime": "PT0.5S"}, {"WaitTime": "PT1S"}),
    "SEARCH-2-1-7": most_matches,
    "SEARCH-2-1-8": filtered("Video"),
    "SEARCH-2-1-10": unknown_session("GetRecordingSearchResults"),
    "SEARCH-2-1-11": unknown_session("EndSearch"),
    "SEARCH-2-1-12": over,
    "SEARCH-2-1-13": filtered("Audio"),
    "SEARCH-2-1-14": filtered("Metadata"),
    "SEARCH-2-1-15": filtered("Video", "Audio"),
    "SEARCH-2-1-16": filtered("Video", "Metadata"),
    "SEARCH-2-1-17": paged({"MinResults": 1, "MaxResults": 1, "WaitTime": "PT5S"}),
    "SEARCH-2-1-18": same_information,
    "SEARCH-2-1-19": kept_alive(recordings_for),
    "SEARCH-2-1-20": expired(recordings_for),
    "SEARCH-3-1-5": one_event,
    "SEARCH-3-1-10": unknown_session("GetEventSearchResults"),
    "SEARCH-3-1-11": both_ways(-2),
    "SEARCH-3-1-13": both_ways(0),
    "SEARCH-3-1-14": both_ways(60),
    "SEARCH-3-1-15": kept_alive(events_of_one_for),
    "SEARCH-3-1-16": expired(events_of_one_for),
    "RECORDING-1-1-1": lambda context: context.device.call("trc", "GetServiceCapabilities"),
    "RECORDING-1-1-3": same_capabilities("trc"),
    "RECORDING-4-1-1": lambda context: items(context.device),
    "RECORDING-4-1-2": same_configuration,
    "RECORDING-4-1-3": unknown("GetRecordingConfiguration", "RecordingToken", "NoRecording"),
    "RECORDING-4-1-4": lambda context: jobs(context.device),
    "RECORDING-4-1-5": same_job,
    "RECORDING-4-1-7": job_states,
    "RECORDING-4-1-9": same_tracks,
    "RECORDING-4-1-10": unknown_track,
    "RECORDING-4-1-13": unknown("GetRecordingJobConfiguration", "JobToken", "NoRecordingJob"),
    "RECORDING-4-1-14": unknown("GetRecordingJobState", "JobToken", "NoRecordingJob"),
}
