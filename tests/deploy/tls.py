"""What the proxy says to whoever speaks TLS with it, and to whoever does not: Caddy with its file, before a node, on 127.0.0.1."""

import base64
import contextlib
import http.client
import json
import os
import socket
import ssl
import warnings

from files import COMPOSE, kubernetes
from running import ask, caddy, done, environment, folder, node, until


@contextlib.contextmanager
def proxy_with_tls(work, *nodes):
    """(port of HTTPS, port of HTTP, how a client that checks certificates speaks with it)"""
    with caddy(work, "localhost", *nodes) as (https, http, _):
        authority = work / "data/caddy/pki/authorities/local/root.crt"
        until(lambda: authority.stat().st_size > 0)
        client = ssl.create_default_context(cafile=str(authority))
        until(lambda: ask_safely(https, "/livez", client)[0] == 200)
        yield https, http, client


def ask_safely(port, path, client):
    """As `ask`, over TLS; also what it was spoken over."""
    connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=client)
    # The name is looked up by nobody.
    connection._create_connection = lambda address, *more, **also: socket.create_connection(("127.0.0.1", address[1]), *more, **also)
    try:
        connection.request("GET", path)
        version, cipher = connection.sock.version(), connection.sock.cipher()[0]
        answer = connection.getresponse()
        return answer.status, answer.read(), version, cipher
    finally:
        connection.close()


def handshake(port, client):
    """What a client and the proxy agree on; else the reason why they do not."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        try:
            with client.wrap_socket(plain, server_hostname="localhost") as safe:
                return safe.version(), safe.cipher()[0]
        except (ssl.SSLError, ConnectionResetError) as why:
            return str(why)


def agree(client, server):
    """The same between two contexts of this process, without a connection."""
    ends = [ssl.MemoryBIO(), ssl.MemoryBIO()]
    theirs = client.wrap_bio(ends[0], ends[1], server_hostname="localhost")
    ours = server.wrap_bio(ends[1], ends[0], server_side=True)
    for _ in range(10):
        for side in (theirs, ours):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
        if theirs.version() and ours.version():
            return theirs.version(), theirs.cipher()[0]
    return None


def only(version, ciphers):
    """A client that speaks nothing else, and does not look at certificates: those it could not check in an old version."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    client.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        client.minimum_version = client.maximum_version = version
    return client


# RFC 9325, 4.2, and those of the same kind with longer keys.
RECOMMENDED = {
    f"ECDHE-{who}-{what}" for who in ("ECDSA", "RSA") for what in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
}  # fmt: skip
OF_TLS_1_3 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}


