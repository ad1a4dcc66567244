"""Puts another patient's instance into a DICOMweb answer."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from smartapp.sandbox.faults.wire import Reply

_PATIENT_ID: Final = "00100020"
_STUDY_UID: Final = "0020000D"
_SERIES_UID: Final = "0020000E"
_INSTANCE_UID: Final = "00080018"

Ask = Callable[[str | None], Reply]


class NobodyElse(LookupError):
    """The archive holds no other patient's study."""


def boundary_of(reply: Reply) -> bytes | None:
    """The boundary of a multipart answer with DICOM in it; None for any other answer."""
    found = re.match(r'multipart/related\b.*boundary="?([^";]+)', reply.header("Content-Type"))
    return found[1].encode() if found and b"application/dicom" in reply.body[:4096] else None


def with_anothers(body: bytes, boundary: bytes, target: str, ask: Ask) -> bytes:
    """The body with its last part replaced by an instance of another patient, whoever is first in the archive."""
    root, _, rest = target.partition("/studies/")
    address = _anothers(root, rest.split("/")[0].split("?")[0], ask)
    reply = ask(address)
    other = boundary_of(reply)
    if other is None:
        raise NobodyElse
    part = reply.body.split(b"--" + other)[1]
    before = body[: body.rindex(b"--" + boundary, 0, body.rindex(b"--" + boundary + b"--"))]
    return before + b"--" + boundary + part + b"--" + boundary + b"--\r\n"


def _anothers(root: str, study: str, ask: Ask) -> str:
    rows = _rows(ask, f"{root}/studies?includefield={_PATIENT_ID}")
    patients = {_text(row, _STUDY_UID): _text(row, _PATIENT_ID) for row in rows}
    other = next((uid for uid, patient in patients.items() if patient != patients.get(study)), None)
    if other is None:
        raise NobodyElse
    series = _text(_rows(ask, f"{root}/studies/{other}/series")[0], _SERIES_UID)
    sop = _text(_rows(ask, f"{root}/studies/{other}/series/{series}/instances")[0], _INSTANCE_UID)
    return f"{root}/studies/{other}/series/{series}/instances/{sop}"


def _rows(ask: Ask, target: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(ask(target).body)
    return rows


def _text(row: dict[str, Any], tag: str) -> str:
    return str(row[tag]["Value"][0])
