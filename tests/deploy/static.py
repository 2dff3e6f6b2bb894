"""What can be said of the files without running anything they speak of."""

import re
import subprocess
import tempfile
import pathlib

import kubernetes_validate

from files import (
    COMPOSE, COMPOSE_FILES, DEPLOY, DOCKERFILE, KUBERNETES, ROOT, TOOLS, WORKFLOWS,
    build_context, compose, documents, is_ignored, kubernetes, pods, run_lines, scripts, settings, tracked, unit, unit_variables,
)  # fmt: skip

# The oldest release of Kubernetes that knows all that is used (a preStop that sleeps), and the newest that is vendored.
KUBERNETES_RELEASES = ("1.30", "1.37")
# What a container of CoinLink is run by.
OURS = ("coinlink", "${COINLINK_IMAGE")
# Those that run once and end.
ONCE = ("migrate", "prepare", "audit-retention")
# Written by people, not by make-secrets.
OF_PEOPLE = {"smtp_url", "pagerduty_routing_key", "slack_webhook_url"}


def run(*command, **more):
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, **more)
    return done.returncode, done.stdout + done.stderr


def schema(name, *paths):
    code, said = run(TOOLS / "check-jsonschema", "--builtin-schema", name, *paths)
    assert code == 0, said


def every_file_parses_and_names_nothing_twice():
    checked = 0
    for path in tracked("deploy", ".github", "railway.json", "render.yaml"):
        if path.suffix in (".yml", ".yaml", ".json"):
            documents(path)
            checked += 1
    assert checked > 25, checked


def compose_files_are_what_compose_reads():
    assert len(COMPOSE_FILES) >= 3
    schema("vendor.compose-spec", *COMPOSE_FILES)


def workflows_are_what_github_reads_and_each_job_ends():
    paths = sorted(WORKFLOWS.glob("*.yml"))
    assert len(paths) >= 2
    schema("vendor.github-workflows", *paths)
    schema("custom.github-workflows-require-timeout", *paths)
    schema("vendor.dependabot", ROOT / ".github/dependabot.yml")


def no_workflow_puts_what_others_wrote_into_a_script_and_every_script_is_sound():
    for path in sorted(WORKFLOWS.glob("*.yml")):
        workflow = documents(path)[0]
        assert workflow["permissions"], path
        for job, step, script in run_lines(workflow):
            where = f"{path.name}: {job}: {step}"
            # A title or a branch is whatever somebody chose: it may come in by the environment alone.
            assert "${{" not in script, f"{where} has an expression in its script"
            code, said = run(TOOLS / "shellcheck", "-s", "bash", "-e", "SC1091", "-", input="set -e\n" + script)
            assert code == 0, f"{where}: {said}"


def every_action_is_named_by_a_release_or_a_commit():
    named = []
    for path in sorted(WORKFLOWS.glob("*.yml")):
        named += re.findall(r"uses: (\S+)", path.read_text())
    assert len(named) > 10
    for action in named:
        assert re.fullmatch(r"[\w./-]+@(v\d+(\.\d+)*|[0-9a-f]{40})", action), action


def an_image_gets_its_name_after_what_was_pushed_was_looked_at():
    steps = documents(WORKFLOWS / "ci.yml")[0]["jobs"]["image"]["steps"]

    def only(what):
        found = [at for at, step in enumerate(steps) if what in step.get("uses", "") or what in step.get("run", "")]
        assert len(found) == 1, f"{what}: {len(found)} steps"
        return found[0]

    built, tried, scanned, named = only("docker/build-push-action@"), only("docker run"), only("anchore/scan-action@"), only("imagetools create")
    assert built < tried < scanned < named
    by_digest = "${{ steps.name.outputs.image }}@${{ steps.push.outputs.digest }}"
    build = steps[built]
    assert build["id"] == "push" and "tags" not in build["with"] and "push-by-digest=true" in build["with"]["outputs"], build
    assert steps[tried]["env"]["IMAGE"] == steps[scanned]["with"]["image"] == by_digest and steps[scanned]["with"]["fail-build"] is True
    assert steps[named]["env"]["DIGEST"] == "${{ steps.push.outputs.digest }}"


