"""What the EHR is told at its start: one JSON file, read once, typed and frozen."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

ClientKind = Literal["public", "confidential", "asymmetric", "backend"]


class ConfigError(ValueError):
    """The configuration file cannot be used; the message says which part of it, and why."""


@dataclass(frozen=True)
class Client:
    """One registered app: `confidential` has a secret, `asymmetric` and `backend` a JWKS; `scope` is its most.

    `launch_url` makes a button (named `launch_label`) in the portal and the worklist; `trusted` skips the approval
    page; `introspection` lets a resource server (the PACS) ask about every token (RFC 7662 §2.1).
    """

    client_id: str
    kind: ClientKind
    name: str
    scope: str = ""
    redirect_uris: tuple[str, ...] = ()
    client_secret: str | None = field(default=None, repr=False)
    jwks: Mapping[str, Any] | None = field(default=None, repr=False)
    launch_url: str | None = None
    launch_label: str = "My imaging"
    trusted: bool = False
    introspection: bool = False

    @property
    def scopes(self) -> tuple[str, ...]:
        """The registered scopes, one by one."""
        return tuple(self.scope.split())


@dataclass(frozen=True)
class HospitalConfig:
    """One hospital. `token_lifetime` is in seconds; `fhir_store` is a plain FHIR server to answer from, or None."""

    id: str
    dicomweb: str
    clients: Mapping[str, Client]
    fhir_store: str | None = None
    token_lifetime: int = 3600
    imaging_study: bool = True


@dataclass(frozen=True)
class EhrConfig:
    """The whole process: `base_url` has no trailing slash; hospitals by their id in the sample world."""

    base_url: str
    hospitals: Mapping[str, HospitalConfig]


def load_config(path: Path) -> EhrConfig:
    """The configuration in a JSON file; ConfigError if it lacks something, has something unknown, or is no JSON."""
    try:
        raw = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as JSON: {error}") from error
    return parse_config(raw)


def parse_config(raw: Any) -> EhrConfig:
    """The configuration in parsed JSON; raises ConfigError as `load_config` does."""
    try:
        _only(raw, {"base_url", "hospitals"}, "the configuration")
        hospitals = {id_: _hospital(id_, entry) for id_, entry in raw["hospitals"].items()}
        return EhrConfig(str(raw["base_url"]).rstrip("/"), hospitals)
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"the configuration has the wrong shape: {error!r}") from error


def _hospital(id_: str, raw: Any) -> HospitalConfig:
    _only(raw, {"dicomweb", "clients", "fhir_store", "token_lifetime", "imaging_study"}, id_)
    clients = [_client(entry) for entry in raw["clients"]]
    store = raw.get("fhir_store")
    lifetime = int(raw.get("token_lifetime", 3600))
    if not 1 <= lifetime <= 3600:
        raise ConfigError(f"{id_}: token_lifetime must be 1 to 3600 seconds")
    return HospitalConfig(
        id=id_,
        dicomweb=str(raw["dicomweb"]).rstrip("/"),
        clients={client.client_id: client for client in clients},
        fhir_store=str(store).rstrip("/") if store else None,
        token_lifetime=lifetime,
        imaging_study=bool(raw.get("imaging_study", True)),
    )


def _client(raw: Any) -> Client:
    _only(raw, set(Client.__dataclass_fields__), "a client")
    client = Client(**{**raw, "redirect_uris": tuple(raw.get("redirect_uris", ()))})
    if client.kind not in get_args(ClientKind):
        raise ConfigError(f"client {client.client_id}: unknown kind {client.kind}")
    if client.kind == "confidential" and not client.client_secret:
        raise ConfigError(f"client {client.client_id}: a confidential client needs a client_secret")
    if client.kind in {"asymmetric", "backend"} and not client.jwks:
        raise ConfigError(f"client {client.client_id}: needs a jwks")
    return client


def _only(raw: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = set(raw) - known
    if unknown:
        raise ConfigError(f"{where}: unknown {', '.join(sorted(unknown))}")
