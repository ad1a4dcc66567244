"""An OHIF of three files, and the product's side of it over real record rooms."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from smartapp.dicomweb.gateway.routes import blueprint as gateway
from smartapp.identity.apps.service import Apps
from smartapp.identity.model import Principal
from smartapp.portal.ohif.routes import BLUEPRINTS
from smartapp.settings import Ohif
from smartapp.tokens.ohif import OhifDoor
from smartapp.web.app import build_app
from tests.gateway.app import gateway_app
from tests.records.desk import Desk

ORIGIN = "http://127.0.0.1:8124"
SCRIPT, DECODER = "app.bundle.0123456789abcdef.js", "77.bundle.fedcba9876543210.js"
PAGE = f'<script defer src="/{SCRIPT}"></script><link href="/app.bundle.css" rel="stylesheet">'
FILES = {
    "index.html": PAGE,
    SCRIPT: "start()",
    "app.bundle.css": "a {}",
    DECODER: "var CharLSWASM;",
    "app-config.js": "window.config = elsewhere;",
    "sw.js": "stay()",
    "oidc-client.min.js": "",
    "silent-refresh.html": "<p>",
    "0123456789abcdef.wasm": "",
    "assets/favicon.ico": "",
    "assets/manifest.webapp": "",
    "customizations/index.html": "",
}


def unpacked(folder: Path) -> Path:
    """A folder as `make ohif` fills one, much smaller."""
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (folder.parent / "secret.js").write_text("a secret")
    return folder


@dataclass
class Side:
    """Our own origin, as OHIF's page and its browser speak to it."""

    desk: Desk
    app: Flask
    client: FlaskClient
    door: OhifDoor
    principal: Principal

    def post(self, path: str, *, origin: str | None = ORIGIN, token: str = "", **sent: Any) -> TestResponse:
        headers = {"Sec-Fetch-Site": "same-site"} | ({"Origin": origin} if origin else {})
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.post(path, headers=headers, base_url=self.desk.base_url, **sent)

    def get(self, path: str, token: str, *, origin: str | None = ORIGIN) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}"} | ({"Origin": origin} if origin else {})
        return self.client.get(f"/st-elsewhere/dicomweb{path}", headers=headers, base_url=self.desk.base_url)

    def code(self, study: str = "1.2.3") -> str:
        return self.door.make_code(self.principal, study)

    def token(self) -> str:
        return self.door.redeem(self.code()).given.token


def our_side(desk: Desk, *, configured: bool = True) -> Side:
    house = desk.house
    door = OhifDoor(house.database, house.identity, house.single_use, house.viewer_tokens)
    ohif = Ohif(ORIGIN, Path("unused")) if configured else None
    parts = gateway_app(desk).extensions["smartapp.parts"]
    apps = Apps(house.database, house.keyring, house.audit, house.clock)  # without any: no other page may read
    parts = replace(parts, settings=replace(desk.settings, ohif=ohif), ohif=door if configured else None, apps=apps)
    app = build_app(parts, [*(BLUEPRINTS if configured else ()), gateway])
    return Side(desk, app, app.test_client(use_cookies=False), door, desk.principal())
