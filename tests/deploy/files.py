"""The files CoinLink is deployed with, and how they are read."""

import json
import os
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose"
KUBERNETES = DEPLOY / "kubernetes"
WORKFLOWS = ROOT / ".github/workflows"
DOCKERFILE = DEPLOY / "docker/Dockerfile"
COMPOSE_FILES = sorted(COMPOSE.glob("compose.*.yml"))
TOOLS = pathlib.Path(sys.executable).parent


class NotTested(Exception):
    """What this machine cannot show. It is neither passed nor failed, and told."""


def not_tested(what, why):
    """The same as in tests/end_to_end/src/skipped.rs: noted for `bash tests/run`, and where CI is set a failure unless COINLINK_SKIP names it."""
    known = [name.strip() for name in os.environ.get("COINLINK_SKIP", "").split(",")]
    assert not os.environ.get("CI") or what in known, f"{what} is not tested: {why} (COINLINK_SKIP={what} where that is known)"
    with (ROOT / "target/tests-skipped").open("a") as notes:
        notes.write(f"{what}: {why}\n")
    raise NotTested(f"{what}: {why}")


class OnceLoader(yaml.SafeLoader):
    """A key that is there twice is an error, not the later one."""


def _mapping(loader, node, deep=False):
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
    twice = {str(key) for key in keys if keys.count(key) > 1}
    if twice:
        raise yaml.constructor.ConstructorError(None, None, f"twice: {', '.join(sorted(twice))}", node.start_mark)
    loader.flatten_mapping(node)
    return yaml.SafeLoader.construct_mapping(loader, node, deep)


OnceLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def documents(path):
    """What a YAML or JSON file holds."""
    if path.suffix == ".json":
        return [json.loads(path.read_text())]
    return [one for one in yaml.load_all(path.read_text(), OnceLoader) if one is not None]


def tracked(*under):
    """Files of the repository, those that are to be added to it as well."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *under],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def compose(name="compose.production.yml"):
    return documents(COMPOSE / name)[0]


def kubernetes():
    """Each object with the file it is in."""
    files = [path for path in sorted(KUBERNETES.rglob("*.yaml")) if path.name != "kustomization.yaml"]
    return [(path, one) for path in files for one in documents(path)]


def pods():
    """(file, pod spec) of whatever makes pods."""
    for path, one in kubernetes():
        spec = one.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if isinstance(spec.get("template"), dict):
            yield path, spec["template"]["spec"]


def unit(name):
    """What a file of deploy/systemd holds: by section and key all values, in their order."""
    sections = {}
    for line in (DEPLOY / "systemd" / name).read_text().splitlines():
        if re.fullmatch(r"\[\w+\]", line):
            section = sections.setdefault(line[1:-1], {})
        elif line and line[0] not in "#;":
            key, value = line.split("=", 1)
            section.setdefault(key, []).append(value)
    return sections


def unit_variables(name):
    """(name, value) of what a service of deploy/systemd is started with, but for its EnvironmentFile."""
    for value in unit(name)["Service"].get("Environment", []):
        for one in value.split():
            yield tuple(one.split("=", 1))


def settings():
    """Every variable CoinLink reads, and whether it is a secret: .env.example is made of the code, and a test holds it to it."""
    known, secret = {"COINLINK_ENV": False, "CONFIG_DIR": False}, False
    for line in (ROOT / ".env.example").read_text().splitlines():
        named = re.fullmatch(r"(?:# )?([A-Z][A-Z0-9_]*)=.*", line)
        if named:
            known.setdefault(named[1], secret)
            secret = False
        elif line.startswith("# (secret)"):
            secret = True
    return known


def is_ignored(name, patterns):
    """Whether .dockerignore keeps a file out of the build: of the patterns that fit it or a folder it is in, the last decides."""
    ignored = False
    parts = name.split("/")
    for pattern in patterns:
        keeps = pattern.startswith("!")
        if any(_fits("/".join(parts[:end]), pattern.lstrip("!").strip("/")) for end in range(1, len(parts) + 1)):
            ignored = not keeps
    return ignored


def _fits(name, pattern):
    # `*` stays within a folder, `**` does not.
    translated = ""
    for piece in re.split(r"(\*\*/|/?\*\*|\*|\?)", pattern):
        translated += {"**/": "(?:.*/)?", "/**": "(?:/.*)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(piece, re.escape(piece))
    return re.fullmatch(translated, name) is not None


def build_context():
    """Names of the files an image is built from."""
    patterns = [line.strip() for line in (ROOT / ".dockerignore").read_text().splitlines()]
    patterns = [line for line in patterns if line and not line.startswith("#")]
    names = [str(path.relative_to(ROOT)) for path in tracked()]
    return [name for name in names if not is_ignored(name, patterns)]


def scripts():
    """Shell scripts, by their first line."""
    found = []
    for path in tracked("deploy", "tests", ".ci"):
        with path.open("rb") as file:
            first = file.readline()
        if re.match(rb"#!\s*/(usr/)?bin/(env )?(ba|da)?sh\b", first) or b"shellcheck shell=" in first:
            found.append(path)
    return found


def run_lines(workflow):
    """(job, step, script) of each `run` of a workflow."""
    for job, body in workflow["jobs"].items():
        for at, step in enumerate(body.get("steps", [])):
            if "run" in step:
                yield job, step.get("name", f"step {at + 1}"), step["run"]


