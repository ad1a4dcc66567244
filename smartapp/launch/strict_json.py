"""JSON from another party, read so that it can be meant in one way only (RFC 8259 §4, §8.2, §9; RFC 7515 §4)."""

import json
from typing import Any, NoReturn


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def json_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw` (UTF-8, no byte order mark). ValueError for anything else: duplicate names, NaN,
    numbers too long to read, nesting too deep, half of a surrogate pair, an array. Two readers of one duplicated claim
    may each believe another value, so none is believed.
    """
    try:
        found = json.loads(raw.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_constant)
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004 - callers catch one kind of error for one kind of fault
    return found
