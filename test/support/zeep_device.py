"""The device service of an ONVIF device over HTTPS, for Debian's zeep with the official WSDL files."""

import os
from urllib.parse import urlparse

from requests import Session
from zeep import Client
from zeep.exceptions import Fault
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken


# For what hangs.
LIMIT_SECONDS = 120


class Offline(Transport):
    """Takes every file from the folder: nothing is fetched."""

    def __init__(self, folder, **how):
        super().__init__(**how)
        self.folder = folder

    def _load_remote_data(self, url):
        parts = urlparse(url)
        with open(os.path.join(self.folder, parts.netloc, parts.path.lstrip("/")), "rb") as file:
            return file.read()


def device(folder, address, trusted, user, secret):
    """`folder` has the official files, `trusted` names a file of certificates."""
    session = Session()
    session.trust_env = False
    # What is kept open may be closed by the server at the moment at which it is used again: to read the files takes as long.
    session.headers["Connection"] = "close"
    session.verify = trusted
    client = Client(
        "http://www.onvif.org/ver10/device/wsdl/devicemgmt.wsdl",
        transport=Offline(folder, session=session, operation_timeout=LIMIT_SECONDS),
        wsse=UsernameToken(user, secret, use_digest=True),
    )
    return client.create_service("{http://www.onvif.org/ver10/device/wsdl}DeviceBinding", address)


def subcodes(call, *of, **how):
    """Why it is refused; none where it is not."""
    try:
        call(*of, **how)
    except Fault as fault:
        return [code.localname for code in fault.subcodes]
    return []
