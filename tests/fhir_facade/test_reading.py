"""What an app reads and finds when the patient allowed all."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from fhir.resources.R4B import get_fhir_model_class

from smartapp.records.resources.kinds import SERVED
from tests.fhir_facade.app import FHIR, App, Clinic, Json
from tests.threats.composed import BASE

TYPES = [each.type for each in SERVED.values() if each.searched]


def resources(bundle: Json, mode: str = "match") -> Iterator[Json]:
    return (each["resource"] for each in bundle.get("entry", []) if each["search"]["mode"] == mode)


def valid(resource: Json) -> None:
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)


@pytest.mark.promise("B3")
@pytest.mark.clause("FHIR R4", "3.1.1")
def test_a_study_names_its_series_and_where_its_images_are_read(app: App) -> None:
    page = app.json("/ImagingStudy?patient=ana&identifier=urn:oid:1.2.3&_include=ImagingStudy:endpoint")
    (study,) = resources(page)
    assert study["identifier"] == [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}]
    assert (study["status"], study["subject"]["reference"]) == ("available", "Patient/ana")
    assert study["started"] == "2026-09-17T09:42:00-05:00"
    assert [each["code"] for each in study["modality"]] == ["CT"]
    assert (study["numberOfSeries"], study["numberOfInstances"]) == (2, 3)
    assert [each["uid"] for each in study["series"]] == ["1.2.3.1", "1.2.3.2"]
    assert study["series"][0]["bodySite"] == {"system": "http://snomed.info/sct", "code": "51185008"}
    (endpoint,) = resources(page, "include")
    assert study["endpoint"] == [{"reference": f"Endpoint/{endpoint['id']}"}]
    assert endpoint["connectionType"]["code"] == "dicom-wado-rs"
    assert endpoint["address"] == f"{BASE}/st-elsewhere/dicomweb"
    token_needed = "http://fhir.org/argonaut/smart-imaging/StructureDefinition/requires-access-token"
    assert {"url": token_needed, "valueBoolean": True} in endpoint["extension"]


@pytest.mark.promise("B3")
def test_a_study_that_the_archive_alone_knows_is_there(app: App) -> None:
    assert app.json("/ImagingStudy?identifier=urn:dicom:uid|urn:oid:1.6")["total"] == 1


@pytest.mark.promise("B3")
@pytest.mark.clause("FHIR R4", "3.1.0.1")
@pytest.mark.parametrize("type_", TYPES)
def test_everything_is_valid_and_reads_as_it_was_listed(app: App, type_: str) -> None:
    app.json("/Patient/ana")  # so that there is something on record of the app
    page = app.json(f"/{type_}")
    valid(page)
    listed = list(resources(page))
    assert len(listed) == page["total"] > 0
    for resource in listed:
        valid(resource)
        answer = app.get(f"/{type_}/{resource['id']}")
        assert answer.content_type == "application/fhir+json"
        assert answer.get_json(force=True) == resource
        assert answer.headers["ETag"] == f'W/"{resource["meta"]["versionId"]}"'
        assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.promise("B3")
def test_a_report_is_handed_on_in_its_listed_elements_with_references_that_lead_here(app: App) -> None:
    report = app.json("/DiagnosticReport/r1")
    (study,) = resources(app.json("/ImagingStudy?identifier=urn:oid:1.2.3"))
    assert report["imagingStudy"] == [{"reference": f"ImagingStudy/{study['id']}"}]
    assert (report["conclusion"], report["subject"]["reference"]) == ("One nodule.", "Patient/ana")
    assert report["performer"] == [{"reference": "Practitioner/dr"}, {"reference": "Organization/rad"}]
    assert report["text"]["div"].endswith("<div>One <b>nodule</b>.<br/>Stable</div></div>")
    assert not report.keys() & {"basedOn", "result", "contained", "extension"}
    assert "data" not in report["presentedForm"][0]


@pytest.mark.promise("B3")
@pytest.mark.clause("FHIR R4", "2.4.2")
def test_a_reports_file_is_read_as_it_is_or_as_a_resource(app: App) -> None:
    url = app.json("/DiagnosticReport/r1")["presentedForm"][0]["url"]
    (document,) = resources(app.json("/DocumentReference?contenttype=application/pdf"))
    assert document["content"][0]["attachment"]["url"] == url
    assert document["context"]["related"] == [{"reference": "DiagnosticReport/r1"}]
    file = app.get(f"/{url}")
    assert (file.content_type, file.data) == ("application/pdf", b"%PDF-1.4\n")
    assert "sandbox" in file.headers["Content-Security-Policy"]
    assert file.headers["Content-Disposition"] == "attachment"
    resource = app.json(f"/{url}", headers={"Accept": "application/fhir+json"})
    valid(resource)
    assert base64.b64decode(resource["data"]) == b"%PDF-1.4\n"


@pytest.mark.promise("B3")
def test_who_read_a_report_can_be_read_and_nothing_private_of_them(app: App) -> None:
    page = app.json("/DiagnosticReport?_id=r1&_include=DiagnosticReport:performer")
    included = {each["resourceType"]: each for each in resources(page, "include")}
    assert included.keys() == {"Practitioner", "Organization"}
    assert app.json("/Practitioner/dr") == included["Practitioner"]
    assert "birthDate" not in included["Practitioner"]


@pytest.mark.promise("B3")
def test_what_leaves_was_written_down_before(own: Clinic) -> None:
    app = own.app()
    before = own.kinds()
    app.json("/ImagingStudy")
    assert "disclosure.opened" in own.kinds()[len(before) :]


@pytest.mark.promise("B3")
@pytest.mark.clause("FHIR R4", "3.1.0.5")
def test_a_version_that_the_client_has_is_not_sent_again(app: App) -> None:
    tag = app.get("/Patient/ana").headers["ETag"]
    again = app.get("/Patient/ana", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert app.get("/Patient/ana", headers={"If-None-Match": 'W/"other"'}).status_code == 200
    head = app.get("/Patient/ana", method="HEAD")
    assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", tag)
    changed = app.get("/DiagnosticReport/r1").headers["Last-Modified"]
    assert changed.endswith("GMT")


@pytest.mark.promise("B3")
@pytest.mark.clause("FHIR R4", "3.1.0.6")
@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/Patient", "application/fhir+json; fhirVersion=4.0", 200),
        ("/Patient", "application/fhir+json; fhirVersion=5.0", 406),
        ("/Patient", "application/json", 200),
        ("/Patient", "text/html, */*;q=0.1", 200),
        ("/Patient", "application/fhir+xml", 406),
        ("/Patient?_format=xml", "application/fhir+json", 406),
        ("/Patient?_format=application/fhir%2Bjson", "application/fhir+xml", 200),
        ("/metadata", "application/fhir+xml", 406),
    ],
)
def test_answers_are_json_of_r4_and_nothing_else(app: App, path: str, accept: str, status: int) -> None:
    assert app.get(path, headers={"Accept": accept}).status_code == status


@pytest.mark.promise("B3")
def test_a_long_list_asks_the_archive_for_the_page_alone(own: Clinic) -> None:
    app = own.app()
    app.json("/ImagingStudy?_summary=count")
    archive = own.composed.first.archive
    before = len(archive.asked)
    app.json("/ImagingStudy?_count=1")
    assert [each.path.rpartition("/")[2] for each in archive.asked[before:]] == ["series"]


@pytest.mark.promise("B3")
def test_who_granted_can_be_read_by_fhir_user_alone(shared: Clinic) -> None:
    app = shared.app("openid fhirUser patient/ImagingStudy.rs")
    assert app.json("/Patient/ana")["id"] == "ana"
    assert app.get("/Patient").status_code == 403
    assert shared.app("patient/ImagingStudy.rs").get("/Patient/ana").status_code == 403
    assert FHIR.endswith("/fhir")


@pytest.mark.promise("B5")
def test_an_app_reads_its_own_grant_as_a_consent_and_no_other(shared: Clinic) -> None:
    app = shared.app("patient/*.rs", chosen=frozenset({"1.5"}), images="deidentified", reports=False)
    (consent,) = resources(app.json("/Consent?patient=ana&status=active"))
    valid(consent)
    assert app.json(f"/Consent/{consent['id']}") == consent
    (permit,) = consent["provision"]["provision"]
    uid = permit["data"][0]["reference"]["identifier"]["value"].removeprefix("urn:oid:")
    assert app.ids(f"/ImagingStudy?identifier={uid}") == app.ids("/ImagingStudy")
    assert uid.startswith("2.25.")
    assert "sourceAttachment" not in consent
    assert shared.app().get(f"/Consent/{consent['id']}").status_code == 404
    assert shared.app("patient/Consent.rs?status=inactive").ids("/Consent") == []
