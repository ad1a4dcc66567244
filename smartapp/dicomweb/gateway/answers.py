"""Answers in the shapes of PS3.18 §8.7: JSON, multipart, single parts, pictures."""

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import chain
from typing import Any, Final

from flask import Response, request

from smartapp.dicomweb.core.accept import ANY_SYNTAX, Choice, NotAcceptable, Offer, choose
from smartapp.dicomweb.core.multipart import Part, content_type, new_boundary, write_parts
from smartapp.dicomweb.core.walker import EXPLICIT_SYNTAX
from smartapp.records.frames import FrameData
from smartapp.records.instances import VerifiedInstance

OCTETS: Final = "application/octet-stream"
DICOM: Final = "application/dicom"
JSON: Final = (Offer("application/dicom+json"), Offer("application/json"))
# Objects are sent as they are stored: a transfer syntax that is asked for by name is given if it is that one.
_STORED: Final = (
    ANY_SYNTAX,
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203",
)  # fmt: skip
_MANY: Final = Offer(DICOM, multipart=True, syntaxes=_STORED)
_ONE: Final = Offer(DICOM, syntaxes=_STORED)


def accepted(offers: Sequence[Offer]) -> Choice:
    """The best of the offers for the request; NotAcceptable (406) if there is none."""
    return choose(request.headers.get("Accept"), offers)


def accepted_instances(*, single: bool) -> Choice:
    """How instances are sent: multipart, or where there is only one also as a file."""
    return accepted((_MANY, _ONE) if single else (_MANY,))


def accepted_octets(*, single: bool, frames: bool) -> Choice:
    """How values are sent. Frames are uncompressed unless `transfer-syntax=*` asks for them as stored."""
    syntaxes = (EXPLICIT_SYNTAX, ANY_SYNTAX) if frames else ()
    many, one = Offer(OCTETS, multipart=True, syntaxes=syntaxes), Offer(OCTETS, syntaxes=syntaxes)
    return accepted((many, one) if single else (many,))


def rows(found: list[dict[str, Any]], choice: Choice, *, fuzzy: bool) -> Response:
    """The rows of a search; 204 for none (PS3.18 §10.6.3.1)."""
    response = Response(json.dumps(found), content_type=choice.offer.media_type) if found else Response(status=204)
    if fuzzy:  # PS3.18 §8.3.4.2
        response.headers["Warning"] = (
            '299 smartapp "The fuzzymatching parameter is not supported. Only literal matching has been performed."'
        )
    return response


class Gaps:
    """Whether something is held back of what an answer is about; the answer then says so (RFC 7234 §5.5), in `words`.

    What it is stays unsaid.
    """

    def __init__(self, words: str = "Part of this study is withheld and not in this answer.") -> None:
        self._some = False
        self._words = words

    def found(self) -> None:
        """Something is held back."""
        self._some = True

    def said(self, response: Response) -> Response:
        """The answer, with the word about it."""
        if self._some:
            response.headers.add("Warning", f'299 smartapp "{self._words}"')
        return response


def octets(values: Sequence[FrameData], choice: Choice) -> Response:
    """Frames, or a bulk value without a transfer syntax: one part each, or the only one by itself."""
    if not choice.offer.multipart:
        return Response(values[0].data, content_type=_labelled(OCTETS, values[0].transfer_syntax))
    boundary = new_boundary()
    parts = (Part({"Content-Type": _labelled(OCTETS, v.transfer_syntax)}, iter((v.data,))) for v in values)
    return Response(b"".join(write_parts(parts, boundary)), content_type=content_type(boundary, OCTETS))


def instances(found: Generator[VerifiedInstance], choice: Choice) -> Response:
    """Instances as they come. What fails before the first one is an answer of its own.

    A failure later on ends the connection without the last chunk and the closing boundary: whoever reads notices.
    """
    first = next(found)
    if choice.syntax not in {ANY_SYNTAX, first.transfer_syntax}:
        found.close()
        raise NotAcceptable
    if choice.offer.multipart:
        boundary = new_boundary()
        body = write_parts(map(_part(choice.syntax), chain((first,), found)), boundary)
        response = Response(body, content_type=content_type(boundary, DICOM))
    else:
        response = Response(_only(first, found), content_type=_labelled(DICOM, first.transfer_syntax))
        name = hashlib.sha256(first.key.sop.encode()).hexdigest()[:16]
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.dcm"'
    response.call_on_close(found.close)
    return response


def _only(first: VerifiedInstance, found: Iterator[VerifiedInstance]) -> Iterator[bytes]:
    """The one instance; asking for the next one ends the stream in the trail as complete."""
    yield from first.chunks
    next(found, None)


def _part(syntax: str) -> Callable[[VerifiedInstance], Part]:
    def part(instance: VerifiedInstance) -> Part:
        if syntax not in {ANY_SYNTAX, instance.transfer_syntax}:
            raise NotAcceptable
        return Part({"Content-Type": _labelled(DICOM, instance.transfer_syntax)}, instance.chunks)

    return part


def _labelled(media_type: str, syntax: str) -> str:
    return f"{media_type}; transfer-syntax={syntax}" if syntax else media_type
