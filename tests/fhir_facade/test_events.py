"""An app reads what it was given, as AuditEvents: its own disclosures, and nobody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from smartapp.consent.grants.model import Terms
from smartapp.consent.scopes.grammar import parse
from tests.fhir_facade.app import App, Clinic
from tests.gateway.app import MULTIPART
from tests.threats.composed import BASE


def studies_of(app: App) -> set[str]:
    """The studies that its events name."""
    named = set()
    for event in events(app):
        named |= {each["what"]["reference"] for each in event["entity"]}
    return {each.partition("/")[2] for each in named if each.startswith("ImagingStudy/")}


def events(app: App, query: str = "") -> list[Any]:
    return [each["resource"] for each in app.json(f"/AuditEvent?_count=100{query}").get("entry", [])]


def look(app: App, uid: str) -> str:
    """Retrieves a study; the id of it."""
    (study,) = app.ids(f"/ImagingStudy?identifier={uid}")
    answer = app.get(f"{BASE}/st-elsewhere/dicomweb/studies/{uid}", headers={"Accept": MULTIPART}, buffered=True)
    assert answer.status_code == 200
    return study


@pytest.mark.promise("E1")
@pytest.mark.promise("B4")
def test_an_app_reads_what_it_was_given_and_nothing_of_others(shared: Clinic) -> None:
    app, other = shared.app(), shared.app()
    study = look(app, "1.2.3")
    assert studies_of(app) == {study}
    assert events(other) == []
    foreign = events(app)[0]["id"]
    assert other.get(f"/AuditEvent/{foreign}").status_code == 404
    found = app.json(f"/AuditEvent/{foreign}")
    assert [agent["who"].get("identifier", {}).get("value") for agent in found["agent"]] == [app.client_id, None]
    assert found["purposeOfEvent"][0]["coding"][0]["code"] == "PATRQT"
    assert app.get(f"/{found['source']['observer']['reference']}").status_code == 200


@pytest.mark.promise("B3")
def test_a_study_that_is_no_longer_allowed_is_no_longer_named(shared: Clinic) -> None:
    app = shared.app()
    first, second = look(app, "1.2.3"), look(app, "1.5")
    assert studies_of(app) == {first, second}
    with shared.composed.ground.database.write() as session:
        grant = shared.grants.find(session, app.grant_id)
        assert grant is not None
        terms = Terms(parse("patient/*.rs"), chosen=frozenset({"1.5"}))
        shared.grants.put(session, replace(grant, version=2, terms=terms), kind="changed", by="patient")
    assert studies_of(app) == {second}


@pytest.mark.promise("B3")
def test_events_are_found_by_date_and_given_in_order(shared: Clinic) -> None:
    app = shared.app()
    look(app, "1.2.3")
    assert len(events(app, "&date=ge2020")) == len(events(app)) > 1
    assert events(app, "&date=lt2020") == []
    recorded = [each["recorded"] for each in events(app, "&_sort=-date")]
    assert recorded == sorted(recorded, reverse=True)
    assert app.get("/AuditEvent?patient=ben").status_code == 403


@pytest.mark.promise("B3")
@pytest.mark.parametrize(
    ("scope", "listed", "read"), [("patient/AuditEvent.s", 200, 403), ("patient/ImagingStudy.rs", 403, 403)]
)
def test_events_need_their_own_right(shared: Clinic, scope: str, listed: int, read: int) -> None:
    app = shared.app(scope)
    assert (app.get("/AuditEvent").status_code, app.get("/AuditEvent/none").status_code) == (listed, read)


@pytest.mark.promise("B3")
def test_a_deidentified_grant_names_no_uid_in_its_events(shared: Clinic) -> None:
    app = shared.app(images="deidentified", reports=False)
    (study, *_) = app.ids("/ImagingStudy")
    assert app.get(f"/ImagingStudy/{study}").status_code == 200
    assert study in studies_of(app)
    assert "1.2.3" not in app.get("/AuditEvent").text
