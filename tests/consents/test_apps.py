"""Consents on file at the hospital, as apps meet them: by FHIR, by DICOMweb, listed and read, all the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.consent.directives.made import DCM, LOINC, OPT_IN, OPT_OUT, TYPES, V3, actor, concept, consent
from tests.consents.ward import EVERYTHING, PAST, REPORTS, Ward, dicomweb, reads, sees, study_ids, ward
from tests.fhir_facade.app import App
from tests.fhir_facade.test_denied import codes
from tests.fhir_upstream.fake_fhir import fhir
from tests.support.databases import SqliteFiles
from tests.threats.composed import BASE

pytestmark = pytest.mark.promise("B5")
CLIENTS = f"{BASE}/st-elsewhere/clients"
HARBOR = {"resourceType": "Organization", "id": "harbor", "name": "Harbor Occupational Health"}


def app_named(client_id: str) -> dict[str, Any]:
    return actor(type="Device", identifier={"system": CLIENTS, "value": client_id})


DENIED: list[tuple[str, dict[str, Any], set[str], set[str]]] = [
    ("everything", consent(rule=OPT_OUT), EVERYTHING, set(REPORTS)),
    ("a kind", consent({"type": "deny", "code": [concept(DCM, "PT")]}), {"1.5", "1.6"}, {"r2"}),
    ("a time", consent({"type": "deny", "dataPeriod": {"end": "2025-12-31"}}), {"1.5"}, {"r2"}),
    ("studies", consent({"type": "deny", "class": [{"system": TYPES, "code": "ImagingStudy"}]}), EVERYTHING, set()),
    ("reports", consent({"type": "deny", "class": [{"system": TYPES, "code": "DiagnosticReport"}]}), set(),
     {"r1", "r2"}),
    ("one", consent({"type": "deny", "data": [{"meaning": "instance", "reference": {"reference": "ImagingStudy/i1"}}]}),
     {"1.2.3"}, set()),
    ("one report", consent({"type": "deny", "data": [
        {"meaning": "instance", "reference": {"reference": "DiagnosticReport/r1"}}]}), set(), {"r1"}),
    ("a report's code", consent({"type": "deny", "class": [{"system": TYPES, "code": "DiagnosticReport"}],
                                 "code": [concept(LOINC, "24627-2")]}), set(), {"r1"}),
    ("a label that none has", consent({"type": "deny", "securityLabel": [{"system": V3, "code": "R"}]}), set(), set()),
    ("an element nobody knows", consent({"type": "deny", "unheard": "of", "dataPeriod": {"start": "2026"}}),
     {"1.2.3", "1.6"}, {"r1"}),
    ("somebody who is no app", consent({"type": "deny", "actor": [actor("Practitioner/dr")]}), set(), set()),
    ("whoever is not shown", consent({"type": "deny", "actor": [actor("Organization/nobody")]}), EVERYTHING,
     set(REPORTS)),
    ("nothing any more", consent(rule=OPT_OUT, status="inactive"), set(), set()),
    ("nothing yet", consent({"type": "deny", "period": {"start": "2999"}}), set(), set()),
    ("a permission alone", consent({"type": "permit"}, OPT_IN), set(), set()),
]  # fmt: skip


@pytest.mark.parametrize(("one", "studies", "reports"), [each[1:] for each in DENIED], ids=[each[0] for each in DENIED])
def test_what_a_consent_keeps_is_not_there_whichever_way_it_is_asked_for(
    shared: Ward, one: dict[str, Any], studies: set[str], reports: set[str]
) -> None:
    shared.file()
    app = shared.clinic.app()
    assert sees(app) == EVERYTHING
    ids = study_ids(app)
    shared.file(one)
    assert sees(app) == EVERYTHING - studies
    assert set(app.ids("/DiagnosticReport")) == set(REPORTS) - reports
    before = shared.clinic.calls()
    for uid in studies:
        assert not reads(app, uid, ids)
        assert app.ids(f"/ImagingStudy?_id={ids[uid]}") == []
    for report in reports:
        assert codes(app.get(f"/DiagnosticReport/{report}")) == (404, "not-found", "not-found")
    assert shared.clinic.calls() == before  # nobody was asked about any of it
    for uid in EVERYTHING - studies:
        assert reads(app, uid, ids)
    for report in set(REPORTS) - reports:
        assert app.get(f"/DiagnosticReport/{report}").status_code == 200


def test_who_the_patient_is_is_kept_only_with_everything(shared: Ward) -> None:
    shared.file(consent({"type": "deny", "code": [concept(DCM, "CT")]}))
    app = shared.clinic.app()
    assert app.get("/Patient/ana").status_code == 200
    shared.file(consent(rule=OPT_OUT))
    sees(app)
    before = shared.clinic.calls()
    assert app.get("/Patient/ana").status_code == 404
    assert app.ids("/Patient") == []
    assert shared.clinic.calls() == before


def test_the_refusal_says_which_consent_it_rests_on_and_the_app_is_not_told(shared: Ward) -> None:
    shared.file(consent({"type": "deny", "dataPeriod": {"end": "2025-12-31"}}, id="no-old-ones"))
    app = shared.clinic.app()
    sees(app)
    answer = dicomweb(app, "/studies/1.5/metadata")
    assert answer.status_code == 404
    assert "onsent" not in answer.text
    assert answer.text.split()[0] == dicomweb(app, "/studies/1.999/metadata").text.split()[0] == "not-found"
    told = [each for each in shared.denials() if "consents" in each][-1]
    assert (told["consents"], told["reasons"], told["studies"]) == ("Consent/no-old-ones", "kept-by-consent", "1.5")


def test_a_nested_permission_excepts_one_app_from_what_all_are_denied(shared: Ward) -> None:
    shared.file()
    mine, other = shared.clinic.app(), shared.clinic.app()
    excepted = {"type": "permit", "actor": [app_named(mine.client_id)]}
    shared.file(consent({"type": "deny", "dataPeriod": {"end": "2025-12-31"}, "provision": [excepted]}))
    assert sees(mine) == EVERYTHING
    assert sees(other) == EVERYTHING - {"1.5"}


def test_a_permission_never_widens_a_grant(shared: Ward) -> None:
    """Whoever forges one at the hospital wins nothing: without a grant there is no access."""
    shared.file()
    app = shared.clinic.app(chosen=frozenset({"1.2.3"}))
    wide = consent({"type": "permit", "actor": [app_named(app.client_id)]}, OPT_OUT)
    shared.file(wide, {**wide, "id": "c2", "identifier": [{"system": f"{BASE}/st-elsewhere/grants", "value": "g"}]})
    assert sees(app) == {"1.2.3"}


def test_our_own_consents_count_neither_way_and_a_denial_that_looks_like_one_does(shared: Ward) -> None:
    ours = {"identifier": [{"system": f"{BASE}/st-elsewhere/grants", "value": "grt-1"}]}
    permit = {"provision": [{"type": "permit", "actor": [app_named("another-app")]}]}
    shared.file(consent(permit, OPT_OUT, **ours))
    app = shared.clinic.app()
    assert sees(app) == EVERYTHING
    shared.file(consent(permit, OPT_OUT, identifier=[{"system": "urn:elsewhere/grants", "value": "grt-1"}]))
    assert sees(app) == set()
    shared.file(consent({"type": "deny"}, OPT_OUT, **ours))
    assert sees(app) == set()


def test_an_organization_that_the_hospital_knows_is_not_taken_for_the_app(shared: Ward) -> None:
    shared.hospital.at("Organization/harbor", lambda _asked: HARBOR, "ana")
    shared.file(consent({"type": "deny", "actor": [actor("Organization/harbor")]}))
    app = shared.clinic.app()
    assert sees(app) == EVERYTHING
    shared.hospital.at("Organization/harbor", lambda _asked: {**HARBOR, "name": "Test Harbor"}, "ana")
    shared.refresh()
    assert sees(app) == set()  # the app is called "Test app"


@pytest.mark.threat("A31")
def test_a_label_is_obeyed_even_for_a_study_that_was_ticked_by_itself(shared: Ward) -> None:
    shared.file()
    marked = shared.record.studies[1]
    marked["meta"] = {"security": [{"system": V3, "code": "R"}]}
    shared.refresh()
    app = shared.clinic.app(sensitive=frozenset({"1.5"}))
    assert sees(app) == EVERYTHING
    shared.file(consent({"type": "deny", "securityLabel": [{"system": V3, "code": "R"}]}))
    assert sees(app) == EVERYTHING - {"1.5"}
    assert "r2" not in app.ids("/DiagnosticReport")
    del marked["meta"]
    shared.file()


def test_a_consent_begins_and_ends_at_its_moment(shared: Ward) -> None:
    clock = shared.clinic.composed.clock
    shared.file()
    start, end = (f"{clock.now() + timedelta(seconds=PAST + later):%Y-%m-%dT%H:%M:%SZ}" for later in (1.5, 3))
    shared.file(consent({"type": "deny", "period": {"start": start, "end": end}}))
    app = shared.clinic.app()
    assert sees(app) == EVERYTHING
    clock.advance(2)
    assert sees(app) == set()
    clock.advance(2)
    assert sees(app) == EVERYTHING


def test_a_list_of_an_app_asks_for_no_consents_beyond_the_index(shared: Ward) -> None:
    shared.file(consent({"type": "deny", "code": [concept(DCM, "PT")]}))
    app = shared.clinic.app()
    sees(app)
    asked = len(shared.asked())
    assert shared.asked()[-1].query == {"patient": "ana", "_count": "100", "status": "active"}
    sees(app)
    app.ids("/DiagnosticReport")
    assert len(shared.asked()) == asked


BROKEN: dict[str, Any] = {
    "refused": fhir({}, 403),
    "not offered": fhir({}, 404),
    "failing": fhir({}, 500),
    "malformed": fhir("<html>", media="text/html"),
    "no bundle": fhir({"resourceType": "Patient", "id": "x"}),
    "of somebody else": fhir({"resourceType": "Bundle", "entry": [
        {"resource": consent(rule=OPT_IN, patient={"reference": "Patient/ben"})}]}),
    "of nobody": fhir({"resourceType": "Bundle", "entry": [{"resource": consent(rule=OPT_IN, patient={})}]}),
    "no consent": fhir({"resourceType": "Bundle", "entry": [{"resource": consent("everybody")}]}),
    "modified": fhir({"resourceType": "Bundle", "entry": [
        {"resource": consent(rule=OPT_IN, modifierExtension=[{"url": "x"}])}]}),
    "partial": fhir({"resourceType": "Bundle", "entry": [], "link": [
        {"relation": "next", "url": "https://elsewhere.example/fhir/Consent?page=2"}]}),
    "with an error": fhir({"resourceType": "Bundle", "entry": [
        {"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}}]}),
}  # fmt: skip


@pytest.mark.promise("E8")
@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_consents_that_cannot_be_read_keep_everything_from_apps_and_nothing_from_the_patient(
    shared: Ward, answer: Any
) -> None:
    shared.file()
    app, browser = shared.clinic.app(), shared.clinic.composed.signed_in("ana")
    server = shared.hospital.ehr.server
    server.at("/fhir/Consent", answer)
    shared.refresh()
    try:
        assert "CT scan: chest" in browser.my().text
        before = len(shared.hospital.archive.asked)
        for path in ("/ImagingStudy", "/DiagnosticReport", "/DiagnosticReport/r1", "/Patient/ana"):
            refused = app.get(path)
            assert codes(refused) == (503, "transient", "consents-unread"), path
            assert int(refused.headers["Retry-After"]) > 0
        for path in ("/studies", "/studies/1.2.3/metadata"):
            assert dicomweb(app, path).status_code == 503
        assert len(shared.hospital.archive.asked) == before
    finally:
        server.at("/fhir/Consent", lambda asked: shared.hospital._search(asked, "consents"))
    shared.clinic.composed.clock.advance(16)  # it is soon asked again
    assert sees(app) == EVERYTHING


def test_a_person_sees_everything_whatever_is_on_file(shared: Ward) -> None:
    shared.file(consent(rule=OPT_OUT))
    browser = shared.clinic.composed.signed_in("ana")
    page = browser.my().text
    assert "CT scan: chest" in page
    assert browser.my("studies/1.2.3").status_code == 200


def test_a_hospital_that_is_not_to_be_asked_is_not(
    sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with ward(sqlite_files, tmp_path_factory.mktemp("silent"), "none") as silent:
        silent.record.consents[:] = [consent(rule=OPT_OUT)]
        app: App = silent.clinic.app()
        assert sees(app) == EVERYTHING
        assert silent.asked() == []
