"""Examinations of today and those that come later, from the tick on the page to what the app finds with its token."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dicomweb_upstream.objects import Made
from tests.exchange.conftest import office  # noqa: F401 -- a fixture
from tests.exchange.desk import Office
from tests.fhir_facade import app as clinic
from tests.fhir_upstream.fake_fhir import report, study
from tests.portal.test_approval_real import answered, code_in, filled, page_of
from tests.threats.composed import BASE

CHEST = {"system": "http://snomed.info/sct", "code": "51185008"}
HEAD = {"system": "http://snomed.info/sct", "code": "69536005"}
NARROW = {"bodysite": "51185008", "started_from": "2024-01-01"}


@pytest.fixture
def house(office: Office) -> Office:  # noqa: F811 -- the fixture
    """Ana has a CT of the chest with its report, a PET/CT of the head, and a study that only the archive knows."""
    clinic.fill(clinic.Clinic(office.composed))
    return office


def allowed(house: Office, **fields: Any) -> clinic.App:
    browser, ana = house.someone()
    issued = house.redeem(code_in(answered(browser, page_of(house.ask()), "approve", **fields)))
    client = house.composed.house.app.test_client(use_cookies=False)
    clinic_ = clinic.Clinic(house.composed)
    return clinic.App(clinic_, client, issued.access_token, house.the_grant(ana).id, house.app.client_id)


def uids(app: clinic.App) -> set[str]:
    """In FHIR, with each one read by itself as well; and the same in DICOMweb."""
    found = set()
    for id_ in app.ids("/ImagingStudy"):
        found.add(app.json(f"/ImagingStudy/{id_}")["identifier"][0]["value"].removeprefix("urn:oid:"))
    rows = app.client.get(
        "/st-elsewhere/dicomweb/studies", base_url=BASE, headers={"Authorization": f"Bearer {app.token}"}
    ).get_json(silent=True)
    assert {row["0020000D"]["Value"][0] for row in rows or ()} == found
    assert app.json("/ImagingStudy?_summary=count")["total"] == len(found)
    return found


def time_passes(house: Office) -> None:
    """A week later there are another CT of the chest and one of the head, each with its report."""
    first = house.composed.first
    record = first.records["ana"]
    for uid, site in (("1.9", CHEST), ("1.10", HEAD)):
        series = [{"uid": f"{uid}.1", "modality": {"code": "CT"}, "bodySite": site, "numberOfInstances": 1}]
        record.studies.append(study(f"i{uid}", uid, started="2026-11-20", series=series))
        record.reports.append(
            report(f"r{uid}", imagingStudy=[{"reference": f"ImagingStudy/i{uid}"}], conclusion="New.")
        )
        first.archive.held.append(Made(f"{uid}.1.1", f"{uid}.1", uid))
    first.take_in(record)
    house.composed.clock.advance(130)


@pytest.mark.promise("B2")
@pytest.mark.promise("B3")
def test_later_ones_are_let_in_when_they_fit(house: Office) -> None:
    app = allowed(house, **NARROW)
    assert uids(app) == {"1.2.3"}
    time_passes(house)
    assert uids(app) == {"1.2.3", "1.9"}
    assert set(app.ids("/DiagnosticReport")) == {"r1", "r1.9"}
    app.json("/DiagnosticReport/r1.10", 404)


@pytest.mark.promise("B2")
@pytest.mark.promise("B3")
@pytest.mark.parametrize(
    ("narrow", "today"), [({}, {"1.2.3", "1.5", "1.6"}), (NARROW, {"1.2.3"})], ids=["all", "narrowed"]
)
def test_only_those_of_today_means_exactly_those(house: Office, narrow: dict[str, str], today: set[str]) -> None:
    app = allowed(house, future="no", **narrow)
    assert uids(app) == today
    _, ana = house.someone()
    assert (house.the_grant(ana).terms.chosen, house.the_grant(ana).terms.future) == (frozenset(today), False)
    time_passes(house)
    assert uids(app) == today
    before = house.composed.calls()
    for path in ("/DiagnosticReport/r1.9", "/DiagnosticReport/r1.10"):
        app.json(path, 404)
    assert app.ids("/DiagnosticReport?_id=r1.9") == []
    assert house.composed.calls() == before


@pytest.mark.promise("B2")
def test_those_of_today_are_those_of_the_moment_of_the_answer(house: Office) -> None:
    """And not of the moment in which the page was opened."""
    browser, ana = house.someone()
    handle = house.ask()
    form = {**filled(browser.get(page_of(handle)).text), "future": "no", "decision": "approve", **NARROW}
    time_passes(house)
    answer = browser.open(page_of(handle), method="POST", data=form, headers={"Origin": BASE})
    code_in(answer)
    assert house.the_grant(ana).terms.chosen == frozenset({"1.2.3", "1.9"})


@pytest.mark.promise("B2")
def test_none_of_today_is_said_on_the_page_and_the_form_stays(house: Office) -> None:
    browser, ana = house.someone()
    handle = house.ask()
    answer = answered(browser, page_of(handle), "approve", future="no", modality="MR", images="none")
    assert answer.status_code == 400
    assert "No examination fits this today." in answer.text
    assert 'name="modality" value="MR" checked' in answer.text
    assert 'name="images" value="none" checked' in answer.text
    assert house.grants.list(ana) == ()
    code_in(answered(browser, page_of(handle), "approve"))


@pytest.mark.promise("B2")
def test_an_app_without_a_word_of_examinations_is_asked_for_none(house: Office) -> None:
    """Only who the patient is: there is nothing to write down, and nothing that comes later."""
    browser, ana = house.someone()
    handle = house.ask(scope="launch/patient openid fhirUser patient/Patient.r")
    issued = house.redeem(code_in(answered(browser, page_of(handle), "approve", future="no")))
    app = clinic.App(
        clinic.Clinic(house.composed),
        house.composed.house.app.test_client(use_cookies=False),
        issued.access_token,
        house.the_grant(ana).id,
        house.app.client_id,
    )
    assert app.json("/Patient/ana")["id"] == "ana"
    app.json("/ImagingStudy", 403)
    page = browser.my(f"apps/{app.grant_id}/").text
    assert "examinations, and those that come later" not in page


@pytest.mark.promise("B2")
def test_an_app_for_reports_alone_has_those_of_todays_examinations(house: Office) -> None:
    browser, ana = house.someone()
    handle = house.ask(scope="launch/patient patient/DiagnosticReport.rs")
    issued = house.redeem(code_in(answered(browser, page_of(handle), "approve", future="no", **NARROW)))
    assert house.the_grant(ana).terms.chosen == frozenset({"1.2.3"})
    client = house.composed.house.app.test_client(use_cookies=False)
    app = clinic.App(clinic.Clinic(house.composed), client, issued.access_token, "", house.app.client_id)
    time_passes(house)
    assert set(app.ids("/DiagnosticReport")) == {"r1"}
