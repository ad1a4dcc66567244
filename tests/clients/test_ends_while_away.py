"""What ends without its patient still reaches the hospital's file: written with the token of the backend service."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from smartapp.sandbox.world import build_world
from tests.clients.grant import granted
from tests.clients.house import House
from tests.clients.person import Person
from tests.support.hospital_view import HospitalView
from tests.support.sandboxes import running

[USER] = build_world().hospital("mercy").users
REDIRECT = "http://127.0.0.1/ends"
DAY = 86400
pytestmark = [pytest.mark.promise("B5"), pytest.mark.promise("B1"), pytest.mark.soak]


@pytest.fixture(scope="module")
def mercy() -> Iterator[House]:
    """The second hospital of a sandbox of its own: its clocks will be put forward by months."""
    with running() as said:
        yield House(said, hospital=1)


def apps(house: House, *arguments: str) -> str:
    config = Path(house.said["data"]) / "app" / "smartapp.toml"
    command = [sys.executable, "-m", "smartapp.cli", "--config", str(config), "apps", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def refreshed(house: House, allowed: dict[str, Any], client_id: str) -> requests.Response:
    form = {"grant_type": "refresh_token", "refresh_token": allowed["refresh_token"], "client_id": client_id}
    return requests.post(f"{house.issuer}/oauth/token", data=form, timeout=60)


def listed(house: House, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{house.fhir}/ImagingStudy", headers=headers, timeout=60)


def later(house: House, view: HospitalView, days: int) -> None:
    view.ahead = days * DAY
    answer = requests.put(f"{house.said['faults']}/clock", json={"seconds": view.ahead}, timeout=10)
    answer.raise_for_status()


def rests(house: House, view: HospitalView) -> None:
    """Nobody uses what was allowed: the worker warns, and then lets it rest. Asking would be using."""
    path = Path(house.said["data"]) / "app" / "smartapp.db"
    for days in range(90, 150, 8):
        later(house, view, days)
        until = time.monotonic() + 5
        while time.monotonic() < until:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                if database.execute("SELECT 1 FROM audit_events WHERE kind = 'grant.dormant'").fetchone():
                    return
            time.sleep(0.2)
    raise AssertionError("it does not rest")


@pytest.mark.threat("O32")
def test_suspension_rest_and_end_are_told_to_the_hospital_while_the_patient_is_away(mercy: House) -> None:
    view = HospitalView(mercy.said, "mercy")
    person = Person(mercy.said["app"]["base"], mercy.said["ehr"]["portal"], USER.username, USER.password)
    clients, allowed, grants = [], [], []
    until = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}"
    for name, expires in (("Stopped reader", ""), ("Short reader", until), ("Long reader", "")):
        app = mercy.register(name, redirect_uris=[REDIRECT], post_logout_redirect_uris=[REDIRECT])
        clients.append(app["client_id"])
        allowed.append(granted(mercy, app["client_id"], REDIRECT, person, expires=[expires]))
        grants.append(allowed[-1]["authorization_details"][0]["grant"])
        view.consent(grants[-1], "active")
    leaving = urlencode({"id_token_hint": allowed[0]["id_token"], "post_logout_redirect_uri": REDIRECT})
    assert person.sign_out(f"{mercy.issuer}/oauth/logout?{leaving}").startswith(REDIRECT)

    apps(mercy, "suspend", clients[0], "--ground", "security", "--reason", "it leaks tokens")
    stopped = view.consent(grants[0], "inactive")
    assert "end" in stopped["provision"]["provision"][0]["period"]
    assert listed(mercy, allowed[0]["access_token"]).status_code == 401
    apps(mercy, "reinstate", clients[0])
    assert view.consent(grants[0], "active")["id"] == stopped["id"]
    apps(mercy, "suspend", clients[0], "--ground", "security", "--reason", "it leaks tokens again")
    view.consent(grants[0], "inactive")

    later(mercy, view, 5)
    ended = view.consent(grants[1], "inactive")
    assert ended["meta"]["versionId"] == "2"
    assert refreshed(mercy, allowed[1], clients[1]).status_code == 400
    view.consent(grants[2], "active")

    rests(mercy, view)
    rested = refreshed(mercy, allowed[2], clients[2])
    assert rested.status_code == 200, rested.text
    told = listed(mercy, rested.json()["access_token"])
    assert (told.status_code, "grant-dormant" in told.text) == (403, True)
    assert view.consent(grants[2], "active")["meta"]["versionId"] == "1", "it may be woken"

    apps(mercy, "suspend", clients[2], "--ground", "fraud", "--reason", "it is another's")
    assert view.consent(grants[2], "inactive")["meta"]["versionId"] == "2"
    assert listed(mercy, rested.json()["access_token"]).status_code == 401
