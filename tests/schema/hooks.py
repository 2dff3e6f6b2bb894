"""How Schemathesis signs in, and what is checked beside its own checks."""

import os
import threading
import uuid

import requests
import schemathesis

BASE = os.environ["COINLINK_BASE_URL"]
PASSWORD = "Correct-horse-9-battery"


def new_address():
    return f"schema-{uuid.uuid4().hex}@example.org"


def post(path, body):
    return requests.post(f"{BASE}{path}", json=body, timeout=30)


def access_token(response):
    response.raise_for_status()
    return response.json()["tokens"]["access_token"]


def needs_a_token(context):
    return bool(context.operation.definition.raw.get("security")) and not takes_cookies_alone(context)


def takes_cookies_alone(context):
    return context.operation.path == "/api/v2/auth/csrf"


# The run ends its own sessions: a token serves for two seconds, or until it is refused.
@schemathesis.auth(refresh_interval=2).apply_to(needs_a_token)
class SignedIn:
    """One account of the run's own, signed in anew each time a token is asked for. The run changes passwords and guesses at them,
    so that an account may be lost to it: then there is a new one."""

    lock = threading.Lock()
    credentials = None

    def get(self, case, context):
        with self.lock:
            if SignedIn.credentials is not None:
                response = post("/api/v2/auth/login", SignedIn.credentials)
                if response.status_code != 401:
                    return access_token(response)
            SignedIn.credentials = {"email": new_address(), "password": PASSWORD}
            return access_token(post("/api/v2/auth/signup", SignedIn.credentials))

    def set(self, case, data, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.auth(refresh_interval=2).apply_to(takes_cookies_alone)
class SignedInWithCookies:
    """A page's browser, signed in anew to an account of its own."""

    def get(self, case, context):
        body = {"email": new_address(), "password": PASSWORD, "cookies": True}
        response = requests.post(f"{BASE}/api/v2/auth/signup", json=body, headers={"Origin": BASE}, timeout=30)
        response.raise_for_status()
        return response.cookies["__Host-coinlink-access"]

    def set(self, case, data, context):
        case.cookies = {**(case.cookies or {}), "__Host-coinlink-access": data}


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Answers hold no field that the document does not name. Clients may not rely on that, so it is held here alone."""
    schemas = raw_schema["components"]["schemas"]
    # Of what is put together from others, the whole is closed and not its parts.
    parts = {part["$ref"].rsplit("/", 1)[-1] for schema in schemas.values() for part in schema.get("allOf", []) if "$ref" in part}
    for name, schema in schemas.items():
        if "allOf" in schema:
            schema.setdefault("unevaluatedProperties", False)
        elif "properties" in schema and name not in parts:
            schema.setdefault("additionalProperties", False)


@schemathesis.hook("before_call").apply_to(path="/api/v2/auth/signup", method="POST")
def open_accounts(context, case, kwargs):
    """Chains of requests begin with an account that can be opened: neither a free address nor the rules of passwords can be
    written in a schema. The other phases send what they like."""
    if case.meta and case.meta.phase.name.value == "stateful" and case.meta.generation.mode.is_positive:
        case.body = {"email": new_address(), "password": PASSWORD}


# Known for some refusals only; of the page at `/`, and not of the facts that programs get there.
SOMETIMES = {"Retry-After", "ETag"}


@schemathesis.check
def documented_headers_are_there(context, response, case):
    """What the document says of the headers of every answer is so; Schemathesis looks only at the form of those that came."""
    documented = case.operation.definition.raw["responses"].get(str(response.status_code), {}).get("headers", {})
    missing = [name for name in documented if name not in SOMETIMES and name.lower() not in response.headers]
    assert not missing, f"{', '.join(missing)} missing from a {response.status_code}"
