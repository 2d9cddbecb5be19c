"""Walks an ONVIF device with Debian's zeep and the official WSDL files, and prints what it found as JSON.

Arguments: folder of the files, address of the device service, user, password, "token" or "digest".
"""

import json
import queue
import sys
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer

from lxml import etree
from requests import Session
from requests.auth import HTTPDigestAuth
from zeep import Client, Settings
from zeep.exceptions import Fault, TransportError
from zeep.wsse.username import UsernameToken

from zeep_device import LIMIT_SECONDS, Offline

folder, address, user, password, scheme = sys.argv[1:]

FILES = {
    "http://www.onvif.org/ver10/device/wsdl": ("ver10/device/wsdl/devicemgmt.wsdl", "DeviceBinding"),
    "http://www.onvif.org/ver10/media/wsdl": ("ver10/media/wsdl/media.wsdl", "MediaBinding"),
    "http://www.onvif.org/ver20/media/wsdl": ("ver20/media/wsdl/media.wsdl", "Media2Binding"),
    "http://www.onvif.org/ver10/recording/wsdl": ("ver10/recording.wsdl", "RecordingBinding"),
    "http://www.onvif.org/ver10/search/wsdl": ("ver10/search.wsdl", "SearchBinding"),
    "http://www.onvif.org/ver10/replay/wsdl": ("ver10/replay.wsdl", "ReplayBinding"),
}
HALF_MINUTE = timedelta(seconds=30)
EARLY, LATE = (datetime(2025, 12, 24, tzinfo=timezone.utc), datetime(2026, 1, 1, tzinfo=timezone.utc))
SETUP = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}


EVENTS = "http://www.onvif.org/ver10/events/wsdl"


def service(namespace, at, of=None):
    session = Session()
    session.trust_env = False
    # What is kept open may be closed by the server at the moment at which it is used again: to read the files takes as long.
    session.headers["Connection"] = "close"
    if scheme == "digest":
        session.auth = HTTPDigestAuth(user, password)
    path, binding = of or FILES[namespace]
    client = Client(
        "http://www.onvif.org/" + path,
        transport=Offline(folder, session=session, timeout=LIMIT_SECONDS, operation_timeout=LIMIT_SECONDS),
        wsse=UsernameToken(user, password, use_digest=True) if scheme == "token" else None,
        settings=Settings(strict=True),
    )
    return client.create_service("{%s}%s" % (namespace, binding), at)


def pull(at):
    """Subscribes, fetches how everything stands, and unsubscribes; a fault after that is told too."""
    file = "ver10/events/wsdl/event.wsdl"
    events = service(EVENTS, at, (file, "EventBinding"))
    topics = events.GetEventProperties().TopicSet
    address = events.CreatePullPointSubscription(InitialTerminationTime="PT2M").SubscriptionReference.Address._value_1
    point = service(EVENTS, address, (file, "PullPointSubscriptionBinding"))
    manager = service(EVENTS, address, (file, "SubscriptionManagerBinding"))
    messages = point.PullMessages(Timeout=timedelta(seconds=5), MessageLimit=100).NotificationMessage
    manager.Renew(TerminationTime="PT5M")
    point.SetSynchronizationPoint()
    again = point.PullMessages(Timeout=timedelta(seconds=5), MessageLimit=100).NotificationMessage
    manager.Unsubscribe()
    try:
        point.PullMessages(Timeout=timedelta(seconds=1), MessageLimit=1)
        after = "still there"
    except Fault as fault:
        after = [one.localname for one in fault.subcodes or []][-1]
    return {
        "topics": len(topics._value_1),
        "told": sorted(
            {item.get("Name") for one in messages for item in one.Message._value_1.iter("{*}SimpleItem")}
        ),
        "again": len(again) == len(messages),
        "after": after,
    }


