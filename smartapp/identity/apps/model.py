"""A registered app. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import urlsplit

AuthMethod = Literal["none", "client_secret_basic", "private_key_jwt"]


def origin(address: str) -> str:
    """The origin of a web address, as a policy names it (CSP 3 §2.3.1)."""
    return "/".join(address.split("/")[:3])


class AppState(StrEnum):
    """Where a registration stands."""

    PENDING = "pending"
    """Not looked at by the operator yet: it reaches no real patient."""
    ACTIVE = "active"
    """Identity and security were checked."""
    REFUSED = "refused"
    """For a stated ground of identity or security."""
    SUSPENDED = "suspended"
    """Everything under it has stopped, for a stated ground."""
    DELETED = "deleted"
    """By its developer. Kept, so that history can name it."""


@dataclass(frozen=True)
class AppMetadata:
    """What an app says of itself (RFC 7591 §2). All of it was checked; none of it is believed."""

    client_name: str
    redirect_uris: tuple[str, ...]
    grant_types: tuple[str, ...]
    token_endpoint_auth_method: AuthMethod
    scope: str
    client_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""
    logo_uri: str = ""
    launch_uri: str = ""
    """Where an EHR launch of it begins (SMART App Launch 2.2): with it, patients can open it from our Apps page."""
    contacts: tuple[str, ...] = ()
    jwks_uri: str = ""
    jwks: Mapping[str, Any] | None = field(default=None, hash=False)
    software_id: str = ""
    software_version: str = ""
    post_logout_redirect_uris: tuple[str, ...] = ()
    id_token_signed_response_alg: str = "RS256"  # noqa: S105 -- an algorithm's name


@dataclass(frozen=True)
class App:
    """A registration at one provider's authorization server.

    `offered` is what the operator lets it ask for, as a scope string (empty: what its metadata says). `secret_ref` and
    `registration_ref` are keyed hashes. `ground` is the operator's stated reason of the last change.
    """

    client_id: str
    provider: str
    state: AppState
    metadata: AppMetadata
    created_at: datetime
    decided_at: datetime | None = None
    ground: str = ""
    offered: str = ""
    secret_ref: str = field(default="", repr=False)
    registration_ref: str = field(default="", repr=False)
    developer_id: str = ""

    @property
    def confidential(self) -> bool:
        """Whether it can authenticate itself."""
        return self.metadata.token_endpoint_auth_method != "none"  # noqa: S105 - a method's name

    @property
    def scope(self) -> str:
        """The most it may ask for."""
        return self.offered or self.metadata.scope

    @property
    def called(self) -> tuple[str, ...]:
        """By what a Consent may name it, or who made it: its name, and the hosts of its own pages."""
        said = self.metadata
        hosts = (urlsplit(uri).hostname or "" for uri in (said.client_uri, said.policy_uri, said.tos_uri))
        return tuple(dict.fromkeys(name for name in (said.client_name, *hosts) if name))

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins of its redirect URIs: browsers there may read our answers (CORS)."""
        return tuple(dict.fromkeys(origin(uri) for uri in self.metadata.redirect_uris))
