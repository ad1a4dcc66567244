"""De-identification of a file as it passes (PS3.15 §E.1.1; PS3.10 §7.1).

Only the head is taken apart, with the limits of our own walker: pure Python over bytes, which no object can crash.
The pixels go through untouched, compressed or not. What cannot be read is refused; nothing is passed on unread but the
values of attributes that are kept.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from pydicom.datadict import dictionary_has_tag, dictionary_VR

from smartapp.dicomweb.core.deidentify.pictures import is_showable
from smartapp.dicomweb.core.deidentify.rules import Needs, Treatment, needs_of, treatment
from smartapp.dicomweb.core.deidentify.streams import Stream, inflated
from smartapp.dicomweb.core.deidentify.values import METHOD, METHOD_CODE, NO_DATES, dummy, padded, padded_uid
from smartapp.dicomweb.core.elements import (
    BIG_ENDIAN,
    DEPTH,
    EXPLICIT,
    IMPLICIT,
    ITEM,
    ITEM_END,
    LONG,
    SEQUENCE_END,
    UNDEFINED,
    Encoding,
    read_header,
    skip_value,
)
from smartapp.dicomweb.core.uids import IMPLEMENTATION
from smartapp.dicomweb.core.values import read_uid
from smartapp.dicomweb.core.walker import (
    BIG_ENDIAN_SYNTAX,
    DEFLATED,
    EXPLICIT_SYNTAX,
    IMPLICIT_SYNTAX,
    TRANSFER_SYNTAX,
    read_file_meta,
)
from smartapp.errors import Unrenderable, UpstreamMalformed

Uids = Callable[[str], str]

_ELEMENTS: Final = 500_000
"""More elements than this are refused: they would hold up others (about 2 µs each)."""
_META_CLASS: Final = 0x00020002
_META_INSTANCE: Final = 0x00020003
_PIXELS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_SOP_CLASS: Final = 0x00080016
_IMAGE_TYPE: Final = 0x00080008
_BURNED_IN: Final = 0x00280301
_LOOKED_AT: Final = frozenset({_SOP_CLASS, _IMAGE_TYPE, _BURNED_IN})
_SEQUENCE: Final = b"SQ"
_UNKNOWN: Final = b"UN"


def deidentified(chunks: Iterable[bytes], uids: Uids) -> tuple[str, Iterator[bytes]]:
    """The de-identified object of a PS3.10 file that comes in `chunks`: its transfer syntax, and its file in chunks.

    `uids` gives the UID to be shown in place of another. A deflated object becomes Explicit VR Little Endian; any other
    syntax stays, with the pixels as they are. The head is read before this returns; `chunks` is read to its end by
    whoever reads all that is given. Unrenderable for an object that must not be shown so (`pictures.is_showable`);
    UpstreamMalformed for what cannot be read, then or later.
    """
    raw = Stream(chunks)
    raw.skip(132)
    meta = read_file_meta(raw)
    if not {TRANSFER_SYNTAX, _META_CLASS, _META_INSTANCE} <= meta.keys():
        raise UpstreamMalformed("dicom-missing")
    syntax = read_uid(meta[TRANSFER_SYNTAX])
    stream = raw
    if syntax in DEFLATED:
        stream, syntax = Stream(inflated(_rest(raw))), EXPLICIT_SYNTAX
    encoding = {IMPLICIT_SYNTAX: IMPLICIT, BIG_ENDIAN_SYNTAX: BIG_ENDIAN}.get(syntax, EXPLICIT)
    sop_class = read_uid(meta[_META_CLASS])
    writing = _Writing(stream, needs_of(sop_class), uids)
    head = writing.head(encoding)
    _require_showable(sop_class, writing.looked_at)
    about = _file_meta(sop_class, uids(read_uid(meta[_META_INSTANCE])), syntax)
    return syntax, _file(about + head, writing, encoding)


def _file(start: bytes, writing: "_Writing", encoding: Encoding) -> Iterator[bytes]:
    yield start
    yield from writing.pixels_and_rest(encoding)


def _rest(raw: Stream) -> Iterator[bytes]:
    """All that is left of a stream, as it comes."""
    while raw.more():
        yield from raw.pass_on(len(raw.data) - raw.at)


def _require_showable(sop_class: str, found: dict[int, bytes]) -> None:
    """By the object's own word: metadata that an archive keeps apart may say something else."""
    types = [part.strip(" \0") for part in _text(found, _IMAGE_TYPE).split("\\")]
    own_class = _text(found, _SOP_CLASS)
    if own_class != sop_class or not is_showable(own_class, _text(found, _BURNED_IN), types):
        raise Unrenderable("not-deidentifiable")


