"""What an app sees that was allowed Ana's CT of the chest, de-identified, with its report; and that it sees no more."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from pydicom import dcmread

from smartapp.consent.aliases import study_id
from tests.journey.app_walk import HOSPITAL, Token, studies_of


def the_study(token: Token) -> tuple[dict[str, Any], str]:
    """The one ImagingStudy that there is, on every way to it, and the UID that the app is shown."""
    [entry] = token.all("ImagingStudy?patient=ana")
    study: dict[str, Any] = entry["resource"]
    assert token.fhir("ImagingStudy")["total"] == token.fhir("ImagingStudy?_summary=count")["total"] == 1
    assert token.fhir(f"ImagingStudy/{study['id']}")["id"] == study["id"]
    along = [each["resource"] for each in token.all("ImagingStudy?_include=ImagingStudy:endpoint", 50)]
    assert sorted(each["resourceType"] for each in along) == ["Endpoint", "ImagingStudy"]
    return study, str(study["identifier"][0]["value"]).removeprefix("urn:oid:")


def sees_its_report(token: Token, study: dict[str, Any]) -> None:
    [entry] = token.all("DiagnosticReport?patient=ana")
    report = entry["resource"]
    assert report["imagingStudy"] == [{"reference": f"ImagingStudy/{study['id']}"}]
    assert "5 mm nodule" in report["conclusion"]
    assert token.fhir("DiagnosticReport?_summary=count")["total"] == 1


def sees_its_pictures(token: Token, study: dict[str, Any], uid: str) -> None:
    """The same UIDs as FHIR says, in lists and in the files; and nobody's name."""
    [row] = token.qido("studies?includefield=all")
    assert row["0020000D"]["Value"] == [uid]
    assert "Value" not in row["00100010"]
    series = {each["0020000E"]["Value"][0] for each in token.qido(f"studies/{uid}/series")}
    assert series == {each["uid"] for each in study["series"]}
    one = study["series"][0]["uid"]
    instances = token.qido(f"studies/{uid}/series/{one}/instances")
    assert len(instances) == study["series"][0]["numberOfInstances"] == 200
    sop = instances[0]["00080018"]["Value"][0]
    answer = token.wado(f"studies/{uid}/series/{one}/instances/{sop}")
    assert answer.status_code == 200
    picture = dcmread(BytesIO(answer.content[answer.content.index(b"\r\n\r\n") + 4 :]), force=True)
    assert (picture.StudyInstanceUID, picture.SeriesInstanceUID, picture.SOPInstanceUID) == (uid, one, sop)
    assert (str(picture.get("PatientName", "")), picture.PatientIdentityRemoved) == ("", "YES")
    assert "Rivera" not in str(picture)


def sees_nothing_else(token: Token, uid: str) -> None:
    """Neither the others, nor the own study under its real name."""
    for study in studies_of("ana"):
        assert study.uid != uid
        for path in (f"ImagingStudy/{study_id(HOSPITAL, study.uid)}", f"ImagingStudy/{study.imaging_study_id}"):
            token.fhir(path, 404)
        assert token.wado(f"studies/{study.uid}").status_code == 404
        assert token.get(f"{token.sandbox['app']['dicomweb']}/studies/{study.uid}/series").status_code == 404
        assert token.qido(f"studies?StudyInstanceUID={study.uid}") == []
        if study.report is not None and study.body_part != "CHEST":
            token.fhir(f"DiagnosticReport/{study.report.id}", 404)
    token.fhir("Patient/ben", 404)
    assert token.all("ImagingStudy?modality=MR") == []
    assert token.qido("studies?ModalitiesInStudy=MR") == []
