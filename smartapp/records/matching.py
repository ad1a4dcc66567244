"""Whether a value matches what a search asked for (PS3.4 §C.2.2.2). Pure."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from smartapp.errors import BadInput

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*\Z", re.ASCII)
_DATE = re.compile(r"[0-9]{8}\Z", re.ASCII)
_TIME = re.compile(r"[0-9]{2}(?:[0-9]{2}(?:[0-9]{2}(?:\.[0-9]{1,6})?)?)?\Z", re.ASCII)
_TIME_FIRST, _TIME_LAST = "000000.000000", "235959.999999"

Matcher = Callable[[Sequence[str]], bool]
"""Takes the values that a row holds for the attribute (an absent one has none)."""


def wild(pattern: str, text: str) -> bool:
    """Whether `text` fits `pattern`, where `*` is any run and `?` any one character (PS3.4 §C.2.2.2.4).

    Linear in time but for the last `*`, so that a pattern full of stars costs nothing.
    """
    at = star = mark = 0
    seen_star = False
    here = 0
    while here < len(text):
        if at < len(pattern) and pattern[at] == "*":
            seen_star, star, mark, at = True, at, here, at + 1
        elif at < len(pattern) and pattern[at] in {"?", text[here]}:
            at, here = at + 1, here + 1
        elif seen_star:
            mark, at = mark + 1, star + 1
            here = mark
        else:
            return False
    return all(rest == "*" for rest in pattern[at:])


def matcher(vr: str, asked: str) -> Matcher:
    """The test that `asked` means for an attribute of this VR; an empty one, or stars alone, is universal."""
    if not asked or (vr not in _STRICT and not asked.strip("*")):
        return lambda _values: True
    return _KINDS.get(vr, _text)(asked)


def _text(asked: str) -> Matcher:
    return lambda values: any(wild(asked, value) for value in values)


def _name(asked: str) -> Matcher:
    folded = asked.casefold()
    return lambda values: any(wild(folded, value.casefold()) for value in values)


def _uids(asked: str) -> Matcher:
    wanted = frozenset(re.split(r"[,\\]", asked))
    if not all(_UID.match(uid) and len(uid) <= 64 for uid in wanted):
        raise BadInput("qido-uid")
    return lambda values: any(value in wanted for value in values)


def _number(asked: str) -> Matcher:
    if not re.fullmatch(r"[+-]?[0-9]{1,12}", asked, re.ASCII):
        raise BadInput("qido-number")
    return lambda values: any(re.fullmatch(r"[+-]?[0-9]{1,12}", v) and int(v) == int(asked) for v in values)


def _dates(asked: str) -> Matcher:
    first, last = _ends(asked, _DATE)
    return lambda values: any(
        _DATE.match(value) is not None and (first or value) <= value <= (last or value) for value in values
    )


def _times(asked: str) -> Matcher:
    first, last = _ends(asked, _TIME)
    low = _padded(first, _TIME_FIRST)
    high = _padded(last, _TIME_LAST)
    return lambda values: any(
        _TIME.match(value) is not None and low <= _padded(value, _TIME_FIRST) <= high for value in values
    )


def _ends(asked: str, shape: re.Pattern[str]) -> tuple[str, str]:
    """Both ends of `a-b`, `a-`, `-b` or of a single value (PS3.4 §C.2.2.2.5)."""
    first, dash, last = asked.partition("-")
    ends = (first, last) if dash else (first, first)
    if not any(ends) or not all(shape.match(end) for end in ends if end):
        raise BadInput("qido-range")
    return ends


def _padded(time: str, with_: str) -> str:
    return time + with_[len(time) :]


_KINDS: Final[dict[str, Callable[[str], Matcher]]] = {
    "UI": _uids,
    "DA": _dates,
    "TM": _times,
    "IS": _number,
    "PN": _name,
}
_STRICT: Final = frozenset({"UI", "DA", "TM", "IS"})
"""VRs in which a star is no wildcard (PS3.4 §C.2.2.2.4)."""
