"""ONVIF Media2 Configuration Device Test Specification (21.12): profiles and configurations, as far as a device need not be changed.

What a device says changes nothing of what others watch, so cases that set something else than what is so are not here.
"""
from soap import SPACES, SoapFault

def configurations(device, part, token=None, profile=None):
    """By token; each token once."""
    found = list(device.call("tr2", f"Get{part}Configurations", named(token, profile)))
    tokens = [one.get("token") for one in found]
    assert len(set(tokens)) == len(tokens), f"tokens of {part} twice: {tokens}"
    return dict(zip(tokens, found))


def options(device, part, token=None, profile=None):
    return list(device.call("tr2", f"Get{part}ConfigurationOptions", named(token, profile)))


def named(token, profile):
    inner = f"<tr2:ConfigurationToken>{token}</tr2:ConfigurationToken>" if token else ""
    return inner + (f"<tr2:ProfileToken>{profile}</tr2:ProfileToken>" if profile else "")


def profiles(device, *types, token=None):
    """By token, what is in each by its kind."""
    inner = (f"<tr2:Token>{token}</tr2:Token>" if token else "") + "".join(f"<tr2:Type>{one}</tr2:Type>" for one in types)
    found = device.call("tr2", "GetProfiles", inner)
    shown = {}
    for one in found:
        assert one.get("token") not in shown, f"profile {one.get('token')} twice"
        inside = one.find("tr2:Configurations", SPACES)
        shown[one.get("token")] = {part.tag.split("}")[1]: part for part in (inside if inside is not None else ())}
    return shown


def create(device, parts):
    inner = "".join(f"<tr2:Configuration><tr2:Type>{part}</tr2:Type><tr2:Token>{token}</tr2:Token></tr2:Configuration>" for part, token in parts.items())
    return device.call("tr2", "CreateProfile", f"<tr2:Name>testMedia2</tr2:Name>{inner}").findtext("tr2:Token", None, SPACES)


def delete(device, token):
    device.call("tr2", "DeleteProfile", f"<tr2:Token>{token}</tr2:Token>")


def text(element):
    """An element with all that is in it, without its own name."""
    return (dict(element.attrib), (element.text or "").strip(), [(one.tag, text(one)) for one in element])


def refused(call, *codes):
    try:
        call()
    except SoapFault as fault:
        assert tuple(fault.codes) == codes, fault
    else:
        raise AssertionError("it was not refused")


def ready_to_use(context):
    device = context.device
    shown = profiles(device, "All").values()
    for source in device.call("tmd", "GetVideoSources"):
        encodings = {
            one["VideoEncoder"].findtext("tt:Encoding", None, SPACES)
            for one in shown
            if "VideoEncoder" in one and one["VideoSource"].findtext("tt:SourceToken", None, SPACES) == source.text
        }
        assert encodings & {"H264", "H265"}, f"source {source.text}: {encodings}"


def ready_for_metadata(context):
    shown = profiles(context.device, "All").values()
    with_metadata = {one["VideoSource"].get("token") for one in shown if {"VideoSource", "Metadata"} <= one.keys()}
    assert set(configurations(context.device, "VideoSource")) <= with_metadata, with_metadata


def get_profiles(context):
    device = context.device
    every, bare, sources = profiles(device, "All"), profiles(device), profiles(device, "VideoSource")
    assert every.keys() == bare.keys() == sources.keys(), "other profiles"
    assert not any(bare.values()), "configurations that nobody asked for"
    for token, inside in sources.items():
        assert inside.keys() <= {"VideoSource"}, inside.keys()
        assert {k: text(v) for k, v in inside.items()} == {k: text(v) for k, v in every[token].items() if k == "VideoSource"}


def created_with_configurations(context):
    device = context.device
    video = next(iter(configurations(device, "VideoSource")))
    audio = next(iter(configurations(device, "AudioSource")))
    encoder = next(iter(configurations(device, "VideoEncoder")))
    for parts in ({"VideoSource": video}, {"AudioSource": audio}, {"VideoSource": encoder, "VideoEncoder": encoder}):
        token = create(device, parts)
        try:
            ((found, inside),) = profiles(device, "All", token=token).items()
            assert found == token, found
            assert {kind: one.get("token") for kind, one in inside.items()} == parts, inside
        finally:
            delete(device, token)
        refused(lambda: profiles(device, token=token), "Sender", "InvalidArgVal", "NoProfile")


