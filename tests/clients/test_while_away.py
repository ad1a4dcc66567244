"""At a hospital whose EHR gives patients no refresh token, an app goes on by backend services, over real HTTP."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from smartapp.sandbox.world import build_world
from tests.clients.grant import granted
from tests.clients.house import House
from tests.clients.person import Person

[USER] = build_world().hospital("mercy").users
REDIRECT = "http://127.0.0.1/away"
pytestmark = [pytest.mark.promise("B1"), pytest.mark.promise("B3")]


def _read(url: str, token: str, accept: str) -> Any:
    answer = requests.get(url, headers={"Authorization": f"Bearer {token}", "Accept": accept}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _seen(house: House, token: str, patient: str) -> tuple[list[str], list[str]]:
    """The reports and studies that an app sees."""
    bundle = _read(f"{house.fhir}/DiagnosticReport?patient={patient}", token, "application/fhir+json")
    studies = _read(f"{house.dicomweb}/studies", token, "application/dicom+json")
    reports = [each["resource"]["id"] for each in bundle["entry"]]
    return reports, [row["0020000D"]["Value"][0] for row in studies]


def _kinds(house: House) -> set[str]:
    path = Path(house.said["data"]) / "app" / "smartapp.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return {row[0] for row in database.execute("SELECT DISTINCT kind FROM audit_events")}


@pytest.mark.clause("SMART 2.2", "225")
def test_an_app_goes_on_when_its_patient_signed_out(house: House) -> None:
    mercy = replace(house, hospital=1)
    app = mercy.register("Night reader", redirect_uris=[REDIRECT], post_logout_redirect_uris=[REDIRECT])
    person = Person(house.said["app"]["base"], house.said["ehr"]["portal"], USER.username, USER.password)
    first = granted(mercy, app["client_id"], REDIRECT, person)
    assert "offline_access" in first["scope"].split()
    seen = _seen(mercy, first["access_token"], first["patient"])
    assert all(len(each) == 1 for each in seen)

    leaving = urlencode({"id_token_hint": first["id_token"], "post_logout_redirect_uri": REDIRECT})
    assert person.sign_out(f"{mercy.issuer}/oauth/logout?{leaving}").startswith(REDIRECT)
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], "client_id": app["client_id"]}
    answer = requests.post(f"{mercy.issuer}/oauth/token", data=form, timeout=60)
    assert answer.status_code == 200, answer.text
    assert _seen(mercy, answer.json()["access_token"], first["patient"]) == seen
    assert {"smart.system.token", "smart.system.stand", "smart.system.use"} <= _kinds(house)
