"""The FHIR R4 REST API of each hospital: read, search, and writing of Consent."""

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, Response, request

from smartapp.sandbox.ehr.fhir.access import Access, access_of
from smartapp.sandbox.ehr.fhir.bundle import bundle_of, to_response
from smartapp.sandbox.ehr.fhir.errors import FhirError, bad_query, insufficient, no_token, not_found
from smartapp.sandbox.ehr.fhir.parameters import PARAMETERS, is_id
from smartapp.sandbox.ehr.fhir.query import parse_query
from smartapp.sandbox.ehr.fhir.writing import consent_of
from smartapp.sandbox.ehr.resources.common import Resource
from smartapp.sandbox.ehr.site import Site, site_of

fhir = Blueprint("fhir", __name__, url_prefix="/<hospital>/fhir")


@fhir.errorhandler(FhirError)
def _refused(error: FhirError) -> Response:
    answer = to_response(error.outcome(), error.status)
    if error.challenge:
        answer.headers["WWW-Authenticate"] = error.challenge
    return answer


@fhir.get("")
@fhir.get("/")
def next_page(hospital: str) -> Response:
    """A further page of a search, by the opaque value in its `next` link."""
    site, access = _enter(hospital, None)
    value = request.args.get("_page", "")
    rest = site.page(value)
    if rest is None:
        raise not_found()
    view = access.view(rest.query)
    return to_response(bundle_of(site, rest.query, site.backend.more(rest, view), value))


@fhir.get("/<type_>")
def search(hospital: str, type_: str) -> Response:
    """`GET [base]/Type?…` (FHIR R4 §3.1.0.11)."""
    return _search(hospital, type_, request.args.items(multi=True))


@fhir.post("/<type_>/_search")
def post_search(hospital: str, type_: str) -> Response:
    """`POST [base]/Type/_search` with the parameters as a form, those in the URL added."""
    given = [*request.args.items(multi=True), *request.form.items(multi=True)]
    return _search(hospital, type_, given)


@fhir.get("/<type_>/<id_>")
def read(hospital: str, type_: str, id_: str) -> Response:
    """`GET [base]/Type/id` with ETag (FHIR R4 §3.1.0.1). A Binary comes as its own bytes unless FHIR is asked for."""
    site, access = _enter(hospital, type_)
    resource = access.check_read(type_, site.backend.read(type_, id_) if is_id(id_) else None)
    if type_ == "Binary" and "fhir" not in request.headers.get("Accept", "") and request.args.get("_format") is None:
        return _bytes(resource)
    return _versioned(resource)


@fhir.post("/<type_>")
def create(hospital: str, type_: str) -> Response:
    """`POST [base]/Consent`, conditionally with If-None-Exist (FHIR R4 §3.1.0.8)."""
    site, access = _enter(hospital, type_)
    consent = consent_of(type_, None)
    _check_write(access, consent, "c")
    existing = _existing(site, access, request.headers.get("If-None-Exist"))
    if existing is not None:
        return _versioned(existing)
    created = site.backend.create(consent)
    answer = _versioned(created, 201)
    answer.headers["Location"] = f"{site.fhir_base}/{type_}/{created['id']}"
    return answer


@fhir.put("/<type_>/<id_>")
def update(hospital: str, type_: str, id_: str) -> Response:
    """`PUT [base]/Consent/id`, with If-Match where the client wants to be safe (FHIR R4 §3.1.0.5)."""
    site, access = _enter(hospital, type_)
    consent = consent_of(type_, id_)
    current = site.backend.read(type_, id_) if is_id(id_) else None
    if current is None:
        raise not_found()
    _check_write(access, current, "u")
    _check_write(access, consent, "u")
    return _versioned(site.backend.update(consent, request.headers.get("If-Match")))


def _enter(hospital: str, type_: str | None) -> tuple[Site, Access]:
    """The site, and the rights of the request's Bearer token; FhirError 401 without one, 404 for an unknown type."""
    site = site_of(hospital)
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise no_token(None)
    token = site.state.access(value.strip())
    if token is None:
        raise no_token("invalid_token")
    if type_ is not None and type_ not in served_types(site):
        raise not_found()
    return site, access_of(token, site.backend, site.hospital)


def served_types(site: Site) -> list[str]:
    """The resource types that this hospital's server has."""
    return [type_ for type_ in PARAMETERS if type_ != "ImagingStudy" or site.config.imaging_study]


def _search(hospital: str, type_: str, given: Iterable[tuple[str, str]]) -> Response:
    site, access = _enter(hospital, type_)
    query = parse_query(type_, given, site.zone)
    page = site.backend.search(query, access.view(query))
    return to_response(bundle_of(site, query, page, None))


def _check_write(access: Access, consent: Resource, letter: str) -> None:
    access.may("Consent", letter)
    if not access.sees(consent, letter):
        raise insufficient("The token may not write this patient's Consent.")


def _existing(site: Site, access: Access, condition: str | None) -> Resource | None:
    if condition is None:
        return None
    query = parse_query("Consent", parse_qsl(condition.lstrip("?")), site.zone)
    if not query.criteria:
        raise bad_query("If-None-Exist names nothing that is searched by.")
    found = site.backend.search(query, access.view(query)).matches
    if len(found) > 1:
        raise FhirError(412, "multiple-matches", "More than one Consent meets If-None-Exist.")
    return found[0] if found else None


def _versioned(resource: Resource, status: int = 200) -> Response:
    meta: dict[str, Any] = resource.get("meta", {})
    answer = to_response(resource, status)
    if "versionId" in meta:
        answer.set_etag(str(meta["versionId"]), weak=True)
    if "lastUpdated" in meta:
        answer.last_modified = datetime.fromisoformat(meta["lastUpdated"])
    answer.make_conditional(request)
    return answer


def _bytes(resource: Resource) -> Response:
    try:
        data = base64.b64decode(resource.get("data", ""), validate=True)
    except (binascii.Error, TypeError) as error:
        raise FhirError(502, "exception", "The document cannot be read.") from error
    answer = Response(data, content_type=str(resource.get("contentType", "application/octet-stream")))
    answer.headers["Content-Disposition"] = "attachment"
    answer.headers["Cache-Control"] = "no-store"
    return answer
