"""DICOM JSON (PS3.18 Annex F): reading rows, and making one that came from a PACS fit to leave."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from pydicom.datadict import dictionary_has_tag, repeater_has_tag, tag_for_keyword

Row = Mapping[str, Any]

_TAG: Final = re.compile(r"[0-9A-F]{8}", re.ASCII)
_VR: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_RETRIEVE_URL: Final = "00081190"
_PLACES: Final = frozenset({_RETRIEVE_URL, "0040E010", "00080054"})
"""Retrieve URL, Retrieve URI and Retrieve AE Title say where the PACS is."""
_DEPTH: Final = 64


def tag(keyword: str) -> str:
    """The tag of an element as DICOM JSON writes it (`PatientID` → `00100020`). KeyError for no such keyword."""
    number = tag_for_keyword(keyword)
    if number is None:
        raise KeyError(keyword)
    return f"{number:08X}"


def values(row: Row, keyword: str) -> list[Any]:
    """The values of an element; empty if it is absent, empty or misshapen. Those that are null are left out."""
    element = row.get(tag(keyword))
    found = element.get("Value") if isinstance(element, Mapping) else None
    return [value for value in found if value is not None] if isinstance(found, list) else []


def get(row: Row, keyword: str) -> str:
    """The first value of an element as text, without padding; empty if there is none.

    Of a person's name it is the alphabetic group (PS3.18 §F.2.2).
    """
    found = values(row, keyword)
    first = found[0] if found else ""
    if isinstance(first, Mapping):
        first = first.get("Alphabetic", "")
    return str(first).strip(" \0") if isinstance(first, str | int | float) else ""


def number(row: Row, keyword: str) -> int | None:
    """The first value of an element as a whole number; None if it is none. Some servers write IS as strings."""
    try:
        return int(get(row, keyword))
    except ValueError:
        return None


def position(row: Row) -> float:
    """How far along its normal the image lies (PS3.3 §C.7.6.2.1.1), in mm; 0 if the row does not say."""
    try:
        at = [float(value) for value in values(row, "ImagePositionPatient")]
        x, y, z, u, v, w = (float(value) for value in values(row, "ImageOrientationPatient"))
        return (y * w - z * v) * at[0] + (z * u - x * w) * at[1] + (x * v - y * u) * at[2]
    except (ValueError, TypeError, IndexError):
        return 0.0


def in_viewing_order(rows: Iterable[Row]) -> list[Row]:
    """Instances by Instance Number (those without one last), then position, then UID: archives list them at random."""

    def place(row: Row) -> tuple[bool, int, float, str]:
        at = number(row, "InstanceNumber")
        return at is None, at or 0, position(row), get(row, "SOPInstanceUID")

    return sorted(rows, key=place)


def clean(row: Row, bulk_data: Callable[[str], str | None]) -> dict[str, Any]:
    """The row as it may leave: elements of the standard's dictionary only, well formed, without the PACS's addresses.

    `bulk_data` is given each BulkDataURI and returns the one to put in its place; None leaves the element out, as it
    does what it cannot be reached by. RetrieveURL goes; the caller adds its own (`retrieve_url`).
    """
    return _clean(row, bulk_data, _DEPTH)


def retrieve_url(url: str) -> dict[str, Any]:
    """The element Retrieve URL (0008,1190), to be added to a row."""
    return {_RETRIEVE_URL: {"vr": "UR", "Value": [url]}}


def _clean(row: Row, bulk_data: Callable[[str], str | None], depth: int) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, element in row.items():
        if name in _PLACES or not _standard(name) or not isinstance(element, Mapping):
            continue
        vr = element.get("vr")
        content = _content(element, bulk_data, depth)
        if isinstance(vr, str) and _VR.fullmatch(vr) and content is not None:
            out[name] = {"vr": vr} | content
    return out


@lru_cache(maxsize=8192)
def _standard(name: str) -> bool:
    """Whether this is the tag of an element that the standard has: so no private one, which may hold anything."""
    return _TAG.fullmatch(name) is not None and (dictionary_has_tag(int(name, 16)) or repeater_has_tag(int(name, 16)))


def _content(element: Mapping[str, Any], bulk_data: Callable[[str], str | None], depth: int) -> dict[str, Any] | None:
    """What an element has beside its VR; None if that must not leave."""
    if "BulkDataURI" in element:
        uri = bulk_data(str(element["BulkDataURI"]))
        return None if uri is None else {"BulkDataURI": uri}
    if isinstance(element.get("InlineBinary"), str):
        return {"InlineBinary": element["InlineBinary"]}
    found = element.get("Value")
    if not isinstance(found, list):
        return {}
    if element.get("vr") != "SQ":
        return {"Value": found}
    if depth == 0:
        return None
    return {"Value": [_clean(item, bulk_data, depth - 1) for item in found if isinstance(item, Mapping)]}
