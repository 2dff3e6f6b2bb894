"""What is said of the files by the programs that read them: each is started here, on 127.0.0.1 and in a folder of its own, and ended."""

import base64
import contextlib
import glob
import http.client
import json
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from files import COMPOSE, DEPLOY, KUBERNETES, ROOT, build_context, compose

BINARY = ROOT / "target/debug/coinlink"
START_WITHIN = 30
END_WITHIN = 20
# What gcr.io/distroless/cc-debian12 has beside certificates: libc6, libgcc-s1, libstdc++6, libgomp1, libssl3 and what they need.
OF_THE_RUNTIME_IMAGE = {
    "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1",
    "libresolv.so.2", "libgcc_s.so.1", "libstdc++.so.6",
}  # fmt: skip
# Debian 12's: symbols of a later one are not there.
GLIBC = (2, 36)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


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


def ask(port, path, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=headers or {})
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
def proxy(work, *nodes):
    port = free_port()
    settings = environment(
        SITE_ADDRESS=f"http://127.0.0.1:{port}", UPSTREAMS=" ".join(f"127.0.0.1:{one}" for one in nodes), HEALTH_PORT=str(free_port()),
        HEALTH_INTERVAL="200ms", XDG_DATA_HOME=str(work / "data"), XDG_CONFIG_HOME=str(work / "config"),
    )  # fmt: skip
    log = work / "proxy.log"
    with server("caddy", "run", "--config", COMPOSE / "Caddyfile", "--adapter", "caddyfile", log=log, cwd=work, env=settings):
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
        changed = {"/run/secrets/redis_acl": str(secrets / "redis_acl"), "dir /data": f"dir {work}/data", "port 6379": f"port {port}"}
        changed["bind * -::*"] = "bind 127.0.0.1"
        for written, here in changed.items():
            assert written in conf, written
            conf = conf.replace(written, here)
        (work / "redis.conf").write_text(conf)
        password = (secrets / "redis_password").read_text()

        def redis(*command, user=None, word=None):
            who = ["--user", user, "--pass", word, "--no-auth-warning"] if word else []
            return subprocess.run(["redis-cli", "-p", str(port), *who, *command], capture_output=True, text=True, check=False).stdout.strip()

        with server("redis-server", work / "redis.conf", log=work / "redis.log", cwd=work):
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
            # Under the container's limit, with room for what a snapshot copies.
            assert int(redis("config", "get", "maxmemory", **ours).splitlines()[1]) * 2 <= 512 << 20
            assert compose()["services"]["redis"]["mem_limit"] == "512m"


def postgres_bin():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: float(path.split("/")[4]))
    return pathlib.Path(found[-1] if found else pathlib.Path(shutil.which("initdb") or "/usr/bin/initdb").parent)


def a_new_database_has_its_roles_and_the_replicas_may_not_change_its_schema():
    """The start of compose.production.yml: PostgreSQL with its files, the script of roles, `migrate up` as the owner, then the replicas' role."""
    # It refuses to run as root.
    account = pwd.getpwnam("postgres" if "postgres" in (one.pw_name for one in pwd.getpwall()) else "nobody")
    as_them = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
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


# ---- scripts


def _stub(work, name, script):
    path = work / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)
    return environment(PATH=f"{work}/bin:{os.environ['PATH']}")


KUBECTL = r"""
printf '%s\n' "$*" >>"$WORK/calls"
case "$*" in
    kustomize*) printf 'image: ghcr.io/owner/coinlink:0.1.0\n' ;;
    *--dry-run=client*) cp "$5" "$WORK/all.yaml"; printf '{"kind":"Deployment","metadata":{"name":"coinlink"},"spec":{"selector":{"matchLabels":{"track":"stable"}},"template":{"metadata":{"labels":{"track":"stable"}},"spec":{"containers":[{"image":"%s"}]}}}}' "$(sed 's/^image: //' "$WORK/all.yaml")" ;;
    *'apply -f '*canary.json) cp "${@: -1}" "$WORK/canary.json" ;;
    *items*) printf 'canary-pod' ;;
    *restartCount*) printf '%s' "${RESTARTS:-0}" ;;
    *.ready*) printf true ;;
    *--raw*) printf 'http_requests_total{method="GET",route="/livez",status="200"} 95\nhttp_requests_total{method="GET",route="/x",status="503"} %s\n' "${FAILED:-0}" ;;
    *'rollout status deployment/coinlink '*) [ "${STUCK:-}" = "" ] || { [ -e "$WORK/undone" ] || exit 1; } ;;
    *'rollout undo'*) : >"$WORK/undone" ;;
esac
"""


