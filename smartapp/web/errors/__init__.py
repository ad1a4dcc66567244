"""Errors become answers here and nowhere else: a page, OAuth's JSON, the text of DICOMweb, or an OperationOutcome.

They name a reference, no more: never what was hidden, and no value of the request. Errors that OAuth itself knows
(RFC 6749 §5.2) are made in `authserver`, which owns that protocol.
"""

import logging
import re
from typing import Final

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from smartapp.db.faults import FULL, UNKNOWN
from smartapp.errors import DatabaseBusy, SmartappError, WrongContext, whereabouts
from smartapp.web.errors import challenge, dicomweb, fhir, oauth, page
from smartapp.web.errors.problem import Problem
from smartapp.web.noting import note
from smartapp.web.reference import request_id

_LOG = logging.getLogger(__name__)
_RECORDS: Final = re.compile(r"^/[^/]+/(dicomweb|fhir|brands)(?:/|$)")
_LONGEST_PLACE: Final = 512
_PROGRAMS: Final = re.compile(
    r"^(?:/[^/]+/oauth(?:/(?!(?:authorize|approve|logout)(?:/|$))|$)|(?:/[^/]+)?/\.well-known(?:/|$))"
)
"""What apps' programs call; people's browsers come to three doors there (RFC 6749 §3.1 among them), and read pages."""


def register(app: Flask) -> None:
    """Renders every error of `app`: ours, Flask's own, and whatever nobody thought of."""
    app.register_error_handler(SmartappError, _ours)
    app.register_error_handler(HTTPException, _flasks)
    app.register_error_handler(Exception, _unhandled)


def _ours(error: SmartappError) -> Response:
    if error.status >= 500:
        _LOG.warning("refused %s %s", error.code, request_id())
    _note(error)
    response = _render(Problem.of(error))
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _note(error: SmartappError) -> None:
    """What has no row where it arises. A database that is at fault is told of when it answers again."""
    if isinstance(error, WrongContext):
        note("smart.context.tab", route=request.endpoint or "")
    fault = error if isinstance(error, DatabaseBusy) else error.__cause__
    if isinstance(fault, DatabaseBusy):
        kind = {FULL: "disk.full", UNKNOWN: "db.unknown_commit"}.get(fault.code, "db.busy")
        _LOG.warning("%s %s", kind, request_id())
        note(kind, "high" if kind == "disk.full" else "info", later=True)


def _flasks(error: HTTPException) -> Response:
    response = _render(Problem(error.code or 500, f"http-{error.code}"))
    for name, value in error.get_headers():
        if name.lower() in {"allow", "location"}:
            response.headers[name] = value
    return response


def _unhandled(error: Exception) -> Response:
    """Says where it broke, not with which values."""
    where = whereabouts(error)
    _LOG.error("error.unhandled %s %s at %s", request_id(), type(error).__name__, where)
    note("error.unhandled", "high", error=type(error).__name__, where=where[-_LONGEST_PLACE:])
    return _render(Problem(500, "error.unhandled"))


def _render(problem: Problem) -> Response:
    surface = _RECORDS.match(request.path)
    if surface is None and _PROGRAMS.match(request.path):
        return oauth.render(problem)
    if surface is None:
        return page.render(problem)
    response = dicomweb.render(problem) if surface[1] == "dicomweb" else fhir.render(problem)
    return challenge.add(response, problem)
