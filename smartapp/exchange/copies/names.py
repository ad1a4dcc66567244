"""Names of folders and files in a copy. Pure.

One layout for two readers (docs/decisions/0008): a person finds the date and the part of the body, and a DICOM reader
finds file ids that PS3.10 §8.5 allows, eight characters of `A-Z 0-9 _` each. Every name is made from closed lists and
counters; nothing that a hospital wrote becomes part of a path.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from smartapp.records.model import StudySummary

_KINDS: Final = {
    **{code: code for code in ("CT", "MR", "US", "MG", "NM", "PT", "XA", "ES", "OP", "SM")},
    **dict.fromkeys(("CR", "DX", "RG", "RF", "IO", "PX"), "XR"),
}
_BODY: Final = {
    "abdomen": "ABDOM", "abdominal": "ABDOM", "ankle": "ANKLE", "arm": "ARM", "brain": "BRAIN", "breast": "BRST",
    "chest": "CHEST", "thorax": "CHEST", "thoracic": "CHEST", "elbow": "ELBOW", "foot": "FOOT", "hand": "HAND",
    "head": "HEAD", "heart": "HEART", "hip": "HIP", "knee": "KNEE", "leg": "LEG", "liver": "LIVER", "lung": "CHEST",
    "neck": "NECK", "pelvis": "PELVS", "shoulder": "SHLDR", "skull": "SKULL", "spine": "SPINE", "whole": "WHOLE",
    "wrist": "WRIST",
}  # fmt: skip
_ENDINGS: Final = {
    "application/pdf": "PDF",
    "text/plain": "TXT",
    "text/html": "HTM",
    "application/rtf": "RTF",
    "image/jpeg": "JPG",
    "image/png": "PNG",
}
_LONGEST: Final = 8
_WORDS: Final = re.compile(r"[a-z]+")


def folders(studies: Sequence[StudySummary]) -> list[str]:
    """A folder for each study, `20260917/CT_CHEST`; a second of the same day and kind is `20260917/CT_CHES2`.

    The number goes by time and UID, so that the same studies always get the same names.
    """
    order = sorted(range(len(studies)), key=lambda at: (_time(studies[at].started), studies[at].uid))
    taken: dict[int, str] = {}
    for at in order:
        taken[at] = _free(_date(studies[at].started), _kind(studies[at]), taken.values())
    return [taken[at] for at in range(len(studies))]


def series_folder(number: int) -> str:
    """The folder of a study's series, by its place in the study's order, from 1."""
    return f"S{number:03d}"


def instance_file(number: int) -> str:
    """The file of an instance, by its place in its series, from 1."""
    return f"I{number:05d}"


def report_file(number: int) -> str:
    """Our page of a study's report, from 1."""
    return f"REPORT{number}.PDF"


def document_file(report: int, number: int, content_type: str) -> str:
    """A file of the hospital's own that belongs to the report, numbered from 1. The ending only for known types."""
    ending = _ENDINGS.get(content_type.partition(";")[0].strip().lower(), "BIN")
    return f"HOSP{report}_{number}.{ending}"


def archive_file(studies: Sequence[StudySummary], made_at: datetime) -> str:
    """The name of the whole: what is in it if that is one study, else the day it was made."""
    if len(studies) == 1:
        date, kind = folders(studies)[0].split("/")
        return f"imaging-{date}-{kind}.zip"
    return f"imaging-copy-{made_at:%Y%m%d}.zip"


def _time(started: datetime | None) -> float:
    return started.timestamp() if started else 0.0


def _date(started: datetime | None) -> str:
    return f"{started:%Y%m%d}" if started else "UNDATED"


def _kind(study: StudySummary) -> str:
    kind = next((_KINDS[code] for code in study.modalities if code in _KINDS), "")
    words = [word for part in study.body_parts for word in _WORDS.findall(part.lower())]
    body = next((_BODY[word] for word in words if word in _BODY), "SCAN")
    return f"{kind}_{body}" if kind else body


def _free(date: str, kind: str, taken: Iterable[str]) -> str:
    used, name, number = set(taken), kind, 1
    while f"{date}/{name}" in used:
        number += 1
        name = kind[: _LONGEST - len(str(number))] + str(number)
    return f"{date}/{name}"
