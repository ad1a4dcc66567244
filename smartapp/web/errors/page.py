"""An error as a page: what happened, what to do about it, and a reference."""

from flask import Response, make_response, render_template
from flask_babel import gettext as _

from smartapp.web.again import again_after
from smartapp.web.errors.problem import Problem
from smartapp.web.reference import request_id


def render(problem: Problem) -> Response:
    """The page; one that was told how long to wait tries again by itself."""
    title, advice = _words(problem.status, problem.code)
    again = again_after(problem.retry_after)
    told = {"status": problem.status, "title": title, "advice": advice, "reference": request_id(), "again": again}
    return make_response(render_template("error.html", **told), problem.status)


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
    by_status[405] = by_status[404]  # a form's address, opened as a page
    return by_status.get(status, (_("Something went wrong"), _("Please try again. Nothing was lost.")))
