"""Logs in by NTLM (python-ntlm-auth) over one HTTPS connection, and prints the status and body. argv: port, path, domain, user, password, bound
(ours, other, none), scheme. Prints a line for each answer: status, and what it says."""
import base64, hashlib, http.client, json, ssl, struct, sys
from ntlm_auth.gss_channel_bindings import GssChannelBindingsStruct
from ntlm_auth.ntlm import NtlmContext

port, path, domain, user, password, bound, scheme = sys.argv[1:]
unverified = ssl._create_unverified_context()
connection = http.client.HTTPSConnection("127.0.0.1", int(port), context=unverified)
connection.connect()
bindings = None
if bound != "none":
    certificate = connection.sock.getpeercert(True) if bound == "ours" else b"of another server"
    bindings = GssChannelBindingsStruct()
    bindings[bindings.APPLICATION_DATA] = b"tls-server-end-point:" + hashlib.sha256(certificate).digest()
context = NtlmContext(user, password, domain, "PC1", cbt_data=bindings)
# NTLMSSP_REQUEST_TARGET, without which Samba names nothing, and this client binds to nothing.
context.negotiate_flags |= 4


def ask(message, body):
    headers = {"Authorization": "%s %s" % (scheme, base64.b64encode(message).decode()), "Content-Type": "application/json"}
    connection.request("POST", path, body=body, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    print(answer.status, text)
    return answer


challenged = ask(context.step(), None)
challenge = challenged.headers.get("WWW-Authenticate", "").split(" ")[-1]
if challenge:
    ask(context.step(base64.b64decode(challenge)), json.dumps({}))
