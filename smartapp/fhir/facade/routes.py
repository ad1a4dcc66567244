"""The routes under `/{provider}/fhir`: the whole list. What is not here is 404, and nothing is passed on."""

import base64
from collections.abc import Callable
from functools import wraps
from typing import Final, NoReturn, TypeVar, cast
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed

from smartapp.consent.model import AppPrincipal
from smartapp.errors import BadInput, NotFound, NotSignedIn, PermitEnded, UpstreamRefused
from smartapp.fhir.facade import links, negotiate
from smartapp.fhir.facade.asked import Asked, read_search
from smartapp.fhir.facade.bundle import more, searchset
from smartapp.fhir.facade.capability import statement
from smartapp.fhir.facade.conditional import reply
from smartapp.fhir.facade.summary import SummaryMode, part
from smartapp.records.resources.kinds import served
from smartapp.records.resources.service import Resources
from smartapp.records.resources.stamp import stamped
from smartapp.web import cors
from smartapp.web.bearer import app_principal
from smartapp.web.noting import note
from smartapp.web.parts import parts
from smartapp.web.reference import request_id
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("fhir", __name__, url_prefix="/<provider>/fhir")
_View = TypeVar("_View", bound=Callable[..., Response])
_WRITING: Final = ("PUT", "PATCH", "DELETE")
_READABLE: Final = frozenset({"_format", "_pretty", "_summary", "_elements"})


@blueprint.before_request
def _preflight() -> Response | None:
    """What a browser asks before it sends a token, for every address but the public one."""
    if request.endpoint == "fhir.metadata":
        return cors.public_preflight()
    return cors.preflight("GET", "HEAD", "POST", who=cors.from_app)()


@blueprint.after_request
def _shared(response: Response) -> Response:
    if request.endpoint == "fhir.metadata":
        return cors.public(response)
    return cors.for_origins_of(cors.from_app)(response)


def _route(path: str, *methods: str) -> Callable[[_View], _View]:
    def add(view: _View) -> _View:
        blueprint.add_url_rule(
            path, view_func=view, methods=[*methods, "OPTIONS"], merge_slashes=False, provide_automatic_options=False
        )
        return view

    return add


def _for_app(view: Callable[..., Response]) -> Callable[..., Response]:
    """Finds out who asks, before anything is read of the request. Where the hospital takes the grant's credential no
    longer, the grant waits until the patient has signed in there again (decision 10).
    """

    @wraps(view)
    def guarded(provider: str, **arguments: str) -> Response:
        principal = app_principal(provider)
        try:
            return view(principal, **arguments)
        except PermitEnded:
            app_principal(provider)  # says what became of the grant meanwhile
            raise NotSignedIn("token") from None
        except UpstreamRefused as error:
            if error.code == UpstreamRefused.code:
                parts().app_grants.needs_sign_in(principal.grant_id, request_id())
            raise

    return rule(Rule.BEARER)(guarded)


def _resources() -> Resources:
    return parts().resources


def _base(provider: str) -> str:
    return f"{parts().settings.server.base_url.rstrip('/')}/{provider}/fhir"


@_route("/metadata", "GET")
@rule(Rule.PUBLIC)
def metadata(provider: str) -> Response:
    """What this server does (R4 http.html#capabilities)."""
    negotiate.require_json()
    found = next((each for each in parts().settings.providers if each.id == provider), None)
    if found is None:
        raise NotFound
    return negotiate.answer(statement(found.id, found.name, parts().settings.server.base_url))


@_route("/Binary/<id_>", "GET")
@_for_app
def binary(principal: AppPrincipal, id_: str) -> Response:
    """A file of a report: as it is, or as a resource where that is what Accept names first (R4 binary.html)."""
    file = _resources().file(principal, id_, request_id())
    if negotiate.takes_resource():
        data = base64.b64encode(file.body).decode()
        resource = {"resourceType": "Binary", "id": id_, "contentType": file.content_type, "data": data}
        return reply(stamped(resource, file.updated))
    response = Response(file.body, content_type=file.content_type)
    response.headers["Content-Disposition"] = "attachment"
    response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'; sandbox"
    return response


