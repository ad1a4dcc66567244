"""What picture is asked for: the parameters of rendered resources (PS3.18 §8.3.5)."""

import re
from dataclasses import dataclass
from typing import Final

from flask import request

from smartapp.dicomweb.core.accept import Offer
from smartapp.dicomweb.core.render import PictureType, Window, parse_viewport, parse_window
from smartapp.dicomweb.gateway.answers import accepted
from smartapp.dicomweb.gateway.paths import frame_numbers
from smartapp.errors import BadInput

_KINDS: Final[dict[str, PictureType]] = {"image/jpeg": "image/jpeg", "image/png": "image/png"}
_QUALITY: Final = re.compile(r"[1-9][0-9]?|100", re.ASCII)


@dataclass(frozen=True)
class PictureAsked:
    """One frame, by its number from 1, as a picture; `quality` is JPEG's, from 1 to 100."""

    number: int
    window: Window | None
    viewport: tuple[int, int] | None
    quality: int
    kind: PictureType


def picture_asked(numbers: str | None) -> PictureAsked:
    """The picture that the request's path, parameters and Accept ask for. BadInput, NotAcceptable."""
    wanted = frame_numbers(numbers or "1")
    if len(wanted) != 1:
        raise BadInput("one-frame-a-picture")
    kind = _KINDS[accepted([Offer(kind) for kind in _KINDS]).offer.media_type]
    window, viewport = _once("window"), _once("viewport")
    return PictureAsked(
        number=wanted[0],
        window=parse_window(window) if window is not None else None,
        viewport=parse_viewport(viewport) if viewport is not None else None,
        quality=_quality(_once("quality") or "90"),
        kind=kind,
    )


def _once(name: str) -> str | None:
    given = request.args.getlist(name)
    if len(given) > 1:
        raise BadInput("repeated-parameter")
    return given[0] if given else None


def _quality(text: str) -> int:
    if not _QUALITY.fullmatch(text):
        raise BadInput("bad-quality")
    return int(text)
