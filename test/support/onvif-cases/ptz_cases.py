"""ONVIF PTZ Device Test Specification (21.12), with profiles of Media and of Media2. One after the other: they move one camera."""
from media_cases import refused, text
from soap import SPACES

GENERIC = "http://www.onvif.org/ver10/tptz/"
# Position X and position Y of the specification, which are any two.
HERE, THERE = (0.25, -0.5, 0.25), (-0.5, 0.5, 0.75)
# How far off a head may be.
NEAR = 0.01
# By how a configuration calls its default, what the spaces call it.
DEFAULTS = {
    "DefaultAbsolutePantTiltPositionSpace": "AbsolutePanTiltPositionSpace",
    "DefaultAbsoluteZoomPositionSpace": "AbsoluteZoomPositionSpace",
    "DefaultRelativePanTiltTranslationSpace": "RelativePanTiltTranslationSpace",
    "DefaultRelativeZoomTranslationSpace": "RelativeZoomTranslationSpace",
    "DefaultContinuousPanTiltVelocitySpace": "ContinuousPanTiltVelocitySpace",
    "DefaultContinuousZoomVelocitySpace": "ContinuousZoomVelocitySpace",
}


def nodes(device):
    found = list(device.call("tptz", "GetNodes"))
    assert found, "no node"
    for one in found:
        for name in ("SupportedPTZSpaces", "MaximumNumberOfPresets", "HomeSupported"):
            assert one.find(f"tt:{name}", SPACES) is not None, f"a node without {name}"
    return found


def configurations(device):
    found = list(device.call("tptz", "GetConfigurations"))
    assert found, "no configuration"
    return found


def configuration(device, token):
    return device.call("tptz", "GetConfiguration", f"<tptz:PTZConfigurationToken>{token}</tptz:PTZConfigurationToken>")[0]


def options(device, token):
    inner = f"<tptz:ConfigurationToken>{token}</tptz:ConfigurationToken>"
    return device.call("tptz", "GetConfigurationOptions", inner)[0]


def media_profile(device):
    """A profile of the media service that has a PTZ configuration."""
    for one in device.call("trt", "GetProfiles"):
        if one.find("trt:PTZConfiguration", SPACES) is not None or one.find("tt:PTZConfiguration", SPACES) is not None:
            return one.get("token")
    raise AssertionError("no profile with PTZ")


def media2_profile(device):
    for one in device.call("tr2", "GetProfiles", "<tr2:Type>All</tr2:Type>"):
        if one.find("tr2:Configurations/tr2:PTZ", SPACES) is not None:
            return one.get("token")
    raise AssertionError("no profile with PTZ")


class Head:
    """The camera that a profile shows, as it is moved."""

    def __init__(self, device, profile):
        self.device, self.profile = device, profile

    def ask(self, operation, inner=""):
        return self.device.call("tptz", operation, f"<tptz:ProfileToken>{self.profile}</tptz:ProfileToken>{inner}")

    def go(self, place, kind="Absolute", part="Position"):
        self.ask(f"{kind}Move", f"<tptz:{part}>{vector(*place)}</tptz:{part}>")

    def at(self):
        status = self.ask("GetStatus")
        pan, zoom = status.find(".//tt:PanTilt", SPACES), status.find(".//tt:Zoom", SPACES)
        return float(pan.get("x")), float(pan.get("y")), float(zoom.get("x"))

    def assert_at(self, place):
        assert all(abs(a - b) < NEAR for a, b in zip(self.at(), place)), f"{self.at()} instead of {place}"

    def rests(self):
        moves = self.ask("GetStatus").find(".//tt:MoveStatus", SPACES)
        return all(one.text in ("IDLE", "UNKNOWN") for one in moves)

    def preset(self, name, token=None):
        named = f"<tptz:PresetName>{name}</tptz:PresetName>" if token is None else f"<tptz:PresetToken>{token}</tptz:PresetToken>"
        return self.ask("SetPreset", named).findtext("tptz:PresetToken", None, SPACES)

    def presets(self):
        return {one.get("token"): one for one in self.ask("GetPresets")}

    def remove(self, token):
        self.ask("RemovePreset", f"<tptz:PresetToken>{token}</tptz:PresetToken>")


