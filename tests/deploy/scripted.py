"""What scripts do with the programs they call: those that are not here (kubectl, docker), or take too long, are stood in for."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys

from files import COMPOSE, DEPLOY, ROOT
from running import environment, folder, until

IMAGE = f"ghcr.io/owner/coinlink@sha256:{'0' * 64}"
EVERYBODY = "rollout status deployment/coinlink --timeout=600s"


def _stub(work, name, script):
    path = work / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)
    return environment(PATH=f"{work}/bin:{os.environ['PATH']}")


# ---- the roll-out


def _roll_out(image=IMAGE, own_name=None, **variables):
    """(exit code, what was called and applied, objects by name, what was said). It ends within a minute, or fails."""
    with folder() as work:
        shutil.copytree(DEPLOY, work / "deploy")
        named = work / "deploy/kubernetes/kustomization.yaml"
        if own_name:
            assert "ghcr.io/owner/coinlink" in named.read_text()
            named.write_text(named.read_text().replace("ghcr.io/owner/coinlink", own_name))
        stubbed = _stub(work, "kubectl", f'exec "{sys.executable}" -B "{ROOT}/tests/deploy/cluster.py" "$@"')
        # What it waits for here is there at once, or never.
        _stub(work, "sleep", 'case $1 in 0*) exec /bin/sleep "$1" ;; *) exec /bin/sleep 0.1 ;; esac')
        stubbed |= {"WORK": str(work), "CANARY_SECS": "0", **variables}
        command = [work / "deploy/kubernetes/roll-out", image]
        process = subprocess.Popen(command, env=stubbed, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        try:
            said, _ = process.communicate(timeout=60)
        finally:
            # The port it forwards ends with it, or is left behind: then the pipe above stays open, and this is a failure.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
        file = work / "cluster.json"
        state = json.loads(file.read_text()) if file.exists() else {"calls": [], "objects": {}}
        return process.returncode, state["calls"], state["objects"], said


def _images(one):
    return [container["image"] for container in one["spec"]["template"]["spec"]["containers"]]


def a_first_roll_out_has_what_pods_name_before_the_pods():
    code, calls, objects, said = _roll_out()
    assert code == 0 and EVERYBODY in calls, said
    order = ["applied ServiceAccount/coinlink", "applied ConfigMap/coinlink", "applied Job/coinlink-migrate", "applied Deployment/coinlink-canary"]
    order += ["rollout status deployment/coinlink-canary --timeout=180s", "applied Deployment/coinlink", EVERYBODY]
    assert [calls.index(one) for one in order] == sorted(calls.index(one) for one in order), calls
    assert "delete deployment coinlink-canary --ignore-not-found --wait=false" in calls and "Deployment/coinlink-canary" not in objects
    # All that the kustomization has came to the cluster.
    assert {name.split("/")[0] for name in objects} >= {"Namespace", "Service", "Ingress", "NetworkPolicy", "CronJob", "PodDisruptionBudget"}, objects.keys()
    code, calls, _, said = _roll_out(MIGRATE="false")
    assert code == 0 and not any("coinlink-migrate" in call for call in calls), said


def a_roll_out_begins_with_nothing_that_cannot_end():
    for secret in ("coinlink", "coinlink-migration", "coinlink-backup"):
        code, calls, _, said = _roll_out(NO_SECRET=secret)
        assert code == 1 and f"not there: {secret} " in said, said
        assert not any(call.startswith("applied") for call in calls), calls
    assert _roll_out(image="ghcr.io/owner/coinlink:latest")[:2] == (2, [])


def a_migration_that_fails_ends_the_roll_out_at_once():
    code, calls, _, said = _roll_out(MIGRATION="fails")
    assert code == 1 and "what the migration said" in said and "applied Deployment/coinlink-canary" not in calls, said


def whatever_the_image_is_called_the_migration_and_the_api_run_the_one_that_was_asked_for():
    code, _, objects, said = _roll_out(own_name="registry.example.com:5000/team/prices")
    assert code == 0, said
    assert _images(objects["Job/coinlink-migrate"]) == _images(objects["Deployment/coinlink"]) == [IMAGE], objects


def the_backup_runs_the_image_that_the_registry_named():
    postgres = f"docker.io/library/postgres:17-bookworm@sha256:{'a' * 64}"
    for variables, runs in (({"POSTGRES_IMAGE": postgres}, postgres), ({}, "docker.io/library/postgres:17-bookworm")):
        code, _, objects, said = _roll_out(**variables)
        assert code == 0, said
        assert _images(objects["CronJob/coinlink-backup"]["spec"]["jobTemplate"]) == [runs], objects["CronJob/coinlink-backup"]
    deploys = (ROOT / ".github/workflows/deploy.yml").read_text()
    assert 0 < deploys.find("POSTGRES_IMAGE=") < deploys.find("deploy/kubernetes/roll-out "), "the workflow does not ask for it"


def a_canary_is_judged_by_what_people_were_answered():
    # The probes of the routes' own table: whatever is counted for nobody is one.
    probes = re.findall(r'\bapi\("([^"]+)", Gated::Exempt', (ROOT / "crates/server/src/http/routes.rs").read_text())
    assert {"/livez", "/readyz", "/health", "/metrics"} <= set(probes), probes
    judged = {"REAL": "100", "PROBES": " ".join([*probes, "/readyz/node"])}
    for trouble in ({"FAILED": "2"}, {"RESTARTS": "1"}):
        code, calls, _, said = _roll_out(**judged, **trouble)
        assert code == 1 and EVERYBODY not in calls and "applied Deployment/coinlink" not in calls, said
        assert "delete deployment coinlink-canary --ignore-not-found --wait=false" in calls, calls
    code, _, _, said = _roll_out(**judged, FAILED="1")
    assert code == 0 and "1 of 100 answers" in said, said
    # Nothing follows from few, and probes make no more of them.
    code, _, _, said = _roll_out(**{**judged, "REAL": "19"}, FAILED="3")
    assert code == 0 and "too few" in said, said


def a_canary_that_does_not_reach_the_database_or_redis_is_no_release():
    for down, named in (("db", "the database:"), ("redis", "Redis:")):
        # Nobody asked it for anything yet.
        code, calls, _, said = _roll_out(REAL="0", DOWN=down)
        assert code == 1 and f"does not reach {named}" in said and EVERYBODY not in calls and "applied Deployment/coinlink" not in calls, said
        assert "delete deployment coinlink-canary --ignore-not-found --wait=false" in calls, calls
    # A look that went wrong once, or came before its first answer.
    code, calls, _, said = _roll_out(DOWN="db redis", DOWN_TIMES="2")
    assert code == 0 and EVERYBODY in calls, said


def a_roll_out_that_does_not_end_is_undone():
    code, calls, _, said = _roll_out(STUCK="1")
    assert code == 1 and "rollout undo deployment/coinlink" in calls, said


# ---- installing


def whoever_may_not_install_is_told_all_that_the_tests_need():
    with folder() as work:
        stubbed = _stub(work, "id", "echo 1000")
        _stub(work, "uname", "echo Linux")
        (work / "bin/bash").symlink_to(shutil.which("bash"))
        (work / "bin/dirname").symlink_to(shutil.which("dirname"))
        command = ["bash", ROOT / "tests/install"]
        told = subprocess.run(command, env={**stubbed, "PATH": str(work / "bin")}, capture_output=True, text=True, check=False)
    assert told.returncode == 1, told
    named = set(re.search(r"These are missing: (.*)", told.stderr)[1].split())
    wanted = {"build-essential", "redis-server", "chromium", "python3-venv", "faketime", "prometheus", "prometheus-alertmanager", "caddy", "jq", "curl"}
    assert named >= wanted, wanted - named


# ---- images and backups


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
        # Started anew, it is not younger for that.
        os.utime(work / "started", (1, 1))
        # It may have been ended before its third sleep began.
        slept = len((work / "slept").read_text().split())
        again = subprocess.Popen([COMPOSE / "backup-schedule", "02:00", "backup"], env=stubbed, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            until(lambda: len((work / "slept").read_text().split()) > slept, 10)
        finally:
            os.killpg(again.pid, 9)
            again.wait()
        assert (work / "started").stat().st_mtime == 1
        assert all(0 < int(secs) <= 86400 for secs in (work / "slept").read_text().split())


def the_first_base_backup_does_not_wait_for_a_sunday():
    with folder() as work:
        stubbed = _stub(work, "weekly", 'mkdir -p "$BACKUP_DIR/base"; [ ! -e "$WORK/works" ] || : >"$BACKUP_DIR/base/20261122T030000Z.done"; echo ran >>"$WORK/ran"')
        _stub(work, "daily", ":")
        # Two mornings of a Monday, then none.
        _stub(work, "sleep", 'echo >>"$WORK/slept"; [ "$(wc -l <"$WORK/slept")" -lt 3 ] || exec /bin/sleep 60')
        _stub(work, "date", 'if [ "$*" = "-u +%u" ]; then echo 1; else exec /bin/date "$@"; fi')
        (work / "metrics").mkdir()
        stubbed |= {"WORK": str(work), "STARTED_FILE": str(work / "started"), "BACKUP_DIR": str(work / "backups"), "BACKUP_METRICS_DIR": str(work / "metrics")}

        def runs():
            (work / "slept").unlink(missing_ok=True)
            (work / "ran").write_text("")
            process = subprocess.Popen(
                [COMPOSE / "backup-schedule", "--sundays", "weekly", "02:00", "daily"], env=stubbed, stderr=subprocess.DEVNULL, start_new_session=True
            )
            try:
                until(lambda: (work / "slept").exists() and (work / "slept").read_text().count("\n") == 3, 10)
            finally:
                os.killpg(process.pid, 9)
                process.wait()
            return (work / "ran").read_text().count("ran")

        assert runs() == 3, "at the start, and each day while none was made"
        # For the alert, from the first start on.
        told = {path.name: path.read_text() for path in (work / "metrics").iterdir()}
        assert told.keys() == {"coinlink-daily-schedule.prom", "coinlink-weekly-schedule.prom"}, told
        for kind in ("daily", "weekly"):
            began = rf'^coinlink_backup_schedule_began_timestamp_seconds\{{kind="{kind}"\}} \d{{10}}$'
            assert re.search(began, told[f"coinlink-{kind}-schedule.prom"], re.MULTILINE), told
            os.utime(work / f"metrics/coinlink-{kind}-schedule.prom", (1, 1))
        (work / "works").touch()
        assert runs() == 1, "at the start, where there is none"
        assert runs() == 0, "there is one"
        assert all(path.stat().st_mtime == 1 for path in (work / "metrics").iterdir()), "started anew, it is not younger for that"


CHECKS = [
    a_first_roll_out_has_what_pods_name_before_the_pods,
    a_roll_out_begins_with_nothing_that_cannot_end,
    a_migration_that_fails_ends_the_roll_out_at_once,
    whatever_the_image_is_called_the_migration_and_the_api_run_the_one_that_was_asked_for,
    the_backup_runs_the_image_that_the_registry_named,
    a_canary_is_judged_by_what_people_were_answered,
    a_canary_that_does_not_reach_the_database_or_redis_is_no_release,
    a_roll_out_that_does_not_end_is_undone,
    whoever_may_not_install_is_told_all_that_the_tests_need,
    images_are_pinned_by_what_the_registry_says_or_not_at_all,
    a_backup_is_run_at_its_time_and_a_stop_does_not_wait_for_the_next,
    the_first_base_backup_does_not_wait_for_a_sunday,
]
