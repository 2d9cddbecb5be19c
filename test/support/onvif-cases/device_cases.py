"""ONVIF Base Device Test Specification (22.06), as far as a device need not be changed for it."""
import base64
import hashlib
import os
import re
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from media_cases import refused, text
from soap import LIMIT_SECONDS, SPACES, WSSE, SoapFault

CATEGORIES = ("Analytics", "Device", "Events", "Imaging", "Media", "PTZ")
PASSWORD = WSSE + "username-token-profile-1.0#Password"


def is_address(text):
    return urlsplit(text or "").scheme in ("http", "https") and urlsplit(text).hostname is not None


def wsdl_url(context):
    assert is_address(context.device.call("tds", "GetWsdlUrl").findtext("tds:WsdlUrl", None, SPACES))


def capabilities_of(category):
    """Of one category alone, with the address of its service."""

    def case(context):
        told = context.device.call("tds", "GetCapabilities", f"<tds:Category>{category}</tds:Category>")[0]
        assert is_address(told.findtext(f"tt:{category}/tt:XAddr", None, SPACES)), category
        others = [one for one in CATEGORIES if one != category and told.find(f"tt:{one}", SPACES) is not None]
        assert not others, f"{others} as well"

    return case


def no_capabilities(category, *codes):
    inner = f"<tds:Category>{category}</tds:Category>"
    return lambda context: refused(lambda: context.device.call("tds", "GetCapabilities", inner), *codes)


def invalid_category(context):
    try:
        context.device.call("tds", "GetCapabilities", "<tds:Category>NoSuchCategory</tds:Category>")
    except SoapFault:
        return
    raise AssertionError("it was not refused")


def services(device, capabilities):
    inner = f"<tds:IncludeCapability>{capabilities}</tds:IncludeCapability>"
    return {one.findtext("tds:Namespace", None, SPACES): one for one in device.call("tds", "GetServices", inner)}


def listed(prefix):
    """A service is listed, with its capabilities where they are asked for, and without where not."""

    def case(context):
        bare, told = (services(context.device, wish)[SPACES[prefix]] for wish in ("false", "true"))
        assert bare.find("tds:Capabilities", SPACES) is None, "capabilities that nobody asked for"
        assert told.find(f"tds:Capabilities/{prefix}:Capabilities", SPACES) is not None, "no capabilities"

    return case


def capabilities(context):
    found = context.device.call("tds", "GetServiceCapabilities").find("tds:Capabilities", SPACES)
    assert {one.tag.split("}")[1] for one in found} >= {"Network", "Security", "System"}
    return found


def capabilities_twice(context):
    again = services(context.device, "true")[SPACES["tds"]].find("tds:Capabilities/tds:Capabilities", SPACES)
    assert text(again) == text(capabilities(context))


def capabilities_as_before(context):
    """The older operation says of the device what the newer one does."""
    old = context.device.call("tds", "GetCapabilities", "<tds:Category>All</tds:Category>")[0].find("tt:Device", SPACES)
    new = services(context.device, "true")[SPACES["tds"]].find("tds:Capabilities/tds:Capabilities", SPACES)
    for part in ("Network", "System", "Security"):
        told = {one.tag.split("}")[1]: one.text for one in old.find(f"tt:{part}", SPACES) if one.text in ("true", "false")}
        attributes = new.find(f"tds:{part}", SPACES).attrib
        differing = {name for name, value in told.items() if attributes.get(name, "false") != value}
        assert not differing, f"{part}: {differing}"


def addresses(context):
    """Each service is where it was asked for: at that host and port, inside TLS or not."""
    for device in (context.device, context.secure_device):
        asked = urlsplit(device.services["tds"])
        for namespace, one in services(device, "false").items():
            told = urlsplit(one.findtext("tds:XAddr", None, SPACES))
            assert (told.scheme, told.netloc) == (asked.scheme, asked.netloc), namespace


def answers(operation, *wanted):
    """It says what it must."""

    def case(context):
        answer = context.device.call("tds", operation)
        for path in wanted:
            found = [one.text for one in answer.iterfind(path, SPACES)]
            assert found and all(found), f"{path}: {found}"

    return case


def protocols(context):
    told = context.device.call("tds", "GetNetworkProtocols")
    names = {one.findtext("tt:Name", None, SPACES) for one in told}
    assert {"HTTP", "RTSP"} <= names, names


def date_and_time(context):
    told = context.device.call("tds", "GetSystemDateAndTime")[0]
    assert told.findtext("tt:DateTimeType", None, SPACES) in ("Manual", "NTP")
    assert told.findtext("tt:DaylightSavings", None, SPACES) in ("true", "false")
    parts = [int(told.findtext(f"tt:UTCDateTime/tt:{path}", None, SPACES)) for path in ("Date/tt:Year", "Time/tt:Hour")]
    now = time.gmtime()
    # Between the answer and now the hour may have turned.
    assert parts[0] in (now.tm_year, now.tm_year - 1) and (now.tm_hour - parts[1]) % 24 <= 1, parts


def relay_outputs(context):
    tokens = [one.get("token") for one in context.device.call("tds", "GetRelayOutputs")]
    assert tokens and len(set(tokens)) == len(tokens), tokens


def unknown_relay(context):
    inner = "<tds:RelayOutputToken>not-listed</tds:RelayOutputToken><tds:LogicalState>active</tds:LogicalState>"
    refused(lambda: context.device.call("tds", "SetRelayOutputState", inner), "Sender", "InvalidArgVal", "RelayToken")