def vector(pan, tilt, zoom):
    turned = "" if pan is None else f'<tt:PanTilt x="{pan}" y="{tilt}"/>'
    return turned + ("" if zoom is None else f'<tt:Zoom x="{zoom}"/>')


def get_node(context):
    for one in nodes(context.device):
        inner = f"<tptz:NodeToken>{one.get('token')}</tptz:NodeToken>"
        assert text(context.device.call("tptz", "GetNode", inner)[0]) == text(one), one.get("token")


def get_configuration(context):
    for one in configurations(context.device):
        found = configuration(context.device, one.get("token"))
        assert found.findtext("tt:NodeToken", None, SPACES), "no node"
        told = {part.tag.split("}")[1] for part in found} - {"Name", "UseCount", "NodeToken"}
        assert any(name.startswith("Default") or name.endswith("Limits") for name in told), told


def get_options(context):
    for one in configurations(context.device):
        found = options(context.device, one.get("token"))
        assert found.find("tt:Spaces", SPACES) is not None and found.find("tt:PTZTimeout", SPACES) is not None


def consistent(context):
    for one in configurations(context.device):
        assert text(configuration(context.device, one.get("token"))) == text(one), one.get("token")


def within(spaces, one):
    """What a configuration falls back on is among the spaces."""
    for default, name in DEFAULTS.items():
        wanted = one.findtext(f"tt:{default}", None, SPACES)
        offered = [uri.text for uri in spaces.iterfind(f"tt:{name}/tt:URI", SPACES)]
        assert wanted is None or wanted in offered, f"{default}: {wanted}"


def fits_node(context):
    for one in configurations(context.device):
        token = one.findtext("tt:NodeToken", None, SPACES)
        (node,) = [node for node in nodes(context.device) if node.get("token") == token]
        within(node.find("tt:SupportedPTZSpaces", SPACES), one)


def fits_options(context):
    for one in configurations(context.device):
        within(options(context.device, one.get("token")).find("tt:Spaces", SPACES), one)


def unknown_configuration(context):
    (one, *_) = configurations(context.device)
    inner = f'<tptz:PTZConfiguration token="not-listed"><tt:Name>x</tt:Name><tt:UseCount>0</tt:UseCount><tt:NodeToken>{one.findtext("tt:NodeToken", None, SPACES)}</tt:NodeToken></tptz:PTZConfiguration><tptz:ForcePersistence>false</tptz:ForcePersistence>'
    refused(lambda: context.device.call("tptz", "SetConfiguration", inner), "Sender", "InvalidArgVal", "NoConfig")


def unknown_node(context):
    inner = "<tptz:NodeToken>xyz</tptz:NodeToken>"
    refused(lambda: context.device.call("tptz", "GetNode", inner), "Sender", "InvalidArgVal", "NoEntity")


def capabilities(context):
    assert context.device.call("tptz", "GetServiceCapabilities").find("tptz:Capabilities", SPACES) is not None


def capabilities_twice(context):
    told = context.device.call("tptz", "GetServiceCapabilities").find("tptz:Capabilities", SPACES)
    services = context.device.call("tds", "GetServices", "<tds:IncludeCapability>true</tds:IncludeCapability>")
    (again,) = services.iterfind(".//tptz:Capabilities", SPACES)
    assert text(told) == text(again)


def moving(case, profile):
    """A case on the head that a profile of this service moves."""

    def run(context):
        head = Head(context.device, profile(context.device))
        try:
            case(head)
        finally:
            head.ask("Stop")

    return run


def absolute_move(head):
    head.go((*HERE[:2], None))
    head.go((None, None, HERE[2]))
    head.assert_at(HERE)


def beyond(head):
    refused(lambda: head.go((5, 5, None)), "Sender", "InvalidArgVal", "InvalidPosition")


