"""The shapes of what apps are handed, and the hashes by which it is found again."""

import re
from base64 import urlsafe_b64encode
from typing import Final, Literal

from smartapp.ids import new_secret
from smartapp.security.keyring import Keyring

Kind = Literal["sac", "sat", "srt"]
"""Authorization code, access token, refresh token."""

_SHAPE: Final = re.compile(r"(sac|sat|srt)_[A-Za-z0-9_-]{43}")


class Secrets:
    """Makes secrets of 256 bits and their keyed hashes; a hash is good at one provider only."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def fresh(self, kind: Kind) -> str:
        """A new one."""
        return new_secret(kind)

    def refresh_token(self, family_id: str, number: int) -> str:
        """The refresh token at this place of a family: always the same one (decision 11), and not to be guessed
        from any other.
        """
        digest = bytes.fromhex(self._keyring.mac("tokens.app.refresh", f"{family_id}\x1f{number}"))
        return f"srt_{urlsafe_b64encode(digest).rstrip(b'=').decode()}"

    def kind(self, raw: str) -> Kind | None:
        """What it looks like; None for what none of ours looks like, which nobody need look for."""
        match = _SHAPE.fullmatch(raw)
        return match[1] if match else None  # type: ignore[return-value]  # the expression knows the three

    def ref(self, provider: str, raw: str) -> str:
        """The hash it is stored under."""
        return self._keyring.mac("tokens.app", f"{provider}\x1f{raw}")