def listed(part):
    def case(context):
        device = context.device
        complete = configurations(device, part)
        for token in complete:
            assert list(configurations(device, part, token)) == [token], token
        for profile, inside in profiles(device, part).items():
            fitting = configurations(device, part, profile=profile)
            assert fitting.keys() <= complete.keys(), fitting.keys()
            assert part not in inside or inside[part].get("token") in fitting, f"{profile} has what it cannot have"

    return case


def in_profiles(part):
    def case(context):
        for inside in profiles(context.device, part).values():
            if part in inside:
                token = inside[part].get("token")
                assert text(configurations(context.device, part, token)[token]) == text(inside[part]), token

    return case


def invalid(part):
    return lambda context: refused(
        lambda: configurations(context.device, part, "not-listed"), "Sender", "InvalidArgVal", "NoConfig"
    )


def source_options(part, available):
    """What a configuration has is among what it may have, by configuration, by profile and by both."""

    def check(option, configuration):
        assert configuration.findtext("tt:SourceToken", None, SPACES) in [one.text for one in option.iterfind(f"tt:{available}", SPACES)]
        bounds = configuration.find("tt:Bounds", SPACES)
        for name, side in (("x", "X"), ("y", "Y"), ("width", "Width"), ("height", "Height")):
            if bounds is not None:
                low, high = (float(option.findtext(f"tt:BoundsRange/tt:{side}Range/tt:{end}", None, SPACES)) for end in ("Min", "Max"))
                assert low <= float(bounds.get(name)) <= high, f"{name} is {bounds.get(name)}"

    return check


def encoder_options(found, configuration):
    """One of the options has all that the configuration has."""
    value = lambda path: configuration.findtext(path, None, SPACES)
    number = lambda of, path: float(of.findtext(path, None, SPACES))

    def fits(option):
        sizes = {(one.findtext("tt:Width", None, SPACES), one.findtext("tt:Height", None, SPACES)) for one in option.iterfind("tt:ResolutionsAvailable", SPACES)}
        rates = [float(one) for one in option.get("FrameRatesSupported", "").split()]
        return (
            option.findtext("tt:Encoding", None, SPACES) == value("tt:Encoding")
            and (value("tt:Resolution/tt:Width"), value("tt:Resolution/tt:Height")) in sizes
            and number(option, "tt:QualityRange/tt:Min") <= number(configuration, "tt:Quality") <= number(option, "tt:QualityRange/tt:Max")
            and number(option, "tt:BitrateRange/tt:Min") <= number(configuration, "tt:RateControl/tt:BitrateLimit") <= number(option, "tt:BitrateRange/tt:Max")
            and (not rates or number(configuration, "tt:RateControl/tt:FrameRateLimit") in rates)
            and configuration.get("Profile") in (None, *option.get("ProfilesSupported", "").split())
        )

    assert any(fits(one) for one in found), f"{configuration.get('token')} has what it cannot have"


def sound_options(found, configuration):
    def items(option, name):
        return [one.text for one in option.iterfind(f"tt:{name}/tt:Items", SPACES)]

    assert any(
        one.findtext("tt:Encoding", None, SPACES) == configuration.findtext("tt:Encoding", None, SPACES)
        and configuration.findtext("tt:Bitrate", None, SPACES) in items(one, "BitrateList")
        and configuration.findtext("tt:SampleRate", None, SPACES) in items(one, "SampleRateList")
        for one in found
    ), f"{configuration.get('token')} has what it cannot have"


def first(check):
    return lambda found, configuration: check(found[0], configuration)


CHECKS = {
    "VideoSource": first(source_options("VideoSource", "VideoSourceTokensAvailable")),
    "AudioSource": first(source_options("AudioSource", "InputTokensAvailable")),
    "VideoEncoder": encoder_options,
    "AudioEncoder": sound_options,
}


