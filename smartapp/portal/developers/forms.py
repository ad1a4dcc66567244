"""The form of an app, as the registration that a program would send (RFC 7591 §2), and back."""

from collections.abc import Mapping
from typing import Any, Final

from flask import request

from smartapp.exchange.developers.refusal import RegistrationRefused
from smartapp.identity.apps.model import AppMetadata
from smartapp.outbound.strict_json import read_json

_CODE: Final = ["authorization_code", "refresh_token"]
KINDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "public": {"grant_types": _CODE, "token_endpoint_auth_method": "none"},
    "secret": {"grant_types": _CODE, "token_endpoint_auth_method": "client_secret_basic"},
    "key": {"grant_types": _CODE, "token_endpoint_auth_method": "private_key_jwt"},
    "service": {"grant_types": ["client_credentials"], "token_endpoint_auth_method": "private_key_jwt"},
}
"""What kind of app it is: where it runs says which of them it can be."""

_LINES: Final = ("redirect_uris", "post_logout_redirect_uris", "contacts")
_TEXTS: Final = ("client_name", "scope", "client_uri", "policy_uri", "tos_uri", "logo_uri", "launch_uri", "jwks_uri")
FIELDS: Final = ("provider", "kind", "jwks", *_TEXTS, *_LINES)


def typed() -> dict[str, str]:
    """What was typed, to be shown again. Names that are no fields are ignored."""
    return {name: request.form.get(name, "").strip() for name in FIELDS}


def document(written: Mapping[str, str]) -> dict[str, Any]:
    """The registration that the form means. Raises RegistrationRefused for an unknown kind and for keys that are no
    JSON.
    """
    kind = KINDS.get(written["kind"])
    if kind is None:
        raise RegistrationRefused("kind", "offered")
    found: dict[str, Any] = dict(kind)
    found |= {name: written[name] for name in _TEXTS if written[name]}
    found |= {name: _lines(written[name]) for name in _LINES if written[name]}
    if written["jwks"]:
        try:
            found["jwks"] = read_json(written["jwks"])
        except ValueError:
            raise RegistrationRefused("jwks", "set") from None
    return found


def kept(metadata: AppMetadata, written: Mapping[str, str]) -> dict[str, Any]:
    """`document` for an app that is registered: what the form has no field for stays as it is."""
    stays = {
        "software_id": metadata.software_id,
        "software_version": metadata.software_version,
        "id_token_signed_response_alg": metadata.id_token_signed_response_alg,
    }
    return {**{name: value for name, value in stays.items() if value}, **document(written)}


def filled(provider: str, metadata: AppMetadata, jwks: str) -> dict[str, str]:
    """The form of an app that is registered. `jwks` is its keys as text."""
    return {
        "provider": provider,
        "kind": _kind(metadata),
        "jwks": jwks,
        **{name: getattr(metadata, name) for name in _TEXTS},
        **{name: "\n".join(getattr(metadata, name)) for name in _LINES},
    }


def _kind(metadata: AppMetadata) -> str:
    if "authorization_code" not in metadata.grant_types:
        return "service"
    by_method = {"none": "public", "client_secret_basic": "secret", "private_key_jwt": "key"}
    return by_method[metadata.token_endpoint_auth_method]


def _lines(written: str) -> list[str]:
    return [line for each in written.splitlines() if (line := each.strip())]
