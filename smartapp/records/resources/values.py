"""The values of a token parameter, read and compared (FHIR R4 §3.1.1.4.10). Pure."""

import re
from collections.abc import Iterable

from smartapp.errors import BadInput
from smartapp.records.resources.model import Token

_SPLIT = re.compile(r"((?:[^,\\]|\\.)*)(?:,|\Z)", re.DOTALL)
_MOST = 200


def alternatives(text: str) -> tuple[str, ...]:
    """The values of a comma list (OR), still escaped; empty ones are none. BadInput for a lone backslash at the end."""
    found: list[str] = []
    at = 0
    while at <= len(text):
        match = _SPLIT.match(text, at)
        if match is None or len(found) >= _MOST:
            raise BadInput("fhir-value")
        if match[1]:
            found.append(match[1])
        at = max(match.end(), at + 1)
        if match.end() == len(text) and not text.endswith(","):
            break
    return tuple(found)


def plain(value: str) -> str:
    """A value without its escapes (R4 §3.1.1.4.0.1)."""
    return re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)


def token(value: str) -> tuple[str | None, str]:
    """(system, code) of `code`, `system|code`, `|code` and `system|`: None is any system, an empty code any code."""
    pieces = re.split(r"(?<!\\)\|", value, maxsplit=1)
    if len(pieces) == 1:
        return None, plain(pieces[0])
    return plain(pieces[0]), plain(pieces[1])


def fits(asked: tuple[str | None, str], said: Iterable[Token]) -> bool:
    """Whether one of the tokens that a resource holds is the one asked for."""
    system, code = asked
    return any(code in {"", has_code} and system in {None, has_system} for has_system, has_code in said)
