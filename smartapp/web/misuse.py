"""A token of ours that is shown as what it is not, or where it must not be: it opens nothing, and is written down.

Only what really is ours is written down: noise from strangers would bury it.
"""

import re
from collections.abc import Iterator
from typing import Final

from flask import request

from smartapp.audit.model import Event, Severity
from smartapp.web.parts import parts
from smartapp.web.reference import request_id

_OURS: Final = re.compile(r"\bs(?:at|rt|ac)_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
_SIGNED: Final = re.compile(r"\b[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{43,}")
_LONGEST: Final = 8190
_MOST: Final = 4
_FORM: Final = "application/x-www-form-urlencoded"
_LONGEST_FORM: Final = 16 * 1024


def tell(provider: str) -> None:
    """For a request that was refused because it showed no access token as it should (RFC 6750 §2, RFC 9700 §4.3.2).

    `token.wrong_use` (high): in the header, an id_token, code or refresh token, or an access token of another hospital.
    `token.bad_transport`: an access token in the address, in the body, or in a header that is no Bearer header.
    """
    header = request.headers.get("Authorization", "")[:_LONGEST]
    if _is_signed_by_us(header) or any(_known_otherwise(provider, raw) for raw in _candidates(header)):
        _record(provider, "token.wrong_use", "high", "header")
    elif any(parts().app_tokens.knows(provider, raw) for raw in _candidates(header)):
        _record(provider, "token.bad_transport", "info", "header")
    for place, said in _elsewhere():
        if any(parts().app_tokens.knows(provider, raw) for raw in _candidates(said)):
            _record(provider, "token.bad_transport", "info", place)


def _is_signed_by_us(header: str) -> bool:
    return any(parts().signing.claims_of(raw) is not None for raw in _SIGNED.findall(header)[:1])


def _known_otherwise(provider: str, raw: str) -> bool:
    """As anything but an access token of this hospital."""
    if not raw.startswith("sat_"):
        return parts().app_tokens.knows(provider, raw)
    others = (each.id for each in parts().settings.providers if each.id != provider)
    return any(parts().app_tokens.knows(other, raw) for other in others)


def _candidates(said: str) -> list[str]:
    return list(dict.fromkeys(_OURS.findall(said)))[:_MOST]


def _elsewhere() -> Iterator[tuple[str, str]]:
    """A larger body is not read: nobody has shown yet who asks."""
    yield "address", request.args.get("access_token", "")
    if request.mimetype == _FORM and 0 < (request.content_length or 0) <= _LONGEST_FORM:
        yield "body", request.form.get("access_token", "")


def _record(provider: str, kind: str, severity: Severity, place: str) -> None:
    event = Event(kind, severity, provider=provider, detail={"where": place}, request_id=request_id())
    parts().audit.record(event)
