"""Prints SPNEGO tokens in base64, one a line, by MIT's library. argv: service@host, then what each is bound to, `-` for nothing."""
import base64, sys
import gssapi

service, *bindings = sys.argv[1:]
name = gssapi.Name(service, gssapi.NameType.hostbased_service)
spnego = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
for bound in bindings:
    data = None if bound == "-" else gssapi.raw.ChannelBindings(application_data=bytes.fromhex(bound))
    context = gssapi.SecurityContext(name=name, mech=spnego, usage="initiate", channel_bindings=data)
    print(base64.b64encode(context.step()).decode())
