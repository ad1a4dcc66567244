"""What an authorization server says in JSON: an object, and nothing that could not be written out again."""

import json
from typing import Any

from smartapp.outbound.strict_json import read_json


def json_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw` (UTF-8, no byte order mark). ValueError for anything else: what `read_json` refuses,
    half of a surrogate pair (RFC 8259 §8.2), an array (RFC 7515 §4).
    """
    found = read_json(raw.decode("utf-8"))
    try:
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except RecursionError:  # a depth that can just be read may be too much to write
        raise ValueError("nested too deep") from None
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004 - callers catch one kind of error for one kind of fault
    return found
