"""The two sides: each has codes in its database, and is asked over HTTP for what they buy."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from bench.oauth.posts import Form, posted
from smartapp.sandbox.ports import choose_ports
from tests.conformance.site import Site
from tests.exchange.desk import REDIRECT, VERIFIER, challenge
from tests.support.postgres import PostgresServer

WORKERS = 2
THREADS = 4
ROOT = Path(__file__).resolve().parents[2]
TOOLKIT = ROOT / ".venv-toolkit" / "bin"
_PATIENCE = 60.0
"""Seconds."""


@dataclass(repr=False)
class Side:
    """`codes` are forms that each buy a token once. `showing` are the headers with which each app says who it is, and
    `asking` those with which its token may be asked about.
    """

    token: str
    introspection: str
    codes: list[Form]
    showing: list[dict[str, str]]
    asking: list[dict[str, str]]
    families: list[dict[str, str]] = field(default_factory=list)
    """Of the codes that were redeemed: the app, its newest access and refresh token."""

    def redeem(self, count: int) -> int:
        """The next codes; how many."""
        first = len(self.families)
        forms = self.codes[first : first + count]
        said = posted(self.token, forms, self.showing[first : first + count])
        self.families += [
            {"client_id": form["client_id"], **_pair(each)} for form, each in zip(forms, said, strict=True)
        ]
        return count

    def refresh(self, count: int) -> int:
        """Of as many families the next tokens."""
        forms = [
            {"grant_type": "refresh_token", "refresh_token": each["refresh"], "client_id": each["client_id"]}
            for each in self.families[:count]
        ]
        for family, said in zip(self.families, posted(self.token, forms, self.showing[:count]), strict=False):
            family.update(_pair(said))
        return count

    def introspect(self, count: int) -> int:
        """Of as many families the access token, each asked about by one who may."""
        forms = [{"token": each["access"]} for each in self.families[:count]]
        said = posted(self.introspection, forms, self.asking[:count])
        assert all(answer["active"] for answer in said)
        return count


def _pair(said: dict[str, str]) -> dict[str, str]:
    return {"access": said["access_token"], "refresh": said["refresh_token"]}


def house(site: Site, count: int) -> Side:
    """Each code an app's of its own, which has a secret; all of one patient."""
    patient = site.sign_in()
    codes: list[Form] = []
    showing = []
    for _ in range(count):
        registered = site.registered(token_endpoint_auth_method="client_secret_basic")  # noqa: S106 -- a method's name
        pair = f"{registered.app.client_id}:{registered.client_secret}"
        showing.append({"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()})
        codes.append(site.form(site.code(patient, registered.app), registered.app))
    oauth = f"{site.issuer}/oauth"
    return Side(f"{oauth}/token", f"{oauth}/introspect", codes, showing, showing)


@contextmanager
def toolkit(server: PostgresServer, folder: Path, count: int) -> Iterator[Side]:
    """Each code an app's of its own, without a secret, which would cost a slow hash. One token may ask about all."""
    server.create("toolkit")
    port = choose_ports(None, 1).app
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "bench.toolkit.project",
        "TOOLKIT_SECRET": secrets.token_hex(),
        "TOOLKIT_HOST": str(server.folder),
        "TOOLKIT_DATABASE": "toolkit",
    }
    seeding = [str(TOOLKIT / "python"), "-m", "bench.toolkit.seed", str(count), challenge(), REDIRECT]
    made = json.loads(subprocess.run(seeding, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    command = [
        str(TOOLKIT / "gunicorn"), "bench.toolkit.addresses:application", "--bind", f"127.0.0.1:{port}",
        "--workers", str(WORKERS), "--threads", str(THREADS), "--keep-alive", "600",
    ]  # fmt: skip
    with (folder / "toolkit.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
    try:
        base = f"http://127.0.0.1:{port}/o"
        _until_served(f"{base}/introspect/")
        asking = {"Authorization": f"Bearer {made['asking']}"}
        codes = [_theirs(client_id, code) for client_id, code in made["codes"]]
        yield Side(f"{base}/token/", f"{base}/introspect/", codes, [{}] * count, [asking] * count)
    finally:
        process.terminate()
        process.wait(30)


def _theirs(client_id: str, code: str) -> Form:
    said = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    return {**said, "client_id": client_id}


def _until_served(url: str) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            requests.get(url, timeout=5)
        except requests.ConnectionError:
            assert time.monotonic() < end, "django-oauth-toolkit did not start"
            time.sleep(0.1)
        else:
            return
