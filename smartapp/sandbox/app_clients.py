"""The apps that the product's own authorization server knows: registered over the wire, as developers do (RFC 7591)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import requests
from joserfc.jwk import ECKey

from smartapp.sandbox.addresses import Addresses
from smartapp.sandbox.clients import SAMPLE_REDIRECTS, new_key, write_secret
from smartapp.sandbox.processes import StartError

_SCOPE = "launch launch/patient openid fhirUser offline_access online_access patient/*.rs"
_TIMEOUT = 30.0
_WITH_USERS = ("authorization_code", "refresh_token")


@dataclass(frozen=True)
class AppClient:
    """An app as it is registered."""

    client_id: str
    kind: Literal["public", "confidential", "backend"]
    scope: str
    redirect_uris: tuple[str, ...] = ()
    client_secret: str | None = field(default=None, repr=False)
    jwk_file: str | None = None

    def line_entry(self) -> dict[str, Any]:
        """As the start's line of JSON has it."""
        return {
            "client_id": self.client_id,
            "kind": self.kind,
            "client_secret": self.client_secret,
            "jwk_file": self.jwk_file,
            "redirect_uris": list(self.redirect_uris),
            "scope": self.scope,
        }


def register_apps(addresses: Addresses, folder: Path) -> tuple[AppClient, ...]:
    """The sample app, and samples for programs from outside, at the first hospital.

    Those of an earlier start of the same folder, at the same addresses, are used again. StartError if it is refused.
    """
    kept = folder / f"apps-{addresses.ports.app}-{addresses.ports.sample}.json"
    if kept.exists():
        return tuple(AppClient(**{**each, "redirect_uris": tuple(each["redirect_uris"])}) for each in _read(kept))
    found = (
        _sample_app(addresses),
        _public(addresses),
        _confidential(addresses),
        _asymmetric(addresses, folder),
        _backend(addresses, folder),
    )
    write_secret(kept, json.dumps([each.line_entry() for each in found]))
    return found


def _read(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found


def _sample_app(addresses: Addresses) -> AppClient:
    redirects = (f"{addresses.sample_app}/callback",)
    metadata = {
        **_with_users("Sample app", redirects, "client_secret_basic"),
        "launch_uri": f"{addresses.sample_app}/launch",
    }
    said = _register(addresses, metadata)
    return AppClient(said["client_id"], "confidential", _SCOPE, redirects, said["client_secret"])


def _public(addresses: Addresses) -> AppClient:
    said = _register(addresses, _with_users("Sample public app", SAMPLE_REDIRECTS, "none"))
    return AppClient(said["client_id"], "public", _SCOPE, SAMPLE_REDIRECTS)


def _confidential(addresses: Addresses) -> AppClient:
    said = _register(addresses, _with_users("Sample server app", SAMPLE_REDIRECTS, "client_secret_basic"))
    return AppClient(said["client_id"], "confidential", _SCOPE, SAMPLE_REDIRECTS, said["client_secret"])


def _asymmetric(addresses: Addresses, folder: Path) -> AppClient:
    key, file = new_key(folder, "sample-app-asymmetric")
    metadata = {**_with_users("Sample app with a key", SAMPLE_REDIRECTS, "private_key_jwt"), "jwks": _public_half(key)}
    said = _register(addresses, metadata)
    return AppClient(said["client_id"], "confidential", _SCOPE, SAMPLE_REDIRECTS, jwk_file=str(file))


def _backend(addresses: Addresses, folder: Path) -> AppClient:
    key, file = new_key(folder, "sample-app-backend")
    metadata = {
        "client_name": "Sample service",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": "system/*.rs",
        "jwks": _public_half(key),
        "contacts": ["developer@example.org"],
    }
    said = _register(addresses, metadata)
    return AppClient(said["client_id"], "backend", "system/*.rs", jwk_file=str(file))


def _with_users(name: str, redirect_uris: Sequence[str], method: str) -> dict[str, Any]:
    return {
        "client_name": name,
        "redirect_uris": list(redirect_uris),
        "grant_types": list(_WITH_USERS),
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
        "scope": _SCOPE,
        "contacts": ["developer@example.org"],
    }


def _public_half(key: ECKey) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False)]}


def _register(addresses: Addresses, metadata: dict[str, Any]) -> dict[str, Any]:
    url = f"{addresses.app}/{addresses.hospitals[0]}/oauth/register"
    answer = requests.post(url, json=metadata, timeout=_TIMEOUT)
    if answer.status_code != 201:
        raise StartError(f"registering {metadata['client_name']}: {answer.status_code} {answer.text[:300]}")
    said: dict[str, Any] = answer.json()
    return said
