"""Copies WSDL files for gSOAP's wsdl2h, with all that they import and without the operations that nobody calls.

Arguments: folder that is written to, a comma-separated list of operations, the folder of the specifications' files by the path
of their URLs (or "-"), and then the WSDL files: of that folder by their URLs, or others by their paths.

The types of a thousand operations take gcc minutes; the copies differ from the originals in nothing but what is left out, and in
that what they import is beside them. Prints the names of the copies of the given files, in their order.
"""

import os
import sys
from urllib.parse import urljoin

from lxml import etree

out, operations, folder, *files = sys.argv[1:]
CALLED = set(operations.split(","))
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
SCHEMA = "{http://www.w3.org/2001/XMLSchema}"
IMPORTS = {WSDL + "import": "location", SCHEMA + "import": "schemaLocation", SCHEMA + "include": "schemaLocation"}
copied = {}


def original(url):
    """Where a file is, if it is here: some of the specifications' addresses have no ending."""
    if "://" not in url:
        return url
    path = os.path.join(folder, url.split("://", 1)[1].rstrip("/"))
    return next((one for one in (path, path + ".xsd") if os.path.isfile(one)), None)


def local(name):
    return name.split(":")[-1]


def cut(definitions):
    """Takes out of a WSDL the operations that nobody calls, what only they have, and types of faults."""
    for fault in [*definitions.iter(WSDL + "fault")]:
        fault.getparent().remove(fault)
    for operation in [*definitions.iter(WSDL + "operation")]:
        if operation.get("name") not in CALLED:
            operation.getparent().remove(operation)
    meant = {local(one.get("message")) for one in definitions.iterfind(f"{WSDL}portType//*[@message]")}
    for message in definitions.findall(WSDL + "message"):
        if message.get("name") not in meant:
            definitions.remove(message)
    elements = {local(part.get("element")) for part in definitions.iter(WSDL + "part") if part.get("element")}
    for schema in definitions.iterfind(f"{WSDL}types/{SCHEMA}schema"):
        if schema.get("targetNamespace") == definitions.get("targetNamespace"):
            for element in schema.findall(SCHEMA + "element"):
                if element.get("name") not in elements:
                    schema.remove(element)


def copy(url):
    """Writes the copy of a file and of what it imports, once; returns its name."""
    if url in copied:
        return copied[url]
    copied[url] = f"{len(copied)}_{os.path.basename(url.rstrip('/'))}"
    tree = etree.parse(original(url))
    root = tree.getroot()
    for element in root.iter(*IMPORTS):
        attribute = IMPORTS[element.tag]
        if element.get(attribute) is not None:
            there = urljoin(url, element.get(attribute)).replace("https://", "http://")
            element.set(attribute, copy(there) if original(there) else there)
    if root.tag == WSDL + "definitions":
        cut(root)
    tree.write(os.path.join(out, copied[url]), encoding="utf-8", xml_declaration=True)
    return copied[url]


print("\n".join([copy(file) for file in files]))
