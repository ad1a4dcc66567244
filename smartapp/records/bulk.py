"""One large value out of a stored instance, found by walking its elements without building a data set."""

from typing import Final

from smartapp.dicomweb.core.elements import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    UNDEFINED,
    Encoding,
    Source,
    read_header,
    skip_value,
)
from smartapp.errors import NotFound, Unrenderable, UpstreamMalformed
from smartapp.records.instances import Stored, pieces

_LARGEST: Final = 256 * 2**20
_ENCODINGS: Final[dict[str, Encoding]] = {"1.2.840.10008.1.2": IMPLICIT, "1.2.840.10008.1.2.2": BIG_ENDIAN}
_DEFLATED: Final = frozenset({"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"})
_PREAMBLE: Final = 132


def bulk_value(stored: Stored, syntax: str, tag: int) -> bytes:
    """The value of an element of the data set's first level, as stored (PS3.18 §10.4.1.1.5).

    NotFound if there is none, or if it is a sequence or compressed pixels; Unrenderable if the file is too large to be
    walked, deflated, or broken.
    """
    if stored.size > _LARGEST or syntax in _DEFLATED:
        raise Unrenderable("bulk-not-readable")
    chunks = pieces(stored)
    source = Source(lambda: next(chunks, None), stored.size)
    try:
        return _find(source, syntax, tag, stored.size)
    except UpstreamMalformed:
        raise Unrenderable("bulk-not-readable") from None


def _find(source: Source, syntax: str, tag: int, end: int) -> bytes:
    source.skip(_PREAMBLE)
    encoding = EXPLICIT
    while source.at + 8 <= end:
        source.need(2)
        in_meta = source.data[source.at : source.at + 2] == b"\x02\x00" and encoding is EXPLICIT
        if not in_meta:
            encoding = _ENCODINGS.get(syntax, EXPLICIT)
        found, vr, length = read_header(source, encoding)
        if found == tag and length != UNDEFINED and vr != b"SQ":
            return source.take(length)
        if found >= tag and not in_meta:
            raise NotFound
        skip_value(source, encoding, vr, length)
    raise NotFound
