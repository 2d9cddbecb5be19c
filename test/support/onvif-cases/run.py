"""Runs published ONVIF test cases against a device, side by side, and prints what came of each: a line of JSON.

Arguments: address of the device service, the same inside TLS, file with the certificate to trust, user, password, cases
(all that are for this kind of address, if none is named).
"""
import json
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

import device_cases
import event_cases
import media_cases
import ptz_cases
import recording_cases
import replay_cases
import streaming_cases
from soap import Device

# An address of IPv6 stands in brackets.
CASES = (
    streaming_cases.CASES_OVER_IPV6
    if "[" in sys.argv[1]
    else replay_cases.CASES
    | streaming_cases.CASES
    | media_cases.CASES
    | recording_cases.CASES
    | event_cases.CASES
    | ptz_cases.CASES
    | device_cases.CASES
)
# What can be disturbed, or moves what others look at, or speaks where one may at a time.
ALONE = event_cases.ALONE | media_cases.ALONE | ptz_cases.CASES.keys() | streaming_cases.ALONE
# No more than an account may have searches at a time.
AT_ONCE = 10


class Context:
    def __init__(self, address, secure_address, ca, user, password):
        self.ca = ca
        self.login = (user, password)
        self.device = Device(address, user, password)
        self.secure_device = Device(secure_address, user, password, ca)


def outcome(context, name):
    try:
        CASES[name](context)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return {"case": name, "why": f"{type(error).__name__}: {error} ({place.name}, line {place.lineno})"}
    return {"case": name}


context = Context(*sys.argv[1:6])
chosen = sys.argv[6:] or CASES
together = [name for name in chosen if name not in ALONE]
with ThreadPoolExecutor(AT_ONCE) as pool:
    for one in pool.map(lambda name: outcome(context, name), together):
        print(json.dumps(one), flush=True)
for name in chosen:
    if name in ALONE:
        print(json.dumps(outcome(context, name)), flush=True)
