"""JSON from another party, read so that it can be meant in one way only (RFC 8259 §4, §9)."""

import json
from typing import Any, NoReturn


def read_json(written: str) -> object:
    """The JSON value in `written`. ValueError for what is none, for a name that occurs twice in an object (two readers
    of it may each believe another value, so none is believed), for NaN, for numbers too long to read, and for nesting
    too deep.
    """
    try:
        found: object = json.loads(written, object_pairs_hook=_pairs, parse_constant=_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return found


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
