"""What CoinLink is run by on a machine without containers: the units of deploy/systemd, and what they lead to on 127.0.0.1."""

import concurrent.futures
import contextlib
import os
import pathlib
import re
import shlex
import shutil
import ssl
import subprocess

import running
from files import COMPOSE, DEPLOY, ROOT, not_tested, settings, unit, unit_variables
from running import ask, done, environment, folder, free_ports, postgres_account, postgres_bin, server, until
from tls import ask_safely

UNITS = DEPLOY / "systemd"
SERVICES = ("coinlink.service", "coinlink-migrate.service", "coinlink-audit-retention.service", "coinlink-backup@.service")
DROP_INS = ("caddy.service.d/coinlink.conf", "redis-server.service.d/coinlink.conf")
EXAMPLES = ("coinlink.env.example", "backup.env.example")
TIMERS = sorted(path.name for path in UNITS.glob("*.timer"))
BACKUPS = [name for name in TIMERS if name.startswith("coinlink-backup@")]
# Where packages put theirs.
OF_DEBIAN = pathlib.Path("/usr/lib/systemd/system")
# Where docs/deployment.md puts this folder, and secrets.
HERE, KEPT = "/opt/coinlink/", "/etc/coinlink/"
# Tenths of what systemd calls the exposure of a service: 0 is none, 96 that of one that says nothing.
EXPOSED = 20


def _systemd():
    """That it is here, in a release that looks at units of another root (250, Debian 12)."""
    found = shutil.which("systemd-analyze")
    release = re.match(r"systemd (\d+)", done(found, "--version")) if found else None
    if not release or int(release[1]) < 250:
        not_tested("units", f"they take systemd-analyze of release 250 or later, and here is {release[0] if release else 'none'}")


@contextlib.contextmanager
def _root():
    """A folder like the root of a machine that has the units and what they name."""
    with folder() as work:
        units = work / "etc/systemd/system"
        shutil.copytree(UNITS, units)
        shutil.copytree(DEPLOY, work / "opt/coinlink/deploy")
        shutil.copytree(ROOT / "docs", work / "opt/coinlink/docs")
        vendor = work / "usr/lib/systemd/system"
        vendor.mkdir(parents=True)
        for path in OF_DEBIAN.glob("*.target"):
            shutil.copy(path, vendor / path.name)
        # What Debian's own hold is not looked at here: only what is added to them.
        for name in DROP_INS:
            (vendor / name.split(".d/")[0]).write_text("[Service]\nType=notify\nExecStart=/usr/bin/true\n")
        for name in ("opt/coinlink/bin/coinlink", "usr/bin/caddy", "usr/bin/redis-server", "usr/bin/true"):
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text("#!/bin/sh\n")
            (work / name).chmod(0o755)
        yield work


def units_are_what_systemd_reads():
    _systemd()
    with _root() as root:
        started = [name.replace("@.", "@dump.") for name in SERVICES] + TIMERS + [name.split(".d/")[0] for name in DROP_INS]
        command = ["systemd-analyze", f"--root={root}", "--man=no", "verify", *started]
        verified = subprocess.run(command, capture_output=True, text=True, check=False)
        # What it does not understand it ignores, and says so.
        said = verified.stdout + verified.stderr
        assert verified.returncode == 0 and said.strip() == "", said


def services_are_held_back():
    strictly = {"ProtectSystem": "strict", "ProtectHome": "yes", "CapabilityBoundingSet": "", "PrivateDevices": "yes", "MemoryDenyWriteExecute": "yes"}
    # DynamicUser has it in it.
    implied = {"NoNewPrivileges": "yes", "PrivateTmp": "yes", "RestrictSUIDSGID": "yes"}
    for name in SERVICES:
        service = unit(name)["Service"]
        is_dynamic = service.get("DynamicUser") == ["yes"]
        for key, value in {**strictly, **({} if is_dynamic else implied)}.items():
            assert service.get(key) == [value], f"{name}: {key}"
        assert service["SystemCallFilter"] == ["@system-service", "~@privileged"], name
        assert is_dynamic or service["User"][0] not in ("root", "0"), name


def services_may_do_little_in_the_eyes_of_systemd():
    _systemd()
    for name in SERVICES:
        command = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSED}", UNITS / name]
        judged = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        assert judged.returncode == 0, judged.stdout + judged.stderr


