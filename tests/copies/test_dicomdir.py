from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset

from smartapp.dicomweb.core.dicomdir import (
    PATIENT_KEYS,
    Record,
    encode,
    instance_keys,
    instance_record,
    upper_record,
    write_dicomdir,
)
from tests.copies.judges import dcmdump, file_set

CT = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
STORAGE = "1.2.840.10008.5.1.4.1.1."


def _el(vr: str, *values: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": list(values)}


def _row(sop_class: str = CT, **more: Any) -> dict[str, Any]:
    return {"00080016": _el("UI", sop_class), "00080018": _el("UI", "1.5.1"), **more}


def _leaf(
    file_id: str = "20260917/CT_CHEST/S001/I00001", row: dict[str, Any] | None = None, sop: str = "1.5.1"
) -> Record:
    return instance_record(instance_keys(row or _row(), 7), file_id, CT, sop, EXPLICIT)


def _tree(*leaves: Record, patient: bytes = b"") -> bytes:
    series = upper_record("SERIES", encode({"0020000E": _el("UI", "1.5.0")}, ("SeriesInstanceUID",)), leaves)
    study = upper_record("STUDY", encode({"0020000D": _el("UI", "1.5")}, ("StudyInstanceUID",)), [series])
    return write_dicomdir([upper_record("PATIENT", patient, [study])], "2.25.1", "IMAGING_COPY")


def _records(data: bytes) -> list[Dataset]:
    return list(dcmread(BytesIO(data)).DirectoryRecordSequence)


@pytest.mark.clause("PS3.3", "F.3")
def test_every_offset_leads_to_its_record() -> None:
    leaves = [_leaf(f"A/S001/I{at:05d}", sop=f"1.5.1.{at}") for at in range(1, 4)]
    series = [upper_record("SERIES", b"", leaves), upper_record("SERIES", b"", leaves[:1])]
    data = write_dicomdir(
        [upper_record("PATIENT", b"", [upper_record("STUDY", b"", series)]), upper_record("PATIENT", b"", ())],
        "2.25.1",
        "IMAGING_COPY",
    )
    read = dcmread(BytesIO(data))
    at = {record.seq_item_tell: record for record in read.DirectoryRecordSequence}
    seen: list[str] = []

    def walk(offset: int) -> None:
        while offset:
            record = at[offset]
            seen.append(record.DirectoryRecordType)
            walk(record.OffsetOfReferencedLowerLevelDirectoryEntity)
            offset = record.OffsetOfTheNextDirectoryRecord

    walk(read.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity)
    assert seen == ["PATIENT", "STUDY", "SERIES", "IMAGE", "IMAGE", "IMAGE", "SERIES", "IMAGE", "PATIENT"]
    last = at[read.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity]
    assert (last.DirectoryRecordType, last.OffsetOfTheNextDirectoryRecord) == ("PATIENT", 0)


def test_an_empty_one_is_still_one(tmp_path: Path) -> None:
    (tmp_path / "DICOMDIR").write_bytes(write_dicomdir([], "2.25.1", "IMAGING_COPY"))
    with file_set(tmp_path) as files:
        assert len(files) == 0
    assert dcmdump(tmp_path / "DICOMDIR").returncode == 0


@pytest.mark.clause("PS3.3", "F.4")
@pytest.mark.parametrize(
    ("rest", "kind", "keyword"),
    [
        ("2", "IMAGE", "InstanceNumber"),
        ("66.4", "IMAGE", "InstanceNumber"),
        ("88.33", "SR DOCUMENT", "CompletionFlag"),
        ("88.67", "SR DOCUMENT", "VerificationFlag"),
        ("88.59", "KEY OBJECT DOC", "ContentDate"),
        ("104.1", "ENCAP DOC", "MIMETypeOfEncapsulatedDocument"),
        ("11.1", "PRESENTATION", "PresentationCreationDate"),
        ("9.1.1", "WAVEFORM", "ContentTime"),
        ("481.2", "RT DOSE", "DoseSummationType"),
        ("481.3", "RT STRUCTURE SET", "StructureSetLabel"),
        ("481.5", "RT PLAN", "RTPlanLabel"),
        ("66.1", "REGISTRATION", "ContentLabel"),
    ],
)
def test_each_kind_of_object_has_its_kind_of_record(rest: str, kind: str, keyword: str) -> None:
    record = _records(_tree(_leaf(row=_row(STORAGE + rest))))[-1]
    assert record.DirectoryRecordType == kind
    assert keyword in record
    assert record.InstanceNumber == 7


def test_a_title_in_code_is_taken_along() -> None:
    title = _el(
        "SQ",
        {
            "00080100": _el("SH", "18748-4"),
            "00080102": _el("SH", "LN"),
            "00080104": _el("LO", "Imaging"),
            "00091001": {},
        },
        "not an item",
    )
    record = _records(_tree(_leaf(row=_row(STORAGE + "88.33", **{"0040A043": title}))))[-1]
    (item,) = record.ConceptNameCodeSequence
    assert (item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning) == ("18748-4", "LN", "Imaging")
    assert len(item) == 3


def test_names_in_any_alphabet_keep_their_letters() -> None:
    patient = encode({"00100010": _el("PN", {"Alphabetic": "Núñez^José"}), "00100020": _el("LO", "7")}, PATIENT_KEYS)
    record = _records(_tree(_leaf(), patient=patient))[0]
    assert record.PatientName == "Núñez^José"
    assert record.SpecificCharacterSet == "ISO_IR 192"


@pytest.mark.threat("D10")
@pytest.mark.clause("PS3.10", "8.2")
@pytest.mark.parametrize(
    "bad", ["", "../X", "a/B", "TOOLONGNAME", "A//B", "/A", "A/", "A\\B", "A.DCM", "A/B/C/D/E/F/G/H/I", "Ä", "A\n"]
)
def test_a_file_id_that_could_lead_elsewhere_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="file-id"):
        _leaf(bad)


_TAGS = st.sampled_from(
    ["00080016", "00080018", "00200013", "00100010", "00100020", "00080023", "0040A043", "00080060"]
)
_VALUES = st.recursive(
    st.none() | st.text(max_size=80) | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | _TAGS, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.threat("D10")
@given(st.dictionaries(_TAGS, st.fixed_dictionaries({"vr": st.just("LO"), "Value": st.lists(_VALUES, max_size=3)})))
def test_no_metadata_breaks_the_directory(row: dict[str, Any]) -> None:
    patient = encode(row, PATIENT_KEYS)
    records = _records(_tree(_leaf(row=row), _leaf("A/B", sop="1.5.2"), patient=patient))
    assert [record.DirectoryRecordType for record in records][:3] == ["PATIENT", "STUDY", "SERIES"]
    assert records[-1].ReferencedFileID == ["A", "B"]
    assert records[-1].ReferencedSOPInstanceUIDInFile == "1.5.2"
    assert len(records) == 5
