"""A file's bytes as they are pulled: the head is held, the pixels pass through."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from smartapp.dicomweb.core.elements import Source
from smartapp.errors import UpstreamMalformed

HEAD: Final = 64 * 2**20
"""The most that is held of an object at once: all of it but its pixels, in bytes."""
INFLATED: Final = 200 * 2**20
"""The most that a deflated data set may come to, in bytes. Never more than a piece of it is held."""
_PIECE: Final = 2**18


class Stream(Source):
    """A data set from chunks. What was passed on is let go of."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        given = iter(chunks)
        super().__init__(lambda: next(given, None), HEAD)
        self._given = given

    def more(self) -> bool:
        """Whether there is anything after `at`."""
        if self.at < len(self.data):
            return True
        try:
            self.need(1)
        except UpstreamMalformed as error:
            if error.code != "dicom-cut":
                raise
            return False
        return True

    def pass_on(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes, piece by piece. UpstreamMalformed if they do not come."""
        while size:
            if self.at >= len(self.data):
                chunk = next(self._given, None)
                if chunk is None:
                    raise UpstreamMalformed("dicom-cut")
                self.data, self.at = chunk, 0
            piece = bytes(self.data[self.at : self.at + size])
            self.at += len(piece)
            size -= len(piece)
            yield piece


def inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A deflated data set (PS3.5 §A.5) piece by piece. UpstreamMalformed if it is none, or larger than `INFLATED`."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    size = 0
    for chunk in chunks:
        deflated = chunk
        while deflated and not inflate.eof:
            try:
                piece = inflate.decompress(deflated, _PIECE)
            except zlib.error:
                raise UpstreamMalformed("dicom-deflate") from None
            size += len(piece)
            if size > INFLATED:
                raise UpstreamMalformed("dicom-bomb")
            deflated = inflate.unconsumed_tail
            if piece:
                yield piece
    if not inflate.eof:
        raise UpstreamMalformed("dicom-deflate")
