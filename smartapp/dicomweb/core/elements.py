"""Data elements as bytes: their headers, and how to get past their values (PS3.5 §7.1, §7.5)."""

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import Final

from smartapp.errors import UpstreamMalformed

DEPTH: Final = 64
"""How deep sequences may nest. DCMTK's number."""
UNDEFINED: Final = 0xFFFFFFFF

ITEM: Final = 0xFFFEE000
ITEM_END: Final = 0xFFFEE00D
SEQUENCE_END: Final = 0xFFFEE0DD
# PS3.5 table 7.1-1 and 7.1-2. A VR that is in neither is refused: readers differ in where its value begins.
LONG: Final = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT: Final = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())


@dataclass(frozen=True)
class Encoding:
    """How a data set is written: with VRs or without, and the order of bytes, as the layouts to read it with."""

    explicit: bool
    tag: Struct
    """Group, element, 32-bit length: items, delimiters, and every header without VR."""
    short: Struct
    """Group, element, VR, 16-bit length."""
    word: Struct


IMPLICIT: Final = Encoding(explicit=False, tag=Struct("<HHI"), short=Struct("<HH2sH"), word=Struct("<I"))
EXPLICIT: Final = Encoding(explicit=True, tag=Struct("<HHI"), short=Struct("<HH2sH"), word=Struct("<I"))
BIG_ENDIAN: Final = Encoding(explicit=True, tag=Struct(">HHI"), short=Struct(">HH2sH"), word=Struct(">I"))


class Source:
    """Bytes that are pulled as they are needed, at most `cap` of them; `at` is where reading goes on.

    `pull` gives some more bytes, or None at the end.
    """

    def __init__(self, pull: Callable[[], bytes | None], cap: int) -> None:
        self._pull = pull
        self._cap = cap
        self.data: bytes | bytearray = b""
        self.at = 0

    def need(self, size: int) -> None:
        """Sees to it that `size` bytes are there from `at` on; UpstreamMalformed if too many, or they do not come."""
        end = self.at + size
        while end > len(self.data):
            if end > self._cap:
                raise UpstreamMalformed("dicom-header-long")
            chunk = self._pull()
            if chunk is None:
                raise UpstreamMalformed("dicom-cut")
            if not self.data:
                self.data = chunk  # as a rule it holds all we need, and need not be copied
            else:
                self.data = bytearray(self.data) if isinstance(self.data, bytes) else self.data
                self.data += chunk

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        self.need(size)
        start = self.at
        self.at += size
        return bytes(self.data[start : self.at])

    def skip(self, size: int) -> None:
        """Moves past the next `size` bytes."""
        self.need(size)
        self.at += size


def read_header(source: Source, encoding: Encoding) -> tuple[int, bytes, int]:
    """The next element's tag, VR (empty if none is written) and length, which may be UNDEFINED. Moves to its value."""
    source.need(8)
    at = source.at
    group, element, vr, length = encoding.short.unpack_from(source.data, at)
    if not encoding.explicit or group == 0xFFFE:
        group, element, length = encoding.tag.unpack_from(source.data, at)
        vr = b""
        source.at = at + 8
    elif vr in _SHORT:
        source.at = at + 8
    elif vr in LONG:
        source.need(12)
        (length,) = encoding.word.unpack_from(source.data, at + 8)
        source.at = at + 12
    else:
        raise UpstreamMalformed("dicom-vr")
    return group << 16 | element, vr, length


def skip_value(source: Source, encoding: Encoding, vr: bytes, length: int) -> None:
    """Moves past a value. One of undefined length is a sequence, whose items are walked to its end (PS3.5 §7.5)."""
    if length != UNDEFINED:
        source.skip(length)
        return
    open_ = [(_inside(vr, encoding), False)]
    while open_:
        if len(open_) > 2 * DEPTH:
            raise UpstreamMalformed("dicom-depth")
        _step(source, open_)


def _step(source: Source, open_: list[tuple[Encoding, bool]]) -> None:
    """Moves past one header, and the value if its length is known. `open_` holds the sequences and items we are in."""
    encoding, in_item = open_[-1]
    tag, vr, length = read_header(source, encoding)
    if tag == (ITEM_END if in_item else SEQUENCE_END) and length == 0:
        open_.pop()
    elif (tag == ITEM) is in_item or (in_item and tag >= ITEM):
        raise UpstreamMalformed("dicom-items")
    elif length != UNDEFINED:
        source.skip(length)
    elif in_item:
        open_.append((_inside(vr, encoding), False))
    else:
        open_.append((encoding, True))


def _inside(vr: bytes, encoding: Encoding) -> Encoding:
    """How the items of an undefined-length value are written. Those of an UN are Implicit VR (PS3.5 §6.2.2)."""
    if vr == b"UN":
        return IMPLICIT
    if vr not in {b"SQ", b""}:
        raise UpstreamMalformed("dicom-length")
    return encoding
