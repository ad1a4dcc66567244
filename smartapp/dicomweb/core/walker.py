"""Whose an instance is, read from its own first bytes (PS3.10 §7.1; PS3.5 §7, §A.4, §A.5).

Nothing of an instance may leave before this is known. Only as much is held back as reaches to the Series Instance UID
(0020,000E), some hundred bytes as a rule. pydicom is not used: on a prefix it silently returns cut or missing values.

What comes after (0020,000E) is passed on unread. The standard has every tag once and in ascending order (PS3.5 §7.1),
so a conforming object cannot name another patient there; one that was made to do so could as well carry anything in
its pixels or private elements, which no walk finds. Everything we make ourselves (list, cache, pictures) goes by what
was read here. To walk a CT's whole header would double the 60 µs that this takes, a tenth of the time in which an
archive sends the slice, and cost far more on multi-frame objects with a sequence for each frame.
"""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from smartapp.dicomweb.core.elements import BIG_ENDIAN, EXPLICIT, IMPLICIT, Encoding, Source, read_header, skip_value
from smartapp.dicomweb.core.values import read_text, read_uid
from smartapp.errors import UpstreamMalformed, UpstreamMismatch

HELD: Final = 2**20
"""The most that is held back of an instance, and the most that is inflated of it, in bytes."""

_PREAMBLE: Final = bytes(128)
_INFLATE_STEP: Final = 16384
BIG_ENDIAN_SYNTAX: Final = "1.2.840.10008.1.2.2"
IMPLICIT_SYNTAX: Final = "1.2.840.10008.1.2"
EXPLICIT_SYNTAX: Final = "1.2.840.10008.1.2.1"
DEFLATED: Final = frozenset({"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205"})

_META_LENGTH: Final = 0x00020000
_META_CLASS: Final = 0x00020002
_META_INSTANCE: Final = 0x00020003
TRANSFER_SYNTAX: Final = 0x00020010
_CHARSET: Final = 0x00080005
_CLASS: Final = 0x00080016
_INSTANCE: Final = 0x00080018
_PATIENT_ID: Final = 0x00100020
_ISSUER: Final = 0x00100021
_STUDY: Final = 0x0020000D
_SERIES: Final = 0x0020000E

_UIDS: Final = frozenset({_META_CLASS, _META_INSTANCE, TRANSFER_SYNTAX, _CLASS, _INSTANCE, _STUDY, _SERIES})
_WANTED: Final = _UIDS | {_META_LENGTH, _CHARSET, _PATIENT_ID, _ISSUER}
_LONGEST: Final = 1024
_VR: Final = {_META_LENGTH: b"UL", _CHARSET: b"CS", _PATIENT_ID: b"LO", _ISSUER: b"LO"} | dict.fromkeys(_UIDS, b"UI")


@dataclass(frozen=True)
class Identity:
    """What an instance says it is. `patient_id`, `issuer` (of the patient id) and `charset` are empty if absent."""

    patient_id: str
    issuer: str
    sop_class: str
    sop_instance: str
    study: str
    series: str
    transfer_syntax: str
    charset: str
    emptied: bool = field(default=False, compare=False)
    """Whether its preamble was not empty, as the standard lets it be for readers of other formats (PS3.10 §7.1)."""


def read_identity(chunks: Iterable[bytes]) -> tuple[Identity, list[bytes]]:
    """Whose the instance is whose PS3.10 file comes in `chunks`, and the bytes taken from them to learn it.

    Those bytes are returned with a preamble of zeros, which could otherwise be the head of a program (PS3.10 §7.1), and
    go before what is still in `chunks`. UpstreamMalformed if it is no such file, is cut, or has its identity beyond
    `HELD` bytes; UpstreamMismatch if file meta information and data set name different instances.
    """
    held = _Held(chunks)
    source = Source(held.pull, HELD)
    source.skip(len(_PREAMBLE))
    if source.take(4) != b"DICM":
        raise UpstreamMalformed("dicom-no-part10")
    meta = read_file_meta(source)
    syntax = read_uid(_required(meta, TRANSFER_SYNTAX))
    values = _data_set(_Inflating(source, held.pull).source if syntax in DEFLATED else source, syntax)
    neutral = held.neutral()
    return replace(_identity(syntax, meta, values), emptied=held.emptied), neutral


def read_transfer_syntax(chunks: Iterable[bytes]) -> str:
    """The Transfer Syntax UID of a PS3.10 file whose identity was checked before: nothing behind its file meta
    information is read. Raises UpstreamMalformed for what is no such file.
    """
    rest = iter(chunks)
    source = Source(lambda: next(rest, None), HELD)
    source.skip(len(_PREAMBLE))
    if source.take(4) != b"DICM":
        raise UpstreamMalformed("dicom-no-part10")
    return read_uid(_required(read_file_meta(source), TRANSFER_SYNTAX))