def relative_move(head):
    head.go(HERE)
    head.go((-0.25, 0.5, None), "Relative", "Translation")
    head.go((None, None, 0.25), "Relative", "Translation")
    head.assert_at((0, 0, 0.5))


def continuous_move_and_stop(head):
    head.go((0, 0, 0.5))
    for velocity in ((0.5, 0.5, None), (None, None, 0.5)):
        # It would stop by itself before long.
        head.ask("ContinuousMove", f"<tptz:Velocity>{vector(*velocity)}</tptz:Velocity><tptz:Timeout>PT1M</tptz:Timeout>")
        assert not head.rests(), "it does not move"
        head.ask("Stop")
        assert head.rests(), "it still moves"


def set_and_get_preset(head):
    head.go(HERE)
    token = head.preset("Test")
    for place in (HERE, THERE):
        head.go(place)
        head.preset("Test", token)
        found = head.presets()[token]
        assert found.findtext("tt:Name", None, SPACES) == "Test"
        pan, zoom = found.find(".//tt:PanTilt", SPACES), found.find(".//tt:Zoom", SPACES)
        assert (float(pan.get("x")), float(pan.get("y")), float(zoom.get("x"))) == place
    head.remove(token)


def goto_preset(head):
    head.go(HERE)
    token = head.preset("Test")
    head.go(THERE)
    head.ask("GotoPreset", f"<tptz:PresetToken>{token}</tptz:PresetToken>")
    head.assert_at(HERE)
    head.remove(token)


def remove_preset(head):
    token = head.preset("Test")
    assert head.presets()[token].findtext("tt:Name", None, SPACES) == "Test"
    head.remove(token)
    assert token not in head.presets(), "it is still there"


def home(head):
    head.go(HERE)
    head.ask("SetHomePosition")
    head.go(THERE)
    head.ask("GotoHomePosition")
    head.assert_at(HERE)


def home_of_made_profile(context):
    """In a profile that the client has made, of the media service."""
    device = context.device
    (node, *_) = nodes(device)
    created = device.call("trt", "CreateProfile", "<trt:Name>testPTZ</trt:Name>")[0].get("token")
    named = f"<trt:ProfileToken>{created}</trt:ProfileToken>"
    try:
        for part in ("VideoSource", "PTZ"):
            token = f"<trt:ConfigurationToken>{node.get('token')}</trt:ConfigurationToken>"
            device.call("trt", f"Add{part}Configuration", named + token)
        home(Head(device, created))
    finally:
        device.call("trt", "DeleteProfile", named)


def home_of_made_profile_2(context):
    """Of Media2."""
    device = context.device
    (node, *_) = nodes(device)
    inner = "".join(
        f"<tr2:Configuration><tr2:Type>{part}</tr2:Type><tr2:Token>{node.get('token')}</tr2:Token></tr2:Configuration>"
        for part in ("VideoSource", "PTZ")
    )
    token = device.call("tr2", "CreateProfile", f"<tr2:Name>testPTZ</tr2:Name>{inner}").findtext("tr2:Token", None, SPACES)
    try:
        home(Head(device, token))
    finally:
        device.call("tr2", "DeleteProfile", f"<tr2:Token>{token}</tr2:Token>")


def auxiliary(head):
    (node, *_) = nodes(head.device)
    commands = [one.text for one in node.iterfind("tt:AuxiliaryCommands", SPACES)]
    assert commands, "no command is listed"
    answer = head.ask("SendAuxiliaryCommand", f"<tptz:AuxiliaryData>{commands[0]}</tptz:AuxiliaryData>")
    assert answer.find("tptz:AuxiliaryResponse", SPACES) is not None


def space(name, uri, kind, part, zoom=False):
    """The least and the most of a generic space are both taken."""

    def case(head):
        for node in nodes(head.device):
            (found,) = [
                one
                for one in node.iterfind(f"tt:SupportedPTZSpaces/tt:{name}", SPACES)
                if one.findtext("tt:URI", None, SPACES) == GENERIC + uri
            ]
            for bound in ("Min", "Max"):
                x, y = (found.findtext(f"tt:{axis}Range/tt:{bound}", None, SPACES) for axis in "XY")
                # From the middle, so that what is to be added has room.
                head.go((0, 0, 0) if bound == "Max" or not zoom else (0, 0, 1))
                head.go((None, None, x) if zoom else (x, y, None), kind, part)

    return case


