import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartapp.errors import BadInput
from smartapp.records.attributes import Level
from smartapp.records.matching import wild
from smartapp.records.query import parse_query


def _row(uid: str, **more: object) -> dict[str, dict[str, object]]:
    row: dict[str, dict[str, object]] = {"0020000D": {"vr": "UI", "Value": [uid]}}
    for tag, value in more.items():
        row[tag.removeprefix("t")] = {"vr": "LO", "Value": value if isinstance(value, list) else [value]}
    return row


CHEST = _row(
    "1.2.3", t00080020="20260917", t00080030="094200", t00080061=["CT", "SR"], t00100020="SE-1001",
    t00100010={"Alphabetic": "Rivera^Ana"}, t00081030="CT chest",
)  # fmt: skip
HAND = _row(
    "1.2.4", t00080020="20250302", t00080030="1120", t00080061=["DX"], t00100020="OLD-77",
    t00100010={"Alphabetic": "Rivera^Ana"}, t00080080="St. Elsewhere",
)  # fmt: skip


def _found(*parameters: tuple[str, str]) -> list[str]:
    rows = parse_query(Level.STUDY, parameters).apply([CHEST, HAND])
    return [row["0020000D"]["Value"][0] for row in rows]


@pytest.mark.clause("PS3.18", "8.3.4")
@pytest.mark.parametrize(
    ("parameters", "uids"),
    [
        ((), ["1.2.3", "1.2.4"]),
        ((("StudyInstanceUID", "1.2.4"),), ["1.2.4"]),
        ((("0020000D", "1.2.4,1.2.9"),), ["1.2.4"]),
        ((("0020000d", "1.2.4\\1.2.3"),), ["1.2.3", "1.2.4"]),
        ((("ModalitiesInStudy", "SR"),), ["1.2.3"]),
        ((("StudyDate", "20250101-20251231"),), ["1.2.4"]),
        ((("StudyDate", "20250303-"),), ["1.2.3"]),
        ((("StudyDate", "-20250302"),), ["1.2.4"]),
        ((("StudyDate", "20260917"),), ["1.2.3"]),
        ((("StudyTime", "0900-10"),), ["1.2.3"]),
        ((("StudyTime", "11"),), ["1.2.4"]),
        ((("PatientName", "rivera^*"),), ["1.2.3", "1.2.4"]),
        ((("StudyDescription", "ct*"),), []),
        ((("StudyDescription", "CT ?hest"),), ["1.2.3"]),
        ((("StudyDescription", ""),), ["1.2.3", "1.2.4"]),
        ((("limit", "1"),), ["1.2.3"]),
        ((("limit", "1"), ("offset", "1")), ["1.2.4"]),
        ((("limit", "0"),), []),
        ((("offset", "9"),), []),
    ],
)
def test_the_standard_matches(parameters: tuple[tuple[str, str], ...], uids: list[str]) -> None:
    assert _found(*parameters) == uids


@pytest.mark.threat("A4")
@pytest.mark.parametrize(
    ("asked", "uids"),
    [("*", ["1.2.3", "1.2.4"]), ("SE-1001\\OLD-77", []), ("SE-1001,OLD-77", []), ("?*", ["1.2.3", "1.2.4"]),
     ("se-1001", []), ("SE-1001", ["1.2.3"]), ("X", [])],
)  # fmt: skip
def test_a_patient_id_only_narrows(asked: str, uids: list[str]) -> None:
    assert _found(("PatientID", asked)) == uids


@pytest.mark.threat("A4")
def test_two_spellings_of_a_key_must_both_hold() -> None:
    assert _found(("PatientID", "SE-1001"), ("00100020", "OLD-77")) == []


@pytest.mark.threat("A6")
@pytest.mark.parametrize("field", ["all", "00091001", "OtherPatientIDs", "00101000", "00080080"])
def test_only_listed_attributes_come_back(field: str) -> None:
    row = {**HAND, **_row("1.2.4", t00091001="private", t00101000="other")}
    (found,) = parse_query(Level.STUDY, [("includefield", field)]).apply([row])
    assert "00091001" not in found
    assert "00101000" not in found
    assert ("00080080" in found) is (field in {"all", "00080080"})


@pytest.mark.parametrize(
    "parameter",
    [
        ("00091001", "x"), ("OtherPatientIDs", "x"), ("Nonsense", "x"), ("RetrieveURL", "x"), ("0008,0020", "20250101"),
        ("SeriesInstanceUID", "1.2"), ("StudyInstanceUID", "1.2.x"), ("StudyInstanceUID", "1." * 40 + "1"),
        ("StudyDate", "2025"), ("StudyDate", "-"), ("StudyDate", "٢٠٢٥٠١٠١"), ("StudyTime", "9"), ("limit", "-1"),
        ("limit", "x"), ("offset", ""), ("fuzzymatching", "yes"), ("includefield", "../x"), ("StudyID", "a\0"),
        ("StudyID", "a" * 2000), ("", "x"), ("constructor", "x"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused(parameter: tuple[str, str]) -> None:
    with pytest.raises(BadInput):
        parse_query(Level.STUDY, [parameter])


def test_a_repeated_page_is_refused() -> None:
    with pytest.raises(BadInput):
        parse_query(Level.STUDY, [("limit", "1"), ("limit", "2")])


def test_series_and_instances_are_matched_at_their_level() -> None:
    rows = [{"0020000E": {"vr": "UI", "Value": ["1.5"]}, "00200011": {"vr": "IS", "Value": [7]}}]
    assert len(parse_query(Level.SERIES, [("SeriesNumber", "07")]).apply(rows)) == 1
    assert parse_query(Level.SERIES, [("SeriesNumber", "8")]).apply(rows) == []
    assert parse_query(Level.INSTANCE, [("SOPInstanceUID", "1.9")]).apply(rows) == []


@given(st.text(alphabet="ab*?", max_size=12), st.text(alphabet="ab", max_size=12))
def test_wildcards_agree_with_a_plain_reading(pattern: str, text: str) -> None:
    def plain(p: str, t: str) -> bool:
        if not p:
            return not t
        if p[0] == "*":
            return plain(p[1:], t) or (bool(t) and plain(p, t[1:]))
        return bool(t) and p[0] in {"?", t[0]} and plain(p[1:], t[1:])

    assert wild(pattern, text) is plain(pattern, text)


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), max_size=6))
def test_a_query_never_widens_and_never_fails_otherwise(parameters: list[tuple[str, str]]) -> None:
    try:
        found = parse_query(Level.STUDY, parameters).apply([CHEST])
    except BadInput:
        return
    assert len(found) <= 1