def be_told(at):
    """Subscribes with a server of its own, and reads by the schema what that is sent first."""
    sent = queue.Queue()

    class Consumer(BaseHTTPRequestHandler):
        def do_POST(self):
            sent.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Consumer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = "ver10/events/wsdl/event.wsdl"
    producer = service(EVENTS, at, (file, "NotificationProducerBinding"))
    where = {"Address": "http://127.0.0.1:%d/told" % server.server_port}
    made = producer.Subscribe(ConsumerReference=where, InitialTerminationTime="PT5M")
    address = made.SubscriptionReference.Address._value_1
    body = etree.fromstring(sent.get(timeout=LIMIT_SECONDS)).find("{http://www.w3.org/2003/05/soap-envelope}Body")
    client = Client("http://www.onvif.org/" + file, transport=Offline(folder))
    notify = client.get_element("{http://docs.oasis-open.org/wsn/b-2}Notify")
    messages = notify.parse(body[0], client.wsdl.types).NotificationMessage
    manager = service(EVENTS, address, (file, "PausableSubscriptionManagerBinding"))
    manager.PauseSubscription()
    manager.ResumeSubscription()
    manager.Renew(TerminationTime="PT5M")
    manager.Unsubscribe()
    server.shutdown()
    return {
        "mine": all(one.SubscriptionReference.Address._value_1 == address for one in messages),
        "told": sorted(
            {item.get("Name") for one in messages for item in one.Message._value_1.iter("{*}SimpleItem")}
        ),
    }


def find_events(search):
    """How many events, and how many that say how things stood, forward and backward in time."""
    counts = []
    for start, end in ((EARLY, LATE), (LATE, EARLY)):
        token = search.FindEvents(
            StartPoint=start, EndPoint=end, Scope={}, SearchFilter={}, IncludeStartState=True, KeepAliveTime=HALF_MINUTE
        )
        found, state = [], "Searching"
        while state == "Searching":
            page = search.GetEventSearchResults(SearchToken=token, MaxResults=5)
            found, state = found + page.Result, page.SearchState
        virtual = [one for one in found if one.StartStateEvent]
        counts.append([len(found) - len(virtual), len(virtual)])
    return counts


def walk():
    device = service("http://www.onvif.org/ver10/device/wsdl", address)
    date = device.GetSystemDateAndTime()
    at = {one.Namespace: one.XAddr for one in device.GetServices(IncludeCapability=True)}
    media, media2, recording, search, replay = [
        service(namespace, at[namespace]) for namespace in list(FILES)[1:]
    ]
    profiles = media.GetProfiles()
    token = search.FindRecordings(Scope={}, KeepAliveTime=HALF_MINUTE)
    results = search.GetRecordingSearchResults(SearchToken=token, MinResults=1, WaitTime=timedelta(seconds=1))
    summary = search.GetRecordingSummary()
    return {
        "year": date.UTCDateTime.Date.Year,
        "manufacturer": device.GetDeviceInformation().Manufacturer,
        "services": sorted(at),
        "scopes": [one.ScopeItem for one in device.GetScopes()],
        "sources": [one.token for one in media.GetVideoSources()],
        "profiles": [one.token for one in profiles],
        "profiles2": [one.token for one in media2.GetProfiles(Type=["All"])],
        "live": [media.GetStreamUri(StreamSetup=SETUP, ProfileToken=one.token).Uri for one in profiles],
        "live2": media2.GetStreamUri(Protocol="RtspsUnicast", ProfileToken=profiles[0].token),
        "recordings": [one.RecordingToken for one in recording.GetRecordings()],
        "found": [one.RecordingToken for one in results.RecordingInformation],
        "state": results.SearchState,
        "number": summary.NumberRecordings,
        "history": find_events(search),
        "events": pull(at[EVENTS]),
        "notified": be_told(at[EVENTS]),
        "replay": replay.GetReplayUri(StreamSetup=SETUP, RecordingToken=profiles[0].token),
    }


try:
    print(json.dumps(walk()))
except Fault as fault:
    print(json.dumps({"fault": fault.message, "subcodes": [one.localname for one in fault.subcodes or []]}))
except TransportError as error:
    print(json.dumps({"status": error.status_code}))