def a_roll_out_stops_at_a_canary_that_fails_and_is_undone_when_it_does_not_end():
    image = f"ghcr.io/owner/coinlink@sha256:{'0' * 64}"

    def roll_out(name=image, **variables):
        with folder() as work:
            stubbed = {**_stub(work, "kubectl", KUBECTL), "WORK": str(work), "CANARY_SECS": "0", **variables}
            finished = subprocess.run([KUBERNETES / "roll-out", name], env=stubbed, capture_output=True, text=True, check=False)
            calls = (work / "calls").read_text() if (work / "calls").exists() else ""
            canary = json.loads((work / "canary.json").read_text()) if (work / "canary.json").exists() else None
            return finished.returncode, calls, canary, finished.stdout + finished.stderr

    everybody = "rollout status deployment/coinlink --timeout=600s"
    code, calls, canary, said = roll_out()
    assert code == 0 and everybody in calls and "delete deployment coinlink-canary" in calls, said
    assert canary["metadata"]["name"] == "coinlink-canary" and canary["spec"]["replicas"] == 1
    assert canary["spec"]["selector"]["matchLabels"] == canary["spec"]["template"]["metadata"]["labels"] == {"track": "canary"}
    assert calls.index("coinlink-migrate --timeout") < calls.index("coinlink-canary") < calls.index(everybody)
    for trouble in ({"FAILED": "5"}, {"RESTARTS": "1"}):
        code, calls, _, said = roll_out(**trouble)
        assert code == 1 and everybody not in calls and "delete deployment coinlink-canary" in calls, said
    code, calls, _, said = roll_out(STUCK="1")
    assert code == 1 and "rollout undo deployment/coinlink" in calls, said
    code, calls, _, _ = roll_out(MIGRATE="false")
    assert code == 0 and "coinlink-migrate" not in calls
    code, calls, _, _ = roll_out(name="ghcr.io/owner/coinlink:latest")
    assert code == 2 and calls == ""


def images_are_pinned_by_what_the_registry_says_or_not_at_all():
    def pin(answer, *arguments):
        with folder() as work:
            stubbed = _stub(work, "docker", f"printf '%s\\n' '{answer}'")
            return subprocess.run([DEPLOY / "pin-images", *arguments], env=stubbed, capture_output=True, text=True, check=False)

    digest = f"sha256:{'a' * 64}"
    pinned = pin(digest).stdout.splitlines()
    assert len(pinned) >= 8 and all(line.endswith(f"@{digest}") for line in pinned), pinned
    arguments = pin(digest, "--build-args").stdout.splitlines()
    assert [line.split("=")[1] for line in arguments] == ["RUST_IMAGE", "RUNTIME_IMAGE"], arguments
    assert pin("latest").returncode == 1 and pin(digest, "--what").returncode == 2


def a_backup_is_run_at_its_time_and_a_stop_does_not_wait_for_the_next():
    with folder() as work:
        # `date` of this container stands a second before the time, and `sleep` does not last.
        stubbed = _stub(work, "backup", 'printf "%s\\n" "ran" >>"$WORK/ran"')
        _stub(work, "sleep", 'printf "%s\\n" "$1" >>"$WORK/slept"; [ "$(wc -l <"$WORK/slept")" -lt 3 ] || exec /bin/sleep 60')
        stubbed |= {"WORK": str(work), "STARTED_FILE": str(work / "started")}
        process = subprocess.Popen([COMPOSE / "backup-schedule", "02:00", "backup"], env=stubbed, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            until(lambda: (work / "ran").read_text().count("ran") == 2, 10)
            process.terminate()
            assert process.wait(5) == 143
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()
        assert (work / "started").exists()
        assert all(0 < int(secs) <= 86400 for secs in (work / "slept").read_text().split())


CHECKS = [
    the_binary_needs_nothing_that_the_runtime_image_lacks,
    the_manifests_alone_are_a_workspace,
    a_healthcheck_says_whether_a_server_works,
    the_proxy_passes_sockets_and_tells_whose_a_request_is,
    a_server_behind_the_proxy_is_as_green_as_without_it,
    no_request_fails_while_one_replica_after_the_other_is_replaced,
    redis_starts_with_its_file_and_lets_in_whom_it_should,
    a_new_database_has_its_roles_and_the_replicas_may_not_change_its_schema,
    a_roll_out_stops_at_a_canary_that_fails_and_is_undone_when_it_does_not_end,
    images_are_pinned_by_what_the_registry_says_or_not_at_all,
    a_backup_is_run_at_its_time_and_a_stop_does_not_wait_for_the_next,
]
