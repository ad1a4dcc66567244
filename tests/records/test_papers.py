"""Structured reports and encapsulated PDF out of an archive, over real parts."""

import json
from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.uid import UID

from smartapp.errors import NotFound
from tests.dicomweb_upstream.archive import Asked, Reply, body, rows_reply
from tests.dicomweb_upstream.objects import file_of
from tests.records.desk import CHEST, Desk

SR, PDF = "1.2.840.10008.5.1.4.1.1.88.11", "1.2.840.10008.5.1.4.1.1.104.1"
WHERE = ("1.2.3", "1.2.3.2", "1.2.3.2.1")
NOTE = [{"0040A040": {"vr": "CS", "Value": ["TEXT"]}, "0040A160": {"vr": "UT", "Value": ["No fluid."]}}]

pytestmark = pytest.mark.promise("A2")


def turn_into(desk: Desk, sop_class: str, document: bytes = b"") -> None:
    """Lets the archive's third object be of another class, with a content tree and a document in it."""
    file = dcmread(BytesIO(file_of(CHEST[2])))
    file.SOPClassUID = file.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    del file.PixelData
    file.EncapsulatedDocument = document
    out = BytesIO()
    file.save_as(out, enforce_file_format=True)
    row = json.loads(file.to_json()) | {"0040A730": {"vr": "SQ", "Value": NOTE}}
    row["00420011"] = {"vr": "OB", "BulkDataURI": "http://pacs.invalid/b"}

    def script(asked: Asked) -> Reply | None:
        if not asked.path.startswith("/dicom-web/studies/1.2.3/series/1.2.3.2"):
            return None
        return rows_reply([row]) if asked.path.endswith("/metadata") else Reply(content=body([out.getvalue()]))

    desk.archive.script = script


def test_a_structured_report_comes_as_text(desk: Desk) -> None:
    turn_into(desk, SR)
    (listed,) = desk.records.instances(desk.principal(), *WHERE[:2], "req")
    assert listed.paper == "sr"
    found = desk.records.structured_report(desk.principal(), *WHERE, "req")
    assert [item.value for item in found.items] == ["No fluid."]
    with pytest.raises(NotFound):
        desk.records.document(desk.principal(), *WHERE, "req")


@pytest.mark.parametrize(
    ("stored", "kind", "name", "given"),
    [
        (b"%PDF-1.7 odd!", "application/pdf", "2026-09-17-document.pdf", b"%PDF-1.7 odd!"),
        (b"MZ no PDF ", "application/octet-stream", "2026-09-17-document", b"MZ no PDF "),
    ],
)
def test_a_pdf_is_taken_out_as_it_is(desk: Desk, stored: bytes, kind: str, name: str, given: bytes) -> None:
    turn_into(desk, PDF, stored)
    (listed,) = desk.records.instances(desk.principal(), *WHERE[:2], "req")
    assert listed.paper == "pdf"
    found = desk.records.document(desk.principal(), *WHERE, "req")
    assert (found.content_type, found.filename, found.body) == (kind, name, given)
    with pytest.raises(NotFound):
        desk.records.structured_report(desk.principal(), *WHERE, "req")


def test_a_picture_is_no_document_and_a_foreign_id_is_not_there(desk: Desk) -> None:
    for where in (("1.2.3", "1.2.3.1", "1.2.3.1.1"), ("1.8", "1.8.1", "1.8.1.1"), ("1.2.3", "1.2.3.1", "1.9")):
        for read in (desk.records.structured_report, desk.records.document):
            with pytest.raises(NotFound):
                read(desk.principal(), *where, "req")
