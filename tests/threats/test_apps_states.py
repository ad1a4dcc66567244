"""Each state of a grant, at each door that an app has: served, held with the reason, or dead. One table for all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest
from werkzeug.test import TestResponse

from smartapp.consent.grants.model import LIVING, GrantState
from smartapp.consent.grants.service import Grants
from smartapp.errors import PermitEnded
from smartapp.identity.apps.model import AppMetadata, AppState
from smartapp.identity.model import Principal
from tests.authserver.house import basic
from tests.dicomweb_upstream.objects import Made
from tests.exchange.desk import REDIRECT, VERIFIER, Office
from tests.gateway.app import MULTIPART
from tests.support.databases import SqliteFiles
from tests.threats.composed import Browser, Composed, composed

HOSPITAL = "/st-elsewhere"
WORDS = {
    GrantState.ACTIVE: "Has access",
    GrantState.PAUSED: "Paused",
    GrantState.DORMANT: "Asleep",
    GrantState.NEEDS_SIGN_IN: "Waits for a sign-in",
    GrantState.FROZEN: "Held",
    GrantState.ENDED: "Ended",
    GrantState.EXPIRED: "Time is over",
    GrantState.SUSPENDED: "Stopped by the hospital",
}

SIZE, INSTANCES = 1450, 8
LARGE = [Made(f"1.9.1.{n}", "1.9.1", "1.9", number=n, size=SIZE) for n in range(1, INSTANCES + 1)]


@pytest.fixture(scope="module")
def office(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with composed(sqlite_files, tmp_path_factory.mktemp("states")) as running:
        running.first.archive.held += LARGE
        yield Office(running)


@dataclass(repr=False)
class Allowed:
    """A confidential app that Ana allowed to go on without her, with its tokens."""

    office: Office
    client_id: str
    secret: str
    grant_id: str
    browser: Browser
    access: str = ""
    refresh_token: str = ""

    @property
    def composed(self) -> Composed:
        return self.office.composed

    def set_state(self, state: GrantState) -> None:
        ground = self.composed.ground
        grants = Grants(ground.keyring, ground.datakeys, ground.clock)
        with ground.database.write() as session:
            grants.set_state(session, self.grant_id, state, kind=state.value, by="patient")

    def post(self, endpoint: str, **form: str) -> TestResponse:
        headers = basic(self.client_id, self.secret)
        path = f"{HOSPITAL}/oauth/{endpoint}"
        return self.composed.browser().open(path, method="POST", data=form, headers=headers)

    def take(self, **form: str) -> TestResponse:
        answer = self.post("token", **form)
        if answer.status_code == 200:
            self.access = answer.get_json()["access_token"]
            self.refresh_token = answer.get_json()["refresh_token"]
        return answer

    def refresh(self) -> TestResponse:
        return self.take(grant_type="refresh_token", refresh_token=self.refresh_token)

    def get(self, path: str, accept: str = "*/*", **kwargs: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.access}", "Accept": accept}
        return self.composed.browser().get(f"{HOSPITAL}{path}", headers=headers, **kwargs)

    @cached_property
    def study(self) -> str:
        """The id of her study at our FHIR base."""
        found = self.get("/fhir/ImagingStudy").get_json(force=True)
        return str(found["entry"][0]["resource"]["id"])

    def doors(self) -> dict[str, TestResponse]:
        return {
            "userinfo": self.get("/oauth/userinfo"),
            "FHIR read": self.get(f"/fhir/ImagingStudy/{self.study}"),
            "FHIR search": self.get("/fhir/ImagingStudy"),
            "QIDO": self.get("/dicomweb/studies"),
            "WADO": self.get("/dicomweb/studies/1.2.3", MULTIPART),
            "WADO metadata": self.get("/dicomweb/studies/1.2.3/metadata"),
        }


def allowed(office: Office, **terms: Any) -> Allowed:
    browser, ana = office.someone()
    metadata = AppMetadata(
        "Canary Heart App", (REDIRECT,), ("authorization_code", "refresh_token"), "client_secret_basic",
        "launch/patient openid offline_access patient/*.rs",
    )  # fmt: skip
    made = office.parts.apps.register(metadata, provider="st-elsewhere", state=AppState.ACTIVE)
    code = office.approve(ana, office.ask(client_id=made.app.client_id), **terms)
    found = Allowed(
        office, made.app.client_id, made.client_secret or "", _grant_of(office, ana, made.app.client_id), browser
    )
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    answer = found.take(**form)
    assert answer.status_code == 200, answer.text
    assert found.study
    return found


def _grant_of(office: Office, ana: Principal, client_id: str) -> str:
    return next(view.grant.id for view in office.grants.list(ana) if view.grant.client_id == client_id)


@pytest.mark.promise("B4")
@pytest.mark.promise("B5")
@pytest.mark.threat("A20")
@pytest.mark.threat("O32")
@pytest.mark.threat("O35")
@pytest.mark.threat("P2")
@pytest.mark.parametrize("state", list(GrantState))
def test_what_each_state_means_at_each_door(office: Office, state: GrantState) -> None:
    app = allowed(office)
    app.set_state(state)
    calls = office.composed.calls()
    _require(app, state)
    if state is not GrantState.ACTIVE:
        assert office.composed.calls() == calls
    page = app.browser.my("apps/").text
    card = page[page.index(f"/apps/{app.grant_id}/") :].partition("</li>")[0]
    assert WORDS[state] in card
    assert (f"/apps/{app.grant_id}/revoke" in page) is (state in LIVING | {GrantState.SUSPENDED})


@pytest.mark.promise("B4")
@pytest.mark.threat("O32")
def test_when_the_time_is_over_nobody_has_to_write_it_down_first(office: Office) -> None:
    app = allowed(office, expires_at=office.composed.clock.now() + timedelta(minutes=5))
    _require(app, GrantState.ACTIVE)
    office.composed.clock.advance(301)
    calls = office.composed.calls()
    _require(app, GrantState.EXPIRED)
    assert office.composed.calls() == calls
    assert WORDS[GrantState.EXPIRED] in app.browser.my("apps/").text


def _require(app: Allowed, state: GrantState) -> None:
    """Decision 1: served; 403 with the reason, and a refresh that works; or 401 and `invalid_grant`."""
    refreshed = app.refresh()
    living, served = state in LIVING, state is GrantState.ACTIVE
    told = (refreshed.status_code, refreshed.get_json().get("error"))
    assert told == ((200, None) if living else (400, "invalid_grant"))
    introspected = app.post("introspect", token=app.access)
    assert introspected.status_code == 200
    assert introspected.get_json()["active"] is served
    for door, answer in app.doors().items():
        assert answer.status_code == (200 if served else 403 if living else 401), door
        if not living:
            assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"', door
        elif not served:
            assert _reason(door, answer) == _held(door, state), door


def _reason(door: str, answer: TestResponse) -> str:
    if door.startswith("FHIR"):
        issue = answer.get_json(force=True)["issue"][0]
        return f"{issue['code']} {issue['details']['coding'][0]['code']}"
    return "" if door == "userinfo" else answer.text.partition("\n")[0]


def _held(door: str, state: GrantState) -> str:
    """The state by name; in FHIR besides whether a sign-in mends it."""
    if door.startswith("FHIR"):
        return f"{'login' if state is GrantState.NEEDS_SIGN_IN else 'forbidden'} grant-{state.value}"
    return "" if door == "userinfo" else f"grant-{state.value}"


@dataclass(repr=False)
class Download:
    """A study of 32 MiB on its way; `taken` bytes so far."""

    answer: TestResponse
    body: Iterator[bytes]
    taken: int = 0

    def take(self, most: int | None = None) -> None:
        for chunk in self.body:
            self.taken += len(chunk)
            if most is not None and self.taken > most:
                return


def download(app: Allowed) -> Download:
    headers = {"Authorization": f"Bearer {app.access}", "Accept": MULTIPART}
    path = f"{HOSPITAL}/dicomweb/studies/1.9"
    answer = app.composed.browser().open(path, method="GET", headers=headers, buffered=False)
    assert answer.status_code == 200
    found = Download(answer, answer.iter_encoded())
    found.take(2**20)
    return found


@pytest.mark.threat("F29")
@pytest.mark.threat("A21")
def test_a_download_ends_soon_after_its_token(office: Office) -> None:
    app = allowed(office)
    running = download(app)
    before = running.taken
    office.composed.clock.advance(3601)
    assert app.get("/dicomweb/studies").status_code == 401
    with pytest.raises(PermitEnded):
        running.take()
    running.answer.close()
    assert running.taken - before <= 8 * 2**20
    assert app.refresh().status_code == 200


@pytest.mark.threat("F29")
@pytest.mark.threat("A21")
def test_a_download_ends_soon_after_the_time_of_its_grant(office: Office) -> None:
    app = allowed(office, expires_at=office.composed.clock.now() + timedelta(minutes=5))
    running = download(app)
    before = running.taken
    office.composed.clock.advance(301)
    with pytest.raises(PermitEnded):
        running.take()
    running.answer.close()
    assert running.taken - before <= 8 * 2**20
