"""Errors become answers here and nowhere else: a page, or the text of DICOMweb. They name a reference, no more."""

import logging
import re
import traceback
from collections.abc import Sequence
from typing import Final

from flask import Flask, Response, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException

from smartapp.errors import PartWithheld, SmartappError
from smartapp.web.again import again_after
from smartapp.web.requests import request_id

_LOG = logging.getLogger(__name__)
_DICOMWEB: Final = re.compile(r"^/[a-z0-9-]+/dicomweb(/|$)")


def register(app: Flask) -> None:
    """Renders every error of `app`: ours, Flask's own, and whatever nobody thought of."""
    app.register_error_handler(SmartappError, _ours)
    app.register_error_handler(HTTPException, _flasks)
    app.register_error_handler(Exception, _unhandled)


def _ours(error: SmartappError) -> Response:
    if error.status >= 500:
        _LOG.warning("refused %s %s", error.code, request_id())
    series = error.series if isinstance(error, PartWithheld) else ()
    response = _render(error.status, error.code, error.retry_after, series)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _flasks(error: HTTPException) -> Response:
    response = _render(error.code or 500, f"http-{error.code}")
    for name, value in error.get_headers():
        if name.lower() in {"allow", "location"}:
            response.headers[name] = value
    return response


def _unhandled(error: Exception) -> Response:
    """Says where it broke, not with which values: a message could hold a name or a token."""
    frames = " < ".join(
        f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)
    )
    _LOG.error("error.unhandled %s %s at %s", request_id(), type(error).__name__, frames)
    return _render(500, "error.unhandled")


def _render(status: int, code: str, retry_after: int | None = None, series: Sequence[str] = ()) -> Response:
    if _DICOMWEB.match(request.path):
        return _dicomweb(status, code, series)
    title, advice = _words(status, code)
    again = again_after(retry_after)
    page = render_template("error.html", status=status, title=title, advice=advice, reference=request_id(), again=again)
    return make_response(page, status)


def _dicomweb(status: int, code: str, series: Sequence[str]) -> Response:
    """PS3.18 §8.6: a short text; a Warning header would add nothing. `series` are those that may be had instead."""
    lines = [code, f"Reference: {request_id()}", *(f"Retrievable series: {uid}" for uid in series)]
    response = make_response("\n".join([*lines, ""]), status)
    response.mimetype = "text/plain"
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return response


def _words(status: int, code: str) -> tuple[str, str]:
    """What a person reads: what happened, and what to do about it."""
    if code == "upstream-refused" or status == 401:
        return _("You are signed out"), _("Sign in again to go on. Nothing was lost.")
    by_status = {
        400: (
            _("This link or form does not work"),
            _("Go back to the start page, or open this from your hospital again."),
        ),
        403: (_("This is not open to you"), _("If you think it should be, ask your hospital's records office.")),
        404: (_("There is nothing here"), _("The page may have moved, or the address is mistyped.")),
        409: (_("Another record is open in this browser"), _("You opened another record since. Open this one again.")),
        413: (_("That was too large"), _("Send less at once.")),
        422: (_("This picture cannot be shown"), _("The rest of the study may still be readable.")),
        502: (
            _("The hospital's system gave an answer we cannot use"),
            _("Nothing is shown rather than something wrong."),
        ),
        503: (
            _("The hospital's system does not answer now"),
            _("Please try again in a few minutes. Nothing was lost."),
        ),
    }
    return by_status.get(status, (_("Something went wrong"), _("Please try again. Nothing was lost.")))
