"""Holds a running server against its own OpenAPI document.

Starts the built binary on a free port of 127.0.0.1 with an empty folder for its data, lets Schemathesis ask it everything the
document allows and much that it does not, and ends it. The last line has the form of a test runner's, for `tests/run` to count.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# The same requests each time, as far as the answers are the same.
SEED = 20260101
START_WITHIN = 30
END_WITHIN = 20
PHASES = ("examples", "coverage", "fuzzing", "stateful")
# Limits of their own have tests of their own: here they would answer 429 to everything.
SETTINGS = {
    "HOST": "127.0.0.1",
    "LOG_LEVEL": "warn",
    "TICKER_INTERVAL_MS": "1000",
    "WS_HANDSHAKE_BURST": "1000000",
    "PROMPTS_ANONYMOUS": "0",
    "PROMPTS_USER": "0",
    **{
        f"RATE_LIMIT_{name}": "1000000"
        for name in ("ANONYMOUS", "AUTHENTICATED", "API_KEY", "CREDENTIALS", "SESSION", "CHAT", "PRICE")
    },
}


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Failed(Exception):
    """The run cannot go on."""


def stop(number, _frame):
    # A second signal must not break off what ends the server.
    for ignored in SIGNALS:
        signal.signal(ignored, signal.SIG_IGN)
    raise Failed(f"stopped by {signal.Signals(number).name}")


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def answers(url):
    """Whether `url` answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def wait_for(server, url):
    """Until `url` answers 200; a server that ended meanwhile is not waited for."""
    deadline = time.monotonic() + START_WITHIN
    while not answers(url):
        if server.poll() is not None:
            raise Failed(f"the server ended with {server.returncode} before {url} answered")
        if time.monotonic() > deadline:
            raise Failed(f"{url} did not answer 200 within {START_WITHIN} s")
        time.sleep(0.05)


def end(process):
    """Ends a process of ours, by its id."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(END_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def environment(**more):
    """Nothing of the caller's settings: a DATABASE_URL there must not be reached."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TERM", "TMPDIR") if name in os.environ}
    return {**kept, **more}


def told(report, seconds):
    """How much was tried, in words, and whether all of it was."""
    try:
        run = json.loads(report.read_text())
    except (OSError, ValueError):
        return "Schemathesis wrote no report", False
    operations, cases = run["operations"], run["test_cases"]
    whole = run["complete"] and operations["tested"] == operations["total"] > 0 and not operations["errored"]
    phases = {name: phase["status"] for name, phase in run["phases"].items()}
    whole = whole and set(phases) >= set(PHASES) and "skip" not in phases.values()
    return (
        f"{operations['tested']} of {operations['total']} operations, {cases['generated']} cases, "
        f"{cases['unique_failures']} failures, in {seconds:.0f} s",
        whole,
    )


def schemathesis(base, arguments, folder):
    report = folder / "report.json"
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"),
        "run", f"{base}/openapi.json", "--phases", ",".join(PHASES),
        "--max-examples", str(arguments.examples), "--seed", str(arguments.seed), "--generation-database", "none",
        "--report", "json", "--report-json-path", str(report),
    ]  # fmt: skip
    # What it writes goes to the folder; hooks.py is found by its name.
    more = {"COINLINK_BASE_URL": base, "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(command, cwd=folder, env=environment(**more)), report


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/debug/coinlink")
    parser.add_argument("--examples", type=int, default=5, help="cases of the fuzzing and stateful phases for each operation")
    parser.add_argument("--seed", type=int, default=SEED, help="other requests")
    parser.add_argument("--within", type=int, default=600, help="seconds after which the run has failed")
    arguments = parser.parse_args()
    for number in SIGNALS:
        signal.signal(number, stop)

    folder = pathlib.Path(tempfile.mkdtemp(prefix="coinlink-schema-"))
    server = tester = None
    log = folder / "server.log"
    started = time.monotonic()
    passed = False
    summary = "it did not run"
    try:
        base = f"http://127.0.0.1:{(port := free_port())}"
        with log.open("wb") as into:
            server = subprocess.Popen(
                [str(arguments.binary.resolve()), "dev", "--feed", "simulated"],
                cwd=folder,
                env=environment(**SETTINGS, PORT=str(port), DATA_DIR=str(folder / "data")),
                stdin=subprocess.DEVNULL,
                stdout=into,
                stderr=into,
            )
        wait_for(server, f"{base}/readyz")
        wait_for(server, f"{base}/api/bitcoin/price")
        tester, report = schemathesis(base, arguments, folder)
        passed = tester.wait(arguments.within) == 0
        summary, whole = told(report, time.monotonic() - started)
        passed = passed and whole
        if server.poll() is not None:
            raise Failed(f"the server ended with {server.returncode} during the run")
    except (Failed, OSError, subprocess.TimeoutExpired) as why:
        passed = False
        print(why, file=sys.stderr)
    finally:
        end(tester)
        end(server)
        if not passed and log.exists():
            print("\nThe end of the server's log:", file=sys.stderr)
            sys.stderr.write("".join(log.read_text(errors="replace").splitlines(keepends=True)[-40:]))
        shutil.rmtree(folder, ignore_errors=True)
    print(f"test result: {'ok' if passed else 'FAILED'}. {int(passed)} passed; {int(not passed)} failed; {summary}", flush=True)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
