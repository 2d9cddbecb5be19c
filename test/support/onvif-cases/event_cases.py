"""ONVIF Event Handling Device Test Specification (22.06): properties, pull points, Seek, capabilities.

The numbers are those of the published test cases. What of a device says what it is like is a property here: whether a camera is lost.
"""
import time
import uuid

from soap import SPACES, SoapFault, seconds

TEV = "http://www.onvif.org/ver10/events/wsdl"
BW = "http://docs.oasis-open.org/wsn/bw-2"
FAULT = "http://www.w3.org/2005/08/addressing/soap/fault"
CONCRETE = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete"
CONCRETE_SET = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
ITEM_FILTER = "http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter"
LOST, RECORDED, BEGIN = "tns1:VideoSource/SignalLoss", "tns1:RecordingHistory/Recording/State", "tns1:EventBuffer/Begin"
# So much may messages be out of order after a Seek, in seconds.
MISPLACED = 5.0


def topics(expression):
    return f'<wsnt:TopicExpression Dialect="{CONCRETE_SET}">{expression}</wsnt:TopicExpression>'


def contents(expression):
    return f'<wsnt:MessageContent Dialect="{ITEM_FILTER}">{expression}</wsnt:MessageContent>'


class Message:
    def __init__(self, element):
        inner = element.find("wsnt:Message/tt:Message", SPACES)
        self.topic = element.findtext("wsnt:Topic", None, SPACES)
        self.operation = inner.get("PropertyOperation")
        self.at = seconds(inner.get("UtcTime"))
        self.items = [(one.get("Name"), one.get("Value")) for one in inner.iterfind(".//tt:SimpleItem", SPACES)]
        self.source = [(one.get("Name"), one.get("Value")) for one in inner.iterfind("tt:Source/tt:SimpleItem", SPACES)]


class Events:
    """The event service of a device, with WS-Addressing, whose action is looked at in each answer."""

    def __init__(self, device):
        self.device = device

    def ask(self, action, body, address=None):
        addressed = address or self.device.services["tev"]
        header = (
            f"<wsa:Action>{action}Request</wsa:Action><wsa:MessageID>urn:uuid:{uuid.uuid4()}</wsa:MessageID>"
            f"<wsa:To>{addressed}</wsa:To>"
        )
        answer = self.device.send(addressed, body, header)
        told = answer.findtext("env:Header/wsa:Action", None, SPACES)
        failed = answer.find("env:Body/env:Fault", SPACES) is not None
        assert told == (FAULT if failed else f"{action}Response"), f"the action of the answer is {told}"
        return self.device.body_of(answer)

    def properties(self):
        return self.ask(f"{TEV}/EventPortType/GetEventProperties", "<tev:GetEventProperties/>")

    def subscribe(self, conditions="", life=None):
        life = f"<tev:InitialTerminationTime>{life}</tev:InitialTerminationTime>" if life else ""
        filtered = f"<tev:Filter>{conditions}</tev:Filter>" if conditions else ""
        body = f"<tev:CreatePullPointSubscription>{filtered}{life}</tev:CreatePullPointSubscription>"
        return PullPoint(self, self.ask(f"{TEV}/EventPortType/CreatePullPointSubscription", body))

    def refuses(self, conditions, *words):
        try:
            self.subscribe(conditions)
        except SoapFault as fault:
            assert set(words) & set(fault.codes), fault
        else:
            raise AssertionError("it was not refused")


class PullPoint:
    def __init__(self, events, answer):
        self.events = events
        self.address = answer.findtext("tev:SubscriptionReference/wsa:Address", None, SPACES)
        self.begun, self.ends = times(answer, "wsnt")

    def ask(self, action, body):
        return self.events.ask(action, body, self.address)

    def pull(self, limit=1, timeout=20):
        body = f"<tev:PullMessages><tev:Timeout>PT{timeout}S</tev:Timeout><tev:MessageLimit>{limit}</tev:MessageLimit></tev:PullMessages>"
        answer = self.ask(f"{TEV}/PullPointSubscription/PullMessages", body)
        _, self.ends = times(answer, "tev")
        found = [Message(one) for one in answer.iterfind("wsnt:NotificationMessage", SPACES)]
        assert len(found) <= limit, f"{len(found)} messages where {limit} were asked for"
        return found

    def initialized(self, topic):
        """The first message that says how something of the topic stands."""
        for _ in range(100):
            for one in self.pull():
                if one.operation == "Initialized":
                    assert one.topic == topic, one.topic
                    return one
        raise AssertionError("nothing is initialized")

    def synchronize(self):
        self.ask(f"{TEV}/PullPointSubscription/SetSynchronizationPoint", "<tev:SetSynchronizationPoint/>")

    def seek(self, at, reverse=None):
        reverse = "" if reverse is None else f"<tev:Reverse>{reverse}</tev:Reverse>"
        self.ask(f"{TEV}/PullPointSubscription/Seek", f"<tev:Seek><tev:UtcTime>{stamp(at)}</tev:UtcTime>{reverse}</tev:Seek>")

    def renew(self, life):
        body = f"<wsnt:Renew><wsnt:TerminationTime>{life}</wsnt:TerminationTime></wsnt:Renew>"
        return times(self.ask(f"{BW}/SubscriptionManager/Renew", body), "wsnt")

    def unsubscribe(self):
        self.ask(f"{BW}/SubscriptionManager/Unsubscribe", "<wsnt:Unsubscribe/>")

    def is_gone(self):
        try:
            self.unsubscribe()
        except SoapFault:
            return
        raise AssertionError("the subscription is still there")


