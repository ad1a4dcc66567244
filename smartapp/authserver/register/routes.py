"""`/{provider}/oauth/register` and one registration's own address. A token edits its own client only."""

from typing import Final

from flask import Blueprint, Response, jsonify

from smartapp.authserver import addresses
from smartapp.authserver.register import errors
from smartapp.authserver.register.answer import information
from smartapp.authserver.register.reading import document, token
from smartapp.exchange.developers.reading import Document
from smartapp.exchange.developers.refusal import RegistrationRefused
from smartapp.identity.apps.model import App
from smartapp.web.limits import client_address
from smartapp.web.parts import parts
from smartapp.web.reference import request_id
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("register", __name__, url_prefix="/<provider>/oauth/register")
errors.register(blueprint)

_READ_ONLY: Final = (
    "registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at",
)  # fmt: skip


@blueprint.post("")
@rule(Rule.CLIENT)
def add(provider: str) -> tuple[Response, int]:
    """A new client (RFC 7591 §3.1). The body is judged before a token that counts once is spent on it."""
    addresses.issuer(provider)
    parts().registrations.admit(provider, client_address(), request_id=request_id())
    sent = document()
    parts().registrations.look(provider, sent, request_id=request_id())
    parts().registrations.require_initial_token(provider, token(), request_id=request_id())
    made = parts().registrations.register(provider, sent, request_id=request_id())
    _note(made.app)
    told = information(made.app, client_secret=made.client_secret, registration_token=made.registration_token)
    return jsonify(told), 201


@blueprint.get("/<client_id>")
@rule(Rule.CLIENT)
def show(provider: str, client_id: str) -> Response:
    """What is registered (RFC 7592 §2.1)."""
    return jsonify(information(_mine(provider, client_id), registration_token=token()))


@blueprint.put("/<client_id>")
@rule(Rule.CLIENT)
def change(provider: str, client_id: str) -> Response:
    """Everything anew (RFC 7592 §2.2): what is left out is gone."""
    app = _mine(provider, client_id)
    sent = document()
    _require_own(app, sent)
    try:
        changed = parts().registrations.change(app, sent, request_id=request_id())
    except RegistrationRefused as refusal:
        _note(app, refusal)
        raise
    _note(changed.app)
    return jsonify(information(changed.app, client_secret=changed.client_secret, registration_token=token()))


@blueprint.delete("/<client_id>")
@rule(Rule.CLIENT)
def remove(provider: str, client_id: str) -> tuple[str, int]:
    """The client is gone (RFC 7592 §2.3)."""
    parts().registrations.remove(_mine(provider, client_id), request_id=request_id())
    return "", 204


def _mine(provider: str, client_id: str) -> App:
    addresses.issuer(provider)
    return parts().registrations.of(provider, client_id, token(), request_id=request_id())


def _require_own(app: App, sent: Document) -> None:
    """RFC 7592 §2.2: the request names its client, and sets nothing that is the server's."""
    secret = sent.get("client_secret")
    known = secret is None or (isinstance(secret, str) and parts().apps.check_secret(app, secret))
    if sent.get("client_id") != app.client_id or not known:
        raise RegistrationRefused("client_id", "client")
    for name in _READ_ONLY:
        if name in sent:
            raise RegistrationRefused(name, "read-only")


def _note(app: App, refusal: RegistrationRefused | None = None) -> None:
    error, why = (refusal.error, f"{refusal.field}-{refusal.problem}") if refusal else ("", "")
    parts().traces.note(app.provider, app.client_id, "register", error=error, why=why, request_id=request_id())
