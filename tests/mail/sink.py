"""An SMTP server that keeps what it is handed, for tests.

Each letter that it takes becomes a line of JSON in `received.jsonl` in its working directory. What it does to a letter stands
before the first dot of the recipient's address:

    never       550 to RCPT, with the address in the answer
    never-data  554 to the text, with the first field of the text in the answer
    later-N     451 to RCPT, N times; then it is taken
    slow        taken and kept, but the first time nobody is told for a minute
"""

import argparse
import asyncio
import collections
import json
import pathlib
import ssl
import threading

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

CA, CERTIFICATE = pathlib.Path("ca.pem"), pathlib.Path("server.pem")
RECEIVED = pathlib.Path("received.jsonl")
SLOW = 60


def certificates():
    """Made once: a server that is started again is the same."""
    if not CERTIFICATE.exists():
        authority = trustme.CA()
        authority.cert_pem.write_to_path(CA)
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(CERTIFICATE)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


class Handler:
    """What the server does with letters."""

    def __init__(self):
        self.refused = collections.Counter()
        self.told_late = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        rule = address.split("@")[0].split(".")[0]
        if rule == "never":
            return f"550 5.1.1 <{address}> is unknown here"
        if rule.startswith("later-"):
            self.refused[address] += 1
            if self.refused[address] <= int(rule.removeprefix("later-")):
                return f"451 4.3.0 <{address}> later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = envelope.content.decode()
        rule = envelope.rcpt_tos[0].split("@")[0].split(".")[0]
        if rule == "never-data":
            return f"554 5.7.1 refused {envelope.rcpt_tos[0]}: {message[-200:]!r}"
        letter = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": server.transport.get_extra_info("cipher") is not None,
            "user": session.auth_data,
            "message": message,
        }
        with RECEIVED.open("a") as received:
            received.write(json.dumps(letter) + "\n")
        if rule == "slow" and envelope.rcpt_tos[0] not in self.told_late:
            self.told_late.add(envelope.rcpt_tos[0])
            await asyncio.sleep(SLOW)
        return "250 OK"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tls", choices=("none", "starttls", "implicit"), default="none")
    parser.add_argument("--login", help="user:password, which is then asked for")
    arguments = parser.parse_args()

    def known(server, session, envelope, mechanism, data):
        user, password = data.login.decode(), data.password.decode()
        if f"{user}:{password}" != arguments.login:
            return AuthResult(success=False, handled=False)
        return AuthResult(success=True, auth_data=user)

    context = certificates()
    more = {}
    if arguments.tls == "starttls":
        more["tls_context"] = context
    if arguments.tls == "implicit":
        more["ssl_context"] = context
    if arguments.login:
        more |= {"authenticator": known, "auth_required": True, "auth_require_tls": arguments.tls == "starttls"}
    controller = Controller(Handler(), hostname="127.0.0.1", port=arguments.port, server_hostname="localhost", **more)
    controller.start()
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
