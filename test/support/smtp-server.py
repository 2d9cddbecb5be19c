"""A mail server (aiosmtpd): every message becomes one line of JSON. Modes: starttls, tls, none, and deaf, which offers no STARTTLS."""
import asyncio
import json
import ssl
import sys
import warnings
from email import message_from_bytes, policy

from aiosmtpd.smtp import AuthResult, SMTP

# It warns of log-ins without STARTTLS, which TLS from the beginning needs not.
warnings.simplefilter("ignore")

mode, certificate, key, user, password = sys.argv[1:6]


def tell(value):
    print(json.dumps(value), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = message_from_bytes(envelope.original_content, policy=policy.default)
        tell({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "subject": message["subject"],
            "text": message.get_content(),
            "tls": mode == "tls" or session.ssl is not None,
            "user": session.auth_data,
        })
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    right = (data.login.decode(), data.password.decode()) == (user, password)
    return AuthResult(success=right, handled=right, auth_data=data.login.decode() if right else None)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)


def session():
    if mode == "starttls":
        return SMTP(Handler(), tls_context=context, require_starttls=True, auth_required=True,
                    authenticator=authenticate, hostname="sink")
    if mode == "tls":
        return SMTP(Handler(), auth_required=True, auth_require_tls=False, authenticator=authenticate, hostname="sink")
    return SMTP(Handler(), hostname="sink")


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context if mode == "tls" else None)
    tell({"port": server.sockets[0].getsockname()[1]})
    await server.serve_forever()


asyncio.run(main())