def whatever_a_unit_names_is_there():
    texts = {str(path.relative_to(UNITS)): path.read_text() for path in UNITS.rglob("*") if path.is_file()}
    assert texts.keys() == {*SERVICES, *TIMERS, *DROP_INS, *EXAMPLES}, "nobody looks at it here"
    named = [(where, one) for where, text in {**texts, "deployment.md": _page()}.items() for one in re.findall(rf"{HERE}([\w./@-]*[\w/])", text)]
    assert len(named) > 10, named
    for where, one in named:
        # The binary is built.
        assert one == "bin/coinlink" or (ROOT / one).exists(), f"{where}: {HERE}{one}"


def _page():
    return (ROOT / "docs/deployment.md").read_text().split("\n## One machine without containers\n")[1].split("\n## ")[0]


def _example(name):
    lines = [line.lstrip("# ") for line in (UNITS / name).read_text().splitlines()]
    return {found[1]: found[2] for line in lines if (found := re.fullmatch(r"([A-Z_]+)=(\S*)", line))}


def every_secret_of_a_unit_is_a_file_that_is_made():
    known = settings()
    with folder() as work:
        done(COMPOSE / "make-secrets", work / "made", env=environment(DATABASE_HOST="127.0.0.1", REDIS_HOST="127.0.0.1"))
        made = {path.name: path.read_text() for path in (work / "made").iterdir()}
    for name in SERVICES:
        loaded = dict(one.split(":") for one in unit(name)["Service"]["LoadCredential"])
        used = {value.removeprefix("%d/") for variable, value in unit_variables(name) if variable.endswith("_FILE")}
        assert used == loaded.keys(), f"{name}: {used ^ loaded.keys()}"
        for credential, path in loaded.items():
            # One name everywhere, which runbooks use too.
            assert path == KEPT + credential and made[credential], f"{name}: {credential}"
    for role in ("owner", "app"):
        assert "@127.0.0.1:5432/" in made[f"database_{role}_url"]
    assert made["redis_url"].endswith("@127.0.0.1:6379")
    for variable, _ in unit_variables("coinlink.service"):
        assert variable.endswith("_FILE") or not known[variable], f"{variable} is a secret"
    # Whoever serves never has the owner's.
    assert "owner" not in (UNITS / "coinlink.service").read_text().split("[Service]")[1]


def what_is_left_to_whoever_installs_is_asked_for():
    known = settings()
    asked = _example("coinlink.env.example")
    for name in asked.keys() - {"SITE_ADDRESS"}:
        assert known[name] is False, name
    # What the proxy reads, but for what the drop-in and the tests say.
    read = set(re.findall(r"\{\$(\w+)", (COMPOSE / "Caddyfile").read_text()))
    given, of_tests = set(dict(unit_variables(DROP_INS[0]))), {"HTTP_PORT", "HTTPS_PORT", "HEALTH_INTERVAL", "HEALTH_PORT"}
    assert given <= read and read - given - asked.keys() == of_tests, read
    assert read - of_tests <= running.compose()["services"]["proxy"]["environment"].keys()
    library = (DEPLOY / "backup/lib.sh").read_text()
    for name in [*_example("backup.env.example"), *dict(unit_variables("coinlink-backup@.service"))]:
        assert re.search(rf"^# .*\b{name}\b", library, re.MULTILINE), f"no backup reads {name}"
    for name in ("coinlink.service", "coinlink-migrate.service", "coinlink-audit-retention.service", "coinlink-backup@", *TIMERS, *DROP_INS, *EXAMPLES):
        assert name.split(".d/")[0].removesuffix(".service") in _page(), f"nobody is told of {name}"


def a_unit_gives_a_node_the_files_it_needs_and_nobody_else_its_ports():
    service, values = unit("coinlink.service")["Service"], dict(unit_variables("coinlink.service"))
    most = int(re.search(r"^max_connections = ([\d_]+)", (ROOT / "config/default.toml").read_text(), re.MULTILINE)[1].replace("_", ""))
    others = int(re.search(r"const OTHER_FILES: u64 = (\d+);", (ROOT / "crates/server/src/listening.rs").read_text())[1])
    assert int(service["LimitNOFILE"][0]) >= 2 * most + others
    assert values["HOST"] == "127.0.0.1" and values["METRICS_ADDR"].startswith("127.0.0.1:") and values["TRUSTED_PROXIES"] == "127.0.0.1/32"
    assert dict(unit_variables(DROP_INS[0]))["UPSTREAMS"] == f"127.0.0.1:{values['PORT']}"