def times(answer, prefix):
    now, end = (seconds(answer.findtext(f"{prefix}:{name}", None, SPACES)) for name in ("CurrentTime", "TerminationTime"))
    assert end > now, "it ends before it begins"
    return now, end


def stamp(at):
    whole, thousandths = divmod(int(at * 1000 + 0.5), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{thousandths:03d}Z"


def properties(events):
    answer = events.properties()
    dialects = {one.text for one in answer.iterfind("wsnt:TopicExpressionDialect", SPACES)}
    assert dialects >= {CONCRETE, CONCRETE_SET}, dialects
    assert ITEM_FILTER in {one.text for one in answer.iterfind("tev:MessageContentFilterDialect", SPACES)}
    assert answer.findtext("tev:TopicNamespaceLocation", None, SPACES).endswith("/topics/topicns.xml")
    assert len(answer.find("wstop:TopicSet", SPACES)) > 0


def create(events):
    point = events.subscribe(life="PT60S")
    assert point.ends >= point.begun + 60
    point.unsubscribe()


def renew(events):
    point = events.subscribe(life="PT60S")
    assert point.ends >= point.begun + 60
    now, end = point.renew("PT90S")
    assert end >= now + 90
    point.unsubscribe()


def pull_messages(events, conditions="", topic=None):
    point = events.subscribe(conditions, "PT60S")
    point.pull(2)
    point.synchronize()
    # What happens meanwhile comes first.
    for _ in range(100):
        found = point.pull(2)
        assert topic is None or all(one.topic == topic for one in found)
        if any(one.operation for one in found):
            break
    else:
        raise AssertionError("no property")
    point.unsubscribe()


def unsubscribe_twice(events):
    point = events.subscribe(life="PT60S")
    point.unsubscribe()
    point.is_gone()


def time_out(events):
    point = events.subscribe(life="PT20S")
    assert 10 <= point.ends - point.begun <= 21, point.ends - point.begun
    time.sleep(21)
    point.is_gone()


def keep_alive(events):
    point = events.subscribe()
    first = point.ends
    time.sleep(1)
    point.pull(timeout=int(first - point.begun) + 20)
    assert point.ends > first
    point.unsubscribe()


def synchronization_point(events):
    point = events.subscribe(topics(LOST))
    one = point.initialized(LOST)
    point.synchronize()
    for _ in range(100):
        if point.initialized(LOST).source == one.source:
            break
    else:
        raise AssertionError("it is not said again")
    point.unsubscribe()


def a_minute(events):
    point = events.subscribe()
    point.pull(timeout=60)
    point.unsubscribe()


def filtered(expression, allowed, wanted):
    def case(events):
        point = events.subscribe(topics(expression))
        missing = set(wanted)
        for _ in range(100):
            for one in point.pull():
                assert allowed(one.topic), one.topic
                missing.discard(one.topic)
            if not missing:
                break
        assert not missing, missing
        point.unsubscribe()

    return case


def unsubscribe(events):
    point = events.subscribe()
    time.sleep(1)
    point.unsubscribe()


def as_many_as_promised(events):
    most = int(capabilities(events).get("MaxPullPoints"))
    assert most >= 2
    points = [events.subscribe(life="PT10M") for _ in range(most)]
    assert len({one.address for one in points}) == most
    for one in points:
        assert one.pull(), "nothing is told"
    for one in points:
        one.unsubscribe()


def message_content(events):
    point = events.subscribe(topics(LOST))
    name, value = point.initialized(LOST).source[0]
    point.unsubscribe()
    point = events.subscribe(contents(f'boolean(//tt:SimpleItem[@Name="{name}" and @Value="{value}"])'))
    for _ in range(100):
        for one in point.pull():
            assert (name, value) in one.items, one.items
            if one.topic == LOST and one.operation == "Initialized":
                point.unsubscribe()
                return
    raise AssertionError("it is not told of")


def capabilities(events):
    action = f"{TEV}/EventPortType/GetServiceCapabilities"
    return events.ask(action, "<tev:GetServiceCapabilities/>").find("tev:Capabilities", SPACES)


def brokers(events):
    told = capabilities(events)
    assert int(told.get("MaxEventBrokers", "0")) == 0 and told.get("EventBrokerProtocols") is None


def consistent(events):
    listed = events.device.call("tds", "GetServices", "<tds:IncludeCapability>true</tds:IncludeCapability>")
    [own] = listed.iterfind("tds:Service/tds:Capabilities/tev:Capabilities", SPACES)
    assert own.attrib == capabilities(events).attrib


def begin_of_buffer(events):
    """When what is kept begins (annex A.4), and the pull point that was told."""
    point = events.subscribe(topics(BEGIN))
    point.seek(time.time(), "true")
    [begin] = point.pull()
    assert begin.topic == BEGIN
    return point, begin.at


def begin_is_told(events):
    answer = events.properties()
    [description] = answer.iterfind("wstop:TopicSet/tns1:EventBuffer/Begin/tt:MessageDescription", SPACES)
    assert description.get("IsProperty") == "false"
    point, begin = begin_of_buffer(events)
    assert point.pull() == []
    point.seek(begin, "false")
    [again] = point.pull()
    assert again.topic == BEGIN
    assert point.pull() == []
    point.unsubscribe()


def sought(point, is_last, may_end):
    """Everything that is told, in its order, up to what `is_last`; or to where nothing more is, once so much is told that it `may_end`."""
    found, quiet = [], 0
    while not found or not is_last(found[-1]):
        some = point.pull(timeout=5)
        # On a busy machine it may not have been looked for in that time.
        quiet = 0 if some else quiet + 1
        if quiet > 0 and may_end(found):
            break
        assert quiet < 20, f"nothing more behind {len(found)} messages"
        found += some
    return found


def seek_forward(events):
    other, begin = begin_of_buffer(events)
    other.unsubscribe()
    point = events.subscribe()
    point.seek(begin - 1)
    found = sought(point, lambda one: one.at >= point.begun, lambda found: len(found) > 1)
    assert found[0].topic == BEGIN, found[0].topic
    in_order(found, begin, 1)
    point.unsubscribe()


def seek_back(events):
    other, begin = begin_of_buffer(events)
    other.unsubscribe()
    point = events.subscribe()
    point.seek(time.time(), "true")
    found = sought(point, lambda one: one.topic == BEGIN, lambda found: False)
    assert found[-1].topic == BEGIN, found[-1].topic
    in_order(found, begin, -1)
    point.unsubscribe()


def in_order(found, begin, sign):
    assert len(found) > 1, "nothing is told of what was kept"
    assert all(one.at >= begin for one in found)
    for one, following in zip(found, found[1:]):
        assert sign * (following.at - one.at) >= -MISPLACED


STEPS = {
    "1-1-2": properties,
    "3-1-9": create,
    "3-1-12": renew,
    "3-1-15": pull_messages,
    "3-1-16": lambda events: pull_messages(events, topics(LOST), LOST),
    "3-1-17": lambda events: events.refuses(
        contents('boolean((//tt:SimpleItem[@Name="xyz" and @Value="xyz"])'),
        "InvalidFilterFault",
        "InvalidMessageContentExpressionFault",
    ),
    "3-1-19": unsubscribe_twice,
    "3-1-20": time_out,
    "3-1-22": lambda events: events.refuses(
        topics("xyz"), "InvalidFilterFault", "TopicNotSupportedFault", "InvalidTopicExpressionFault"
    ),
    "3-1-24": keep_alive,
    "3-1-25": synchronization_point,
    "3-1-32": a_minute,
    "3-1-33": filtered(f"{LOST}|{RECORDED}", {LOST, RECORDED}.__contains__, [LOST, RECORDED]),
    "3-1-34": filtered("tns1:VideoSource//.", lambda topic: topic.startswith("tns1:VideoSource/"), [LOST]),
    "3-1-35": filtered(
        f"tns1:VideoSource//.|{RECORDED}",
        lambda topic: topic == RECORDED or topic.startswith("tns1:VideoSource/"),
        [LOST, RECORDED],
    ),
    "3-1-36": unsubscribe,
    "3-1-37": as_many_as_promised,
    "3-1-38": message_content,
    "5-1-1": brokers,
    "5-1-2": consistent,
    "6-1-3": begin_is_told,
    "6-1-4": seek_forward,
    "6-1-5": seek_back,
}
CASES = {f"EVENT-{name}": (lambda context, step=step: step(Events(context.device))) for name, step in STEPS.items()}
# It takes every pull point that an account may have.
ALONE = {"EVENT-3-1-37"}