def what_tests_need_is_listed_once():
    for path in sorted(WORKFLOWS.glob("*.yml")):
        for job, step, script in run_lines(documents(path)[0]):
            assert "apt-get" not in script, f"{path.name}: {job}: {step} has a list of its own"
    for path in scripts():
        if path != ROOT / "tests/install":
            assert not re.search(r"^\s*apt-get ", path.read_text(), re.MULTILINE), f"{path.name} has a list of its own"
    for name in ("run", "coverage"):
        assert re.search(r"^bash tests/install$", (ROOT / "tests" / name).read_text(), re.MULTILINE), name


def kubernetes_objects_are_what_the_cluster_reads():
    objects = kubernetes()
    assert len(objects) > 10
    for path, one in objects:
        for release in KUBERNETES_RELEASES:
            try:
                kubernetes_validate.validate(one, release, strict=True)
            except kubernetes_validate.ValidationError as wrong:
                raise AssertionError(f"{path.name}: {one['kind']}: {release}: {wrong.message} at {list(wrong.path)}") from None


def the_kustomization_names_every_file_but_the_template():
    named = documents(KUBERNETES / "kustomization.yaml")[0]["resources"]
    there = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml", "secret.template.yaml"}
    assert {name for name in named if not name.startswith("..")} == there
    for name in named:
        assert (KUBERNETES / name).exists(), name
    for one in documents(DEPLOY / "backup/kustomization.yaml")[0]["configMapGenerator"]:
        for file in one["files"]:
            assert (DEPLOY / "backup" / file).is_file(), file


def the_dockerfile_passes_its_linter():
    code, said = run(TOOLS / "hadolint", "--failure-threshold", "info", DOCKERFILE)
    assert code == 0, said


def every_shell_script_passes_its_linter():
    paths = scripts()
    assert len(paths) > 10
    code, said = run(TOOLS / "shellcheck", "-x", "-P", "SCRIPTDIR", *paths)
    assert code == 0, said


def every_variable_that_is_set_is_a_setting():
    known, checked = settings(), 0
    assert sum(known.values()) >= 8, "secrets are not found in .env.example"
    for where, name, _ in variables():
        plain = name.removesuffix("_FILE") if known.get(name.removesuffix("_FILE")) else name
        assert plain in known, f"{where} sets {name}, which is no setting"
        checked += 1
    assert checked > 40, checked


def no_secret_is_written_down():
    known = settings()
    for where, name, value in variables():
        if not known.get(name):
            continue
        # A reference: a dictionary of Kubernetes' or Render's; empty in the template; PostgreSQL of compose.dev.yml has no password.
        harmless = isinstance(value, dict) or value == "" or value == "postgresql://coinlink@postgres:5432/coinlink"
        assert harmless, f"{where} sets the secret {name} itself: name a file"
    for path in tracked("deploy", ".github", "railway.json", "render.yaml", ".env.example", "docs/deployment.md"):
        if path.suffix in (".pyc", ".png"):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for user, password in re.findall(r"\w+://([^\s:@/]*):([^\s@/]+)@", line):
                made_up = password.startswith(("…", "%s", "$", "password", "pw")) or user in ("user", "u")
                assert made_up, f"{path.name}:{number} has a password in a URL"


