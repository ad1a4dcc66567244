"""Bodies under a cap. An answer may be compressed although we ask for none: what counts is its size after inflating."""

import zlib
from collections.abc import Iterator
from typing import Final

from requests import Response
from urllib3.exceptions import HTTPError, ReadTimeoutError

from smartapp.errors import UpstreamError, UpstreamMalformed, UpstreamSlow

_READ_BYTES: Final = 2**16
_INFLATABLE: Final = frozenset({"gzip", "x-gzip", "deflate"})


def coding(response: Response) -> str:
    """The answer's Content-Encoding (RFC 9110 §8.4), `identity` when there is none."""
    return response.headers.get("Content-Encoding", "").strip().lower() or "identity"


def read_raw(response: Response, size: int) -> Iterator[bytes]:
    """The body as it came, in pieces of at most `size` bytes. A cut body is an error, never a short end.

    Raises UpstreamSlow, or UpstreamError("upstream-cut") (RFC 9112 §8: an incomplete message).
    """
    try:
        yield from response.raw.stream(size, decode_content=False)
    except (ReadTimeoutError, TimeoutError):
        raise UpstreamSlow from None
    except (HTTPError, OSError):
        raise UpstreamError("upstream-cut") from None


def read_whole(response: Response, limit: int) -> bytes:
    """The body, inflated. Raises UpstreamMalformed when it comes to more than `limit` bytes (`bomb` if it came
    compressed, else `too-big`), or cannot be inflated.
    """
    name = coding(response)
    pieces = read_raw(response, _READ_BYTES)
    if name in _INFLATABLE:
        pieces = _inflate(pieces, name, limit)
    elif name != "identity":
        raise UpstreamMalformed("content-encoding")
    whole = bytearray()
    for piece in pieces:
        whole += piece
        if len(whole) > limit:
            raise UpstreamMalformed("bomb" if name in _INFLATABLE else "too-big")
    return bytes(whole)


def _inflate(pieces: Iterator[bytes], name: str, limit: int) -> Iterator[bytes]:
    """At most `limit` and one more byte are ever produced, whatever the input claims."""
    left = limit + 1
    inflater = None
    for piece in pieces:
        data = piece
        while data and left:
            inflater = inflater or _inflater(name, data)
            try:
                plain = inflater.decompress(data, left)
            except zlib.error as error:
                raise UpstreamMalformed("content-encoding") from error
            left -= len(plain)
            yield plain
            data = inflater.unconsumed_tail or inflater.unused_data
            if inflater.eof and data:
                inflater = None  # gzip allows several members in a row (RFC 1952 §2.2)
    if inflater is not None and not inflater.eof and left:
        raise UpstreamError("upstream-cut")


def _inflater(name: str, beginning: bytes) -> "zlib._Decompress":
    """`deflate` is zlib by RFC 9110 §8.4.1.2, and raw DEFLATE from some servers: the first byte tells."""
    if name != "deflate":
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
    return zlib.decompressobj(zlib.MAX_WBITS if beginning[0] & 0x0F == 8 else -zlib.MAX_WBITS)
