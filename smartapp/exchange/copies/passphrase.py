"""The passphrase of a copy: checked, used once, kept nowhere."""

from dataclasses import dataclass, field
from typing import Final

from smartapp.errors import BadInput

SHORTEST: Final = 12
LONGEST: Final = 128


@dataclass(frozen=True)
class Passphrase:
    """At least 12 signs, which four words come to.

    WinZip's AES stretches them by a thousand rounds only (AE-2), so their length is what protects. Signs outside ASCII
    are refused: programs disagree on how to write them, and a copy that opens on one machine only is lost.
    BadInput (`copy.passphrase.short`, `.long`, `.signs`).
    """

    text: str = field(repr=False)

    def __post_init__(self) -> None:
        if not (self.text.isascii() and self.text.isprintable()) or self.text != self.text.strip():
            raise BadInput("copy.passphrase.signs")
        if len(self.text) < SHORTEST:
            raise BadInput("copy.passphrase.short")
        if len(self.text) > LONGEST:
            raise BadInput("copy.passphrase.long")
