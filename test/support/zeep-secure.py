"""Asks a device for its scopes over HTTPS with Debian's zeep and the official WSDL files, and prints them as JSON.

Arguments: folder of the files, address of the device service, file of trusted certificates, then "bearer" and a token,
or "certificate", its file and that of its key.
"""

import json
import sys

from requests import Session
from zeep import Client
from zeep.exceptions import Fault, TransportError

from zeep_device import LIMIT_SECONDS, Offline

folder, address, trusted, scheme, *credential = sys.argv[1:]

session = Session()
session.trust_env = False
session.verify = trusted
if scheme == "bearer":
    session.headers["Authorization"] = "Bearer " + credential[0]
else:
    session.cert = tuple(credential)
client = Client(
    "http://www.onvif.org/ver10/device/wsdl/devicemgmt.wsdl", transport=Offline(folder, session=session, operation_timeout=LIMIT_SECONDS)
)
device = client.create_service("{http://www.onvif.org/ver10/device/wsdl}DeviceBinding", address)
try:
    print(json.dumps([scope.ScopeItem for scope in device.GetScopes()]))
except (Fault, TransportError) as error:
    print(json.dumps(str(error)))
