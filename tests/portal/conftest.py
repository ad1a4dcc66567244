"""The portal with stand-ins behind it: in Flask's test client, and on a port for browsers."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from smartapp.portal.blueprints import BLUEPRINTS
from smartapp.security.keyring import Keyring
from smartapp.settings import Database, Keys, Provider, Server, Settings, Storage
from smartapp.web.app import build_app
from smartapp.web.parts import Parts
from tests.copies.fakes import FakeCopies
from tests.portal.app_fakes import FakeAppGrants, FakeApprovals, FakeApps, FakeLogos
from tests.portal.fakes import FakeAlerts, FakeIdentity, FakeRecords, FakeSignIn, FakeTrail, FakeViewerTokens
from tests.portal.stub_gateway import StubGateway
from tests.support.clock import FixedClock


class AtHome(FlaskClient):
    """A client that speaks to the configured address: any other is refused before a view is asked."""

    def __init__(self, *args: Any, base_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._base_url = base_url

    def open(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("base_url", self._base_url)
        return super().open(*args, **kwargs)


@dataclass
class Portal:
    """The application, what stands behind it, and its address."""

    base_url: str
    keyring: Keyring
    records: FakeRecords = field(default_factory=FakeRecords)
    identity: FakeIdentity = field(default_factory=FakeIdentity)
    tokens: FakeViewerTokens = field(default_factory=FakeViewerTokens)
    alerts: FakeAlerts = field(default_factory=FakeAlerts)
    apps: FakeApps = field(default_factory=FakeApps)
    approvals: FakeApprovals = field(default_factory=FakeApprovals)
    audit: FakeTrail = field(default_factory=FakeTrail)

    def __post_init__(self) -> None:
        self.app_grants = FakeAppGrants(self.records, self.apps)
        self.sign_in = FakeSignIn(self.identity)
        self.gateway = StubGateway(self.tokens)
        self.app = self._app()

    def _app(self) -> Flask:
        provider = Provider(
            id="st-elsewhere",
            name="St. Elsewhere Health",
            iss="http://localhost:9/fhir",
            trusted_origins=("http://localhost:9",),
            client_id="smartapp",
            client_auth="none",
            scopes=(),
            dicomweb="http://localhost:9/dicomweb",
            mrn_systems=(),
            timezone="America/Chicago",
        )
        settings = Settings(
            server=Server(self.base_url),
            database=Database("sqlite://"),
            storage=Storage(Path("unused")),
            keys=Keys(Path("unused")),
            providers=(provider,),
            environment="sandbox",
        )
        here: dict[str, Any] = {
            "settings": settings,
            "clock": FixedClock(),
            "keyring": self.keyring,
            "identity": self.identity,
            "records": self.records,
            "sign_in": self.sign_in,
            "viewer_tokens": self.tokens,
            "apps": self.apps,
            "logos": FakeLogos(),
            "approvals": self.approvals,
            "app_grants": self.app_grants,
            "copies": FakeCopies(),
            "alerts": self.alerts,
            "audit": self.audit,
        }
        every: dict[str, Any] = {each.name: here.get(each.name) for each in fields(Parts)}
        parts = Parts(**every)  # no page here asks the others
        return build_app(parts, (*BLUEPRINTS, self.gateway.blueprint()))

    @property
    def cookie(self) -> str:
        return f"smartapp-session-{self.base_url.rpartition(':')[2]}"

    def client(self, session: str | None = "ses-ana") -> FlaskClient:
        """A browser at `base_url` that holds this session's cookie."""
        self.app.test_client_class = AtHome
        client = self.app.test_client(base_url=self.base_url)
        if session:
            client.set_cookie(self.cookie, session, domain="127.0.0.1")
        return client

    def csrf(self, session: str = "ses-ana") -> str:
        return self.keyring.mac("csrf", session)


@pytest.fixture
def portal(keyring: Keyring) -> Portal:
    return Portal("http://127.0.0.1:8123", keyring)


@pytest.fixture
def client(portal: Portal) -> FlaskClient:
    """Ana, signed in."""
    return portal.client()


@pytest.fixture
def live_portal(keyring: Keyring) -> Iterator[Portal]:
    """The portal on a free port of its own."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        portal = Portal(f"http://127.0.0.1:{listener.getsockname()[1]}", keyring)
        server = make_server("127.0.0.1", 0, portal.app, threaded=True, fd=listener.fileno())
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield portal
        portal.gateway.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()