def timers_say_what_cron_is_told():
    days = {"*": "", "0": "Sun "}
    told = {}
    for line in (DEPLOY / "backup/crontab").read_text().splitlines():
        if at := re.match(r"(\d+) (\d+) \* \* (\S)\s.*/backup/([\w-]+) ", line):
            told[f"coinlink-backup@{at[4]}.timer"] = f"{days[at[3]]}*-*-* {int(at[2]):02}:{int(at[1]):02}:00 UTC"
    assert told.keys() == set(BACKUPS), told
    monthly = re.search(r'schedule: "(\d+) (\d+) (\d+) \* \*"', (DEPLOY / "kubernetes/audit-retention.yaml").read_text())
    told["coinlink-audit-retention.timer"] = f"*-*-{int(monthly[3]):02} {int(monthly[2]):02}:{int(monthly[1]):02}:00 UTC"
    assert told.keys() == set(TIMERS), told
    for name in TIMERS:
        timer = unit(name)
        assert timer["Timer"]["OnCalendar"] == [told[name]] and timer["Timer"]["Persistent"] == ["true"], name
        assert timer["Timer"]["Unit"] == [name.replace(".timer", ".service")] and timer["Install"]["WantedBy"] == ["timers.target"], name
    for name in BACKUPS:
        assert os.access(DEPLOY / "backup" / re.search(r"@(.*)\.", name)[1], os.X_OK), name


# ---- what they lead to


def _started(name, work, ports, **more):
    """The command of a unit and its variables, with what is this machine's in place of what is said of the one it is for."""
    here = {f"{HERE}bin/coinlink": str(running.BINARY), HERE: f"{ROOT}/", KEPT: f"{work}/kept/", "%d/": f"{work}/kept/", **ports}

    def read(text):
        for written, instead in here.items():
            text = text.replace(written, instead)
        return text

    service = unit(name)["Service"]
    variables = {variable: read(value) for variable, value in unit_variables(name)}
    for file in service.get("EnvironmentFile", []):
        lines = pathlib.Path(read(file)).read_text().splitlines()
        variables |= dict(line.split("=", 1) for line in lines if line and line[0] != "#")
    return [read(part) for part in shlex.split(service["ExecStart"][-1])], environment(**variables) | more


