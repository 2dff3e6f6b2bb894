"""Checks the files that watch over CoinLink, each check by its name, and ends with a line that counts like a test's.

What the rules do is in rules/*.test.yml, for promtool. What is checked here is what ties them to the rest: every alert has a test that sees it
fire, a page, and texts that come out whole; every metric that a rule or a dashboard names is one of docs/metrics.md, which a test of the code
keeps current; secrets are files."""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy/prometheus"
RULES = sorted((PROMETHEUS / "rules").glob("*.yml"))
TESTS = sorted((ROOT / "tests/prometheus/rules").glob("*.test.yml"))
DASHBOARDS = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
KUBERNETES = ROOT / "deploy/kubernetes"
ALERTMANAGER = ROOT / "deploy/alertmanager/alertmanager.yml"
RUNBOOKS = ROOT / "docs/runbooks"
# What Prometheus makes itself, what deploy/backup and deploy/compose/backup-schedule leave for node_exporter, and what kube-state-metrics tells.
FOREIGN = {
    "up", "ALERTS", "coinlink_backup_last_success_timestamp_seconds", "coinlink_backup_schedule_began_timestamp_seconds",
    "kube_cronjob_status_last_successful_time", "kube_cronjob_created",
}
WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "le", "inf", "nan"}
CATALOGUE = ROOT / "crates/domain/src/operations/monitoring/catalogue.rs"
# What the monitor and an alert call too much alike: metric, step, alert, where its expression has the figure, and what the monitor's figure is of that.
SAME_LIMITS = [
    ("error_rate", "warning", "HighErrorRate", r"^job:http_errors:ratio5m > ([\d.]+) ", lambda share: 100 * share),
    ("database_pool_use", "warning", "HighDBPoolUtilization", r" > ([\d.]+)$", lambda share: 100 * share),
    ("rate_limited", "warning", "RateLimitSpike", r" > ([\d.]+)$", float),
    ("disk", "warning", "DiskSpaceLow", r" < ([\d.]+)$", lambda free: 100 - 100 * free),
    ("database_up", "critical", "DatabaseDown", r" == (\d)$", float),
    ("redis_up", "critical", "RedisDown", r" == (\d)$", float),
    ("limiter_alone", "warning", "LimiterFallback", r" == (\d)$", float),
    ("outbox_age", "warning", "OutboxStuck", r" > (\d+)$", float),
    ("certificate_days", "warning", "CertificateExpiry", r" < (\d+) \* 86400$", float),
]
# The monitor's other limits, and why they are no alert's.
OTHER_LIMITS = {
    "response_time_p95": "the former monitor's; HighLatency and LatencyLevelMissed hold the service levels",
    "cpu": "the former monitor's, of a moment; CpuHigh is of a quarter of an hour",
    "memory": "the former monitor's, of a moment; MemoryLow is of ten minutes",
    "ticker_age": "by the source alone; TickerStale asks what was shown, too",
    "breakers_open": "no figure: one of them is enough for both",
    "database_query_p95": "no alert asks for it",
    "redis_pool_use": "no alert asks for it",
    "provider_errors": "no alert asks for it",
}
STEPS = ("warning", "error", "critical")
SUFFIXES = ("_bucket", "_sum", "_count")
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def run(*command):
    done = subprocess.run([str(word) for word in command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


def rules():
    return [rule for file in RULES for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


def alerts():
    return [rule for rule in rules() if "alert" in rule]


def tests():
    """All as text: 0x8 is a series of nine zeros there, and no number."""
    return [(file, test) for file in TESTS for test in yaml.load(file.read_text(), yaml.BaseLoader)["tests"]]


def kebab(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()


def metrics_of(expression):
    """The names of series in it, also of `{__name__=~"a|b"}`: neither functions nor labels, nor words in quotation marks."""
    listed = {name for names in re.findall(r'__name__=~?"([^"]*)"', expression) for name in names.split("|")}
    bare = re.sub(r'"(\\.|[^"\\])*"', "", expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", bare)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    names = re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*\b(?!\s*\()", bare)
    return listed | {name for name in names if name not in WORDS and not re.fullmatch(r"\d.*", name)}


def known():
    """The metrics of the code, and the series that rules record."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", (ROOT / "docs/metrics.md").read_text(), re.M)
    assert len(rows) > 40, "docs/metrics.md has no table"
    names = {name for name, _ in rows} | {rule["record"] for rule in rules() if "record" in rule} | FOREIGN
    return names | {name + suffix for name, kind in rows if kind == "histogram" for suffix in SUFFIXES}


def queries():
    """Every query of every panel, with where it is from."""
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel.get("targets", []):
                yield f"{file.name}: {panel['title']}", target["expr"]


@check
def the_configuration_is_good():
    run("promtool", "check", "config", PROMETHEUS / "prometheus.yml")


@check
def the_rules_are_good():
    run("promtool", "check", "rules", "--lint=all", "--lint-fatal", *RULES)


@check
def the_rules_do_what_their_tests_say():
    run("promtool", "test", "rules", *TESTS)


@check
def every_rule_file_is_loaded():
    loaded = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["rule_files"]
    assert {PROMETHEUS / name for name in loaded} == set(RULES), loaded


@check
def every_alert_is_seen_to_fire_and_not_to_fire():
    for alert in alerts():
        firing = f'ALERTS{{alertname="{alert["alert"]}",alertstate="firing"}}'
        asked = [asked for _, test in tests() for asked in test["promql_expr_test"] if firing in asked["expr"]]
        assert any(asked.get("exp_samples") for asked in asked), f"no test sees {alert['alert']} fire"
        assert any(not asked.get("exp_samples") for asked in asked), f"no test sees {alert['alert']} not fire"


@check
def every_recorded_series_has_a_tested_value():
    asked = " ".join(asked["expr"] for _, test in tests() for asked in test["promql_expr_test"] if asked.get("exp_samples"))
    for rule in rules():
        assert "record" not in rule or re.search(rf"{re.escape(rule['record'])}\b", asked), f"no test of {rule['record']}"


@check
def every_alert_says_how_bad_what_and_where_to_read_on():
    names = [alert["alert"] for alert in alerts()]
    assert len(names) == len(set(names)), "an alert is there twice"
    for alert in alerts():
        name, texts = alert["alert"], alert["annotations"]
        assert alert["labels"]["severity"] in ("critical", "warning"), name
        assert "$value" in texts["description"] and texts["summary"], f"{name} does not tell its value"
        page = RUNBOOKS / f"{kebab(name)}.md"
        assert texts["runbook_url"] == f'{{{{ or $externalLabels.runbooks "docs/runbooks" }}}}/{page.name}', f"{name}: {texts['runbook_url']}"
        assert page.is_file() and page.read_text().startswith(f"# {name}\n"), f"{name} has no page"


@check
def the_texts_of_every_alert_come_out_whole():
    """promtool tells what it got where something else was expected: here, an alert without texts."""
    shown = ""
    for file, test in tests():
        fires = {name: asked["eval_time"] for asked in test["promql_expr_test"] if asked.get("exp_samples")
                 for name in re.findall(r'ALERTS\{alertname="(\w+)"', asked["expr"])}
        if not fires:
            continue
        test["alert_rule_test"] = [{"alertname": name, "eval_time": when, "exp_alerts": []} for name, when in fires.items()]
        del test["promql_expr_test"]
        test["external_labels"] = {"runbooks": "https://example.com/runbooks"}
        whole = yaml.load(file.read_text(), yaml.BaseLoader) | {"rule_files": [str(rule) for rule in RULES], "tests": [test]}
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as changed:
            yaml.safe_dump(whole, changed)
            changed.flush()
            shown += subprocess.run(["promtool", "test", "rules", changed.name], capture_output=True, text=True, check=False).stderr
    for alert in alerts():
        found = re.search(rf'got:\[\s*0:\s*Labels:\{{alertname="{alert["alert"]}".*?Annotations:\{{(.*?)\}}\s', shown, re.S)
        assert found, f"{alert['alert']} was not shown"
        text = re.search(r'description="((?:\\.|[^"\\])*)"', found[1])
        assert text and not re.search(r"error expanding|no value|\{\{|NaN", text[1]), f"{alert['alert']}: {found[1]}"
        assert re.search(r"\d", text[1]), f"{alert['alert']} shows no value: {text[1]}"
        assert f'runbook_url="https://example.com/runbooks/{kebab(alert["alert"])}.md"' in found[1], found[1]


@check
def no_page_of_an_alert_is_left_over():
    names = {kebab(alert["alert"]) for alert in alerts()}
    for page in RUNBOOKS.glob("*.md"):
        of_an_alert = "\nAlert, " in page.read_text()
        assert not of_an_alert or page.stem in names, f"{page.name} is of no alert"


@check
def every_page_is_in_the_index_and_no_link_leads_nowhere():
    index = (RUNBOOKS / "README.md").read_text()
    for alert in alerts():
        assert f"({kebab(alert['alert'])}.md)" in index, f"{alert['alert']} is not in the index"
    for page in [RUNBOOKS / f"{kebab(alert['alert'])}.md" for alert in alerts()]:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


@check
def every_metric_that_a_rule_names_is_there():
    there = known()
    for rule in rules():
        missing = metrics_of(rule["expr"]) - there
        assert not missing, f"{rule.get('alert') or rule.get('record')}: {missing}"


@check
def every_metric_that_a_panel_names_is_there():
    there = known()
    asked = list(queries())
    assert len(asked) > 50, "the dashboards have hardly any panel"
    for where, query in asked:
        missing = metrics_of(query) - there
        assert not missing, f"{where}: {missing}"


@check
def every_metric_that_a_page_names_is_there():
    there = known()
    for page in RUNBOOKS.glob("*.md"):
        text = page.read_text()
        named = {name for query in re.findall(r"```promql\n(.*?)```", text, re.S) for name in metrics_of(query)}
        if page.stem in {kebab(alert["alert"]) for alert in alerts()}:
            # In its sentences too; coinlink_app is a role of the database.
            named |= set(re.findall(r"\b(?:coinlink_[a-z0-9_]{5,}\b(?!\*)|job:[a-z0-9_:]+)", text))
        assert not named - there, f"{page.name}: {named - there}"


@check
def all_that_measure_times_leave_out_the_same_routes():
    pages = [page.read_text() for page in RUNBOOKS.glob("*.md")]
    asked = [rule["expr"] for rule in rules()] + [query for _, query in queries()] + pages
    # Those without the assistant are those without what takes longer by design.
    left_out = {found for text in asked for found in re.findall(r'route!~"([^"]*/api/chat[^"]*)"', text)}
    assert len(left_out) == 1, left_out
    [pattern] = left_out
    # A route that is renamed is to be renamed there.
    known_routes = (ROOT / "crates/server/src/http/routes.rs").read_text()
    of_passwords = {"/api/v2/auth/login", "/api/v2/auth/signup", "/api/v2/auth/password/change", "/api/v2/auth/password/reset",
                    "/api/v2/auth/2fa/setup", "/api/v2/auth/2fa/disable", "/api/v2/auth/email/verify", "/api/v2/auth/email/change",
                    "/api/v2/auth/wallet/link", "/api/v2/user/api-keys"}
    for route in of_passwords:
        assert f'"{route}"' in known_routes, f"there is no {route}"
        assert re.fullmatch(pattern, route), f"{route} hashes a password"
    for route in ("/api/v2/auth/token/refresh", "/api/v2/auth/ws-ticket", "/api/crypto/ticker", "/api/v2/user/api-keys/{id}"):
        assert not re.fullmatch(pattern, route), route


@check
def the_scripts_of_backups_leave_the_metric_that_is_watched():
    with tempfile.TemporaryDirectory() as folder:
        for place, said in ((folder, ""), (f"{folder}/nowhere", "warning: cannot write to BACKUP_METRICS_DIR")):
            script = f". {ROOT}/deploy/backup/lib.sh; succeeded dump"
            done = subprocess.run(["sh", "-c", script], env={"PATH": "/usr/bin:/bin", "BACKUP_METRICS_DIR": place},
                                  capture_output=True, text=True, check=True)
            assert said in done.stderr and bool(said) == bool(done.stderr), done.stderr
        [left] = Path(folder).iterdir()
        assert left.name == "coinlink-dump.prom" and left.stat().st_mode & 0o777 == 0o644, left
        checked = subprocess.run(["promtool", "check", "metrics"], input=left.read_text(), capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert re.search(r'^coinlink_backup_last_success_timestamp_seconds\{kind="dump"\} \d{10}$', left.read_text(), re.M), left.read_text()
    watched = next(alert["expr"] for alert in alerts() if alert["alert"] == "BackupOld")
    for script, kind in (("dump", "dump"), ("base-backup", "base-backup"), ("redis-copy", "redis-copy"), ("archive-wal", "wal")):
        assert f"\nsucceeded {kind}\n" in (ROOT / "deploy/backup" / script).read_text(), f"{script} does not tell"
        assert kind in watched, f"nobody watches {kind}"


@check
def no_query_of_a_page_hides_what_it_asks_for():
    """`or` does not look at the names of series: where labels are the same on both sides, the right side is left out."""
    asked = 0
    for page in RUNBOOKS.glob("*.md"):
        for query in re.findall(r"```promql\n(.*?)```", page.read_text(), re.S):
            asked += 1
            assert not re.search(r"\bor\b", re.sub(r'"(\\.|[^"\\])*"', "", query)), f'{page.name}: name them in {{__name__=~"…|…"}}: {query}'
    assert asked > 60, asked


@check
def names_are_found_in_queries():
    assert metrics_of('{__name__=~"a:b|c_d", e="f"}') == {"a:b", "c_d"}
    assert metrics_of('sum by (job, le) (rate(a_b{c="d e"}[5m])) > 0 and on (x) g:h{i!~"j|k"} or 0 * l') == {"a_b", "g:h", "l"}


def monitored():
    """The limits of the monitor, by metric: a figure or None for each step."""
    text = CATALOGUE.read_text().split("#[cfg(test)]")[0]
    constant = r"const (\w+): Limits = Limits \{ worse: Worse::\w+, warning: (\S+), error: (\S+), critical: (\S+) \}"
    figures = {name: [re.search(r"[\d.]+", step) for step in steps] for name, *steps in re.findall(constant, text)}
    shared = {name: [step and float(step[0]) for step in steps] for name, steps in figures.items()}
    limits = {}
    for one in text.split("Metric::of(")[1:]:
        found = re.search(r"\.limited\((?:Limits::\w+\(([^)]*)\)|(\w+))\)", one)
        if found:
            steps = shared[found[2]] if found[2] else [float(step) for step in found[1].split(",")]
            limits[re.match(r'\s*"(\w+)"', one)[1]] = dict(zip(STEPS, steps, strict=True))
    assert len(limits) > 10, limits
    return limits


@check
def the_monitor_and_the_alerts_agree_on_what_is_too_much():
    limits, expressions = monitored(), {alert["alert"]: alert["expr"].strip() for alert in alerts()}
    paired = [metric for metric, *_ in SAME_LIMITS]
    assert sorted([*paired, *OTHER_LIMITS]) == sorted(limits), "each limit of the monitor is in one of the two lists above"
    for metric, step, alert, place, converted in SAME_LIMITS:
        found = re.search(place, expressions[alert])
        assert found, f"{alert}: {expressions[alert]}"
        of_alert, of_monitor = converted(float(found[1])), limits[metric][step]
        assert of_monitor is not None and abs(of_alert - of_monitor) < 1e-9, f"{metric} has {of_monitor}, {alert} {of_alert}"


@check
def the_page_of_the_monitor_has_its_limits():
    told = {}
    for line in (ROOT / "docs/monitoring.md").read_text().split("\n## Limits\n\n")[1].split("\n\n")[0].splitlines()[2:]:
        names, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        figures = [0.0 if cell == "does not answer" else float(cell) if cell else None for cell in cells]
        told |= {name: dict(zip(STEPS, figures, strict=True)) for name in re.findall(r"`(\w+)`", names)}
    assert told == monitored(), {name: (told.get(name), limits) for name, limits in monitored().items() if told.get(name) != limits}


@check
def the_dashboards_are_what_their_script_writes():
    run(sys.executable, ROOT / "deploy/grafana/generate", "--check")
    assert len(DASHBOARDS) == 4, DASHBOARDS


@check
def the_dashboards_ask_the_provisioned_source():
    provisioned = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"][0]
    scraped = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["global"]["scrape_interval"]
    assert provisioned["jsonData"]["timeInterval"] == scraped, "$__rate_interval is made of the scrape interval"
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text())["panels"]:
            assert panel["type"] == "row" or panel["datasource"]["uid"] == provisioned["uid"], f"{file.name}: {panel['title']}"


@check
def alertmanager_understands_its_file():
    run("amtool", "check-config", ALERTMANAGER)


@check
def alerts_reach_whom_they_should():
    for line in (ROOT / "tests/prometheus/routes").read_text().splitlines():
        if line and not line.startswith("#"):
            receiver, *labels = line.split()
            found = run("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", *labels).strip()
            assert found == receiver, f"{line}: {found}"


@check
def inhibitions_name_alerts_that_there_are():
    names = {alert["alert"] for alert in alerts()}
    for rule in yaml.safe_load(ALERTMANAGER.read_text())["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            label, value = re.fullmatch(r'(\w+)=~?"(.*)"', matcher).groups()
            missing = set(value.split("|")) - names if label == "alertname" else set()
            assert not missing, missing


@check
def no_secret_is_written_down():
    def walk(at, value):
        if isinstance(value, dict):
            for name, inner in value.items():
                walk(name, inner)
        elif isinstance(value, list):
            for inner in value:
                walk(at, inner)
        else:
            secret = re.search(r"password|token|secret|api_key|routing_key|service_key|api_url|credentials", str(at))
            assert not secret or str(at).endswith("_file"), f"{at} is to be a file"
    walk("", yaml.safe_load(ALERTMANAGER.read_text()))
    walk("", yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text()))


@check
def pods_are_scraped_as_the_job_that_rules_ask_for():
    """By promtool, which gets what the cluster would tell Prometheus of each port of each pod. (Debian's is built without asking clusters.)"""
    (scrape,) = yaml.safe_load((PROMETHEUS / "kubernetes.yml").read_text())["scrape_configs"]
    (discovered,) = scrape.pop("kubernetes_sd_configs")
    (selector,) = discovered["selectors"]
    kustomization = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    assert discovered["role"] == selector["role"] == "pod" and discovered["namespaces"]["names"] == [kustomization["namespace"]], discovered
    told = []
    for file in sorted(KUBERNETES.glob("*.yaml")):
        for one in yaml.safe_load_all(file.read_text()):
            template = one.get("spec", {}).get("jobTemplate", one).get("spec", {}).get("template")
            if template is None or selector["label"] not in [f"{name}={value}" for name, value in template["metadata"]["labels"].items()]:
                continue
            for port in [port for container in template["spec"]["containers"] for port in container.get("ports", [{"name": "", "containerPort": 80}])]:
                for phase in ("Running", "Failed"):
                    labels = {"__meta_kubernetes_pod_label_" + re.sub(r"\W", "_", name): value for name, value in template["metadata"]["labels"].items()}
                    labels |= {"__meta_kubernetes_pod_container_port_name": port["name"], "__meta_kubernetes_pod_phase": phase}
                    labels["__meta_kubernetes_pod_name"] = f"{one['metadata']['name']}-{phase}"
                    told.append({"targets": [f"10.244.1.7:{port['containerPort']}"], "labels": labels})
    assert len(told) >= 8, told
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        yaml.safe_dump({"scrape_configs": [{**scrape, "static_configs": told}]}, file)
        file.flush()
        found = json.loads(run("promtool", "check", "service-discovery", "--timeout=2s", file.name, scrape["job_name"]))
    kept = [one["labels"] for one in found if one.get("labels")]
    assert len(kept) == 1, kept
    wanted = {"job": "coinlink", "instance": "coinlink-Running", "__address__": "10.244.1.7:9100", "track": "stable"}
    assert wanted.items() <= kept[0].items(), kept
    # Scraped by other jobs as well, everything would be counted twice.
    assert "prometheus.io/scrape" not in (KUBERNETES / "deployment.yaml").read_text()


def main():
    failed = 0
    for checked in CHECKS:
        try:
            checked()
            print(f"test {checked.__name__} ... ok")
        except Exception as error:
            failed += 1
            print(f"test {checked.__name__} ... FAILED\n{type(error).__name__}: {error}")
    print(f"test result: {'FAILED' if failed else 'ok'}. {len(CHECKS) - failed} passed; {failed} failed")
    sys.exit(failed > 0)


main()
