"""multipart/related bodies, read and written as streams (PS3.18 §8.6.1.2, RFC 2046 §5.1, RFC 2387).

The reader is for bodies of a PACS that may be broken or hostile: everything but the parts' own bytes is bounded, and
nothing is whole in memory. It looks for the boundary also where a part's Content-Length says there is none: a part
that held another part's bytes would pass under the first one's identity.
"""

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

from smartapp.dicomweb.core.media import parse_media_type
from smartapp.errors import UpstreamMalformed

_CRLF: Final = b"\r\n"
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_HEADER: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*)")
_DIGITS: Final = re.compile(r"[0-9]{1,15}")
_PADDING: Final = 64


@dataclass(frozen=True)
class PartLimits:
    """Bounds of what surrounds the parts: `headers` a part, `header` bytes a line, `around` bytes before and after."""

    headers: int = 16
    header: int = 8192
    around: int = 1024


PART_LIMITS: Final = PartLimits()


@dataclass(frozen=True)
class Part:
    """One body part. `headers` have lower-case names; `chunks` can be read once, and only until the next part."""

    headers: Mapping[str, str]
    chunks: Iterator[bytes]


def read_parts(chunks: Iterable[bytes], content_type: str, limits: PartLimits = PART_LIMITS) -> Iterator[Part]:
    """The parts of a multipart/related body that comes in `chunks` of any size.

    What of a part is not read is skipped. UpstreamMalformed is raised where the body stops being what RFC 2046
    describes. If it is cut, the last part's own `chunks` raise, before they end: nobody takes a cut part as whole.
    """
    scanner = _Scanner(chunks, _boundary(content_type), limits)
    scanner.open()
    while not scanner.closed:
        headers = scanner.headers()
        body = _Body(scanner, _length(headers))
        yield Part(headers, body)
        for _ in body:
            pass
    scanner.drain()


def _boundary(content_type: str) -> bytes:
    media = parse_media_type(content_type)
    if media is None or media.type != "multipart/related":
        raise UpstreamMalformed("multipart-type")
    boundary = media.parameters.get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise UpstreamMalformed("multipart-boundary")
    return boundary.encode("ascii")


def _length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("content-length")
    if text is None:
        return None
    if not _DIGITS.fullmatch(text):
        raise UpstreamMalformed("multipart-length")
    return int(text)


class _Scanner:
    """Where we are in the body. `_buffer[_at:]` are the bytes that came and are not consumed."""

    def __init__(self, chunks: Iterable[bytes], boundary: bytes, limits: PartLimits) -> None:
        self._chunks = iter(chunks)
        self._delimiter = b"\r\n--" + boundary
        self._limits = limits
        # The first delimiter needs no line end before it (RFC 2046 §5.1.1); this one makes it like the others.
        self._buffer = _CRLF
        self._at = 0
        self._failed = False
        self.closed = False

    def open(self) -> None:
        """Skips the preamble."""
        room = len(self._delimiter) + self._limits.around
        while (at := self._buffer.find(self._delimiter, self._at)) < 0:
            if len(self._buffer) - self._at > room:
                self.fail("multipart-preamble")
            self._more()
        if at > room:
            self.fail("multipart-preamble")
        self._pass_delimiter(at)

    def headers(self) -> Mapping[str, str]:
        """The headers of a part, up to the empty line."""
        found: dict[str, str] = {}
        while line := self._line(self._limits.header):
            match = _HEADER.fullmatch(line)
            name = match[1].decode("ascii").lower() if match else ""
            if match is None or name in found or len(found) == self._limits.headers:
                self.fail("multipart-headers")
            found[name] = match[2].decode("latin-1").rstrip(" \t")
        self._check(found)
        return found

    def body(self) -> bytes | None:
        """Some bytes of the present part; None at its end, when the delimiter after it has been seen whole."""
        keep = len(self._delimiter) - 1
        while True:
            at = self._buffer.find(self._delimiter, self._at)
            if at == self._at:
                self._pass_delimiter(at)
                return None
            end = at if at >= 0 else len(self._buffer) - keep
            if end > self._at:
                out = self._buffer[self._at : end]
                self._at = end
                return out
            self._more()

    def drain(self) -> None:
        """Reads the epilogue to the end, so that an error of the connection still shows."""
        size = len(self._buffer) - self._at
        while size <= self._limits.around:
            chunk = next(self._chunks, None)
            if chunk is None:
                return
            size += len(chunk)
        self.fail("multipart-epilogue")

    def _check(self, headers: Mapping[str, str]) -> None:
        media = parse_media_type(headers.get("content-type", ""))
        if media is None or media.type.startswith("multipart/"):
            self.fail("multipart-part-type")
        if headers.get("content-transfer-encoding", "binary").lower() not in {"binary", "8bit", "7bit"}:
            self.fail("multipart-encoding")

    def _line(self, limit: int) -> bytes:
        while (at := self._buffer.find(_CRLF, self._at, self._at + limit + 2)) < 0:
            if len(self._buffer) - self._at >= limit + 2:
                self.fail("multipart-line")
            self._more()
        line = self._buffer[self._at : at]
        self._at = at + 2
        return line

    def _pass_delimiter(self, at: int) -> None:
        """Moves behind the delimiter at `at`. What follows it decides: `--` closes, a line end opens a part."""
        self._at = at + len(self._delimiter)
        while len(self._buffer) - self._at < 2:
            self._more()
        if self._buffer.startswith(b"--", self._at):
            self._at += 2
            self.closed = True
        elif self._line(_PADDING).strip(b" \t"):
            self.fail("multipart-delimiter")

    def _more(self) -> None:
        chunk = None if self._failed else next(self._chunks, None)
        if chunk is None:
            self.fail("multipart-cut")
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0

    def fail(self, code: str) -> NoReturn:
        """Raises UpstreamMalformed, and so does whatever is read of this body afterwards."""
        self._failed = True
        self._buffer = b""
        self._at = 0
        raise UpstreamMalformed(code)


class _Body:
    """The bytes of one part, as an iterator that cannot be closed before its time, as a generator could."""

    def __init__(self, scanner: _Scanner, length: int | None) -> None:
        self._scanner = scanner
        self._length = length
        self._seen = 0
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = None if self._ended else self._scanner.body()
        if chunk is not None:
            self._seen += len(chunk)
        if self._length is not None and (self._seen > self._length or (chunk is None and self._seen < self._length)):
            self._scanner.fail("multipart-length")
        if chunk is None:
            self._ended = True
            raise StopIteration
        return chunk


def new_boundary() -> str:
    """A boundary that occurs in no data (128 random bits)."""
    return secrets.token_hex(16)


def content_type(boundary: str, part_type: str) -> str:
    """The Content-Type of a multipart/related body whose parts are of `part_type` (PS3.18 §8.7.3.2: quoted)."""
    return f'multipart/related; type="{part_type}"; boundary={boundary}'


def write_parts(parts: Iterable[Part], boundary: str) -> Iterator[bytes]:
    """The body that holds `parts`; their chunks pass as they are.

    If a part raises, so does this, and the closing boundary is never written: the reader sees that it was cut. A body
    of no parts is the closing boundary alone.
    """
    for part in parts:
        lines = "".join(f"{name}: {value}\r\n" for name, value in part.headers.items())
        yield f"\r\n--{boundary}\r\n{lines}\r\n".encode("latin-1")
        yield from part.chunks
    yield f"\r\n--{boundary}--\r\n".encode("ascii")
