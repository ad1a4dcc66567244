"""A Consent that the patient gave before two records became one, as apps meet it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.consent.directives.made import DCM, OPT_IN, OPT_OUT, concept, consent
from tests.consents.ward import EVERYTHING, Ward, dicomweb, reads, sees, study_ids
from tests.fhir_upstream.fake_fhir import bundle, fhir
from tests.launch.server import Asked, Said

pytestmark = pytest.mark.promise("B5")
LINK = {"type": "replaces", "other": {"reference": "Patient/before"}}
KEPT = {"1.5", "1.6"}
"""The PET/CT, and a study of which the EHR tells no codes."""
REST = 15
"""In seconds: after Consents could not be read the hospital is left alone so long."""
BEFORE = {"patient": {"reference": "Patient/before"}}


def merged(ward: Ward, old: Any, new: Any = (), status: int = 200) -> None:
    """Ana's record took the place of another one: what each has on file, or how a search of the old one ends."""
    hospital = ward.hospital
    before = {"resourceType": "Patient", "id": "before", "active": False}
    hospital.at("Patient/ana", lambda _asked: {**ward.record.patient(), "link": [LINK]}, "ana")
    hospital.at("Patient/before", lambda _asked: before, "ana")

    def search(asked: Asked) -> Said:
        found = {"ana": new, "before": old}[asked.query["patient"]]
        return fhir(bundle(*found)) if asked.query["patient"] == "ana" or status == 200 else fhir({}, status)

    hospital.ehr.server.at("/fhir/Consent", search)
    ward.refresh()


@pytest.fixture
def own(shared: Ward) -> Any:
    yield shared
    shared.hospital.take_in(shared.record)
    shared.file()
    shared.clinic.composed.clock.advance(REST)


@pytest.mark.clause("FHIR R4", "Patient.link")
def test_a_denial_under_the_old_record_is_obeyed_everywhere(own: Ward) -> None:
    own.file()
    app = own.clinic.app()
    ids = study_ids(app)
    merged(own, [consent({"type": "deny", "code": [concept(DCM, "PT")]}, id="old", **BEFORE)])
    assert sees(app) == EVERYTHING - KEPT
    assert "r2" not in app.ids("/DiagnosticReport")
    before = own.clinic.calls()
    assert not any(reads(app, uid, ids) for uid in KEPT)
    assert own.clinic.calls() == before
    merged(own, [])
    assert sees(app) == EVERYTHING
    assert all(reads(app, uid, ids) for uid in KEPT)


def test_the_old_records_denial_outweighs_the_new_ones_permission(own: Ward) -> None:
    app = own.clinic.app()
    merged(own, [consent(rule=OPT_OUT, id="old", **BEFORE)], [consent({"type": "permit"}, OPT_IN)])
    assert sees(app) == set()
    assert app.get("/Patient/ana").status_code == 404


@pytest.mark.promise("E8")
def test_while_the_old_records_consents_cannot_be_read_apps_get_nothing_and_the_patient_everything(own: Ward) -> None:
    app, browser = own.clinic.app(), own.clinic.composed.signed_in("ana")
    merged(own, [], status=403)
    assert app.get("/ImagingStudy").status_code == dicomweb(app, "/studies").status_code == 503
    assert "CT scan: chest" in browser.my().text
