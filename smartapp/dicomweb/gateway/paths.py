"""What may stand in an address under `/dicomweb`. Everything else is refused before anything is looked up."""

import re
from typing import Final

from flask import request

from smartapp.errors import BadInput

_SEGMENT: Final = re.compile(r"(?!\.+\Z)[0-9A-Za-z.,_-]{1,512}\Z", re.ASCII)
_HIDDEN: Final = re.compile(r"%(?:2f|5c|00|2e)", re.IGNORECASE)
_FRAMES: Final = re.compile(r"[1-9][0-9]{0,6}(?:,[1-9][0-9]{0,6}){0,255}", re.ASCII)
_BULK_TAG: Final = re.compile(r"[0-9A-F]{3}[02468ACE][0-9A-F]{4}", re.ASCII)


def require_plain() -> None:
    """BadInput for a path with empty or dotted segments, hidden separators, or characters that no resource has (A9)."""
    raw = str(request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or "").partition("?")[0]
    segments = request.path.split("/")[1:]
    if _HIDDEN.search(raw) or not all(_SEGMENT.match(segment) for segment in segments):
        raise BadInput("bad-path")


def frame_numbers(text: str) -> tuple[int, ...]:
    """The frame numbers of `frames/{list}`, from 1 (PS3.18 §10.4.1.1.4); BadInput if it is none."""
    if not _FRAMES.fullmatch(text):
        raise BadInput("bad-frames")
    return tuple(int(number) for number in text.split(","))


def bulk_tag(text: str) -> int:
    """The tag that a BulkDataURI of ours ends with; BadInput if it is none."""
    if not _BULK_TAG.fullmatch(text):
        raise BadInput("bad-tag")
    return int(text, 16)
