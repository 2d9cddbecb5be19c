"""Makes, changes and removes a user of an ONVIF device over HTTPS with Debian's zeep and the official WSDL files, and prints how the users
stood after each step, as JSON.

Arguments: folder of the files, address of the device service, file of trusted certificates, user, password.
"""

import json
import sys

from zeep_device import device, subcodes

folder, address, trusted, name, password = sys.argv[1:]


def users():
    return {user.Username: user.UserLevel for user in admin.GetUsers()}


admin = device(folder, address, trusted, name, password)
steps = [users()]
admin.CreateUsers([{"Username": "wall", "Password": "correct horse battery", "UserLevel": "User"}])
steps.append(users())
model = device(folder, address, trusted, "wall", "correct horse battery").GetDeviceInformation().Model
admin.SetUser([{"Username": "wall", "UserLevel": "Operator"}])
steps.append(users())
again = subcodes(admin.CreateUsers, [{"Username": "wall", "Password": "correct horse battery", "UserLevel": "User"}])
weak = subcodes(admin.SetUser, [{"Username": "wall", "Password": "short", "UserLevel": "User"}])
admin.DeleteUsers(["wall"])
steps.append(users())
gone = subcodes(admin.DeleteUsers, ["wall"])
print(json.dumps({"steps": steps, "model": model, "again": again, "weak": weak, "gone": gone}))
