"""What a fault of an EHR or a PACS is called in the trail. Pure.

The codes are those that the rooms above raise; they hold nothing of anybody's.
"""

from typing import Final, Literal

from smartapp.audit.model import Event, Severity
from smartapp.errors import (
    UpstreamDown,
    UpstreamError,
    UpstreamMalformed,
    UpstreamMismatch,
    UpstreamRefused,
    UpstreamSlow,
)

Upstream = Literal["ehr", "pacs"]

_OWN: Final[dict[str, tuple[str, Severity]]] = {
    "tls": ("tls.fail", "high"),
    "off-origin": ("smart.offorigin", "high"),
    "bomb": ("upstream.bomb", "info"),
    "content-encoding": ("upstream.bomb", "info"),
    "dicom-deflate": ("dicom.bomb", "info"),
    "dicom-depth": ("dicom.depth", "info"),
    "dicom-items": ("dicom.depth", "info"),
    "dicom-uid": ("dicom.uid_bad", "info"),
    "pacs-uid": ("dicom.uid_bad", "info"),
}
"""Faults that are called the same wherever they come from."""
_OF_EHRS: Final = {"too-big": "paging", "ehr-too-big": "paging", "ehr-paging": "paging", "ehr-status": "bad"}
_OF_PACS: Final = {"upstream-cut": "short", "pacs-incomplete": "short", "multipart-type": "bad"}
_OURS: Final = frozenset({"streams-used-up", "consents-unread"})
"""Nobody's fault there: our own limit, or what was written down where it arose."""
_BROKEN: Final = ("multipart-", "dicom-")


def told_of(who: Upstream, error: UpstreamError) -> tuple[str, Severity] | None:
    """Kind and severity of the row that tells of `error`. None for what has a row of its own, or needs none: data of
    somebody else (`pacs.mismatch`, `ehr.mismatch`), and a credential that is not taken any longer.
    """
    if isinstance(error, UpstreamMismatch | UpstreamRefused) or error.code in _OURS:
        return None
    if error.code in _OWN:
        return _OWN[error.code]
    return f"{who}.{_word(who, error)}", "info"


def event_of(who: Upstream, error: UpstreamError, provider: str) -> Event | None:
    """The row itself, to be noted; None as for `told_of`."""
    found = told_of(who, error)
    if found is None:
        return None
    kind, severity = found
    detail = {"code": error.code, "upstream": who}
    return Event(kind, severity, provider=provider, detail=detail)


def _word(who: Upstream, error: UpstreamError) -> str:
    if error.code == "upstream-429":
        return "429"
    if isinstance(error, UpstreamDown):
        return "down"
    if isinstance(error, UpstreamSlow):
        return "stall" if who == "pacs" else "slow"
    if who == "ehr":
        return _OF_EHRS.get(error.code) or _of_ehr(error)
    return _OF_PACS.get(error.code) or ("malformed" if error.code.startswith(_BROKEN) else "bad")


def _of_ehr(error: UpstreamError) -> str:
    """A cut answer is as unreadable as one that is no JSON; a status of 5xx is neither."""
    return "malformed" if isinstance(error, UpstreamMalformed) or error.code == "upstream-cut" else "bad"