MOVES = {
    "absolute": absolute_move,
    "stopped": continuous_move_and_stop,
    "kept": set_and_get_preset,
    "gone to": goto_preset,
    "removed": remove_preset,
    "home": home,
}
ABSOLUTE = space("AbsolutePanTiltPositionSpace", "PanTiltSpaces/PositionGenericSpace", "Absolute", "Position")
ABSOLUTE_ZOOM = space("AbsoluteZoomPositionSpace", "ZoomSpaces/PositionGenericSpace", "Absolute", "Position", zoom=True)
CONTINUOUS = space("ContinuousPanTiltVelocitySpace", "PanTiltSpaces/VelocityGenericSpace", "Continuous", "Velocity")
CONTINUOUS_ZOOM = space("ContinuousZoomVelocitySpace", "ZoomSpaces/VelocityGenericSpace", "Continuous", "Velocity", zoom=True)

OF_HEAD = {
    "PTZ-3-1-1": MOVES["absolute"],
    "PTZ-3-1-2": beyond,
    "PTZ-3-1-3": relative_move,
    "PTZ-3-1-5": MOVES["stopped"],
    "PTZ-4-1-4": MOVES["kept"],
    "PTZ-4-1-5": MOVES["gone to"],
    "PTZ-4-1-6": MOVES["removed"],
    "PTZ-5-1-1": MOVES["home"],
    "PTZ-6-1-1": auxiliary,
    "PTZ-7-1-3": ABSOLUTE,
    "PTZ-7-1-4": ABSOLUTE_ZOOM,
    "PTZ-7-2-3": space("RelativePanTiltTranslationSpace", "PanTiltSpaces/TranslationGenericSpace", "Relative", "Translation"),
    "PTZ-7-2-4": space("RelativeZoomTranslationSpace", "ZoomSpaces/TranslationGenericSpace", "Relative", "Translation", zoom=True),
    "PTZ-7-3-3": CONTINUOUS,
    "PTZ-7-3-4": CONTINUOUS_ZOOM,
}
OF_HEAD_2 = {
    "MEDIA2_PTZ-1-1-1": MOVES["absolute"],
    "MEDIA2_PTZ-1-1-3": MOVES["stopped"],
    "MEDIA2_PTZ-2-1-1": MOVES["kept"],
    "MEDIA2_PTZ-2-1-2": MOVES["gone to"],
    "MEDIA2_PTZ-2-1-3": MOVES["removed"],
    "MEDIA2_PTZ-3-1-1": MOVES["home"],
    "MEDIA2_PTZ-4-1-2": ABSOLUTE,
    "MEDIA2_PTZ-4-1-3": ABSOLUTE_ZOOM,
    "MEDIA2_PTZ-4-2-1": CONTINUOUS,
    "MEDIA2_PTZ-4-2-2": CONTINUOUS_ZOOM,
}

CASES = {
    "PTZ-1-1-1": lambda context: nodes(context.device),
    "PTZ-1-1-2": get_node,
    "PTZ-1-1-4": unknown_node,
    "PTZ-2-1-1": lambda context: configurations(context.device),
    "PTZ-2-1-2": get_configuration,
    "PTZ-2-1-3": get_options,
    "PTZ-2-1-5": consistent,
    "PTZ-2-1-6": fits_node,
    "PTZ-2-1-7": fits_options,
    "PTZ-2-1-10": unknown_configuration,
    "PTZ-8-1-1": capabilities,
    "PTZ-8-1-2": capabilities_twice,
    **{name: moving(case, media_profile) for name, case in OF_HEAD.items()},
    **{name: moving(case, media2_profile) for name, case in OF_HEAD_2.items()},
    "PTZ-5-1-4": home_of_made_profile,
    "MEDIA2_PTZ-3-1-4": home_of_made_profile_2,
}