def _text(found: dict[int, bytes], tag: int) -> str:
    return found.get(tag, b"").decode("latin-1").strip(" \0")


class _Writing:
    """One object on its way through. Elements come out in the encoding that they came in."""

    def __init__(self, source: Stream, needs: Needs, uids: Uids) -> None:
        self._source = source
        self._needs = needs
        self._uids = uids
        self._left = _ELEMENTS
        self.looked_at: dict[int, bytes] = {}

    def head(self, encoding: Encoding) -> bytes:
        """Everything up to the pixels, with what a de-identified object says of itself."""
        out = dict(_said(encoding))
        last = 0
        while self._source.more():
            self._source.need(8)
            group, element, _ = encoding.tag.unpack_from(self._source.data, self._source.at)
            tag = group << 16 | element
            if tag in _PIXELS:
                break
            if tag <= last:
                raise UpstreamMalformed("dicom-order")
            last = tag
            if treated := self._element(encoding, DEPTH):
                out[tag] = treated
        return b"".join(out[tag] for tag in sorted(out))

    def pixels_and_rest(self, encoding: Encoding) -> Iterator[bytes]:
        """The pixels as they are, and what is kept of the elements after them."""
        source = self._source
        while source.more():
            start = source.at
            tag, vr, length = read_header(source, encoding)
            if tag not in _PIXELS:
                source.at = start
                yield self._element(encoding, DEPTH)
                continue
            yield bytes(source.data[start : source.at])
            if length == UNDEFINED:
                yield from self._fragments(vr)
            else:
                yield from source.pass_on(length)

    def _fragments(self, vr: bytes) -> Iterator[bytes]:
        """Encapsulated pixels, always little endian: items until the delimiter (PS3.5 §A.4)."""
        if vr not in {b"OB", b"OW"}:
            raise UpstreamMalformed("dicom-length")
        tag = ITEM
        while tag != SEQUENCE_END:
            self._source.need(8)
            start = self._source.at
            tag, _, length = read_header(self._source, EXPLICIT)
            if tag not in {ITEM, SEQUENCE_END} or length == UNDEFINED:
                raise UpstreamMalformed("dicom-items")
            yield bytes(self._source.data[start : self._source.at])
            yield from self._source.pass_on(length)

    def _element(self, encoding: Encoding, depth: int) -> bytes:
        """The next element as it comes out; nothing if it is removed."""
        self._left -= 1
        if self._left < 0:
            raise UpstreamMalformed("dicom-elements")
        source, start = self._source, self._source.at
        tag, vr, length = read_header(source, encoding)
        if tag in _LOOKED_AT and depth == DEPTH and length <= 1024:
            source.need(length)
            self.looked_at[tag] = bytes(source.data[source.at : source.at + length])
        what = treatment(tag, self._needs)
        known = _vr_of(tag)
        if what is Treatment.KEEP and _SEQUENCE in {vr, known}:
            return self._sequence(encoding, tag, vr, length, depth)
        if what is Treatment.MAP and length != UNDEFINED:
            return self._mapped(encoding, tag, vr, source.take(length))
        skip_value(source, encoding, vr, length)
        if what is Treatment.KEEP and length != UNDEFINED:
            return bytes(source.data[start : source.at])
        if what is Treatment.EMPTY:
            return _header(encoding, tag, vr, 0)
        return self._dummy(encoding, tag, vr, known) if what is Treatment.DUMMY else b""

    def _mapped(self, encoding: Encoding, tag: int, vr: bytes, value: bytes) -> bytes:
        """A UID, or several, replaced."""
        uids = [uid for uid in (part.rstrip(b"\0 ") for part in value.split(b"\\")) if uid]
        shown = padded_uid("\\".join(self._uids(read_uid(uid)) for uid in uids))
        return _header(encoding, tag, vr, len(shown)) + shown

    def _dummy(self, encoding: Encoding, tag: int, vr: bytes, known: bytes) -> bytes:
        """A value that says nothing; of a sequence, one empty item."""
        actual = known if vr in {b"", _UNKNOWN} else vr
        value = _item(encoding, b"") if actual == _SEQUENCE else dummy(actual.decode("ascii"))
        return _header(encoding, tag, vr, len(value)) + value

    def _sequence(self, encoding: Encoding, tag: int, vr: bytes, length: int, depth: int) -> bytes:
        """A sequence whose items are treated one by one. One that is written as UN is Implicit VR inside (§6.2.2)."""
        inner = IMPLICIT if vr == _UNKNOWN else encoding
        if vr not in {_SEQUENCE, _UNKNOWN, b""}:
            skip_value(self._source, encoding, vr, length)
            return b""
        if depth == 0:
            raise UpstreamMalformed("dicom-depth")
        value = b"".join(_item(inner, content) for content in self._items(inner, length, depth - 1))
        return _header(encoding, tag, vr, len(value)) + value

    def _items(self, encoding: Encoding, length: int, depth: int) -> Iterator[bytes]:
        source = self._source
        end = None if length == UNDEFINED else source.at + length
        while end is None or source.at < end:
            tag, _, size = read_header(source, encoding)
            if tag == SEQUENCE_END and end is None:
                return
            if tag != ITEM:
                raise UpstreamMalformed("dicom-items")
            yield self._data_set(encoding, size, depth)
        if source.at != end:
            raise UpstreamMalformed("dicom-items")

    def _data_set(self, encoding: Encoding, length: int, depth: int) -> bytes:
        """The elements of one item."""
        source = self._source
        end = None if length == UNDEFINED else source.at + length
        out = bytearray()
        while end is None or source.at < end:
            source.need(8)
            group, element, _ = encoding.tag.unpack_from(source.data, source.at)
            if group << 16 | element == ITEM_END and end is None:
                source.skip(8)
                return bytes(out)
            out += self._element(encoding, depth)
        if source.at != end:
            raise UpstreamMalformed("dicom-items")
        return bytes(out)


