"""The hospital's brands, for everybody: one address for the Bundle, and one for each resource in it."""

import json
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256
from typing import Final

from flask import Blueprint, Response, request

from smartapp.authserver.brands.bundle import Json, bundle
from smartapp.errors import NotFound
from smartapp.web import cors, headers
from smartapp.web.parts import parts
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("brands", __name__)
blueprint.before_request(cors.public_preflight)
blueprint.after_request(cors.public)

_METHODS: Final = ["GET", "OPTIONS"]
_FRESH: Final = 300
"""Seconds for which caches may go on without asking: apps gather brands ahead of time, and ask by ETag then."""


@blueprint.route("/<provider>/brands", methods=_METHODS, provide_automatic_options=False)
@rule(Rule.PUBLIC)
def whole(provider: str) -> Response:
    """The Bundle. NotFound for a hospital that is none, or says nothing of how it is known."""
    return _answer(_bundle(provider))


@blueprint.route("/<provider>/brands/<type_>/<id_>", methods=_METHODS, provide_automatic_options=False)
@rule(Rule.PUBLIC)
def single(provider: str, type_: str, id_: str) -> Response:
    """One resource of the Bundle, at its fullUrl."""
    for entry in _bundle(provider)["entry"]:
        if entry["fullUrl"].endswith(f"/brands/{type_}/{id_}"):
            return _answer(entry["resource"])
    raise NotFound


def _bundle(provider_id: str) -> Json:
    settings = parts().settings
    found = next((each for each in settings.providers if each.id == provider_id), None)
    if found is None or found.brand is None:
        raise NotFound
    return bundle(found, found.brand, settings.server.base_url, parts().revisions)


def _answer(resource: Json) -> Response:
    """With a weak ETag of all that is in it; 304 to who has it (RFC 9110 §13.1.2, R4 http.html#cread)."""
    body = json.dumps(resource, ensure_ascii=False)
    response = Response(body, mimetype="application/fhir+json")
    version = sha256(body.encode()).hexdigest()[:32]
    response.set_etag(version, weak=True)
    changed = datetime.fromisoformat(resource["meta"]["lastUpdated"])
    response.headers["Last-Modified"] = format_datetime(changed, usegmt=True)
    headers.allow_caches(_FRESH)
    if request.if_none_match.contains_weak(version):
        response.set_data(b"")
        response.status_code = 304
    return response
