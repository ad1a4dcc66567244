from typing import Any

import pytest

from smartapp.dicomweb.core.dicomjson import clean, get, in_viewing_order, number, position, retrieve_url, tag, values

pytestmark = pytest.mark.clause("PS3.18", "F.2.2")


def test_tags() -> None:
    assert tag("PatientID") == "00100020"
    with pytest.raises(KeyError):
        tag("NoSuchKeyword")


@pytest.mark.parametrize(
    ("element", "text"),
    [
        (None, ""),
        ({"vr": "LO"}, ""),
        ({"vr": "LO", "Value": []}, ""),
        ({"vr": "LO", "Value": [None, "b"]}, "b"),
        ({"vr": "LO", "Value": [" MRN-1 \0"]}, "MRN-1"),
        ({"vr": "IS", "Value": [7]}, "7"),
        ({"vr": "PN", "Value": [{"Alphabetic": "Sample^Person"}]}, "Sample^Person"),
        ({"vr": "PN", "Value": [{"Ideographic": "x"}]}, ""),
        ({"vr": "LO", "Value": "text"}, ""),
        ({"vr": "LO", "Value": [["a"]]}, ""),
        ("text", ""),
    ],
)
def test_first_value_as_text(element: Any, text: str) -> None:
    row = {} if element is None else {tag("PatientID"): element}
    assert get(row, "PatientID") == text


def test_numbers() -> None:
    assert number({tag("InstanceNumber"): {"vr": "IS", "Value": ["12 "]}}, "InstanceNumber") == 12
    assert number({tag("InstanceNumber"): {"vr": "IS", "Value": ["x"]}}, "InstanceNumber") is None
    assert number({}, "InstanceNumber") is None
    assert values({tag("ModalitiesInStudy"): {"vr": "CS", "Value": ["CT", None, "SR"]}}, "ModalitiesInStudy") == [
        "CT",
        "SR",
    ]


def instance(sop: str, at: int | None, z: float | None = None) -> dict[str, Any]:
    row: dict[str, Any] = {tag("SOPInstanceUID"): {"vr": "UI", "Value": [sop]}}
    if at is not None:
        row[tag("InstanceNumber")] = {"vr": "IS", "Value": [at]}
    if z is not None:
        row[tag("ImagePositionPatient")] = {"vr": "DS", "Value": [0, 0, z]}
        row[tag("ImageOrientationPatient")] = {"vr": "DS", "Value": [1, 0, 0, 0, 1, 0]}
    return row


def test_viewing_order() -> None:
    rows = [
        instance("5", None, 9),
        instance("4", None, 1),
        instance("3", 10),
        instance("2", 2, 5),
        instance("1", 2, -5),
    ]
    assert [get(row, "SOPInstanceUID") for row in in_viewing_order(rows)] == ["1", "2", "3", "4", "5"]


def test_position_is_along_the_normal() -> None:
    row = instance("1", 1, 7.5)
    assert position(row) == 7.5
    row[tag("ImageOrientationPatient")]["Value"] = [1, 0, 0, 0, -1, 0]
    assert position(row) == -7.5
    row[tag("ImageOrientationPatient")]["Value"] = [1, 0]
    assert position(row) == 0


@pytest.mark.threat("D12")
@pytest.mark.clause("PS3.18", "F.2.6")
def test_what_may_leave() -> None:
    row: dict[str, Any] = {
        "00100020": {"vr": "LO", "Value": ["MRN-1"]},
        "00081190": {"vr": "UR", "Value": ["http://pacs.internal/studies/1"]},
        "00080054": {"vr": "AE", "Value": ["PACS"]},
        "00091001": {"vr": "LO", "Value": ["private"]},
        "00080xx0": {"vr": "LO", "Value": ["no tag"]},
        "60003000": {"vr": "OW", "InlineBinary": "AAAA"},
        "00420011": {"vr": "OB", "BulkDataURI": "http://pacs.internal/bulk/1"},
        "7FE00010": {"vr": "OW", "BulkDataURI": "http://pacs.internal/frames"},
        "00100010": "no element",
        "00100030": {"Value": ["no VR"]},
        "00081115": {"vr": "SQ", "Value": [{"0040E010": {"vr": "UR"}, "0020000E": {"vr": "UI"}}, 5]},
    }
    mine = {"http://pacs.internal/bulk/1": "https://app/bulk/1"}
    assert clean(row, mine.get) | retrieve_url("https://app/studies/1") == {
        "00100020": {"vr": "LO", "Value": ["MRN-1"]},
        "00081190": {"vr": "UR", "Value": ["https://app/studies/1"]},
        "60003000": {"vr": "OW", "InlineBinary": "AAAA"},
        "00420011": {"vr": "OB", "BulkDataURI": "https://app/bulk/1"},
        "00081115": {"vr": "SQ", "Value": [{"0020000E": {"vr": "UI"}}]},
    }


@pytest.mark.threat("D8")
def test_depth_of_sequences() -> None:
    row: dict[str, Any] = {"0020000E": {"vr": "UI", "Value": ["1"]}}
    for _ in range(300):
        row = {"00081115": {"vr": "SQ", "Value": [row]}}
    found = clean(row, lambda _: None)
    depth = 0
    while found:
        found = found["00081115"]["Value"][0]
        depth += 1
    assert depth == 64