def _vr_of(tag: int) -> bytes:
    """The VR by the standard's dictionary, the first of several; UN for a tag that it has not."""
    return dictionary_VR(tag)[:2].encode("ascii") if dictionary_has_tag(tag) else _UNKNOWN


def _header(encoding: Encoding, tag: int, vr: bytes, length: int) -> bytes:
    group, element = tag >> 16, tag & 0xFFFF
    if not encoding.explicit:
        return encoding.tag.pack(group, element, length)
    if vr in LONG:
        return encoding.short.pack(group, element, vr, 0) + encoding.word.pack(length)
    if length > 0xFFFF:
        raise UpstreamMalformed("dicom-length")
    return encoding.short.pack(group, element, vr, length)


def _item(encoding: Encoding, content: bytes) -> bytes:
    return encoding.tag.pack(ITEM >> 16, ITEM & 0xFFFF, len(content)) + content


def _said(encoding: Encoding) -> Iterator[tuple[int, bytes]]:
    """What a de-identified object says of itself (PS3.15 §E.1.1)."""

    def text(tag: int, vr: bytes, value: str) -> bytes:
        raw = padded(value)
        return _header(encoding, tag, vr, len(raw)) + raw

    value, scheme, meaning = METHOD_CODE
    code = text(0x00080100, b"SH", value) + text(0x00080102, b"SH", scheme) + text(0x00080104, b"LO", meaning)
    item = _item(encoding, code)
    yield 0x00120062, text(0x00120062, b"CS", "YES")
    yield 0x00120063, text(0x00120063, b"LO", METHOD)
    yield 0x00120064, _header(encoding, 0x00120064, _SEQUENCE, len(item)) + item
    yield 0x00280303, text(0x00280303, b"CS", NO_DATES)


def _file_meta(sop_class: str, sop: str, syntax: str) -> bytes:
    """A preamble of zeros and the file meta information (PS3.10 §7.1), nothing of it the archive's."""
    elements = _header(EXPLICIT, 0x00020001, b"OB", 2) + b"\x00\x01"
    for tag, uid in ((0x0002, sop_class), (0x0003, sop), (0x0010, syntax), (0x0012, IMPLEMENTATION)):
        raw = padded_uid(uid)
        elements += _header(EXPLICIT, 0x00020000 | tag, b"UI", len(raw)) + raw
    return bytes(128) + b"DICM" + _header(EXPLICIT, 0x00020000, b"UL", 4) + EXPLICIT.word.pack(len(elements)) + elements
