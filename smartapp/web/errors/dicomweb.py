"""An error as DICOMweb tells it (PS3.18 §8.6): a short text; a Warning header would add nothing."""

from flask import Response, make_response

from smartapp.web.errors.problem import Problem
from smartapp.web.reference import request_id


def render(problem: Problem) -> Response:
    """The code, a reference, and the series that may be had where a whole study may not."""
    held = ["The patient has to sign in again."] if problem.held == "needs-sign-in" else []
    lines = [
        problem.code,
        *held,
        f"Reference: {request_id()}",
        *(f"Retrievable series: {uid}" for uid in problem.series),
    ]
    response = make_response("\n".join([*lines, ""]), problem.status)
    response.mimetype = "text/plain"
    return response
