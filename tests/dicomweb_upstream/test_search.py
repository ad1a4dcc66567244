import pytest

from smartapp.dicomweb.upstream.model import PatientIds, patient_ids
from smartapp.dicomweb.upstream.service import PacsReader
from smartapp.errors import AccessDenied, UpstreamError, UpstreamMalformed, UpstreamMismatch
from smartapp.identity.model import PatientKey
from tests.dicomweb_upstream.archive import Archive, Reply, rows_reply
from tests.dicomweb_upstream.conftest import Alarms
from tests.dicomweb_upstream.objects import Made, index_permit, permit

IDS = PatientIds(("SE-1001", "OLD-77"), "ST-ELSEWHERE")


def _row(uid: str, patient_id: str, issuer: str = "") -> dict[str, object]:
    row: dict[str, object] = {"0020000D": {"vr": "UI", "Value": [uid]}, "00100020": {"vr": "LO", "Value": [patient_id]}}
    return row | ({"00100021": {"vr": "LO", "Value": [issuer]}} if issuer else {})


def test_every_identifier_is_asked_for(reader: PacsReader, archive: Archive) -> None:
    archive.held = [Made("1.2.3.1.1"), Made("1.9.1", "1.9", "1.9.0", "OLD-77", ""), Made("1.8.1", "1.8", "1.8.0", "X")]
    found = reader.studies(index_permit(), IDS, [])
    assert {study.uid for study in found} == {"1.2.3", "1.9.0"}
    assert all(study.belongs for study in found)
    assert [asked.query["PatientID"] for asked in archive.asked] == [["SE-1001"], ["OLD-77"]]


@pytest.mark.threat("A4")
def test_an_archive_that_answers_everything_gives_nothing_away(reader: PacsReader, archive: Archive) -> None:
    archive.script = lambda _asked: rows_reply(
        [_row("1.1", "SE-1001"), _row("1.2", "se-1001"), _row("1.3", "SE-1002"), _row("1.4", ""),
         _row("1.5", "SE-1001", "MERCY"), _row("1.6", "SE-1001\\SE-1002"), _row("1.7", "SE-1001*")]
    )  # fmt: skip
    assert {study.uid for study in reader.studies(index_permit(), IDS, [])} == {"1.1"}


def test_a_study_that_the_ehr_names_and_the_pacs_gives_to_another_is_told_as_foreign(
    reader: PacsReader, archive: Archive
) -> None:
    archive.held = [Made("1.8.1", "1.8", "1.8.0", "SE-1002"), Made("1.2.3.1.1")]
    found = {study.uid: study.belongs for study in reader.studies(index_permit(), IDS, ["1.8.0", "1.2.3", "1.7.0"])}
    assert found == {"1.8.0": False, "1.2.3": True}
    assert archive.asked[-1].query["StudyInstanceUID"] == ["1.7.0,1.8.0"]


def test_one_study_in_two_rows_of_which_one_is_foreign_does_not_belong(reader: PacsReader, archive: Archive) -> None:
    archive.script = lambda _asked: rows_reply([_row("1.1", "SE-1001"), _row("1.1", "SE-1002")])
    assert [study.belongs for study in reader.studies(index_permit(), IDS, ["1.1"])] == [False]


@pytest.mark.threat("A4")
@pytest.mark.parametrize("value", ["*", "SE?1", "A\\B", "A,B", "", " ", "A\x00", "x" * 65])
def test_an_identifier_that_an_archive_could_misread_is_never_asked_for(value: str) -> None:
    assert patient_ids([("urn:mrn", value), ("urn:mrn", "SE-1")], ("urn:mrn",), "").values == ("SE-1",)


def test_only_the_hospitals_record_numbers_are_patient_ids() -> None:
    identifiers = [("urn:mrn", "A"), ("urn:ssn", "B"), ("urn:old", " C "), ("urn:mrn", "A")]
    assert patient_ids(identifiers, ("urn:mrn", "urn:old"), "I") == PatientIds(("A", "C"), "I")


