"""Makes, changes and removes a user of an ONVIF device over HTTPS with Debian's zeep and the official WSDL files, and prints how the users
stood after each step, as JSON.

Arguments: folder of the files, address of the device service, file of trusted certificates, user, password.
"""

import json
import os
import sys
from urllib.parse import urlparse

from requests import Session
from zeep import Client
from zeep.exceptions import Fault
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken

folder, address, trusted, name, password = sys.argv[1:]


class Offline(Transport):
    """Takes every file from the folder: nothing is fetched."""

    def _load_remote_data(self, url):
        parts = urlparse(url)
        with open(os.path.join(folder, parts.netloc, parts.path.lstrip("/")), "rb") as file:
            return file.read()


def device(user, secret):
    session = Session()
    session.trust_env = False
    session.verify = trusted
    client = Client(
        "http://www.onvif.org/ver10/device/wsdl/devicemgmt.wsdl",
        transport=Offline(session=session, operation_timeout=20),
        wsse=UsernameToken(user, secret, use_digest=True),
    )
    return client.create_service("{http://www.onvif.org/ver10/device/wsdl}DeviceBinding", address)


def users():
    return {user.Username: user.UserLevel for user in admin.GetUsers()}


def subcodes(call, *of, **how):
    try:
        call(*of, **how)
    except Fault as fault:
        return [code.localname for code in fault.subcodes]
    return []


admin = device(name, password)
steps = [users()]
admin.CreateUsers([{"Username": "wall", "Password": "correct horse battery", "UserLevel": "User"}])
steps.append(users())
model = device("wall", "correct horse battery").GetDeviceInformation().Model
admin.SetUser([{"Username": "wall", "UserLevel": "Operator"}])
steps.append(users())
again = subcodes(admin.CreateUsers, [{"Username": "wall", "Password": "correct horse battery", "UserLevel": "User"}])
weak = subcodes(admin.SetUser, [{"Username": "wall", "Password": "short", "UserLevel": "User"}])
admin.DeleteUsers(["wall"])
steps.append(users())
gone = subcodes(admin.DeleteUsers, ["wall"])
print(json.dumps({"steps": steps, "model": model, "again": again, "weak": weak, "gone": gone}))
