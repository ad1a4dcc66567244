"""A registration as it is answered (RFC 7591 §3.2.1, RFC 7592 §3)."""

from dataclasses import asdict
from typing import Any

from smartapp.authserver import addresses
from smartapp.identity.apps.model import App


def information(app: App, *, client_secret: str | None = None, registration_token: str | None = None) -> dict[str, Any]:
    """All that is registered, and what was handed out just now. `registration_state` is ours: `pending`, `active` …"""
    said = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(app.metadata).items()}
    told = {name: value for name, value in said.items() if value not in ("", [], None)}
    told |= {
        "client_id": app.client_id,
        "client_id_issued_at": int(app.created_at.timestamp()),
        "scope": app.scope,
        "response_types": ["code"] if "authorization_code" in app.metadata.grant_types else [],
        "registration_client_uri": f"{addresses.endpoint(app.provider, 'register')}/{app.client_id}",
        "registration_state": app.state.value,
    }
    if client_secret is not None:
        told |= {"client_secret": client_secret, "client_secret_expires_at": 0}
    if registration_token is not None:
        told["registration_access_token"] = registration_token
    return told