def consistent(part):
    def case(context):
        for token, configuration in configurations(context.device, part).items():
            CHECKS[part](options(context.device, part, token), configuration)

    return case


def consistent_with_profiles(part):
    def case(context):
        for profile, inside in profiles(context.device, part).items():
            if part in inside:
                CHECKS[part](options(context.device, part, inside[part].get("token"), profile), inside[part])

    return case


def asked_in_each_way(part):
    def case(context):
        device = context.device
        assert options(device, part)
        for token in configurations(device, part):
            found = options(device, part, token)
            for rates in (one.get("FrameRatesSupported", "").split() for one in found):
                assert rates == sorted(rates, key=float, reverse=True), rates
        assert options(device, part, profile=next(token for token, inside in profiles(device, part).items() if part in inside))

    return case


def instances(context):
    for one in configurations(context.device, "VideoSource"):
        info = context.device.call("tr2", "GetVideoEncoderInstances", named(one, None))
        assert int(info.findtext("tr2:Info/tr2:Total", None, SPACES)) > 0, one


def service_capabilities(context):
    capabilities = context.device.call("tr2", "GetServiceCapabilities").find("tr2:Capabilities", SPACES)
    about = capabilities.find("tr2:ProfileCapabilities", SPACES)
    assert int(about.get("MaximumNumberOfProfiles")) > len(profiles(context.device)), about.attrib
    supported = about.get("ConfigurationsSupported").split()
    assert supported and "All" not in supported and "Analytics" not in supported, supported
    assert {"VideoSource", "AudioSource", "PTZ"} <= set(supported), supported


def same_capabilities(service):
    """GetServices tells what the service tells itself."""

    def case(context):
        own = context.device.call(service, "GetServiceCapabilities").find(f"{service}:Capabilities", SPACES)
        services = context.device.call("tds", "GetServices", "<tds:IncludeCapability>true</tds:IncludeCapability>")
        (told,) = [
            one.find(f"tds:Capabilities/{service}:Capabilities", SPACES)
            for one in services
            if one.findtext("tds:Namespace", None, SPACES) == SPACES[service]
        ]
        assert text(own) == text(told), service

    return case


# What it makes and removes is in what others ask for.
ALONE = {"MEDIA2-1-1-5"}
CASES = {
    "MEDIA2-1-1-1": ready_to_use,
    "MEDIA2-1-1-4": get_profiles,
    "MEDIA2-1-1-5": created_with_configurations,
    "MEDIA2-1-1-8": ready_for_metadata,
    "MEDIA2-1-1-9": ready_to_use,
    "MEDIA2-2-2-1": asked_in_each_way("VideoSource"),
    "MEDIA2-2-2-2": listed("VideoSource"),
    "MEDIA2-2-2-3": consistent("VideoSource"),
    "MEDIA2-2-2-4": in_profiles("VideoSource"),
    "MEDIA2-2-2-6": invalid("VideoSource"),
    "MEDIA2-2-2-7": consistent_with_profiles("VideoSource"),
    "MEDIA2-2-3-1": listed("VideoEncoder"),
    "MEDIA2-2-3-2": consistent("VideoEncoder"),
    "MEDIA2-2-3-3": consistent_with_profiles("VideoEncoder"),
    "MEDIA2-2-3-5": asked_in_each_way("VideoEncoder"),
    "MEDIA2-3-1-1": asked_in_each_way("AudioSource"),
    "MEDIA2-3-1-2": listed("AudioSource"),
    "MEDIA2-3-1-3": consistent("AudioSource"),
    "MEDIA2-3-1-4": in_profiles("AudioSource"),
    "MEDIA2-3-1-6": invalid("AudioSource"),
    "MEDIA2-3-2-3": asked_in_each_way("AudioEncoder"),
    "MEDIA2-3-2-4": consistent("AudioEncoder"),
    "MEDIA2-5-1-2": instances,
    "MEDIA2-7-1-1": service_capabilities,
    "MEDIA2-7-1-2": same_capabilities("tr2"),
    "MEDIA2-8-1-2": listed("Metadata"),
    "MEDIA2-8-1-3": in_profiles("Metadata"),
    "MEDIA2-8-1-4": invalid("Metadata"),
}
