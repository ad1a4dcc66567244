"""What apps are handed. Pure."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class CodeFacts:
    """What an authorization code stands for; sealed where it is stored (RFC 6749 §4.1.2, RFC 7636 §4.4).

    `scope` is the granted scope string, as it will be answered. `fhir_context` are references of the launch.
    """

    client_id: str
    grant_id: str
    redirect_uri: str
    challenge: str
    scope: str
    nonce: str = ""
    fhir_context: tuple[str, ...] = ()
    auth_time: datetime | None = None
    banner: bool = True


@dataclass(frozen=True)
class Family:
    """A line of tokens under one grant, from one code. `number` counts refreshes. `session_id`: it dies with that
    browser session (`online_access`). `offline`/`online` say whether a refresh token goes with it.
    """

    id: str
    client_id: str
    grant_id: str
    scope: str
    number: int
    refreshable: bool
    session_id: str | None
    expires_at: datetime
    nonce: str = ""
    fhir_context: tuple[str, ...] = ()
    auth_time: datetime | None = None
    banner: bool = True


@dataclass(frozen=True)
class Issued:
    """Tokens just made, to be handed out once. `expires_in` is in seconds. `scope` is what they carry."""

    family: Family
    access_token: str = field(repr=False)
    expires_in: int
    scope: str
    refresh_token: str | None = field(default=None, repr=False)