def the_units_lead_from_bare_packages_to_a_server_that_is_green():
    account, as_them = postgres_account()
    with folder() as work, contextlib.ExitStack() as running_now:
        kept, sockets = work / "kept", work / "sockets"
        done(COMPOSE / "make-secrets", kept, env=environment(DATABASE_HOST="127.0.0.1", REDIS_HOST="127.0.0.1"))
        database, redis, http, https, health, public, metrics = free_ports(7)
        for path in kept.iterdir():
            path.chmod(0o644)
            path.write_text(path.read_text().replace(":5432/", f":{database}/").replace(":6379", f":{redis}"))
        kept.chmod(0o755)
        asked = _example("coinlink.env.example") | {
            "SITE_ADDRESS": "localhost", "PUBLIC_URL": f"https://localhost:{https}", "ALLOWED_ORIGINS": "https://app.example.com",
        }  # fmt: skip
        assert all(asked.values()), asked
        shutil.copy(UNITS / "backup.env.example", kept / "backup.env")
        (kept / "coinlink.env").write_text("".join(f"{name}={value}\n" for name, value in asked.items()))
        for path in (sockets, work / "redis"):
            path.mkdir()
            path.chmod(0o777)

        # As Debian makes a cluster: passwords over TCP, the superuser by the socket.
        superuser = account.pw_name if as_them else "postgres"
        plain = environment(PATH=f"{postgres_bin()}:{os.environ['PATH']}", HOME=str(work))
        (work / "data").mkdir()
        if as_them:
            os.chown(work / "data", account.pw_uid, account.pw_gid)
        made = ["--pgdata", work / "data", "--username", superuser, "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"]
        done("initdb", *made, env=plain, cwd=work, **as_them)
        start = ["postgres", "-D", work / "data", "-p", database, "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={sockets}", "-c", "fsync=off"]
        running_now.enter_context(server(*start, log=work / "postgres.log", env=plain, cwd=work, **as_them))
        by_socket = {**plain, "PGHOST": str(sockets), "PGPORT": str(database), "PGUSER": superuser}
        until(lambda: done("pg_isready", env=by_socket))
        done("createdb", "coinlink", env=by_socket)
        roles = {"SECRETS_DIR": str(kept), "ROLES_SQL": str(DEPLOY / "postgres/roles.sql")}
        done("sh", COMPOSE / "postgres/10-roles.sh", env={**by_socket, **roles}, cwd=work)

        ports = {"127.0.0.1:8000": f"127.0.0.1:{public}", "127.0.0.1:9101": f"127.0.0.1:{metrics}"}
        ports |= {"/var/lib/redis": f"{work}/redis", "/etc/redis/users.acl": f"{kept}/redis_acl"}
        command, variables = _started("redis-server.service.d/coinlink.conf", work, ports)
        running_now.enter_context(server(*command, "--port", redis, log=work / "redis.log", env=variables, cwd=work))

        command, variables = _started("coinlink-migrate.service", work, ports)
        done(*command, env=variables, cwd=work)
        command, of_node = _started("coinlink.service", work, ports)
        of_node["PORT"] = str(public)
        running_now.enter_context(server(*command, log=work / "node.log", env=of_node, cwd=work))
        until(lambda: ask(public, "/readyz")[0] == 200 and ask(public, "/api/connections")[0] == 200)
        more = {"HTTP_PORT": str(http), "HTTPS_PORT": str(https), "HEALTH_PORT": str(health), "HEALTH_INTERVAL": "200ms"}
        more |= {"XDG_DATA_HOME": str(work / "caddy"), "XDG_CONFIG_HOME": str(work / "caddy")}
        # Nobody else reaches it. It has a certificate that lasts, as no authority of its own gives one, and that `verify` alone trusts.
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
        done("openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "60", *names, "-keyout", "key.pem", "-out", "site.pem", cwd=work)
        written = (COMPOSE / "Caddyfile").read_text().replace("\tadmin off\n", "\tadmin off\n\tdefault_bind 127.0.0.1\n", 1)
        begins = "\n{$SITE_ADDRESS:localhost} {\n"
        assert begins in written
        (work / "Caddyfile").write_text(written.replace(begins, f"{begins}\ttls {work}/site.pem {work}/key.pem\n"))
        command, variables = _started("caddy.service.d/coinlink.conf", work, {**ports, f"{COMPOSE}/Caddyfile": str(work / "Caddyfile")}, **more)
        running_now.enter_context(server(*command, log=work / "proxy.log", env=variables, cwd=work))
        client = ssl.create_default_context(cafile=str(work / "site.pem"))
        until(lambda: ask_safely(https, "/livez", client)[0] == 200)

        def backup(name):
            more = {"PATH": f"{postgres_bin()}:{os.environ['PATH']}", "PGPORT": str(database), "REDIS_PORT": str(redis), "BACKUP_DIR": str(work / "backups")}
            command, variables = _started("coinlink-backup@.service", work, {**ports, "%i": re.search(r"@(.*)\.", name)[1]}, **more)
            made = pathlib.Path(done(*command, env=variables, cwd=work).strip())
            assert made.exists() and made.is_relative_to(work / "backups"), made

        with concurrent.futures.ThreadPoolExecutor() as pool:
            backups = [pool.submit(backup, name) for name in BACKUPS]
            verify = [running.BINARY, "verify", "--url", asked["PUBLIC_URL"], "--origin", asked["ALLOWED_ORIGINS"]]
            # Sockets want prices, which are of providers: without a network there are none.
            verify += ["--metrics-url", f"http://127.0.0.1:{metrics}", "--only", "settings,headers,auth,observability,docs", "--settings", "serve"]
            verified = subprocess.run(verify, env={**of_node, "SSL_CERT_FILE": str(work / "site.pem")}, capture_output=True, text=True, check=False)
            assert verified.returncode == 0 and "\ngreen: " in verified.stdout, verified.stdout + verified.stderr
            for one in backups:
                one.result()
        command, variables = _started("coinlink-audit-retention.service", work, ports)
        assert "nothing" in done(*command, env=variables, cwd=work).lower(), "a log that begins today has no month that is over for a year"


CHECKS = [
    units_are_what_systemd_reads,
    services_are_held_back,
    services_may_do_little_in_the_eyes_of_systemd,
    whatever_a_unit_names_is_there,
    every_secret_of_a_unit_is_a_file_that_is_made,
    what_is_left_to_whoever_installs_is_asked_for,
    a_unit_gives_a_node_the_files_it_needs_and_nobody_else_its_ports,
    timers_say_what_cron_is_told,
    the_units_lead_from_bare_packages_to_a_server_that_is_green,
]