def variables():
    """(where, name, value) of each variable that a container of CoinLink gets."""
    for path in COMPOSE_FILES:
        file = documents(path)[0]
        for name, service in file["services"].items():
            ours = str(service.get("image", "")).startswith(OURS) or "build" in service or name.startswith("api")
            for variable, value in (service.get("environment") or {}).items() if ours else ():
                yield f"{path.name}: {name}", variable, value
    for path, spec in pods():
        for container in spec["containers"]:
            for one in container.get("env", []) if container["image"].startswith(OURS) else ():
                yield path.name, one["name"], one.get("value", one.get("valueFrom"))
    for path, one in kubernetes():
        if one["kind"] == "ConfigMap" or one["kind"] == "Secret" and one["metadata"]["name"] != "coinlink-backup":
            for name, value in {**one.get("data", {}), **one.get("stringData", {})}.items():
                yield path.name, name, value
    for service in documents(ROOT / "render.yaml")[0]["services"]:
        for one in service.get("envVars", []):
            yield "render.yaml", one["key"], one.get("value", one)
    for name in ("coinlink.service", "coinlink-migrate.service"):
        for variable, value in unit_variables(name):
            yield name, variable, value


def every_secret_of_the_cluster_is_mounted_where_it_is_read():
    template = {one["metadata"]["name"]: one["stringData"] for _, one in kubernetes() if one["kind"] == "Secret"}
    for path, spec in pods():
        of_volume = {one["name"]: one["secret"]["secretName"] for one in spec.get("volumes", []) if "secret" in one}
        for container in spec["containers"]:
            mounts = {one["mountPath"]: of_volume[one["name"]] for one in container["volumeMounts"] if one["name"] in of_volume}
            for one in container.get("env", []):
                reference = one.get("valueFrom", {}).get("secretKeyRef")
                if reference:
                    assert reference["key"] in template[reference["name"]], f"{path.name}: {one['name']}"
                elif one["name"].endswith("_FILE"):
                    folder, _, key = one["value"].rpartition("/")
                    assert key in template[mounts[folder]], f"{path.name}: {one['name']}"


def every_file_that_is_mounted_is_there():
    checked = 0
    for path in COMPOSE_FILES:
        for name, service in documents(path)[0]["services"].items():
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                if source.startswith("."):
                    assert (COMPOSE / source).exists(), f"{path.name}: {name} mounts {source}"
                    assert volume.endswith(":ro"), f"{path.name}: {name} may write to {source}"
                    checked += 1
                else:
                    assert source in documents(path)[0]["volumes"], f"{path.name}: {name}: {source}"
    assert checked >= 10, checked


def secrets_are_made_in_the_folder_that_is_named_from_where_one_stands():
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run([COMPOSE / "make-secrets", "some/secrets"], cwd=folder, capture_output=True, text=True, check=False)
        assert made.returncode == 0 and (pathlib.Path(folder) / "some/secrets/redis_url").is_file(), made.stderr
    assert not (COMPOSE / "some").exists()


def every_secret_of_compose_is_made_or_asked_for():
    with tempfile.TemporaryDirectory() as folder:
        made = pathlib.Path(folder) / "secrets"
        code, said = run(COMPOSE / "make-secrets", made)
        assert code == 0, said
        before = {path.name: path.read_bytes() for path in made.iterdir()}
        assert made.stat().st_mode & 0o077 == 0
        assert run(COMPOSE / "make-secrets", made)[0] == 0
        assert before == {path.name: path.read_bytes() for path in made.iterdir()}, "a second run changes secrets"
    used = set()
    for path in COMPOSE_FILES:
        file = documents(path)[0]
        for name, one in file.get("secrets", {}).items():
            assert one == {"file": f"secrets/{name}"}
            assert name in before or name in OF_PEOPLE, f"nobody makes {name}"
        for service in file["services"].values():
            assert set(service.get("secrets", [])) <= set(file.get("secrets", {}))
            used |= set(service.get("secrets", []))
            for variable, value in (service.get("environment") or {}).items():
                if str(value).startswith("/run/secrets/"):
                    assert value.removeprefix("/run/secrets/") in service["secrets"], f"{variable} is not mounted"
    assert used == {name for path in COMPOSE_FILES for name in documents(path)[0].get("secrets", {})}, "a secret is not used"
    for name, value in before.items():
        assert name in OF_PEOPLE or len(value) >= 32, name


