"""What is said of the files by the programs that read them: each is started here, on 127.0.0.1 and in a folder of its own, and ended."""

import base64
import concurrent.futures
import contextlib
import glob
import http.client
import http.server
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid

from files import COMPOSE, DEPLOY, ROOT, build_context, compose

BINARY = ROOT / "target/debug/coinlink"
# Whose pages may read what is answered.
PAGES = ("https://app.example.com", "https://other.example.com:8443")
START_WITHIN = 30
END_WITHIN = 20
# What gcr.io/distroless/cc-debian12 has beside certificates: libc6, libgcc-s1, libstdc++6, libgomp1, libssl3 and what they need.
OF_THE_RUNTIME_IMAGE = {
    "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1",
    "libresolv.so.2", "libgcc_s.so.1", "libstdc++.so.6",
}  # fmt: skip
# Debian 12's: symbols of a later one are not there.
GLIBC = (2, 36)


def free_ports(many):
    """So many, no two the same."""
    with contextlib.ExitStack() as until_all_are_known:
        taken = [until_all_are_known.enter_context(socket.socket()) for _ in range(many)]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in taken]


def free_port():
    return free_ports(1)[0]


def environment(**more):
    """Nothing of ours that this process was started with."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8", **more}


@contextlib.contextmanager
def folder():
    path = pathlib.Path(tempfile.mkdtemp(prefix="coinlink-deploy-"))
    try:
        path.chmod(0o755)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def server(*command, log, **more):
    """A server that is ended with the block, and shows the end of its log when that fails."""
    with log.open("wb") as into:
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=into, stderr=into, **more)
    try:
        yield process
    except BaseException:
        print("\n".join(line[:300] for line in log.read_text(errors="replace").splitlines()[-15:]))
        raise
    finally:
        process.terminate()
        try:
            process.wait(END_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until(what, within=START_WITHIN, every=0.05):
    """Waits for something to be true, and says what was wrong the last time."""
    ends, why = time.monotonic() + within, None
    while time.monotonic() < ends:
        try:
            if what():
                return
            why = "it is not so"
        except (OSError, http.client.HTTPException, subprocess.CalledProcessError, AssertionError) as error:
            why = error
        time.sleep(every)
    raise AssertionError(f"not within {within} s: {why}")


def ask(port, path, headers=None, body=None, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        if body is None:
            connection.request(method, path, headers=headers or {})
        else:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, dict((name.lower(), value) for name, value in answer.getheaders()), answer.read()
    finally:
        connection.close()


def done(*command, **more):
    finished = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **more)
    assert finished.returncode == 0, f"{command[0]}: {finished.stdout}{finished.stderr}"
    return finished.stdout


# ---- the binary and the image


def the_binary_needs_nothing_that_the_runtime_image_lacks():
    listed = done("ldd", BINARY)
    needed = {pathlib.Path(line.split()[0]).name for line in listed.splitlines() if "linux-vdso" not in line}
    assert needed <= OF_THE_RUNTIME_IMAGE, needed - OF_THE_RUNTIME_IMAGE
    versions = re.findall(rb"GLIBC_(\d+)\.(\d+)(?:\.\d+)?\0", BINARY.read_bytes())
    newest = max((int(major), int(minor)) for major, minor in versions)
    assert newest <= GLIBC, f"it needs the C library of {newest}"


def the_manifests_alone_are_a_workspace():
    with folder() as work:
        source, into = work / "source", work / "manifests"
        for name in build_context():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
        done("bash", "deploy/docker/manifests", into, cwd=source)
        # All that decides how dependencies are built, and no source of ours.
        for manifest in source.rglob("Cargo.toml"):
            assert (into / manifest.relative_to(source)).read_bytes() == manifest.read_bytes()
        assert sum(path.stat().st_size for path in into.rglob("*.rs")) < 1000
        read = json.loads(done("cargo", "metadata", "--locked", "--offline", "--no-deps", "--format-version", "1", cwd=into))
        assert len(read["workspace_members"]) > 20


def a_healthcheck_says_whether_a_server_works():
    def check(*arguments, **variables):
        return subprocess.run([BINARY, "healthcheck", *arguments], env=environment(**variables), capture_output=True, text=True, check=False)

    with folder() as work, node(work, "one") as (port, process):
        assert check(PORT=str(port)).returncode == 0
        assert check("--ready", PORT=str(port)).returncode == 0
        missing = check("--url", f"http://127.0.0.1:{port}/not-there")
        assert missing.returncode == 1 and "answers 404" in missing.stderr, missing
    gone = check(PORT=str(port))
    assert gone.returncode == 1 and "no answer from" in gone.stderr, gone


# ---- the proxy


@contextlib.contextmanager
def node(work, name, **more):
    port = free_port()
    settings = environment(
        HOST="127.0.0.1", PORT=str(port), DATA_DIR=str(work / name), LOG_LEVEL="warn", TICKER_INTERVAL_MS="500",
        TRUSTED_PROXIES="127.0.0.1/32", CONFIG_DIR=str(work), **more,
    )  # fmt: skip
    with server(BINARY, "dev", "--feed", "simulated", log=work / f"{name}.log", cwd=work, env=settings) as process:
        until(lambda: ask(port, "/readyz")[0] == 200)
        yield port, process


@contextlib.contextmanager
def caddy(work, address, *nodes, looks_every="200ms", origins=PAGES):
    """Caddy with its file, for a site at this address; (port of HTTPS, port of HTTP, log)."""
    (https, http, health), log = free_ports(3), work / "proxy.log"
    settings = environment(
        SITE_ADDRESS=address, ALLOWED_ORIGINS=", ".join(origins), UPSTREAMS=" ".join(f"127.0.0.1:{one}" for one in nodes), HEALTH_PORT=str(health), HTTPS_PORT=str(https),
        HTTP_PORT=str(http), HEALTH_INTERVAL=looks_every, XDG_DATA_HOME=str(work / "data"), XDG_CONFIG_HOME=str(work / "config"),
    )  # fmt: skip
    # Beside this machine nobody reaches it, and no authority of a test becomes one that this machine trusts.
    written = (COMPOSE / "Caddyfile").read_text()
    assert "\tadmin off\n" in written
    (work / "Caddyfile").write_text(written.replace("\tadmin off\n", "\tadmin off\n\tdefault_bind 127.0.0.1\n\tskip_install_trust\n", 1))
    with server("caddy", "run", "--config", work / "Caddyfile", "--adapter", "caddyfile", log=log, cwd=work, env=settings):
        yield https, http, log


@contextlib.contextmanager
def proxy(work, *nodes, **more):
    port = free_port()
    with caddy(work, f"http://127.0.0.1:{port}", *nodes, **more) as (_, _, log):
        until(lambda: ask(port, "/livez")[0] == 200)
        yield port, log


def the_proxy_passes_sockets_and_tells_whose_a_request_is():
    with folder() as work, node(work, "one") as (port, _), proxy(work, port) as (front, log):
        # What a client writes about its own address is dropped: all of it is one client, whose requests are counted together.
        left = []
        for spoofed in ("203.0.113.1", "203.0.113.2, 198.51.100.7", "127.0.0.1", ""):
            status, headers, _ = ask(front, "/api/v2/market/stats?secret=of-nobody", {"X-Forwarded-For": spoofed, "Forwarded": f"for={spoofed}"})
            assert status != 502, status
            left.append(int(headers["x-ratelimit-remaining"]))
        assert left == sorted(left, reverse=True) and len(set(left)) == len(left), left
        assert "server" not in headers, headers

        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{front}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nAuthorization: Bearer of-nobody-either\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", front), timeout=10) as opened:
            opened.sendall(request.encode())
            said = b""
            while b'{"type":"' not in said:
                piece = opened.recv(65536)
                assert piece, said[:500]
                said += piece
        assert said.startswith(b"HTTP/1.1 101 "), said[:200]
        # A socket is logged when it ends.
        until(lambda: '"uri":"/ws"' in log.read_text(), 5)
        assert "of-nobody" not in log.read_text(), "the proxy logs what is in queries or headers"


def a_server_behind_the_proxy_is_as_green_as_without_it():
    with folder() as work, node(work, "one") as (port, _), proxy(work, port) as (front, _):
        url = f"http://127.0.0.1:{front}"
        # What needs an account needs no proxy to be right, and takes its time.
        command = [BINARY, "verify", "--url", url, "--origin", "http://localhost:3000", "--only", "headers,sockets", "--read-only"]
        verified = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
        assert verified.returncode == 0, verified.stdout + verified.stderr


def prices_go_on_behind_the_proxy_while_the_database_is_away():
    account, as_them = postgres_account()
    with folder() as work:
        data, port = work / "postgres", free_port()
        data.mkdir()
        if as_them:
            os.chown(data, account.pw_uid, account.pw_gid)
        plain = environment(PATH=f"{postgres_bin()}:{os.environ['PATH']}")
        done("initdb", "--pgdata", data, "--username=coinlink", "--auth=trust", "--no-sync", env=plain, cwd=data, **as_them)
        start = ["postgres", "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"]
        with server(*start, log=work / "postgres.log", env=plain, cwd=data, **as_them) as database:
            until(lambda: done("pg_isready", "-h", "127.0.0.1", "-p", port, env=plain))
            url = f"postgres://coinlink@127.0.0.1:{port}/postgres"
            with node(work, "one", DATABASE_URL=url) as (asked, _), proxy(work, asked) as (front, _):

                def login():
                    began = time.monotonic()
                    status, headers, body = ask(front, "/api/v2/auth/login", body={"email": "ada@example.org", "password": "Wrong-password-1"})
                    assert body, f"{status} with an empty body, after {time.monotonic() - began:.1f} s"
                    return status, headers, json.loads(body)["error"], time.monotonic() - began

                until(lambda: ask(front, "/api/crypto/ticker")[0] == 200 and ask(front, "/api/bitcoin/price")[0] == 200)
                assert login()[0] == 401
                # At once, whoever is connected.
                database.send_signal(signal.SIGINT)
                database.wait(END_WITHIN)
                until(lambda: ask(asked, "/readyz")[0] == 503)
                # The proxy looks five times a second here: it knows by now whatever it goes by.
                time.sleep(1)
                for path in ("/api/bitcoin/price", "/"):
                    assert ask(front, path)[0] == 200, path
                before = ask(front, "/api/crypto/ticker")[2]
                until(lambda: ask(front, "/api/crypto/ticker")[2] != before, 5)
                for _ in range(2):
                    status, headers, error, took = login()
                    assert (status, error["code"]) == (503, "dependency_unavailable"), error
                    # A second for a connection, two for a statement.
                    assert error["trace_id"] == headers["x-trace-id"] and took < 3.5, (error, headers, took)
                assert ask(front, "/api/bitcoin/price")[0] == 200, "a 503 counts against the replica"


def said_by_the_proxy(answer, status, log):
    """The code of an error in the API's shape that is the proxy's own."""
    said, headers, body = answer
    assert said == status and headers["content-type"] == "application/json", (said, headers)
    answer = json.loads(body)
    error = answer["error"]
    assert answer.keys() == {"error", "detail"} and error.keys() == {"code", "message", "details", "trace_id"}, answer
    assert answer["detail"] == error["message"] and error["details"] == {}, answer
    assert f"| `{error['code']}` | {status} |" in (ROOT / "docs/errors.md").read_text(), error
    assert str(uuid.UUID(error["trace_id"])) == headers["x-trace-id"], (error, headers)
    assert headers["cache-control"] == "no-store" and headers["vary"] == "Origin" and "server" not in headers, headers
    # By which it is found.
    until(lambda: error["trace_id"] in log.read_text())
    return error["code"]


def without_a_replica_the_proxy_answers_as_the_api_does():
    login = {"email": "ada@example.org"}
    with folder() as work, node(work, "one") as (port, process), proxy(work, port) as (front, log):
        gone = ask(front, "/api/not-there")
        assert gone[0] == 404 and json.loads(gone[2])["error"]["code"] == "not_found", "a replica's own error is passed on"
        process.terminate()
        assert process.wait(END_WITHIN) == 0
        # Each waits for a replica as long as the proxy does: all at once.
        with concurrent.futures.ThreadPoolExecutor() as pool:
            asked = [pool.submit(ask, front, "/api/crypto/ticker?a=b"), pool.submit(ask, front, "/api/v2/auth/login", body=login)]
            for answer in [one.result() for one in asked]:
                assert said_by_the_proxy(answer, 503, log) == "dependency_unavailable"
                assert answer[1]["retry-after"].isdecimal() and "access-control-allow-origin" not in answer[1], answer[1]


def what_the_proxy_says_itself_is_read_by_the_pages_that_may_read_answers():
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    strange = ("https://app.example.com.evil.example", "http://app.example.com", "https://evil.example", "null", "")
    told = ("access-control-allow-methods", "access-control-allow-headers", "access-control-expose-headers")

    def names(headers, header):
        return {name.strip().lower() for name in headers.get(header, "").split(",")}

    def may_read(headers):
        return headers.get("access-control-allow-origin"), headers.get("access-control-allow-credentials")

    with folder() as work, node(work, "one", ALLOWED_ORIGINS=",".join(PAGES)) as (port, process), proxy(work, port) as (front, log):
        by_replica = ask(front, "/api/v2/auth/login", {"Origin": PAGES[0], **asks}, method="OPTIONS")
        answered = ask(front, "/api/crypto/ticker", {"Origin": PAGES[0]})[1]
        assert by_replica[0] == 200 and may_read(by_replica[1]) == may_read(answered) == (PAGES[0], "true"), by_replica
        process.terminate()
        assert process.wait(END_WITHIN) == 0
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            pages = [(page, pool.submit(ask, front, "/api/v2/auth/login", {"Origin": page}, body={})) for page in (*PAGES, *strange)]
            before = [(page, pool.submit(ask, front, "/api/v2/auth/login", {"Origin": page, **asks}, method="OPTIONS")) for page in (*PAGES, *strange)]
            for page, answer in pages:
                assert said_by_the_proxy(answer.result(), 503, log) == "dependency_unavailable"
                headers = answer.result()[1]
                assert may_read(headers) == ((page, "true") if page in PAGES else (None, None)), (page, headers)
                assert page not in PAGES or {"retry-after", "x-trace-id"} <= names(headers, told[2]) <= names(answered, told[2]), headers
            for page, answer in before:
                status, headers, _ = answer.result()
                assert may_read(headers) == ((page, "true") if page in PAGES else (None, None)), (page, headers)
                assert (status == 204) == (page in PAGES), (page, status)
                for header in told[:2] if page in PAGES else ():
                    assert names(headers, header) == names(by_replica[1], header), header


def where_no_origin_is_listed_an_empty_one_is_none_that_is():
    preflight = {"method": "OPTIONS", "headers": {"Origin": "", "Access-Control-Request-Method": "POST"}}
    with folder() as work, contextlib.ExitStack() as replica:
        port, _ = replica.enter_context(replica_that_goes_away_amid_requests())
        with proxy(work, port, origins=()) as (front, log):
            replica.close()
            with concurrent.futures.ThreadPoolExecutor() as pool:
                asked = [pool.submit(ask, front, "/api/v2/auth/login", **how) for how in (preflight, {"headers": {"Origin": ""}, "body": {}})]
                for one in asked:
                    assert said_by_the_proxy(one.result(), 503, log) == "dependency_unavailable"
                    assert not [name for name in one.result()[1] if name.startswith("access-control-")], one.result()


@contextlib.contextmanager
def replica_that_goes_away_amid_requests():
    """Its port, and what it was sent: it answers probes, and nothing else."""
    had = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path in ("/readyz/node", "/livez"):
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.go_away()

        def go_away(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            had.append(self.command)
            self.close_connection = True

        do_POST = do_PUT = do_PATCH = do_DELETE = go_away

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        try:
            yield listening.server_address[1], had
        finally:
            listening.shutdown()


def what_may_have_been_done_is_not_sent_twice_and_nobody_is_told_to():
    def changes(method):
        with folder() as work, replica_that_goes_away_amid_requests() as (port, had), proxy(work, port) as (front, log):
            answer = ask(front, "/api/v2/user/alerts", {"Origin": PAGES[0], "Content-Length": "0"}, method=method)
            assert said_by_the_proxy(answer, 502, log) == "outcome_unknown"
            assert had == [method], had
            # Neither in words nor otherwise.
            assert "retry-after" not in answer[1] and "again later" not in answer[2].decode(), answer
            assert answer[1]["access-control-allow-origin"] == PAGES[0], answer[1]

    def only_reads():
        with folder() as work, replica_that_goes_away_amid_requests() as (port, had), proxy(work, port) as (front, log):
            answer = ask(front, "/api/crypto/ticker")
            assert said_by_the_proxy(answer, 503, log) == "dependency_unavailable" and had, "what only reads may be asked for again"

    def reaches_nobody():
        with folder() as work, contextlib.ExitStack() as replica:
            port, had = replica.enter_context(replica_that_goes_away_amid_requests())
            # It thinks for long that somebody is there.
            with proxy(work, port, looks_every="1h") as (front, log):
                replica.close()
                answer = ask(front, "/api/v2/user/alerts", body={})
                assert said_by_the_proxy(answer, 503, log) == "dependency_unavailable" and had == [], answer

    with concurrent.futures.ThreadPoolExecutor() as pool:
        for one in [pool.submit(changes, "POST"), pool.submit(changes, "DELETE"), pool.submit(only_reads), pool.submit(reaches_nobody)]:
            one.result()


def no_request_fails_while_one_replica_after_the_other_is_replaced():
    wrong, right, stop = [], [], threading.Event()

    def visitor(front):
        while not stop.is_set():
            try:
                status = ask(front, "/livez")[0]
                (right if status == 200 else wrong).append(status)
            except (OSError, http.client.HTTPException) as error:
                wrong.append(error)
            time.sleep(0.01)

    with folder() as work, contextlib.ExitStack() as nodes:
        first = nodes.enter_context(node(work, "one"))
        second = nodes.enter_context(node(work, "two"))
        front, _ = nodes.enter_context(proxy(work, first[0], second[0]))
        visitors = [threading.Thread(target=visitor, args=(front,)) for _ in range(4)]
        for one in visitors:
            one.start()
        time.sleep(0.5)
        try:
            for name, (port, process) in (("one", first), ("two", second)):
                process.terminate()
                assert process.wait(END_WITHIN) == 0
                settings = {**environment(HOST="127.0.0.1", PORT=str(port), DATA_DIR=str(work / name), CONFIG_DIR=str(work)), "LOG_LEVEL": "warn"}
                nodes.enter_context(server(BINARY, "dev", "--feed", "simulated", log=work / f"{name}-anew.log", cwd=work, env=settings))
                until(lambda port=port: ask(port, "/readyz")[0] == 200)
                # The proxy has to have seen it: `up --wait` and a roll-out wait likewise.
                time.sleep(1)
        finally:
            stop.set()
            for one in visitors:
                one.join()
    assert wrong == [] and len(right) > 100, f"{len(wrong)} of {len(right) + len(wrong)} failed: {wrong[:3]}"


# ---- Redis and PostgreSQL


def redis_starts_with_its_file_and_lets_in_whom_it_should():
    with folder() as work:
        secrets, port = work / "secrets", free_port()
        done(COMPOSE / "make-secrets", secrets)
        (work / "data").mkdir()
        conf = (DEPLOY / "redis/redis.conf").read_text()
        changed = {"/run/secrets/redis_acl": str(secrets / "redis_acl"), "port 6379": f"port {port}"}
        changed["bind * -::*"] = "bind 127.0.0.1"
        for written, here in changed.items():
            assert written in conf, written
            conf = conf.replace(written, here)
        (work / "redis.conf").write_text(conf)
        password = (secrets / "redis_password").read_text()

        def redis(*command, user=None, word=None):
            who = ["--user", user, "--pass", word, "--no-auth-warning"] if word else []
            return subprocess.run(["redis-cli", "-p", str(port), *who, *command], capture_output=True, text=True, check=False).stdout.strip()

        program, _, *more = compose()["services"]["redis"]["command"]
        assert more == ["--dir", "/data"], more
        with server(program, work / "redis.conf", "--dir", work / "data", log=work / "redis.log", cwd=work):
            # As the container's health check asks.
            until(lambda: redis("ping", user="health", word="-") == "PONG")
            assert "NOPERM" in redis("get", "x", user="health", word="-")
            assert "NOAUTH" in redis("get", "x")
            ours = {"user": "default", "word": password}
            assert redis("set", "x", "1", **ours) == "OK"
            wanted = {
                "save": "300 1 60 1000", "appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction",
                "stop-writes-on-bgsave-error": "no",
            }  # fmt: skip
            for name, value in wanted.items():
                assert redis("config", "get", name, **ours).splitlines()[1:] == [value], name
            # As runbooks ask it where there are no containers.
            asked = re.search(r"`(REDISCLI_AUTH=[^`|]* redis-cli) ", (ROOT / "docs/runbooks/README.md").read_text())[1].replace("/etc/coinlink/", f"{secrets}/")
            assert done("bash", "-euc", f"{asked} -p {port} PING") == "PONG\n", asked
            # Another password, as the runbook says, with the container's program in place of the container.
            page = (ROOT / "docs/runbooks/rotate-keys.md").read_text()
            rotate = re.search(r"^## Redis\n.*?^```sh\ncd deploy/compose [^\n]*\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[1]
            docker = work / "bin/docker"
            docker.parent.mkdir()
            docker.write_text(f"""#!/bin/bash
                [ "$2" = exec ] || exit 0
                [[ "$3 $4 $5 $6 $7" == "-T -e REDISCLI_AUTH="*" redis redis-cli" ]] || exit 1
                export "$5"; shift 7; [ "$(redis-cli -p {port} "$@" | tee -a "$WORK/said")" = OK ]
            """)
            docker.chmod(0o755)
            inode = (secrets / "redis_acl").stat().st_ino
            done("bash", "-euc", rotate, env=environment(PATH=f"{docker.parent}:{os.environ['PATH']}", WORK=str(work)), cwd=work)
            assert (work / "said").read_text().split() == ["OK", "OK"]
            assert (secrets / "redis_acl").stat().st_ino == inode, "the container would go on seeing the old one"
            assert redis("get", "x", **ours).startswith("WRONGPASS") or "NOAUTH" in redis("get", "x", **ours)
            ours["word"] = (secrets / "redis_password").read_text()
            assert ours["word"] != password and redis("get", "x", **ours) == "1"
            assert (secrets / "redis_url").read_text() == f"redis://:{ours['word']}@redis:6379"
            # Under the container's limit, with room for what a snapshot copies.
            assert int(redis("config", "get", "maxmemory", **ours).splitlines()[1]) * 2 <= 512 << 20
            assert compose()["services"]["redis"]["mem_limit"] == "512m"


def postgres_bin():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: float(path.split("/")[4]))
    return pathlib.Path(found[-1] if found else pathlib.Path(shutil.which("initdb") or "/usr/bin/initdb").parent)


def postgres_account():
    """Who it is started as, and how: it refuses to run as root."""
    account = pwd.getpwnam("postgres" if "postgres" in (one.pw_name for one in pwd.getpwall()) else "nobody")
    as_them = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    return account, as_them


def a_new_database_has_its_roles_and_the_replicas_may_not_change_its_schema():
    """The start of compose.production.yml: PostgreSQL with its files, the script of roles, `migrate up` as the owner, then the replicas' role."""
    account, as_them = postgres_account()
    with folder() as work:
        programs, port = postgres_bin(), free_port()
        for name in ("sockets", "archive", "etc"):
            (work / name).mkdir()
        for name in ("deploy/backup", "deploy/postgres", "deploy/compose/postgres"):
            shutil.copytree(ROOT / name, work / "etc" / name)
        done(COMPOSE / "make-secrets", work / "secrets")
        (work / "secrets").chmod(0o755)
        superuser = pwd.getpwuid(account.pw_uid if as_them else os.geteuid()).pw_name
        etc = work / "etc/deploy/compose/postgres"
        hba = (etc / "pg_hba.conf").read_text()
        assert re.search(r"^local\s+all\s+postgres\s+peer$", hba, re.MULTILINE)
        (etc / "pg_hba.conf").write_text(re.sub(r"^(local\s+all\s+)postgres", rf"\g<1>{superuser}", hba, flags=re.MULTILINE))
        for path in (etc / "postgresql.conf", work / "etc/deploy/postgres/archiving.conf"):
            text = path.read_text().replace("/opt/coinlink/deploy", f"{work}/etc/deploy").replace("/var/backups/coinlink", f"{work}/archive")
            text = text.replace("/etc/postgresql/pg_hba.conf", f"{etc}/pg_hba.conf").replace("'/var/run/postgresql'", f"'{work}/sockets'")
            path.write_text(text.replace("listen_addresses = '*'", "listen_addresses = '127.0.0.1'"))
        if as_them:
            for path in [work, *work.rglob("*")]:
                os.chown(path, account.pw_uid, account.pw_gid)
        plain = environment(PATH=f"{programs}:{os.environ['PATH']}", HOME=str(work))
        done("initdb", "--pgdata", work / "data", "--username", superuser, "--auth-host=scram-sha-256", "--data-checksums", env=plain, cwd=work, **as_them)
        command = compose()["services"]["postgres"]["command"]
        assert command == ["postgres", "-c", "config_file=/etc/postgresql/postgresql.conf"]
        start = ["postgres", "-D", work / "data", "-p", port, "-c", f"config_file={etc}/postgresql.conf"]
        with server(*start, log=work / "postgres.log", env=plain, cwd=work, **as_them):
            by_socket = {**plain, "PGHOST": str(work / "sockets"), "PGPORT": str(port), "PGUSER": superuser}
            until(lambda: done("pg_isready", env=by_socket))
            done("createdb", "coinlink", env=by_socket, **as_them)
            more = {"SECRETS_DIR": str(work / "secrets"), "ROLES_SQL": str(work / "etc/deploy/postgres/roles.sql"), "POSTGRES_DB": "coinlink"}
            done("sh", etc / "10-roles.sh", env={**by_socket, **more}, cwd=work, **as_them)

            def url(role):
                return (work / f"secrets/database_{role}_url").read_text().replace("@postgres:5432/", f"@127.0.0.1:{port}/")

            for role in ("owner", "app"):
                (work / f"{role}_url").write_text(url(role))
            migrate = environment(DATABASE_URL_FILE=str(work / "owner_url"), CONFIG_DIR=str(work), LOG_LEVEL="warn")
            done(BINARY, "migrate", "up", env=migrate, cwd=work)

            def psql(role, sql):
                asked = ["psql", "--no-psqlrc", "-At", "-v", "ON_ERROR_STOP=1", "-c", sql, url(role)]
                return subprocess.run(asked, env=plain, capture_output=True, text=True, check=False)

            assert psql("app", "SELECT count(*) FROM users").stdout.strip() == "0"
            for sql in ("CREATE TABLE mine (x int)", "DROP TABLE users", "DELETE FROM audit_log", "SET ROLE coinlink_owner"):
                assert psql("app", sql).returncode != 0, f"the replicas' role may: {sql}"
            assert psql("owner", "SELECT rolsuper FROM pg_roles WHERE rolname = current_user").stdout.strip() == "f"
            # A node starts as that role, on the schema it finds.
            with node(work, "one", DATABASE_URL_FILE=str(work / "app_url")) as (asked, _):
                assert ask(asked, "/readyz")[0] == 200
            backup = {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "coinlink_backup", "BACKUP_DIR": str(work / "archive")}
            backup["PGPASSWORD_FILE"] = str(work / "secrets/database_backup_password")
            dumped = done(work / "etc/deploy/backup/dump", env={**plain, **backup}, cwd=work, **as_them).strip()
            assert pathlib.Path(dumped).stat().st_size > 1000
            done("psql", "--no-psqlrc", "-qc", "SELECT pg_switch_wal()", "coinlink", env=by_socket, **as_them)
            until(lambda: list((work / "archive/wal").glob("*.gz")), 10)


CHECKS = [
    the_binary_needs_nothing_that_the_runtime_image_lacks,
    the_manifests_alone_are_a_workspace,
    a_healthcheck_says_whether_a_server_works,
    the_proxy_passes_sockets_and_tells_whose_a_request_is,
    a_server_behind_the_proxy_is_as_green_as_without_it,
    prices_go_on_behind_the_proxy_while_the_database_is_away,
    without_a_replica_the_proxy_answers_as_the_api_does,
    what_the_proxy_says_itself_is_read_by_the_pages_that_may_read_answers,
    where_no_origin_is_listed_an_empty_one_is_none_that_is,
    what_may_have_been_done_is_not_sent_twice_and_nobody_is_told_to,
    no_request_fails_while_one_replica_after_the_other_is_replaced,
    redis_starts_with_its_file_and_lets_in_whom_it_should,
    a_new_database_has_its_roles_and_the_replicas_may_not_change_its_schema,
]
