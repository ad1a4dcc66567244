"""What `smartapp doctor` says: one finding for each thing that was looked at."""

from dataclasses import dataclass
from typing import Literal

State = Literal["works", "look", "fails"]


@dataclass(frozen=True)
class Finding:
    """`works`; `look`: an operator should, and may find that all is well; `fails`: something will not work.

    `sentence` says what was seen, or what is to be done. It holds no secret and nobody's data.
    """

    name: str
    state: State
    sentence: str