@_route("/<type_>/<id_>", "GET")
@_for_app
def read(principal: AppPrincipal, type_: str, id_: str) -> Response:
    """One resource (R4 http.html#read)."""
    negotiate.require_json()
    resource = _resources().read(principal, type_, id_, request_id())
    mode = cast("SummaryMode", request.args.get("_summary", ""))
    elements = frozenset(filter(None, request.args.get("_elements", "").split(",")))
    if mode not in {"", "true", "text", "data", "false"}:
        raise BadInput("fhir-summary")
    return reply(resource, part(resource, mode, elements))


@_route("/<type_>", "GET")
@_for_app
def search(principal: AppPrincipal, type_: str) -> Response:
    """A search (R4 http.html#search)."""
    return _searched(principal, type_, list(request.args.items(multi=True)))


@_route("/<type_>/_search", "POST")
@_for_app
def search_by_post(principal: AppPrincipal, type_: str) -> Response:
    """A search whose parameters are a form, or stand in the address, or both."""
    negotiate.require_form()
    pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
    return _searched(principal, type_, pairs)


def _searched(principal: AppPrincipal, type_: str, pairs: list[tuple[str, str]]) -> Response:
    negotiate.require_json()
    served(type_, search=True)
    asked = _asked(principal, type_, pairs)
    found = _resources().search(principal, asked.query, request_id())
    base, given = _base(principal.patient.provider), more(found, asked)
    rest = None
    if given is not None:
        page = links.Page(type_, tuple(asked.used), given)
        rest = links.seal(parts().keyring, principal, page)
    return negotiate.answer(searchset(found, asked, f"{base}/{type_}", base, rest))


def _asked(principal: AppPrincipal, type_: str, pairs: list[tuple[str, str]]) -> Asked:
    """What is asked: as it stands there, or as a sealed link of ours says, which takes no word besides."""
    offset = 0
    sealed = [value for name, value in pairs if name == links.PARAMETER]
    if sealed:
        others = [name for name, _ in pairs if name not in {links.PARAMETER, "_format", "_pretty"}]
        if len(sealed) > 1 or others:
            raise BadInput("fhir-page")
        page = links.open_(parts().keyring, principal, type_, sealed[0])
        pairs, offset = list(page.pairs), page.offset
    provider = parts().settings.provider(principal.patient.provider)
    strict = "handling=strict" in request.headers.get("Prefer", "").replace(" ", "").lower()
    return read_search(type_, pairs, ZoneInfo(provider.timezone), _base(provider.id), strict=strict, offset=offset)


@_route("", "POST")
@_route("/", "POST")
@_for_app
def batch(principal: AppPrincipal) -> Response:  # noqa: ARG001 - whoever asks is told the same
    """A batch or transaction: not offered, and nothing in it is looked at (threat A16)."""
    raise BadInput("fhir-batch")


@_route("/<type_>", "POST", *_WRITING)
@_route("/<type_>/<id_>", "POST", *_WRITING)
@_for_app
def write(principal: AppPrincipal, type_: str, id_: str = "") -> NoReturn:  # noqa: ARG001 - whatever was named
    """Nothing is created, changed or deleted here."""
    note("route.denied", by=principal, surface="fhir", method=request.method)
    raise MethodNotAllowed(valid_methods=["GET", "HEAD"])


@_route("", "GET", *_WRITING)
@_route("/", "GET", *_WRITING)
@_route("/<path:rest>", "GET", "POST", *_WRITING)
@_for_app
def anything_else(principal: AppPrincipal, rest: str = "") -> NoReturn:  # noqa: ARG001 - whatever was named
    """Versions, history, operations, compartments, searches of all types: 404, as there are none (threat A17)."""
    note("authz.denied", by=principal, what="fhir-unsupported", method=request.method)
    raise NotFound("fhir-unsupported")
