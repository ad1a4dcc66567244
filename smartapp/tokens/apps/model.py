"""What apps are handed. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from smartapp.consent.grants.model import Grant


@dataclass(frozen=True)
class CodeFacts:
    """What an authorization code stands for; sealed where it is stored (RFC 6749 §4.1.2, RFC 7636 §4.4).

    `scope` is the granted scope string, as it will be answered. `fhir_context` are references of the launch.
    `session_id` is the browser session of the approval: an `online_access` family dies with it.
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
    session_id: str | None = None


@dataclass(frozen=True)
class Family:
    """A line of tokens under one grant, from one code. `number` counts refreshes. `session_id`: it dies with that
    browser session (`online_access`, or a grant that does). `refreshable`: a refresh token goes with it.

    `scope` was granted with `grant_version`. Nothing of it outlives `expires_at` (UTC), however often it is refreshed.
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
    grant_version: int = 1


@dataclass(frozen=True)
class Issued:
    """Tokens just made, to be handed out once. `expires_in` is in seconds. `scope` is what they carry.

    `family` and `grant` are None for a backend client. `again`: its refresh token was handed out before, and this is a
    retry.
    """

    access_token: str = field(repr=False)
    expires_in: int
    scope: str
    refresh_token: str | None = field(default=None, repr=False)
    family: Family | None = None
    grant: Grant | None = None
    again: bool = False


@dataclass(frozen=True)
class TokenState:
    """A token that is good for something now (RFC 7662 §2.2). `grant` and `family` are None for a backend client's."""

    kind: Literal["access", "refresh"]
    client_id: str
    scope: str
    issued_at: datetime
    expires_at: datetime
    family: Family | None = None
    grant: Grant | None = None