def test_pages_are_followed_while_the_archive_says_there_is_more(reader: PacsReader, archive: Archive) -> None:
    pages = {"0": [_row("1.1", "SE-1001")], "1": [_row("1.2", "SE-1001")]}

    def paged(asked: object) -> Reply:
        reply = rows_reply(pages.get(archive.asked[-1].query["offset"][0], []))
        reply.headers["Warning"] = '299 archive "more"'
        return reply

    archive.script = paged
    assert len(reader.studies(index_permit(), PatientIds(("SE-1001",)), [])) == 2


def test_an_archive_that_ignores_the_offset_ends_the_asking(reader: PacsReader, archive: Archive) -> None:
    def again(_asked: object) -> Reply:
        reply = rows_reply([_row("1.1", "SE-1001")])
        reply.headers["Warning"] = '299 archive "more"'
        return reply

    archive.script = again
    assert len(reader.studies(index_permit(), PatientIds(("SE-1001",)), [])) == 1


def test_series_and_metadata_are_read(reader: PacsReader, archive: Archive) -> None:
    archive.held = [Made("1.2.3.1.1"), Made("1.2.3.1.2", number=2)]
    (series,) = reader.series(permit("1.2.3"), IDS, "1.2.3")
    assert series["00201209"]["Value"] == [2]
    assert len(reader.metadata(permit("1.2.3"), IDS, "1.2.3", "1.2.3.1")) == 2


@pytest.mark.threat("F3")
@pytest.mark.parametrize(
    "wrong",
    [Made("1.5", study="9.9"), Made("1.5", patient_id="X"), Made("1.5", issuer="MERCY"), Made("1.5", series="7.7")],
)
def test_metadata_of_something_else_is_refused_and_told(
    reader: PacsReader, archive: Archive, alarms: Alarms, wrong: Made
) -> None:
    archive.held = [Made("1.2.3.1.1"), wrong]
    honest = archive._honest

    def all_of_it(asked: object) -> Reply:
        archive.asked[-1].path = "/dicom-web/metadata"
        return honest(archive.asked[-1])

    archive.script = all_of_it
    with pytest.raises(UpstreamMismatch):
        reader.metadata(permit("1.2.3"), IDS, "1.2.3", "1.2.3.1")
    assert alarms.rung == ["pacs-metadata-row"]


@pytest.mark.threat("F4")
@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(200, b"<html>sign in</html>", "text/html"), UpstreamMalformed),
        (Reply(200, b"<html>sign in</html>", "application/json"), UpstreamMalformed),
        (Reply(200, b'[{"0020000D"', "application/dicom+json"), UpstreamMalformed),
        (Reply(200, b"[1, 2]", "application/dicom+json"), UpstreamMalformed),
        (Reply(200, b'"x"', "application/dicom+json"), UpstreamMalformed),
        (Reply(206, b"[]", "application/dicom+json"), UpstreamMalformed),
        (Reply(301, b"", headers={"Location": "http://127.0.0.1:9/elsewhere"}), UpstreamMalformed),
        (Reply(404, b""), UpstreamError),
        (Reply(401, b""), UpstreamError),
        (Reply(500, b""), UpstreamError),
    ],
)
def test_what_is_no_answer_is_an_error_of_ours(
    reader: PacsReader, archive: Archive, reply: Reply, error: type[UpstreamError]
) -> None:
    archive.script = lambda _asked: reply
    with pytest.raises(error):
        reader.series(permit("1.2.3"), IDS, "1.2.3")


def test_a_permit_reaches_its_studies_of_its_hospital_only(reader: PacsReader, archive: Archive) -> None:
    with pytest.raises(AccessDenied):
        reader.series(permit("1.2.4"), IDS, "1.2.3")
    with pytest.raises(AccessDenied):
        reader.series(permit("1.2.3", patient=PatientKey("mercy", "ana")), IDS, "1.2.3")
    with pytest.raises(AccessDenied):
        reader.studies(index_permit(PatientKey("mercy", "ana")), IDS, [])
    assert archive.asked == []
