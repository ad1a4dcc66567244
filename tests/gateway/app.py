"""The gateway as an application: the web base, the routes, and the record rooms behind them."""

from dataclasses import dataclass
from typing import Any, cast

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from smartapp.dicomweb.gateway.routes import blueprint
from smartapp.identity.model import Principal
from smartapp.web.app import build_app
from smartapp.web.parts import Parts
from tests.records.desk import Desk

MULTIPART = 'multipart/related; type="application/dicom"; transfer-syntax=*'


def gateway_app(desk: Desk) -> Flask:
    house = desk.house
    parts = Parts(
        settings=desk.settings,
        clock=house.clock,
        keyring=house.keyring,
        identity=house.identity,
        records=desk.records,
        sign_in=cast("Any", None),  # nobody signs in here
        copies=cast("Any", None),
        viewer_tokens=house.viewer_tokens,
        apps=cast("Any", None),  # no app asks here
        logos=cast("Any", None),
        app_tokens=cast("Any", None),
        approvals=cast("Any", None),
        app_grants=cast("Any", None),
        resources=cast("Any", None),
        limits=cast("Any", None),
        registrations=cast("Any", None),
        developers=cast("Any", None),
        traces=cast("Any", None),
        revisions=cast("Any", None),
        worklist=cast("Any", None),
        signing=cast("Any", None),
        audit=desk.house.audit,
        public_door=cast("Any", None),
        alerts=cast("Any", None),  # as nobody signs in, nobody is told
    )
    return build_app(parts, [blueprint])


@dataclass
class Viewer:
    """A client that holds a token for one study."""

    desk: Desk
    client: FlaskClient
    principal: Principal
    token: str

    def get(self, path: str, accept: str | None = None, method: str = "GET", **headers: str) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        if accept is not None:
            sent["Accept"] = accept
        return self.client.open(
            f"/st-elsewhere/dicomweb{path}", method=method, headers=sent, base_url=self.desk.base_url
        )


def viewer(desk: Desk, study: str = "1.2.3") -> Viewer:
    principal = desk.principal()
    token, _ = desk.house.viewer_tokens.issue(principal, study)
    return Viewer(desk, gateway_app(desk).test_client(use_cookies=False), principal, token)