def digests_of_images_go_where_compose_reads_them():
    for path in (DEPLOY / "pin-images", COMPOSE / "production.env.example", ROOT / "docs/deployment.md"):
        written = re.findall(r"pin-images *>+ *(\S+)", path.read_text())
        assert written and all(pathlib.Path(name).name == "production.env" for name in written), f"{path.name}: {written}"


def images_are_named_in_one_place():
    lines = [line.split("=", 1) for line in (DEPLOY / "images.env").read_text().splitlines() if line and line[0] != "#"]
    images = dict(lines)
    for name, image in images.items():
        assert re.fullmatch(r"[\w./-]+:[\w.-]*[a-z0-9]", image) and not image.endswith(":latest"), name
    for name, default in re.findall(r"^ARG (\w+_IMAGE)=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE):
        assert images[name] == default, name
    for path in COMPOSE_FILES:
        for service, one in documents(path)[0]["services"].items():
            image = one.get("image")
            if image is None or image.startswith("${COINLINK_IMAGE:?"):
                continue
            name, default = re.fullmatch(r"\$\{(\w+):-(.+)\}", image).groups()
            assert images[name] == default, f"{path.name}: {service}"
    kustomized = {one["name"]: f"{one['newName']}:{one['newTag']}" for one in documents(KUBERNETES / "kustomization.yaml")[0]["images"]}
    assert kustomized["postgres"] == images["POSTGRES_IMAGE"]


def production_containers_may_do_little_and_take_little():
    for name, service in compose()["services"].items():
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"] and "privileged" not in service, name
        assert "mem_limit" in service and "logging" in service, name
        if name in ONCE:
            assert service["restart"] == "no", name
        else:
            assert service["restart"] == "unless-stopped", name
            assert "healthcheck" in service, name
        for port in service.get("ports", []):
            assert name == "proxy" or port.startswith("127.0.0.1:"), f"{name} is reachable from outside"
    for path, spec in pods():
        assert spec["securityContext"]["runAsNonRoot"] and spec["automountServiceAccountToken"] is False, path.name
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"], path.name
            assert context["capabilities"] == {"drop": ["ALL"]} and "memory" in container["resources"]["limits"], path.name


def when_backups_were_made_is_what_prometheus_reads():
    services = compose()["services"]
    reader = services["backup-metrics"]
    (mounted,) = reader["volumes"]
    volume, folder, mode = mounted.split(":")
    assert mode == "ro" and volume in compose()["volumes"], mounted
    # Of the machine itself nothing: neither its files nor its network, and no other collector.
    assert reader["command"][:3] == ["--collector.disable-defaults", "--collector.textfile", f"--collector.textfile.directory={folder}"], reader
    assert not {"ports", "secrets", "pid", "network_mode", "environment"} & reader.keys(), reader
    writers = [name for name, service in services.items() if any(one.startswith("../backup:") for one in service.get("volumes", []))]
    assert set(writers) == {"postgres", "backup", "backup-redis"}, writers
    for name in writers:
        assert f"{volume}:{folder}" in services[name]["volumes"] and services[name]["environment"]["BACKUP_METRICS_DIR"] == folder, name
    owner, *owned = services["prepare"]["entrypoint"][1:]
    assert folder in owned and f"{volume}:{folder}" in services["prepare"]["volumes"], services["prepare"]
    assert {services[name].get("user", owner) for name in writers} == {owner}, "somebody may not write there"
    scraped = {one["job_name"]: one["static_configs"][0]["targets"] for one in documents(DEPLOY / "prometheus/prometheus.yml")[0]["scrape_configs"]}
    port = next(one.rpartition(":")[2] for one in reader["command"] if one.startswith("--web.listen-address="))
    assert scraped["backups"] == [f"backup-metrics:{port}"], scraped
    assert set(reader["networks"]) & set(services["prometheus"]["networks"])


def what_is_started_for_work_is_used():
    services = compose("compose.dev.yml")["services"]
    api = services["api"]
    assert set(api["depends_on"]) == set(services) - {"api"}
    for name in api["depends_on"]:
        assert any(f"@{name}:" in value or f"//{name}:" in value for value in api["environment"].values()), f"CoinLink is not told of {name}"


def only_the_proxy_is_believed():
    file = compose()
    address = file["services"]["proxy"]["networks"]["edge"]["ipv4_address"]
    replicas = [service for name, service in file["services"].items() if name.startswith("api")]
    assert len(replicas) == 2
    for service in replicas:
        assert service["environment"]["TRUSTED_PROXIES"] == f"{address}/32"
    assert set(file["services"]["proxy"]["networks"]) == {"edge"}, "the proxy reaches more than the replicas"
    upstreams = file["services"]["proxy"]["environment"]["UPSTREAMS"].split()
    assert upstreams == [f"{name}:8000" for name in file["services"] if name.startswith("api")]


def the_list_of_logs_names_every_service():
    page = (ROOT / "docs/observability.md").read_text().split("## What is written where")[1].split("\n## ")[0]
    first = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = set(re.findall(r"`([^`]+)`", " ".join(first)))
    file = compose()
    assert set(file["services"]) <= named, set(file["services"]) - named
    # As the page says how long they are kept.
    for name, service in file["services"].items():
        assert service["logging"] == {"driver": "json-file", "options": {"max-size": "50m", "max-file": "5"}}, name


def no_source_control_data_is_in_the_image():
    patterns = [line.strip() for line in (ROOT / ".dockerignore").read_text().splitlines()]
    patterns = [line for line in patterns if line and not line.startswith("#")]
    for name in (".git/config", ".git/HEAD", ".gitignore", ".github/workflows/ci.yml", "crates/server/.git/HEAD"):
        assert is_ignored(name, patterns), name
    assert not [name for name in build_context() if "/.git" in f"/{name}"]


def whoever_is_stopped_has_the_time_to_end():
    # Whatever hangs: serve.rs has one time for all of it, a second less than what is promised.
    ends_within = 15
    within = re.search(r"const ENDS_WITHIN: StdDuration = StdDuration::from_secs\((\d+)\);", (ROOT / "crates/server/src/serve.rs").read_text())
    assert int(within[1]) < ends_within
    for name, service in compose()["services"].items():
        if name.startswith("api"):
            assert int(service["stop_grace_period"].rstrip("s")) >= ends_within
    path, spec = next((path, spec) for path, spec in pods() if path.name == "deployment.yaml")
    waits = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert spec["terminationGracePeriodSeconds"] >= waits + ends_within, path
    render = documents(ROOT / "render.yaml")[0]["services"][0]
    assert render["maxShutdownDelaySeconds"] >= ends_within
    assert documents(ROOT / "railway.json")[0]["deploy"]["drainingSeconds"] >= ends_within
    assert int(unit("coinlink.service")["Service"]["TimeoutStopSec"][0]) >= ends_within
    proxy = int(re.search(r"^\tgrace_period (\d+)s$", (COMPOSE / "Caddyfile").read_text(), re.MULTILINE)[1])
    for stopped in (compose()["services"]["proxy"]["stop_grace_period"].rstrip("s"), unit("caddy.service.d/coinlink.conf")["Service"]["TimeoutStopSec"][0]):
        assert int(stopped) > proxy


def probes_ask_what_they_are_for():
    _, spec = next((path, spec) for path, spec in pods() if path.name == "deployment.yaml")
    container = spec["containers"][0]
    asked = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    # Whoever balances load asks what no outage of the database or of Redis changes: /readyz would take all nodes away at once.
    node = "/readyz/node"
    assert asked == {"startup": "/livez", "liveness": "/livez", "readiness": node}
    assert documents(ROOT / "railway.json")[0]["deploy"]["healthcheckPath"] == node
    assert documents(ROOT / "render.yaml")[0]["services"][0]["healthCheckPath"] == node
    proxy = (COMPOSE / "Caddyfile").read_text()
    assert re.findall(r"^\s*health_uri (\S+)", proxy, re.MULTILINE) == [node]
    assert not re.search(r"^\s*unhealthy_status", proxy, re.MULTILINE), "a replica's 503 has its trace id, and is passed on"


def metrics_are_on_no_port_that_is_reachable_from_outside():
    apart = {"METRICS_ADDR": "0.0.0.0:9100"}
    render = {one["key"]: one.get("value") for one in documents(ROOT / "render.yaml")[0]["services"][0]["envVars"]}
    cluster = next(one["data"] for _, one in kubernetes() if one["kind"] == "ConfigMap" and one["metadata"]["name"] == "coinlink")
    for where in (render, cluster, compose()["services"]["api-1"]["environment"]):
        assert apart.items() <= where.items(), where
    # Railway's variables are in no file.
    section = (ROOT / "docs/deployment.md").read_text().split("\n## Railway\n")[1].split("\n## ")[0]
    assert "`METRICS_ADDR=0.0.0.0:9100`" in section


def whoever_is_started_anew_is_started_anew_for_ever():
    # However long the database was away.
    assert documents(ROOT / "railway.json")[0]["deploy"]["restartPolicyType"] == "ALWAYS"
    node = unit("coinlink.service")
    assert node["Service"]["Restart"] == ["always"] and node["Unit"]["StartLimitIntervalSec"] == ["0"]
    # What it requires and does not find ends the starting, and nobody begins it again.
    assert not {"Requires", "BindsTo", "Requisite"} & node["Unit"].keys()


def the_machine_is_as_big_as_its_containers():
    sizes = {"g": 1024, "m": 1}
    limits = [service["mem_limit"] for name, service in compose()["services"].items() if name not in ONCE]
    megabytes = sum(int(limit[:-1]) * sizes[limit[-1]] for limit in limits)
    said = int(re.search(r"A machine with (\d+) GB of memory", (ROOT / "docs/deployment.md").read_text())[1])
    assert megabytes < said * 1000 < 2 * megabytes, f"{megabytes} MiB in {said} GB"


def whoever_gets_a_certificate_is_reached():
    policies = [one["spec"] for _, one in kubernetes() if one["kind"] == "NetworkPolicy"]
    solver = {"acme.cert-manager.io/http01-solver": "true"}
    ports = [port for one in policies if one["podSelector"].get("matchLabels") == solver for rule in one["ingress"] for port in rule["ports"]]
    assert ports == [{"protocol": "TCP", "port": 8089}], ports


def commands():
    """(page, command) of `docker compose …` in the runbooks and in what tells how to deploy."""
    for path in [*sorted((ROOT / "docs/runbooks").glob("*.md")), ROOT / "docs/deployment.md", ROOT / "docs/backups.md"]:
        text = path.read_text()
        blocks = re.findall(r"^ *```sh\n(.*?)```", text, re.DOTALL | re.MULTILINE)
        inline = re.findall(r"`([^`]+)`", re.sub(r"^ *```.*?```", "", text, flags=re.DOTALL | re.MULTILINE))
        for piece in [line for block in blocks for line in block.replace("\\\n", " ").splitlines()] + inline:
            for command in re.findall(r"docker compose ((?:\"[^\"]*\"|[^;&|\"])+)", piece):
                yield path.name, command
            yield path.name, f"! {piece}"


def commands_of_runbooks_do_in_compose():
    services, checked = set(compose()["services"]), 0
    valued = {"-e", "-u", "--since", "--tail", "--entrypoint", "--timeout"}
    mounted = {"/opt/coinlink/deploy/": DEPLOY}
    for page, command in commands():
        if command.startswith("! "):
            assert not re.search(r"(curl|wget)\b[^;|`]*://(api-\d|postgres|redis|prometheus)\b", command) or "docker compose exec" in command, (
                f"{page}: the machine knows no such name: {command}"
            )
            continue
        words = [word for word in re.findall(r"(?:\"[^\"]*\"|\S)+", command.split(" #")[0]) if word != "…"]
        does, options, rest = words[0], [], words[1:]
        while rest and rest[0].startswith("-"):
            options.append(rest.pop(0))
            if options[-1] in valued:
                options.append(rest.pop(0))
        if does in ("exec", "run"):
            assert rest and rest[0] in services, f"{page}: {command}"
            if does == "exec" and len(rest) > 1 and rest[1] == "redis-cli":
                assert any(one.startswith("REDISCLI_AUTH=") for one in options), f"{page}: no password: {command}"
            if does == "exec" and rest[0].startswith("api-") and len(rest) > 1:
                assert rest[1] == "/coinlink", f"{page}: the image has no shell: {command}"
        elif does in ("logs", "ps", "stop", "up", "restart", "pull"):
            named = [word for word in rest if re.fullmatch(r"[a-z][a-z0-9-]*", word) and word not in ("api-3",)]
            assert set(named) <= services, f"{page}: {command}"
        else:
            raise AssertionError(f"{page}: {command}")
        for word in words:
            for inside, here in mounted.items():
                if word.startswith(inside):
                    assert (here / word.removeprefix(inside)).is_file(), f"{page}: {word}"
        checked += 1
    assert checked > 40, checked


def platforms_build_with_the_dockerfile():
    named = [documents(ROOT / "railway.json")[0]["build"]["dockerfilePath"], documents(ROOT / "render.yaml")[0]["services"][0]["dockerfilePath"]]
    named += [re.search(r"file: (\S+Dockerfile)", (WORKFLOWS / "ci.yml").read_text())[1]]
    for name in named:
        assert (ROOT / name).resolve() == DOCKERFILE, name


def the_image_is_built_from_sources_alone():
    context = build_context()
    for name in ("Cargo.lock", "config/default.toml", "crates/server/src/main.rs", "migration/src/lib.rs", "deploy/docker/manifests"):
        assert name in context, f"{name} is kept out of the build"
    allowed = r"Cargo\.(toml|lock)|config/.*\.toml|crates/.*|migration/.*|tests/[^/]+/(Cargo\.toml|src/(lib|main)\.rs)|deploy/docker/manifests"
    strays = [name for name in context if not re.fullmatch(allowed, name)]
    assert strays == [], strays


CHECKS = [
    every_file_parses_and_names_nothing_twice,
    compose_files_are_what_compose_reads,
    workflows_are_what_github_reads_and_each_job_ends,
    no_workflow_puts_what_others_wrote_into_a_script_and_every_script_is_sound,
    every_action_is_named_by_a_release_or_a_commit,
    an_image_gets_its_name_after_what_was_pushed_was_looked_at,
    what_tests_need_is_listed_once,
    kubernetes_objects_are_what_the_cluster_reads,
    the_kustomization_names_every_file_but_the_template,
    the_dockerfile_passes_its_linter,
    every_shell_script_passes_its_linter,
    every_variable_that_is_set_is_a_setting,
    no_secret_is_written_down,
    every_secret_of_the_cluster_is_mounted_where_it_is_read,
    every_file_that_is_mounted_is_there,
    secrets_are_made_in_the_folder_that_is_named_from_where_one_stands,
    every_secret_of_compose_is_made_or_asked_for,
    digests_of_images_go_where_compose_reads_them,
    images_are_named_in_one_place,
    production_containers_may_do_little_and_take_little,
    when_backups_were_made_is_what_prometheus_reads,
    what_is_started_for_work_is_used,
    only_the_proxy_is_believed,
    the_list_of_logs_names_every_service,
    no_source_control_data_is_in_the_image,
    whoever_is_stopped_has_the_time_to_end,
    probes_ask_what_they_are_for,
    metrics_are_on_no_port_that_is_reachable_from_outside,
    whoever_is_started_anew_is_started_anew_for_ever,
    the_machine_is_as_big_as_its_containers,
    whoever_gets_a_certificate_is_reached,
    commands_of_runbooks_do_in_compose,
    platforms_build_with_the_dockerfile,
    the_image_is_built_from_sources_alone,
]
