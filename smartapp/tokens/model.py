"""Tokens as other rooms see them."""

from typing import Protocol

from smartapp.consent.model import AnyPermit


class TokenSource(Protocol):
    """Gives the EHR's access token that belongs to a permit; `launch` keeps them, the upstream rooms use them."""

    def bearer(self, permit: AnyPermit) -> str:
        """A live access token. Raises UpstreamRefused when there is none any more (the person signs in again)."""
        ...

    def rejected(self, permit: AnyPermit, token: str) -> None:
        """The EHR answered 401 to `token`: it is dropped, so that the next call refreshes or asks to sign in again."""
        ...
