"""De-identification of DICOM JSON (PS3.18 annex F): the metadata of an instance, the rows of a search. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydicom.datadict import dictionary_has_tag, dictionary_VR

from smartapp.dicomweb.core.deidentify.pictures import is_showable
from smartapp.dicomweb.core.deidentify.rules import Needs, Treatment, needs_of, treatment
from smartapp.dicomweb.core.deidentify.values import METHOD, METHOD_CODE, NO_DATES, dummy_json
from smartapp.dicomweb.core.dicomjson import Row, get, values
from smartapp.dicomweb.core.elements import DEPTH

Uids = Callable[[str], str]
"""Gives the UID to be shown in place of another."""

_SEQUENCE: Final = "SQ"


def said() -> dict[str, Any]:
    """What a de-identified object says of itself (PS3.15 §E.1.1), as DICOM JSON."""
    value, scheme, meaning = METHOD_CODE
    code = {
        "00080100": {"vr": "SH", "Value": [value]},
        "00080102": {"vr": "SH", "Value": [scheme]},
        "00080104": {"vr": "LO", "Value": [meaning]},
    }
    return {
        "00120062": {"vr": "CS", "Value": ["YES"]},
        "00120063": {"vr": "LO", "Value": [METHOD]},
        "00120064": {"vr": _SEQUENCE, "Value": [code]},
        "00280303": {"vr": "CS", "Value": [NO_DATES]},
    }


def row_is_showable(row: Row) -> bool:
    """Whether the instance whose metadata this is may be shown de-identified."""
    types = [str(value) for value in values(row, "ImageType")]
    return is_showable(get(row, "SOPClassUID"), get(row, "BurnedInAnnotation"), types)


def metadata_row(row: Row, uids: Uids) -> dict[str, Any]:
    """The metadata of a de-identified instance: what the file holds after `files.deidentified`."""
    return dict(sorted({**searched_row(row, uids), **said()}.items()))


def searched_row(row: Row, uids: Uids) -> dict[str, Any]:
    """A row of a search, of any level, without what the profile takes away. Bulk data keep no address."""
    return _data_set(row, needs_of(get(row, "SOPClassUID")), uids, DEPTH)


def _data_set(row: Row, needs: Needs, uids: Uids, depth: int) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, element in row.items():
        treated = _element(int(name, 16), element, needs, uids, depth)
        if treated is not None:
            out[name] = treated
    return out


def _element(tag: int, element: Mapping[str, Any], needs: Needs, uids: Uids, depth: int) -> dict[str, Any] | None:
    what = treatment(tag, needs)
    vr = str(element.get("vr", "UN"))
    if what is Treatment.REMOVE or _hides_a_sequence(tag, vr):
        return None
    if what is Treatment.EMPTY:
        return {"vr": vr}
    if what is Treatment.DUMMY:
        return {"vr": vr, **({"Value": [{}]} if vr == _SEQUENCE else dummy_json(vr))}
    if what is Treatment.KEEP and vr != _SEQUENCE:
        return dict(element)
    found = element.get("Value")
    given = found if isinstance(found, list) else []
    if what is Treatment.MAP:
        return {"vr": vr, "Value": [uids(str(value)) for value in given]} if given else {"vr": vr}
    items = [_data_set(item, needs, uids, depth - 1) for item in given if isinstance(item, Mapping)] if depth else []
    return {"vr": vr, "Value": items}


def _hides_a_sequence(tag: int, vr: str) -> bool:
    """A sequence that is written as something else: what is in it cannot be seen."""
    return vr != _SEQUENCE and dictionary_has_tag(tag) and dictionary_VR(tag) == _SEQUENCE
