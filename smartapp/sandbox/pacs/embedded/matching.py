"""Attribute matching of QIDO-RS (PS3.18 §8.3.4, PS3.4 §C.2.2.2)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

STUDY_KEYS = (
    "StudyDate", "StudyTime", "AccessionNumber", "ModalitiesInStudy", "ReferringPhysicianName", "PatientName",
    "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID",
    "StudyDescription",
)  # fmt: skip
SERIES_KEYS = ("Modality", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "BodyPartExamined")
INSTANCE_KEYS = ("SOPClassUID", "SOPInstanceUID", "InstanceNumber")

_ABOUT_THE_SEARCH = {"limit", "offset", "includefield", "fuzzymatching"}
_RANGES = {"DA", "TM", "DT"}
_NO_WILDCARDS = {"UI", "DA", "TM", "DT", "IS", "DS"}


class BadQuery(ValueError):
    """The query cannot be answered; the message says which parameter is at fault, not its value."""


def keyword(name: str) -> str:
    """The keyword of an attribute given as keyword or as eight hexadecimal digits (PS3.18 §8.3.1), or BadQuery."""
    if re.fullmatch(r"[0-9A-Fa-f]{8}", name):
        name = keyword_for_tag(int(name, 16))
    if not name or tag_for_keyword(name) is None:
        raise BadQuery("an attribute in the query is unknown")
    return name


def filters(arguments: Iterable[tuple[str, str]], known: Iterable[str]) -> dict[str, str]:
    """The matching keys of a query string, by keyword. BadQuery for one that is not among `known`, or given twice."""
    found: dict[str, str] = {}
    for name, value in arguments:
        if name in _ABOUT_THE_SEARCH:
            continue
        key = keyword(name)
        if key not in known:
            raise BadQuery(f"{key} cannot be matched at this level")
        if key in found:
            raise BadQuery(f"{key} is given twice")
        found[key] = value
    return found


def matches(headers: Sequence[Dataset], wanted: Mapping[str, str]) -> bool:
    """Whether the headers, nearest first, agree with every filter. An empty value matches all (PS3.4 §C.2.2.2.3)."""
    return all(_agrees(nearest(headers, key), key, value) for key, value in wanted.items())


def nearest(headers: Sequence[Dataset], key: str) -> Any:
    """The attribute's value in the first header that has it, else None: an instance speaks before its study."""
    return next((header[key].value for header in headers if key in header), None)


def _agrees(found: Any, key: str, wanted: str) -> bool:
    if not wanted:
        return True
    vr = dictionary_VR(tag_for_keyword(key) or 0)
    values = _texts(found)
    if vr in _RANGES and "-" in wanted:
        first, last = wanted.split("-", 1)
        return any((not first or value >= first) and (not last or value[: len(last)] <= last) for value in values)
    if vr == "UI":
        return any(value in re.split(r"[,\\]", wanted) for value in values)
    if vr in _NO_WILDCARDS:
        return wanted in values
    flags = re.IGNORECASE if vr == "PN" else 0
    return any(_pattern(wanted, flags).fullmatch(value) for value in values)


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    many = value if isinstance(value, MultiValue | list) else [value]
    return [str(each) for each in many]


def _pattern(wanted: str, flags: int) -> re.Pattern[str]:
    escaped = re.escape(wanted).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(escaped, flags)