def posted(context, header="", authorization=None):
    """Status, challenges and text of what GetDeviceInformation is answered with."""
    address = context.device.services["tds"]
    names = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in SPACES.items())
    body = f"<env:Envelope {names}><env:Header>{header}</env:Header><env:Body><tds:GetDeviceInformation/></env:Body></env:Envelope>"
    headers = {"Content-Type": "application/soap+xml; charset=utf-8"}
    if authorization:
        headers["Authorization"] = authorization
    try:
        with urllib.request.urlopen(urllib.request.Request(address, body.encode(), headers), timeout=LIMIT_SECONDS) as answer:
            return answer.status, [], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get_all("WWW-Authenticate") or [], error.read().decode()


def token(context, nonce=True, created=True, kind="Digest"):
    user, password = context.login
    salt, now = os.urandom(16), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    digest = base64.b64encode(hashlib.sha1(salt + now.encode() + password.encode()).digest()).decode()
    parts = [f"<wsse:Username>{user}</wsse:Username>", f'<wsse:Password Type="{PASSWORD}{kind}">{digest}</wsse:Password>']
    if nonce:
        parts.append(f"<wsse:Nonce>{base64.b64encode(salt).decode()}</wsse:Nonce>")
    if created:
        parts.append(f"<wsu:Created>{now}</wsu:Created>")
    return (
        f'<wsse:Security xmlns:wsse="{WSSE}wssecurity-secext-1.0.xsd" xmlns:wsu="{WSSE}wssecurity-utility-1.0.xsd">'
        f'<wsse:UsernameToken>{"".join(parts)}</wsse:UsernameToken></wsse:Security>'
    )


def user_token(context):
    for wrong in ({"nonce": False}, {"created": False}, {"kind": "Text"}):
        status, _, answer = posted(context, token(context, **wrong))
        assert status != 200 and "NotAuthorized" in answer, f"{wrong}: {status}"
    status, _, answer = posted(context, token(context))
    assert status == 200 and "GetDeviceInformationResponse" in answer, status


def http_digest(context):
    status, challenges, _ = posted(context)
    assert status == 401, status
    told = [dict(re.findall(r'(\w+)="?([^",]*)"?', one)) for one in challenges if one.startswith("Digest ")]
    assert told and all("realm" in one and "nonce" in one for one in told), challenges
    user, password = context.login
    path = urlsplit(context.device.services["tds"]).path
    # The challenges may share a nonce, which is used once with each count.
    for used, one in enumerate(told, 1):
        function = hashlib.sha256 if one.get("algorithm") == "SHA-256" else hashlib.md5

        def h(*parts):
            return function(":".join(parts).encode()).hexdigest()

        own = os.urandom(8).hex()
        proof = h(h(user, one["realm"], password), one["nonce"], f"{used:08x}", own, "auth", h("POST", path))
        told_back = "".join(f', {name}="{one[name]}"' for name in ("realm", "nonce", "opaque") if name in one)
        status, _, _ = posted(
            context,
            authorization=f'Digest username="{user}"{told_back}, uri="{path}", response="{proof}", cnonce="{own}", nc={used:08x}, qop=auth, algorithm={one.get("algorithm", "MD5")}',
        )
        assert status == 200, f"{one.get('algorithm')}: {status}"


CASES = {
    "DEVICE-1-1-1": wsdl_url,
    "DEVICE-1-1-3": capabilities_of("Device"),
    "DEVICE-1-1-4": capabilities_of("Media"),
    "DEVICE-1-1-5": capabilities_of("Events"),
    "DEVICE-1-1-6": capabilities_of("PTZ"),
    "DEVICE-1-1-9": invalid_category,
    "DEVICE-1-1-10": capabilities_of("Imaging"),
    "DEVICE-1-1-11": no_capabilities("Analytics", "Receiver", "ActionNotSupported", "NoSuchService"),
    "DEVICE-1-1-13": listed("tds"),
    "DEVICE-1-1-14": listed("trt"),
    "DEVICE-1-1-15": listed("tptz"),
    "DEVICE-1-1-16": listed("tev"),
    "DEVICE-1-1-17": listed("timg"),
    "DEVICE-1-1-18": capabilities,
    "DEVICE-1-1-19": capabilities_twice,
    "DEVICE-1-1-20": listed("trp"),
    "DEVICE-1-1-21": listed("tse"),
    "DEVICE-1-1-22": listed("trc"),
    "DEVICE-1-1-30": capabilities_as_before,
    "DEVICE-1-1-31": addresses,
    "DEVICE-2-1-1": answers("GetHostname", "tds:HostnameInformation/tt:FromDHCP"),
    "DEVICE-2-1-4": answers("GetDNS", "tds:DNSInformation/tt:FromDHCP"),
    "DEVICE-2-1-11": answers("GetNTP", "tds:NTPInformation/tt:FromDHCP"),
    "DEVICE-2-1-17": answers("GetNetworkInterfaces", "tds:NetworkInterfaces/tt:Enabled", "tds:NetworkInterfaces/tt:Info/tt:HwAddress"),
    "DEVICE-2-1-25": answers("GetNetworkDefaultGateway"),
    "DEVICE-2-1-33": protocols,
    "DEVICE-3-1-1": date_and_time,
    "DEVICE-3-1-9": answers(
        "GetDeviceInformation",
        *(f"tds:{name}" for name in ("Manufacturer", "Model", "FirmwareVersion", "SerialNumber", "HardwareId")),
    ),
    "DEVICE-5-1-1": relay_outputs,
    "DEVICE-5-1-12": unknown_relay,
    "SECURITY-1-1-1": user_token,
    "SECURITY-1-1-2": http_digest,
}
