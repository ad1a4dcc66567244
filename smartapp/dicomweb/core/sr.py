"""A structured report (PS3.3 §C.17) as nested items of plain text, from its DICOM JSON. Pure.

What comes out is text without markup: whoever shows it escapes it. Coordinates and references to pictures have no
words and come out without a value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from smartapp.dicomweb.core.dicomjson import Row, get, values

DEPTH: Final = 24
ITEMS: Final = 3000
TEXT: Final = 20_000
"""Bounds on nesting, items and the characters of one item: past them a document is `cut`."""

_PREFIX: Final = "1.2.840.10008.5.1.4.1.1.88."
_KEY_OBJECT_SELECTION: Final = f"{_PREFIX}59"
_CONTEXT: Final = frozenset({"HAS OBS CONTEXT", "HAS ACQ CONTEXT", "HAS CONCEPT MOD"})
_CONCLUSIONS: Final = frozenset({"121072", "121073", "121076", "121077", "121111", "19005-8"})
"""Impressions, Impression, Conclusions, Conclusion, Summary (PS3.16 Annex D); LOINC's Impression."""
_DIMENSIONLESS: Final = frozenset({"1", "{no units}", "no units"})


@dataclass(frozen=True)
class SrItem:
    """One content item (PS3.3 §C.17.3). `name` and `value` may be empty; `kind` is its Value Type.

    `concludes`: it, or what is in it, is what the author concludes. `context`: it says how the item above came about
    (who observed, how it was acquired), not what was found.
    """

    name: str
    value: str
    kind: str
    concludes: bool
    context: bool
    items: tuple["SrItem", ...]


@dataclass(frozen=True)
class SrVerifier:
    """Who vouches for the document (PS3.3 §C.17.2), and when, as `2026-09-17 10:15`."""

    name: str
    organization: str
    when: str


@dataclass(frozen=True)
class SrDocument:
    """A document with its standing. Unverified or partial ones are to be shown as such.

    `cut`: it has more, or deeper, items than are given here.
    """

    title: str
    written: str
    verified: bool
    complete: bool
    preliminary: bool
    verifiers: tuple[SrVerifier, ...]
    items: tuple[SrItem, ...]
    cut: bool


def is_structured_report(sop_class: str) -> bool:
    """Whether this is the SOP class of a document with a content tree to read; a Key Object Selection is none."""
    return sop_class.startswith(_PREFIX) and sop_class != _KEY_OBJECT_SELECTION


def read_document(row: Row) -> SrDocument:
    """The document in an instance's metadata (PS3.18 §10.4.1.1.2). What is misshapen in it is left out."""
    reader = _Reader()
    items = reader.items(row, 1)
    return SrDocument(
        title=_meaning(row, "ConceptNameCodeSequence"),
        written=_moment(get(row, "ContentDate") + get(row, "ContentTime")),
        verified=get(row, "VerificationFlag") == "VERIFIED",
        complete=get(row, "CompletionFlag") == "COMPLETE",
        preliminary=get(row, "PreliminaryFlag") == "PRELIMINARY",
        verifiers=tuple(
            SrVerifier(
                _name(get(each, "VerifyingObserverName")),
                get(each, "VerifyingOrganization"),
                _moment(get(each, "VerificationDateTime")),
            )
            for each in _sequence(row, "VerifyingObserverSequence")
        ),
        items=items,
        cut=reader.cut,
    )


class _Reader:
    """Reads one content tree within the bounds."""

    def __init__(self) -> None:
        self._left = ITEMS
        self.cut = False

    def items(self, row: Row, depth: int) -> tuple[SrItem, ...]:
        """The content items of `row`."""
        return tuple(found for each in _sequence(row, "ContentSequence") if (found := self._item(each, depth)))

    def _item(self, row: Row, depth: int) -> SrItem | None:
        if depth > DEPTH or self._left == 0:
            self.cut = True
            return None
        self._left -= 1
        kind = get(row, "ValueType")
        value = _value(row, kind)
        self.cut = self.cut or len(value) > TEXT
        found = SrItem(
            name=_meaning(row, "ConceptNameCodeSequence"),
            value=value[:TEXT],
            kind=kind,
            concludes=_code(row, "ConceptNameCodeSequence") in _CONCLUSIONS,
            context=get(row, "RelationshipType") in _CONTEXT,
            items=self.items(row, depth + 1),
        )
        return found if found.value or found.items else None


def _value(row: Row, kind: str) -> str:
    """The value of an item in words (PS3.3 Table C.17.3-2)."""
    if kind == "NUM":
        return _measured(row)
    if kind == "CODE":
        return _meaning(row, "ConceptCodeSequence")
    if kind == "PNAME":
        return _name(get(row, "PersonName"))
    if kind in {"DATE", "DATETIME"}:
        return _moment(get(row, "Date" if kind == "DATE" else "DateTime"))
    if kind == "TIME":
        return _clock(get(row, "Time"))
    return get(row, "TextValue") if kind == "TEXT" else ""


def _measured(row: Row) -> str:
    """The number and its unit; without a number, why there is none (PS3.3 §C.18.1)."""
    for measured in _sequence(row, "MeasuredValueSequence"):
        value = get(measured, "NumericValue")
        if value:
            return f"{value} {_unit(measured)}".rstrip()
    return _meaning(row, "NumericValueQualifierCodeSequence")


def _unit(measured: Row) -> str:
    for code in _sequence(measured, "MeasurementUnitsCodeSequence"):
        symbol, word = get(code, "CodeValue"), get(code, "CodeMeaning")
        if symbol in _DIMENSIONLESS or word in _DIMENSIONLESS:
            return ""
        plain = get(code, "CodingSchemeDesignator") == "UCUM" and symbol.isalnum()
        return symbol if plain else word or symbol
    return ""


def _meaning(row: Row, keyword: str) -> str:
    return next((meaning for code in _sequence(row, keyword) if (meaning := get(code, "CodeMeaning"))), "")


def _code(row: Row, keyword: str) -> str:
    return next((get(code, "CodeValue") for code in _sequence(row, keyword)), "")


def _sequence(row: Row, keyword: str) -> Iterator[Row]:
    return (item for item in values(row, keyword) if isinstance(item, Mapping))


def _name(name: str) -> str:
    """`Lee^Morgan^^Dr.` as `Dr. Morgan Lee` (PS3.5 §6.2.1)."""
    family, given, middle, prefix, suffix = (name.split("^") + [""] * 5)[:5]
    return " ".join(part for part in (prefix, given, middle, family, suffix) if part)


def _moment(text: str) -> str:
    """A DA or DT (PS3.5 §6.2) for people: `2026-09-17`, `2026-09-17 10:15`; as it stands if it is none."""
    digits = text.partition("+")[0].partition("-")[0].partition(".")[0]
    if len(digits) < 8 or not digits.isdecimal():
        return text
    clock = _clock(digits[8:])
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]} {clock}".rstrip()


def _clock(text: str) -> str:
    return f"{text[:2]}:{text[2:4]}" if len(text) >= 4 and text[:4].isdecimal() else text
