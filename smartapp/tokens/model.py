"""Tokens as other rooms see them."""

from typing import Final, Protocol

from smartapp.consent.model import AnyPermit

SYSTEM: Final = "sys"
"""How the id of a credential begins that stands on backend services. The id is bound into what is sealed under it."""


def on_system(credential_id: str) -> bool:
    """Whether the credential stands on what the hospital trusts us with as a backend service."""
    return credential_id.startswith(f"{SYSTEM}-")


def confined(permit: AnyPermit) -> bool:
    """Whether the EHR keeps the permit's token to its patient. A token of backend services reaches everybody's data:
    what is the patient's is then ours alone to tell.
    """
    return not on_system(permit.credential_id)


class TokenSource(Protocol):
    """Gives the EHR's access token that belongs to a permit; `launch` keeps them, the upstream rooms use them."""

    def bearer(self, permit: AnyPermit) -> str:
        """A live access token. Raises UpstreamRefused when there is none any more (the person signs in again)."""
        ...

    def rejected(self, permit: AnyPermit, token: str) -> None:
        """The EHR answered 401 to `token`: it is dropped, so that the next call refreshes or asks to sign in again."""
        ...
