"""Notes how requests to the endpoints fared, for the developers of the apps that they name."""

from typing import Final, get_args

from authlib.oauth2 import OAuth2Error
from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from smartapp.authserver import requests
from smartapp.authserver.client_auth import assertion, shown
from smartapp.errors import SmartappError
from smartapp.exchange.developers.trace import Door
from smartapp.web.parts import parts
from smartapp.web.reference import request_id

_DOORS: Final[tuple[Door, ...]] = get_args(Door)


def note(response: Response) -> Response:
    """For `after_request`: the door, the error that was answered, and our own word for it."""
    name = (request.endpoint or "").rpartition(".")[2]
    door = next((each for each in _DOORS if each == name), None)
    client_id = _named() if request.method == "POST" and door else ""
    if door and client_id:
        told = response.get_json(silent=True) if response.status_code >= 400 else None
        error = str(told.get("error", "")) if isinstance(told, dict) else ""
        provider = str((request.view_args or {}).get("provider", ""))
        parts().traces.note(
            provider, client_id, door, error=error, why=str(g.get("oauth_why", "")), request_id=request_id()
        )
    return response


def _named() -> str:
    """The client that the request speaks of, whether or not it is that client's."""
    try:
        said = shown.read(requests.current())
        return assertion.subject(said.assertion) if said.assertion else said.client_id
    except (OAuth2Error, SmartappError, HTTPException):  # an unknown hospital, a body that is too large
        return ""
