"""The values that say nothing, and what a de-identified object says of itself. Pure."""

from typing import Any, Final

TEXT: Final = "ANONYMIZED"
_NUMBERS: Final = {"FL": 4, "FD": 8, "SL": 4, "SS": 2, "UL": 4, "US": 2, "SV": 8, "UV": 8, "AT": 4}
_BINARY: Final = {"OB": 2, "OW": 2, "UN": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
_TEXTS: Final = {
    "AE": TEXT, "AS": "000Y", "CS": TEXT, "DA": "19000101", "DS": "0", "DT": "19000101000000", "IS": "0", "LO": TEXT,
    "LT": TEXT, "PN": TEXT, "SH": TEXT, "ST": TEXT, "TM": "000000", "UC": TEXT, "UR": "urn:anonymized", "UT": TEXT,
    "UI": "2.25.0",
}  # fmt: skip

METHOD: Final = "Basic Application Confidentiality Profile"
METHOD_CODE: Final = ("113100", "DCM", METHOD)
"""PS3.16 CID 7050."""
NO_DATES: Final = "REMOVED"
"""Longitudinal Temporal Information Modified (0028,0303): no option keeps dates."""


def dummy(vr: str) -> bytes:
    """A value of this VR as it stands in a file, of even length (PS3.5 §6.2)."""
    if vr == "UI":
        return padded_uid(_TEXTS[vr])
    if vr in _TEXTS:
        return padded(_TEXTS[vr])
    return bytes(_NUMBERS.get(vr) or _BINARY.get(vr, 2))


def dummy_json(vr: str) -> dict[str, Any]:
    """The same value as DICOM JSON has it (PS3.18 §F.2)."""
    if vr == "PN":
        return {"Value": [{"Alphabetic": TEXT}]}
    if vr == "AT":
        return {"Value": ["00000000"]}
    if vr in {"DS", "IS"} or vr in _NUMBERS:
        return {"Value": [0]}
    if vr in _TEXTS:
        return {"Value": [_TEXTS[vr]]}
    return {"InlineBinary": "AAA="}


def padded(text: str) -> bytes:
    """Text of the default repertoire, with a space where its length is odd."""
    raw = text.encode("ascii")
    return raw + b" " if len(raw) % 2 else raw


def padded_uid(uid: str) -> bytes:
    """A UID, with a NUL where its length is odd (PS3.5 §9.1)."""
    raw = uid.encode("ascii")
    return raw + b"\0" if len(raw) % 2 else raw
