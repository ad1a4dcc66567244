"""An app reads what it was given, as AuditEvents: its own disclosures, and nobody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from smartapp.audit.usage import UsageReader
from smartapp.consent.grants.model import Terms
from smartapp.consent.scopes.grammar import parse
from smartapp.identity.model import PatientKey
from tests.fhir_facade.app import App, Clinic
from tests.gateway.app import MULTIPART
from tests.threats.composed import BASE


def studies_of(app: App) -> set[str]:
    """The studies that its events name."""
    named = set()
    for event in events(app):
        named |= {each["what"].get("reference", "") for each in event["entity"]}
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


def entities(event: Any, code: str) -> list[Any]:
    return [each for each in event["entity"] if each["type"]["code"] == code]


@pytest.mark.promise("E1")
def test_an_event_is_what_balp_says(shared: Clinic) -> None:
    """Two participants of which one asked, where the data came from, the patient, what was read, the request."""
    app = shared.app()
    study = look(app, "1.2.3")
    (event,) = (each for each in events(app) if f"ImagingStudy/{study}" in str(each))
    AuditEvent.model_validate(event)
    said = (event["type"]["code"], event["subtype"][0]["code"], event["action"], event["outcome"])
    assert said == ("rest", "read", "R", "0")
    asked = {agent["type"]["coding"][0]["code"]: agent["requestor"] for agent in event["agent"]}
    assert asked == {"110152": True, "110153": False}
    assert [each["what"]["reference"] for each in entities(event, "1")] == ["Patient/ana"]
    assert [each["what"]["reference"] for each in entities(event, "2")] == [f"ImagingStudy/{study}"]
    assert len(entities(event, "XrequestId")) == 1
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "PATRQT"


@pytest.mark.promise("E1")
def test_an_event_names_the_request_by_which_it_was_opened(shared: Clinic) -> None:
    """By the number that the answer carried: so that app and hospital speak of the same."""
    app = shared.app()
    (study,) = app.ids("/ImagingStudy?identifier=1.2.3")
    opening = app.get(f"/ImagingStudy/{study}").headers["X-Request-Id"]
    later = app.get(f"/ImagingStudy/{study}").headers["X-Request-Id"]
    (event,) = (each for each in events(app) if f"ImagingStudy/{study}" in str(each))
    (named,) = entities(event, "XrequestId")
    assert named["what"] == {"identifier": {"value": opening}}
    assert later != opening


@pytest.mark.promise("E1")
@pytest.mark.threat("T18")
def test_an_event_refers_to_the_token_and_holds_no_part_of_it(shared: Clinic) -> None:
    app, other = shared.app(), shared.app()
    look(app, "1.2.3")
    look(other, "1.2.3")
    policies = [{policy for agent in event["agent"] for policy in agent.get("policy", ())} for event in events(app)]
    (only,) = set.union(*policies)
    assert all(policies), "each event refers to it"
    assert only not in str(events(other))
    reference = only.removeprefix("urn:token:")
    assert len(reference) == 32
    whole, stored = app.token, shared.parts.app_tokens.lookup("st-elsewhere", app.token).token_ref
    grams = {whole[at : at + 12] for at in range(len(whole) - 11)} | {stored[at : at + 12] for at in range(21)}
    assert not any(gram in reference for gram in grams), "nor of what it is looked up by"


@pytest.mark.threat("T13")
def test_of_a_patient_whose_key_was_destroyed_no_event_says_by_which_request(own: Clinic) -> None:
    app = own.app()
    look(app, "1.2.3")
    patient = PatientKey("st-elsewhere", "ana")
    reader = UsageReader(own.composed.ground.database, own.composed.ground.keyring, own.composed.ground.datakeys)
    assert all(each.request_id and each.token for each in reader.openings(patient, app.grant_id, ()))
    own.composed.ground.datakeys.destroy(str(patient))
    found = reader.openings(patient, app.grant_id, ())
    assert found
    assert {(each.request_id, each.token) for each in found} == {("", "")}


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
