"""The portal's own routes over real record rooms, in a client that stands signed in as Ana."""

import io
import json
import zipfile
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from smartapp.dicomweb.core.cache import InstanceCache
from smartapp.exchange.copies.progress import Board
from smartapp.exchange.copies.service import Copies
from smartapp.portal.blueprints import BLUEPRINTS
from smartapp.web.app import build_app
from smartapp.web.parts import Parts
from tests.records.desk import Desk


@dataclass
class Shop:
    """`page` and `press` are a browser's GET and POST under `/my/{ctx}`."""

    desk: Desk

    @cached_property
    def copies(self) -> Copies:
        house = self.desk.house
        cache = InstanceCache(self.desk.settings.storage, house.datakeys, house.clock)
        board = Board(cache, house.clock)
        return Copies(self.desk.settings, self.desk.records, house.identity, house.audit, house.clock, board)

    @cached_property
    def _parts(self) -> Parts:
        house = self.desk.house
        return Parts(
            settings=self.desk.settings,
            clock=house.clock,
            keyring=house.keyring,
            identity=house.identity,
            records=self.desk.records,
            sign_in=cast("Any", None),  # she is signed in
            copies=self.copies,
            viewer_tokens=house.viewer_tokens,
            apps=cast("Any", None),  # no app asks here
            logos=cast("Any", None),
            app_tokens=cast("Any", None),
            approvals=cast("Any", None),
            app_grants=cast("Any", None),
            resources=cast("Any", None),
            limits=cast("Any", None),
            signing=cast("Any", None),
            audit=house.audit,
            public_door=cast("Any", None),
            registrations=cast("Any", None),
            developers=cast("Any", None),
            traces=cast("Any", None),
            revisions=cast("Any", None),
            worklist=cast("Any", None),
            alerts=cast("Any", None),
        )

    @cached_property
    def opened(self) -> Any:
        return self.desk.house.sign_in()

    @cached_property
    def client(self) -> FlaskClient:
        client = build_app(self._parts, BLUEPRINTS).test_client()
        host = urlsplit(self.desk.base_url).hostname or ""
        client.set_cookie("__Host-smartapp-session", self.opened.cookie, domain=host, secure=True)
        return client

    def page(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(f"/my/{self.opened.context_id}{path}", base_url=self.desk.base_url, headers=headers)

    def press(self, path: str, headers: dict[str, str] | None = None, **fields: Any) -> TestResponse:
        session = self.desk.house.browser(self.opened)
        form = {"csrf_token": self.desk.house.keyring.mac("csrf", session.session_id), **fields}
        address = f"/my/{self.opened.context_id}{path}"
        return self.client.post(address, base_url=self.desk.base_url, data=form, headers=headers)


def opened(response: TestResponse) -> zipfile.ZipFile:
    assert response.status_code == 200, response.text
    return zipfile.ZipFile(io.BytesIO(response.data))


def manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return found
