"""The routes under `/{provider}/dicomweb`: the whole list. What is not here is 404, and nothing is passed on."""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, Final, NoReturn, TypeVar

from flask import Blueprint, Response, request
from werkzeug.exceptions import MethodNotAllowed

from smartapp.consent.grants.model import GrantState
from smartapp.consent.model import AppPrincipal
from smartapp.dicomweb.core.accept import ANY_SYNTAX, Offer
from smartapp.dicomweb.core.uids import parse_uid
from smartapp.dicomweb.gateway import answers
from smartapp.dicomweb.gateway.paths import bulk_tag, frame_numbers, require_plain
from smartapp.dicomweb.gateway.pictures import picture_asked
from smartapp.errors import GrantHeld, NotFound, NotSignedIn, PermitEnded, UpstreamRefused
from smartapp.identity.model import Principal
from smartapp.records.attributes import Level
from smartapp.records.frames import FrameData
from smartapp.records.images import Images
from smartapp.records.query import QidoQuery, parse_query
from smartapp.records.searches import Searches
from smartapp.web import cors
from smartapp.web.bearer import asker
from smartapp.web.noting import note
from smartapp.web.parts import parts
from smartapp.web.reference import request_id
from smartapp.web.rules import Rule, rule

blueprint = Blueprint("dicomweb", __name__, url_prefix="/<provider>/dicomweb")
blueprint.before_request(require_plain)
blueprint.before_request(cors.preflight("GET", "HEAD", who=cors.from_viewer))
blueprint.after_request(cors.for_origins_of(cors.from_viewer))

