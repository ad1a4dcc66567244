"""What an upstream said."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """What an upstream said; `headers` ignore case. `status` is below 500 and not 429; 3xx are not followed."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    url: str