def _identity(syntax: str, meta: dict[int, bytes], values: dict[int, bytes]) -> Identity:
    charset = read_text(values.get(_CHARSET, b"").split(b"\\")[0], "")
    identity = Identity(
        patient_id=read_text(values.get(_PATIENT_ID, b""), charset),
        issuer=read_text(values.get(_ISSUER, b""), charset),
        sop_class=read_uid(_required(values, _CLASS)),
        sop_instance=read_uid(_required(values, _INSTANCE)),
        study=read_uid(_required(values, _STUDY)),
        series=read_uid(_required(values, _SERIES)),
        transfer_syntax=syntax,
        charset=charset,
    )
    named = (read_uid(_required(meta, _META_CLASS)), read_uid(_required(meta, _META_INSTANCE)))
    if named != (identity.sop_class, identity.sop_instance):
        raise UpstreamMismatch("dicom-meta-mismatch")
    return identity


def _required(values: dict[int, bytes], tag: int) -> bytes:
    if tag not in values:
        raise UpstreamMalformed("dicom-missing")
    return values[tag]


def read_file_meta(source: Source) -> dict[int, bytes]:
    """The elements of the file meta information (PS3.10 §7.1) that we know, by tag; `source` is moved to the data set.

    It is always Explicit VR Little Endian. Its length, if given, must be true.
    """
    values: dict[int, bytes] = {}
    end = None
    last = _META_LENGTH - 1
    source.need(2)
    while (source.at < end) if end is not None else source.data[source.at : source.at + 2] == b"\x02\x00":
        last = _element(source, EXPLICIT, last, values)
        if last >> 16 != 2:
            raise UpstreamMalformed("dicom-meta")
        if last == _META_LENGTH:
            end = source.at + int.from_bytes(values[last], "little")
        source.need(2)
    if end is not None and source.at != end:
        raise UpstreamMalformed("dicom-meta")
    return values


def _data_set(source: Source, syntax: str) -> dict[int, bytes]:
    """The elements of the data set that say whose it is, up to the Series Instance UID."""
    encoding = {IMPLICIT_SYNTAX: IMPLICIT, BIG_ENDIAN_SYNTAX: BIG_ENDIAN}.get(syntax, EXPLICIT)
    values: dict[int, bytes] = {}
    last = 0x0002FFFF
    while last < _SERIES:
        last = _element(source, encoding, last, values)
    return values


def _element(source: Source, encoding: Encoding, last: int, values: dict[int, bytes]) -> int:
    """Reads one element, keeps its value if it is wanted, and returns its tag, which must come after `last`.

    Equal to it would be a second value of the same element, below it one out of order: some readers take the first,
    some the last.
    """
    tag, vr, length = read_header(source, encoding)
    if tag <= last:
        raise UpstreamMalformed("dicom-order")
    if tag not in _WANTED:
        skip_value(source, encoding, vr, length)
    elif length > _LONGEST or (vr and vr != _VR[tag]):
        raise UpstreamMalformed("dicom-value")
    else:
        values[tag] = source.take(length)
    return tag


class _Held:
    """What was taken from the chunks."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held: list[bytes] = []
        self._size = 0
        self.emptied = False

    def pull(self) -> bytes | None:
        """The next chunk, or None at the end. Counts, as a deflated stream may take much and give nothing."""
        if self._size > HELD:
            raise UpstreamMalformed("dicom-header-long")
        chunk = next(self._chunks, None)
        if chunk is not None:
            self._held.append(chunk)
            self._size += len(chunk)
        return chunk

    def neutral(self) -> list[bytes]:
        """The chunks, the first 128 bytes of them zeroed."""
        left = len(_PREAMBLE)
        for index, chunk in enumerate(self._held):
            zeros = _PREAMBLE[: min(left, len(chunk))]
            if not chunk.startswith(zeros):
                self._held[index] = zeros + chunk[len(zeros) :]
                self.emptied = True
            left -= len(zeros)
            if left == 0:
                break
        return self._held


class _Inflating:
    """The data set of a deflated syntax (PS3.5 §A.5): raw deflate from the end of the file meta information on."""

    def __init__(self, raw: Source, pull: Callable[[], bytes | None]) -> None:
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._rest = bytes(raw.data[raw.at :])
        self._pull = pull
        self.source = Source(self._some, HELD)

    def _some(self) -> bytes | None:
        while not self._inflate.eof:
            deflated = self._inflate.unconsumed_tail or self._rest or self._pull() or b""
            self._rest = b""
            try:
                out = self._inflate.decompress(deflated, _INFLATE_STEP)
            except zlib.error:
                raise UpstreamMalformed("dicom-deflate") from None
            if out or not deflated:
                return out or None
        return None