_STUDY: Final = "/studies/<study>"
_SERIES: Final = f"{_STUDY}/series/<series>"
_INSTANCE: Final = f"{_SERIES}/instances/<sop>"
_OTHER_METHODS: Final = ("POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_View = TypeVar("_View", bound=Callable[..., Any])


def _get(path: str, **defaults: None) -> Callable[[_View], _View]:
    """A GET route. Doubled slashes are not merged, nor is anything answered to OPTIONS on its own."""

    def add(view: _View) -> _View:
        blueprint.add_url_rule(
            path,
            view_func=_guarded(view),
            methods=["GET"],
            defaults=defaults,
            merge_slashes=False,
            provide_automatic_options=False,
        )
        return view

    return add


@cache
def _guarded(view: Callable[..., Response]) -> Callable[..., Response]:
    """The view, with what ended meanwhile under an app said as what it is: 401 for a right that is over, and for a
    dead way to the EHR that the patient has to sign in again (decision 10).
    """

    @wraps(view)
    def guarded(provider: str, **address: str | None) -> Response:
        try:
            return view(provider=provider, **address)
        except PermitEnded:
            if _app(provider) is None:
                raise
            raise NotSignedIn("token") from None
        except UpstreamRefused as error:
            if error.code == UpstreamRefused.code and (who := _app(provider)) is not None:
                parts().app_grants.needs_sign_in(who.grant_id, request_id())
                raise GrantHeld(GrantState.NEEDS_SIGN_IN) from error
            raise

    return guarded


def _app(provider: str) -> AppPrincipal | None:
    """The app that asks, if it is one. Raises what became of its token or grant meanwhile."""
    who = asker(provider).principal
    return who if isinstance(who, AppPrincipal) else None


def _images() -> Images:
    return parts().records.images


def _searches() -> Searches:
    return parts().records.searches


def _asker(provider: str, *uids: str | None) -> Principal:
    """Who asks, by a token that reaches the study. The address is read before the token is."""
    for uid in uids:
        if uid is not None:
            parse_uid(uid)
    found, study = asker(provider), str(uids[0])
    if not found.reaches(study):
        _images().outside(found.principal, study, request_id())
    return found.principal


def _query(level: Level) -> QidoQuery:
    return parse_query(level, list(request.args.items(multi=True)))


@_get("/studies")
@rule(Rule.BEARER)
def studies(provider: str) -> Response:
    """Search for studies (PS3.18 §10.6): those that the token reaches, if they match."""
    found, query, choice = asker(provider), _query(Level.STUDY), answers.accepted(answers.JSON)
    gaps = answers.Gaps("The archive was not yet asked about all studies: more may be there. Ask again.")
    rows = _searches().studies(found.principal, query, request_id(), gaps.found, only=found.study_uid)
    return gaps.said(answers.rows(rows, choice, fuzzy=query.fuzzy))


@_get(f"{_STUDY}/series")
@rule(Rule.BEARER)
def series_of_study(provider: str, study: str) -> Response:
    """Search for the series of a study."""
    principal, query, choice = _asker(provider, study), _query(Level.SERIES), answers.accepted(answers.JSON)
    gaps = answers.Gaps()
    rows = _searches().series(principal, study, query, request_id(), gaps.found)
    return gaps.said(answers.rows(rows, choice, fuzzy=query.fuzzy))


@_get(f"{_STUDY}/instances", series=None)
@_get(f"{_SERIES}/instances")
@rule(Rule.BEARER)
def instances_of_study(provider: str, study: str, series: str | None) -> Response:
    """Search for the instances of a study or a series."""
    principal, query = _asker(provider, study, series), _query(Level.INSTANCE)
    choice = answers.accepted(answers.JSON)
    gaps = answers.Gaps()
    rows = _searches().instances(principal, study, series, query, request_id(), gaps.found)
    return gaps.said(answers.rows(rows, choice, fuzzy=query.fuzzy))


@_get(_STUDY, series=None, sop=None)
@_get(_SERIES, sop=None)
@_get(_INSTANCE)
@rule(Rule.BEARER)
def retrieve(provider: str, study: str, series: str | None, sop: str | None) -> Response:
    """Retrieve a study, a series or an instance (PS3.18 §10.4.1.1.1)."""
    principal = _asker(provider, study, series, sop)
    choice = answers.accepted_instances(single=sop is not None)
    return answers.instances(_images().retrieve(principal, study, series, sop, request_id()), choice)


@_get(f"{_STUDY}/metadata", series=None, sop=None)
@_get(f"{_SERIES}/metadata", sop=None)
@_get(f"{_INSTANCE}/metadata")
@rule(Rule.BEARER)
def metadata(provider: str, study: str, series: str | None, sop: str | None) -> Response:
    """Retrieve the metadata of a study, a series or an instance (PS3.18 §10.4.1.1.2)."""
    principal, choice = _asker(provider, study, series, sop), answers.accepted(answers.JSON)
    gaps = answers.Gaps()
    document = _images().metadata(principal, study, series, sop, request_id(), gaps.found)
    return gaps.said(Response(document, content_type=choice.offer.media_type))


@_get(f"{_INSTANCE}/frames/<numbers>")
@rule(Rule.BEARER)
def frames(provider: str, study: str, series: str, sop: str, numbers: str) -> Response:
    """Retrieve frames (PS3.18 §10.4.1.1.4)."""
    principal, wanted = _asker(provider, study, series, sop), frame_numbers(numbers)
    choice = answers.accepted_octets(single=len(wanted) == 1, frames=True)
    stored = choice.syntax == ANY_SYNTAX
    found = _images().frames(principal, study, series, sop, wanted, request_id(), stored=stored)
    return answers.octets(found, choice)


@_get(f"{_INSTANCE}/bulkdata/<tag>")
@rule(Rule.BEARER)
def bulkdata(provider: str, study: str, series: str, sop: str, tag: str) -> Response:
    """Retrieve a large value that the metadata names (PS3.18 §10.4.1.1.5)."""
    principal, wanted = _asker(provider, study, series, sop), bulk_tag(tag)
    choice = answers.accepted_octets(single=True, frames=False)
    value = _images().bulkdata(principal, study, series, sop, wanted, request_id())
    return answers.octets([FrameData(value, "")], choice)


@_get(f"{_INSTANCE}/rendered", numbers=None)
@_get(f"{_INSTANCE}/frames/<numbers>/rendered")
@rule(Rule.BEARER)
def rendered(provider: str, study: str, series: str, sop: str, numbers: str | None) -> Response:
    """Retrieve a picture of an instance's first frame, or of one frame (PS3.18 §10.4.1.1.3)."""
    principal, asked = _asker(provider, study, series, sop), picture_asked(numbers)
    picture = _images().rendered(
        principal,
        study,
        series,
        sop,
        asked.number,
        request_id(),
        window=asked.window,
        viewport=asked.viewport,
        quality=asked.quality,
        kind=asked.kind,
    )
    return Response(picture, content_type=asked.kind)


@_get(f"{_SERIES}/thumbnail", sop=None)
@_get(f"{_INSTANCE}/thumbnail")
@rule(Rule.BEARER)
def thumbnail(provider: str, study: str, series: str, sop: str | None) -> Response:
    """Retrieve a small picture of a series or an instance (PS3.18 §10.4.1.1.6)."""
    principal = _asker(provider, study, series, sop)
    answers.accepted((Offer("image/jpeg"),))
    return Response(_images().thumbnail(principal, study, series, sop, request_id()), content_type="image/jpeg")


@blueprint.route("/<path:rest>", methods=["GET", *_OTHER_METHODS], merge_slashes=False, provide_automatic_options=False)
@rule(Rule.BEARER)
def anything_else(provider: str, rest: str) -> NoReturn:  # noqa: ARG001 - the address needs no reading
    """404; 405 where something was to be stored, changed or deleted."""
    found = asker(provider)
    note("route.denied", by=found.principal, surface="dicomweb", method=request.method)
    if request.method in _OTHER_METHODS:
        raise MethodNotAllowed(valid_methods=["GET", "HEAD"])
    raise NotFound
