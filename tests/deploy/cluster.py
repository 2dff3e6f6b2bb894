"""Stands in for `kubectl` and for the cluster behind it, as far as deploy/kubernetes/roll-out asks them, and refuses what it does not know.

What was applied is in $WORK/cluster.json. A pod runs where the service account, the secrets and the settings it names are there. The environment
says what goes wrong: NO_SECRET (a name), MIGRATION=fails, RESTARTS, STUCK, FAILED (answers with 503) of REAL (answers of whatever is no probe), DOWN (what the canary does not reach, for the first DOWN_TIMES looks)."""

import json
import os
import pathlib
import sys
import time

import yaml

# Those in C, where there are any.
Loader, Dumper = getattr(yaml, "CSafeLoader", yaml.SafeLoader), getattr(yaml, "CSafeDumper", yaml.SafeDumper)
WORK = pathlib.Path(os.environ["WORK"])
STATE = WORK / "cluster.json"
# Answered without end, whatever a release is like.
PROBES = os.environ.get("PROBES", "/livez").split()


def fail(why, code=1):
    print(why, file=sys.stderr)
    sys.exit(code)


def kustomized(folder):
    """The objects of a kustomization: its resources, its images, and the ConfigMaps it makes."""
    file = yaml.load((folder / "kustomization.yaml").read_text(), Loader)
    objects = []
    for name in file.get("resources", []):
        at = folder / name
        objects += kustomized(at) if at.is_dir() else [one for one in yaml.load_all(at.read_text(), Loader) if one]
    for one in file.get("configMapGenerator", []):
        objects.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": one["name"]}, "data": {}})
    images = {one["name"]: f"{one['newName']}:{one['newTag']}" for one in file.get("images", [])}
    for one in objects:
        for container in (pod(one) or {}).get("containers", []):
            container["image"] = images.get(container["image"], container["image"])
    return objects


def pod(one):
    spec = one.get("spec", {})
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    return spec["template"]["spec"] if isinstance(spec.get("template"), dict) else None


def runs(one, objects):
    spec = pod(one)
    needed = [f"ServiceAccount/{spec['serviceAccountName']}"]
    for volume in spec.get("volumes", []):
        needed += [f"Secret/{volume['secret']['secretName']}"] if "secret" in volume else []
    for container in spec["containers"]:
        needed += [f"ConfigMap/{source['configMapRef']['name']}" for source in container.get("envFrom", [])]
    return all(has(name, objects) for name in needed)


def has(name, objects):
    kind, _, plain = name.partition("/")
    return plain != os.environ.get("NO_SECRET") if kind == "Secret" else name in objects


def read(path):
    """YAML or JSON, one object after the other, in lists or not."""
    text, at, found = pathlib.Path(path).read_text(), 0, []
    if not text.lstrip().startswith("{"):
        return list(yaml.load_all(text, Loader))
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        one, at = json.JSONDecoder().raw_decode(text, at)
        found += one["items"] if one["kind"] == "List" else [one]
    return found


def serve_metrics(looks):
    """As the pod's own port does, through the kubelet."""
    # Each call of `kubectl` is a process: what one of them needs is not what all wait for.
    import http.server

    real, failed = int(os.environ.get("REAL", "100")), int(os.environ.get("FAILED", "0"))
    lines = [f'http_requests_total{{method="GET",route="{route}",status="200"}} 5000' for route in PROBES]
    lines += [f'http_requests_total{{method="GET",route="/api/v2/market/stats",status="200"}} {real - failed}']
    lines += [f'http_requests_total{{method="GET",route="/api/v2/market/stats",status="503"}} {failed}']
    down = os.environ.get("DOWN", "").split() if looks <= int(os.environ.get("DOWN_TIMES", "100")) else []
    lines += [f"coinlink_{name}_up {int(name not in down)}" for name in ("db", "redis")]

    class Metrics(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/metrics" else 404)
            self.end_headers()
            self.wfile.write("\n".join(lines).encode() + b"\n")

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Metrics) as server:
        print(f"Forwarding from 127.0.0.1:{server.server_port} -> 9100", flush=True)
        server.serve_forever()


def main(words):
    state = json.loads(STATE.read_text()) if STATE.exists() else {"objects": {}, "calls": [], "undone": False}
    objects = state["objects"]
    words = words[2:] if words[0] == "-n" else words
    said = " ".join(words)
    state["calls"].append(said)
    STATE.write_text(json.dumps(state))
    match words:
        case ["kustomize", folder]:
            print(yaml.dump_all(kustomized(pathlib.Path(folder)), Dumper=Dumper))
        case ["create", "-f", path, "--dry-run=client", "-o", "json"]:
            print("\n".join(json.dumps(one, indent=4) for one in read(path)))
        case ["apply", "-f", path]:
            for one in read(path):
                name = f"{one['kind']}/{one['metadata']['name']}"
                objects[name] = one
                state["calls"].append(f"applied {name}")
        case ["get", "secret", name, "-o", "name"]:
            if not has(f"Secret/{name}", objects):
                fail(f'secrets "{name}" not found')
        case ["get", "job", name, "-o", _]:
            job = objects[f"Job/{name}"]
            if runs(job, objects):
                print("FailureTarget Failed" if os.environ.get("MIGRATION") == "fails" else "SuccessCriteriaMet Complete")
        case ["get", "pods", "-l", "app.kubernetes.io/component=api,track=canary", "-o", _]:
            print("canary-pod" if "Deployment/coinlink-canary" in objects else fail("array index out of bounds"))
        case ["get", "pod", "canary-pod", "-o", asked]:
            print(os.environ.get("RESTARTS", "0") if "restartCount" in asked else "true")
        case ["get", "--raw", _]:
            # The API server is no namespace that the policies let in.
            time.sleep(5)
            fail("error trying to reach service: dial tcp 10.244.1.7:9100: i/o timeout")
        case ["port-forward", "--address", "127.0.0.1", "pod/canary-pod", ":9100"]:
            serve_metrics(state["calls"].count(said))
        case ["logs", "job/coinlink-migrate", _]:
            print("what the migration said")
        case ["delete", kind, name, *_]:
            objects.pop(f"{kind.capitalize()}/{name}", None)
        case ["rollout", "status", named, _]:
            one = objects.get(f"Deployment/{named.partition('/')[2]}")
            stuck = named == "deployment/coinlink" and os.environ.get("STUCK") and not state["undone"]
            if stuck or one is None or not runs(one, objects):
                fail(f"{named} exceeded its progress deadline")
        case ["rollout", "undo", "deployment/coinlink"]:
            state["undone"] = True
        case _:
            fail(f"unknown here: {said}", 64)
    STATE.write_text(json.dumps(state))


if __name__ == "__main__":
    main(sys.argv[1:])
