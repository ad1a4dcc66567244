"""What a client accepts, against what can be offered (RFC 9110 §12.5.1; PS3.18 §8.7.4, §8.7.5).

Only names on the offers' lists come out of here: nothing of a client's header is ever passed on to a PACS.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from smartapp.dicomweb.core.media import MediaType, scan_media_type
from smartapp.errors import BadInput

MULTIPART: Final = "multipart/related"
ANY_SYNTAX: Final = "*"
"""`transfer-syntax=*`: as it is stored (PS3.18 §8.7.3.5.2)."""

_LONGEST: Final = 4096
_RANGES: Final = 32
_Q: Final = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?", re.ASCII)


class NotAcceptable(BadInput):
    """None of what the client accepts can be given."""

    status = 406
    code = "not-acceptable"


@dataclass(frozen=True)
class Offer:
    """A form that an answer can take: `media_type` of the document, or of each part if `multipart`.

    `syntaxes` are the transfer syntaxes that may be asked for with it (UIDs, or `ANY_SYNTAX`); what is first in them is
    given when none is asked for. Empty where transfer syntaxes have no meaning, as for JSON.
    """

    media_type: str
    multipart: bool = False
    syntaxes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice:
    """The offer that was chosen, and the transfer syntax to give it in (empty if the offer has none)."""

    offer: Offer
    syntax: str = ""


def choose(accept: str | None, offers: Sequence[Offer]) -> Choice:
    """The best of `offers` (best first) for an Accept header; no header accepts everything.

    What the client weighs the same is decided by the order of offers. NotAcceptable if there is none, or if the header
    is none.
    """
    best: tuple[float, Choice] | None = None
    ranges = _ranges(accept or "*/*")
    for offer in offers:
        weighed = _weigh(ranges, offer)
        if weighed is not None and weighed[0] > (best[0] if best else 0):
            best = weighed[0], Choice(offer, weighed[1])
    if best is None:
        raise NotAcceptable
    return best[1]


def _weigh(ranges: Sequence[MediaType], offer: Offer) -> tuple[float, str] | None:
    """The quality and transfer syntax that the most specific of the ranges that cover the offer gives to it."""
    fits = [
        (_specific(media), _quality(media.parameters), syntax)
        for media in ranges
        if (syntax := _match(media, offer)) is not None
    ]
    return max(fits, key=lambda fit: fit[:2])[1:] if fits else None


def _specific(media: MediaType) -> int:
    return 2 - media.type.count("*") + ("transfer-syntax" in media.parameters)


def _ranges(accept: str) -> list[MediaType]:
    if len(accept) > _LONGEST:
        raise NotAcceptable
    found: list[MediaType] = []
    at = 0
    while at < len(accept):
        scanned = scan_media_type(accept, at)
        if scanned is None or len(found) == _RANGES:
            raise NotAcceptable
        media, at = scanned
        found.append(media)
        if at < len(accept) and accept[at] != ",":
            raise NotAcceptable
        at += 1
    return found


def _quality(parameters: Mapping[str, str]) -> float:
    text = parameters.get("q", "1")
    return float(text) if _Q.fullmatch(text) else 0.0


def _match(media: MediaType, offer: Offer) -> str | None:
    """The transfer syntax in which the offer fits the range; None if it does not fit, or not in the one asked for."""
    wanted = media.type
    if media.type == MULTIPART:
        if not offer.multipart:
            return None
        wanted = media.parameters.get("type", offer.media_type).lower()
    elif offer.multipart and media.type != "*/*":
        return None
    if not _covers(wanted, offer.media_type):
        return None
    syntax = media.parameters.get("transfer-syntax")
    if syntax is None:
        return offer.syntaxes[0] if offer.syntaxes else ""
    return syntax if syntax in offer.syntaxes else None


def _covers(wanted: str, given: str) -> bool:
    kind, _, subtype = wanted.partition("/")
    return wanted in {"*/*", given} or (subtype == "*" and given.partition("/")[0] == kind)
