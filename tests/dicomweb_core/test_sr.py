"""Structured reports as nested text, and what is made of misshapen ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.datadict import tag_for_keyword

from smartapp.dicomweb.core import sr
from smartapp.dicomweb.core.sr import SrItem, SrVerifier, is_structured_report, read_document

pytestmark = [pytest.mark.promise("A2"), pytest.mark.clause("PS3.3", "C.17.3")]


def row(**elements: Any) -> dict[str, Any]:
    """DICOM JSON by keyword; a list is the values of a sequence."""
    return {
        f"{tag_for_keyword(name):08X}": {"vr": "UN", "Value": value if isinstance(value, list) else [value]}
        for name, value in elements.items()
    }


def code(meaning: str, value: str = "1", scheme: str = "DCM") -> list[dict[str, Any]]:
    return [row(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)]


def item(kind: str, name: str, relationship: str = "CONTAINS", value: str = "1", **more: Any) -> dict[str, Any]:
    return row(ValueType=kind, RelationshipType=relationship, ConceptNameCodeSequence=code(name, value), **more)


def number(value: str, unit: tuple[str, str, str]) -> list[dict[str, Any]]:
    symbol, scheme, meaning = unit
    return [row(NumericValue=value, MeasurementUnitsCodeSequence=code(meaning, symbol, scheme))]


def only(content: dict[str, Any]) -> SrItem:
    (found,) = read_document(row(ContentSequence=[content])).items
    return found


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (item("TEXT", "Finding", TextValue="No fluid.\nHeart normal."), "No fluid.\nHeart normal."),
        (item("CODE", "Side", ConceptCodeSequence=code("Right")), "Right"),
        (item("NUM", "Length", MeasuredValueSequence=number("5", ("mm", "UCUM", "millimeter"))), "5 mm"),
        (item("NUM", "Area", MeasuredValueSequence=number("5.2", ("cm2/m2", "UCUM", "square cm"))), "5.2 square cm"),
        (item("NUM", "Score", MeasuredValueSequence=number("4", ("1", "UCUM", "no units"))), "4"),
        (item("NUM", "Length", NumericValueQualifierCodeSequence=code("Not a number")), "Not a number"),
        (item("DATE", "Day", Date="20260917"), "2026-09-17"),
        (item("DATETIME", "Moment", DateTime="20260917101500.000000-0500"), "2026-09-17 10:15"),
        (item("TIME", "Hour", Time="101500"), "10:15"),
        (item("DATE", "Day", Date="about 1990"), "about 1990"),
        (item("PNAME", "Reader", PersonName={"Alphabetic": "Lee^Morgan^^Dr."}), "Dr. Morgan Lee"),
    ],
)
def test_every_kind_of_value_is_put_into_words(content: dict[str, Any], value: str) -> None:
    assert only(content).value == value


def test_what_has_no_words_is_left_out_unless_something_hangs_on_it() -> None:
    bare = item("SCOORD", "Outline", GraphicData=[1, 2])
    holding = item("IMAGE", "Seen in", ContentSequence=[item("TEXT", "Note", TextValue="here")])
    found = read_document(row(ContentSequence=[bare, holding])).items
    assert [(each.name, each.value, len(each.items)) for each in found] == [("Seen in", "", 1)]


def test_conclusions_and_context_are_known_by_their_codes() -> None:
    assert only(item("TEXT", "Eindruck", value="121073", TextValue="Harmless")).concludes
    assert only(item("PNAME", "Observer", "HAS OBS CONTEXT", PersonName={"Alphabetic": "Lee"})).context
    assert not only(item("TEXT", "Finding", TextValue="x")).concludes


@pytest.mark.clause("PS3.3", "C.17.2")
def test_a_document_tells_its_standing() -> None:
    signed = row(
        ConceptNameCodeSequence=code("Chest CT report"), VerificationFlag="VERIFIED", CompletionFlag="COMPLETE",
        PreliminaryFlag="FINAL", ContentDate="20260917", ContentTime="101500",
        VerifyingObserverSequence=[row(VerifyingObserverName={"Alphabetic": "Lee^Morgan"},
                                       VerifyingOrganization="St. Elsewhere", VerificationDateTime="202609171510")],
    )  # fmt: skip
    found = read_document(signed)
    assert (found.title, found.written) == ("Chest CT report", "2026-09-17 10:15")
    assert (found.verified, found.complete, found.preliminary) == (True, True, False)
    assert found.verifiers == (SrVerifier("Morgan Lee", "St. Elsewhere", "2026-09-17 15:10"),)
    bare = read_document({})
    assert (bare.verified, bare.complete, bare.preliminary, bare.items, bare.cut) == (False, False, False, (), False)


def test_depth_number_and_length_are_bounded_and_it_is_said() -> None:
    deep = item("TEXT", "End", TextValue="bottom")
    for _ in range(sr.DEPTH + 5):
        deep = item("CONTAINER", "Box", ContentSequence=[deep])
    assert read_document(row(ContentSequence=[deep])).cut
    wide = read_document(row(ContentSequence=[item("TEXT", "n", TextValue="x")] * (sr.ITEMS + 1)))
    assert (len(wide.items), wide.cut) == (sr.ITEMS, True)
    long = read_document(row(ContentSequence=[item("TEXT", "n", TextValue="x" * (sr.TEXT + 1))]))
    assert (len(long.items[0].value), long.cut) == (sr.TEXT, True)
    assert not read_document(row(ContentSequence=[item("TEXT", "n", TextValue="x")])).cut


def test_a_key_object_selection_is_no_report() -> None:
    assert is_structured_report("1.2.840.10008.5.1.4.1.1.88.11")
    assert not is_structured_report("1.2.840.10008.5.1.4.1.1.88.59")
    assert not is_structured_report("1.2.840.10008.5.1.4.1.1.2")


_TAGS = [f"{tag_for_keyword(name):08X}" for name in (
    "ContentSequence", "ConceptNameCodeSequence", "ValueType", "TextValue", "MeasuredValueSequence", "CodeMeaning",
    "NumericValue", "VerifyingObserverSequence", "PersonName", "DateTime", "MeasurementUnitsCodeSequence",
)]  # fmt: skip
_LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
_JSON = st.recursive(
    _LEAF,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*_TAGS, "Value", "vr", "Alphabetic"]), inner, max_size=4)
    ),
    max_leaves=30,
)


@given(st.dictionaries(st.sampled_from(_TAGS), st.fixed_dictionaries({"Value": st.lists(_JSON, max_size=3)}) | _JSON))
def test_whatever_an_archive_sends_is_read_without_an_error(document: dict[str, Any]) -> None:
    read_document(document)