def the_proxy_speaks_tls_1_2_and_1_3_and_nothing_older():
    old, now = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1), (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    with folder() as work, node(work, "one") as (port, _), proxy_with_tls(work, port) as (https, _, client):
        # A server that speaks everything shows that this client could.
        certificate = ["-x509", "-nodes", "-subj", "/CN=localhost", "-days", "1", "-newkey", "rsa:2048", "-keyout", "any.key", "-out", "any.crt"]
        done("openssl", "req", *certificate, cwd=work)
        anything = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        anything.load_cert_chain(work / "any.crt", work / "any.key")
        anything.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            anything.minimum_version = ssl.TLSVersion.TLSv1
        for version in old:
            assert agree(only(version, "ALL"), anything)[0] == version.name.replace("_", "."), version
            assert isinstance(handshake(https, only(version, "ALL")), str), version
        for version in now:
            assert handshake(https, only(version, "ALL"))[0] == version.name.replace("_", "."), version
        # The newest, where a client leaves the choice.
        assert handshake(https, client)[0] == "TLSv1.3"


def the_proxy_takes_recommended_cipher_suites_alone():
    with folder() as work, node(work, "one") as (port, _), proxy_with_tls(work, port) as (https, _, client):
        # Those that an ECDSA certificate, as the proxy's are, could be used with; where there are keys to show that are not, they are refused as well.
        offered = {one["name"] for one in only(ssl.TLSVersion.TLSv1_2, "ALL:!aNULL:!PSK:!SRP").get_ciphers()} - OF_TLS_1_3
        weak = offered - RECOMMENDED
        assert {"ECDHE-ECDSA-AES128-SHA", "AES128-SHA", "ECDHE-ECDSA-AES256-SHA384"} <= weak and len(weak) > 20, weak
        taken = {name for name in sorted(weak) if not isinstance(handshake(https, only(ssl.TLSVersion.TLSv1_2, name)), str)}
        assert taken == set(), taken
        for name in sorted(name for name in RECOMMENDED if "ECDSA" in name):
            assert handshake(https, only(ssl.TLSVersion.TLSv1_2, name)) == ("TLSv1.2", name)
        assert handshake(https, client)[1] in OF_TLS_1_3


def without_tls_pages_lead_to_it_and_nothing_else_is_answered():
    with folder() as work, node(work, "one") as (port, _), proxy_with_tls(work, port) as (https, plain, client):
        for page in ("/", "/docs/", "/account/verify?token=x", "/.well-known/change-password"):
            status, headers, _ = ask(plain, page, {"Host": "localhost"})
            assert (status, headers["location"]) == (301, f"https://localhost{page}"), (page, status, headers)
            # A name that a client makes up leads nobody anywhere.
            for host in ("evil.example", "evil.example:80", "localhost.evil.example", "localhost@evil.example", "evil.example/x"):
                status, headers, _ = ask(plain, page, {"Host": host})
                assert headers.get("location", f"https://localhost{page}") == f"https://localhost{page}", (host, headers)
                assert status in (301, 400), (host, status)
        for path in ("/api/bitcoin/price", "/api/v2/user/profile", "/health", "/metrics", "/openapi.json", "/account", "/nothing"):
            status, headers, body = ask(plain, path, {"Host": "localhost", "Authorization": "Bearer x"})
            assert status == 403 and "location" not in headers, (path, status, headers)
            error = json.loads(body)["error"]
            assert error["code"] == "forbidden" and error["trace_id"] == headers["x-trace-id"], (error, headers)
        status, headers, _ = ask(plain, "/", {"Host": "localhost"}, body={"email": "ada@example.org"})
        assert status == 403 and "location" not in headers, "what changes something is not led anywhere"
        # Beside it, over TLS, all of that is there.
        for path in ("/", "/api/bitcoin/price", "/docs/"):
            assert ask_safely(https, path, client)[0] == 200, path


def sockets_are_opened_over_tls_alone():
    key = base64.b64encode(os.urandom(16)).decode()
    request = (
        f"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n\r\n"
    ).encode()
    with folder() as work, node(work, "one") as (port, _), proxy_with_tls(work, port) as (https, plain, client):
        with socket.create_connection(("127.0.0.1", plain), timeout=10) as opened:
            opened.sendall(request)
            assert opened.recv(65536).startswith(b"HTTP/1.1 403 "), "a socket without TLS"
        with socket.create_connection(("127.0.0.1", https), timeout=10) as opened, client.wrap_socket(opened, server_hostname="localhost") as safe:
            safe.sendall(request)
            said = b""
            while b'{"type":"' not in said:
                piece = safe.recv(65536)
                assert piece, said[:500]
                said += piece
            assert said.startswith(b"HTTP/1.1 101 "), said[:200]


def a_public_name_gets_a_certificate_that_everybody_trusts():
    """Of an authority that browsers know: as far as the files say, since nobody outside is asked here."""
    adapt = ["caddy", "adapt", "--config", COMPOSE / "Caddyfile", "--adapter", "caddyfile"]
    with folder() as work:
        for name, local in (("api.example.com", False), ("localhost", True)):
            variables = environment(SITE_ADDRESS=name, XDG_DATA_HOME=str(work), XDG_CONFIG_HOME=str(work))
            adapted = json.loads(done(*adapt, env=variables, cwd=work))
            site = next(one for one in adapted["apps"]["http"]["servers"].values() if ":443" in one["listen"])
            assert [match["host"] for match in site["routes"][0]["match"]] == [[name]]
            assert set(site.get("automatic_https", {})) <= {"disable_redirects"}, site["automatic_https"]
            # Where nothing is said, Caddy asks Let's Encrypt and ZeroSSL for names, and itself for localhost.
            assert "tls_connection_policies" not in site and "tls" not in adapted["apps"], (name, local)
    ingress = next(one for _, one in kubernetes() if one["kind"] == "Ingress")
    assert ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"] == "letsencrypt"
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"] for rule in ingress["spec"]["rules"]]


CHECKS = [
    the_proxy_speaks_tls_1_2_and_1_3_and_nothing_older,
    the_proxy_takes_recommended_cipher_suites_alone,
    without_tls_pages_lead_to_it_and_nothing_else_is_answered,
    sockets_are_opened_over_tls_alone,
    a_public_name_gets_a_certificate_that_everybody_trusts,
]
