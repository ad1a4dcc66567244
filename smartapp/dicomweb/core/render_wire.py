"""The messages between the pool and its children: a JSON object and a payload, each with its length before it.

Not pickle: a child has read hostile pixels, and what comes back from it is data, never code.
"""

import json
from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any, Final

LENGTHS: Final = Struct(">IQ")
HEADER_MAX: Final = 2**20
ANSWER: Final = 2**28
"""The most that the frames of one answer may come to, in bytes."""


def pack(header: Mapping[str, Any], payload: bytes = b"") -> list[bytes]:
    """The message, in pieces so that the payload is not copied."""
    text = json.dumps(header).encode()
    return [LENGTHS.pack(len(text), len(payload)) + text, payload]


def unpack(take: Callable[[int], bytes], payload_max: int) -> tuple[dict[str, Any], bytes]:
    """The next message; `take(n)` gives exactly n bytes. ValueError if it is none, or larger than it may be."""
    header_size, payload_size = LENGTHS.unpack(take(LENGTHS.size))
    if header_size > HEADER_MAX or payload_size > payload_max:
        raise ValueError("message too large")
    header = json.loads(take(header_size))
    if not isinstance(header, dict):
        raise TypeError("no object")
    return header, take(payload_size)
