"""Unique identifiers, PS3.5 §9.1. One that is read here is safe in a URL path, a key and a log's structure."""

import re
from typing import Final

from smartapp.errors import BadInput

# Leading zeros of a component break PS3.5 §9.1 too, but archives are full of them, and they are harmless.
UID_PATTERN: Final = re.compile(r"[0-9]+(?:\.[0-9]+)*", re.ASCII)
UID_LENGTH: Final = 64
IMPLEMENTATION: Final = "2.25.242718096124973219634780165412739853661"
"""What we name ourselves by in files that we write (PS3.10 §7.1, Implementation Class UID)."""


def is_uid(text: str) -> bool:
    """Whether `text` has the form of a UID: digits and dots, at most 64 characters."""
    return len(text) <= UID_LENGTH and UID_PATTERN.fullmatch(text) is not None


def parse_uid(text: str) -> str:
    """The UID that `text` is; BadInput if it is none."""
    if not is_uid(text):
        raise BadInput("bad-uid")
    return text
