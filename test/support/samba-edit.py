"""Changes the directory of a test's Samba domain. argv: smb.conf, sam.ldb. stdin: a JSON list of [method, arguments...]."""
import json, sys
import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

conf, path = sys.argv[1:]
lp = LoadParm()
lp.load(conf)
db = SamDB(url=path, session_info=system_session(), lp=lp)
base = str(db.domain_dn())


def dn_of(name):
    found = db.search(base, expression="(sAMAccountName=%s)" % ldb.binary_encode(name), attrs=["dn"])
    return found[0].dn


def modify(name, attribute, value, flag=ldb.FLAG_MOD_REPLACE):
    message = ldb.Message(dn_of(name))
    message[attribute] = ldb.MessageElement(value if isinstance(value, list) else [value], flag, attribute)
    db.modify(message)


def user(name, password="Us3r-Passw0rd", ou=None):
    db.newuser(name, password, userou=ou)


def crowd(people, leaves):
    """People in equally many groups each, of which five are in one, and five of those in one of the groups `Crowd-…`; all at once."""
    db.transaction_start()
    dns = ["CN=crowd%d,CN=Users,%s" % (n, base) for n in range(people)]
    for n, dn in enumerate(dns):
        db.add({"dn": dn, "objectClass": "user", "sAMAccountName": "crowd%d" % n, "userAccountControl": "544"})
    groups = [make_group("Leaf-%d" % n, dns[n::leaves]) for n in range(leaves)]
    for prefix in ["Middle", "Crowd"]:
        groups = [make_group("%s-%d" % (prefix, n), groups[n * 5 : n * 5 + 5]) for n in range((len(groups) + 4) // 5)]
    db.transaction_commit()


def make_group(name, members):
    dn = "CN=%s,CN=Users,%s" % (name, base)
    db.add({"dn": dn, "objectClass": "group", "sAMAccountName": name, "member": members})
    return dn


METHODS = {
    "crowd": crowd,
    "user": user,
    "ou": lambda name: db.create_ou("OU=%s,%s" % (name, base)),
    "group": lambda name: db.newgroup(name),
    "add": lambda group, member: modify(group, "member", str(dn_of(member)), ldb.FLAG_MOD_ADD),
    "remove": lambda group, member: modify(group, "member", str(dn_of(member)), ldb.FLAG_MOD_DELETE),
    "set": modify,
    "unset": lambda name, attribute: modify(name, attribute, []),
    "disable": lambda name: db.disable_account("(sAMAccountName=%s)" % name),
    "enable": lambda name: db.enable_account("(sAMAccountName=%s)" % name),
    "delete": lambda name: db.delete(dn_of(name)),
    "rename": lambda name, new: (db.rename(dn_of(name), "CN=%s,CN=Users,%s" % (new, base)), modify_after(name, new)),
    "move": lambda name, ou: db.rename(dn_of(name), "CN=%s,OU=%s,%s" % (name, ou, base)),
    "primary": lambda name, group: modify(name, "primaryGroupID", rid_of(group)),
    "must-change": lambda name: modify(name, "pwdLastSet", "0"),
    "policy": lambda attribute, value: domain(attribute, value),
}


def modify_after(name, new):
    modify(name, "sAMAccountName", new)


def rid_of(group):
    found = db.search(base, expression="(sAMAccountName=%s)" % group, attrs=["objectSid"])
    return str(int.from_bytes(bytes(found[0]["objectSid"][0])[-4:], "little"))


def domain(attribute, value):
    message = ldb.Message(ldb.Dn(db, base))
    message[attribute] = ldb.MessageElement([value], ldb.FLAG_MOD_REPLACE, attribute)
    db.modify(message)


for method, *arguments in json.load(sys.stdin):
    METHODS[method](*arguments)
