"""Sets, adds and removes scopes of an ONVIF device over HTTPS with Debian's zeep and the official WSDL files, and prints those that can be
changed after each step, as JSON.

Arguments: folder of the files, address of the device service, file of trusted certificates, user, password.
"""

import json
import sys

from zeep_device import device, subcodes

admin = device(*sys.argv[1:])
NAME = "onvif://www.onvif.org/name/Harbour"
PLACE = "onvif://www.onvif.org/location/country/germany"


def scopes(kind):
    return [scope.ScopeItem for scope in admin.GetScopes() if scope.ScopeDef == kind]


steps = [scopes("Configurable")]
admin.SetScopes([NAME])
steps.append(scopes("Configurable"))
admin.AddScopes([PLACE, "urn:example:1"])
steps.append(scopes("Configurable"))
removed = admin.RemoveScopes(["urn:example:1"])
steps.append(scopes("Configurable"))
fixed = scopes("Fixed")
faults = {
    "promise": subcodes(admin.SetScopes, ["onvif://www.onvif.org/Profile/T"]),
    "fixed": subcodes(admin.RemoveScopes, fixed[:1]),
    "gone": subcodes(admin.RemoveScopes, ["urn:example:1"]),
    "many": subcodes(admin.AddScopes, [f"urn:example:{number}" for number in range(100)]),
}
print(json.dumps({"steps": steps, "removed": removed, "faults": faults}))
