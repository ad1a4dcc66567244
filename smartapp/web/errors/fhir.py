"""An error as FHIR tells it (R4 http.html#2.21.0.4, operationoutcome.html)."""

import json
from typing import Final

from flask import Response, make_response

from smartapp.web.errors.problem import Problem
from smartapp.web.reference import request_id

_SYSTEM: Final = "urn:smartapp:error"
_LOGIN: Final = frozenset({"upstream-refused", "grant-needs-sign-in"})
"""Codes that mean: the patient has to sign in at the hospital again."""

_ISSUES: Final = {
    400: ("invalid", "The request cannot be meant. The code says which part of it."),
    401: ("login", "There is no access token, or it is unknown, expired or revoked."),
    403: ("forbidden", "The access that was granted does not reach this."),
    404: ("not-found", "There is no such resource here."),
    405: ("not-supported", "This server reads and searches; it does not do this."),
    406: ("not-supported", "Answers are given as application/fhir+json only."),
    409: ("conflict", "The request does not fit the present state."),
    413: ("too-long", "The request is too large."),
    415: ("not-supported", "A search by POST is sent as application/x-www-form-urlencoded."),
    429: ("throttled", "More was asked than the limit allows. Come again after the time that Retry-After names."),
    502: ("exception", "The hospital's system gave an answer that cannot be used."),
    503: ("transient", "The hospital's system does not answer now. Come again later."),
}
_BY_CODE: Final = {
    "upstream-slow": "timeout",
    "fhir-unsupported": "not-supported",
    "fhir-batch": "not-supported",
}
_HELD: Final = {
    "paused": "The patient has paused this access.",
    "dormant": "This access has not been used for long. The patient can wake it with one press.",
    "needs-sign-in": "The patient has to sign in at the hospital again.",
    "frozen": "The patient's record was merged with another. The patient has to allow the access anew.",
}


def render(problem: Problem) -> Response:
    """An OperationOutcome of one issue. It names our code and a reference, and nothing that was asked for or hidden."""
    kind, words = _ISSUES.get(problem.status, ("exception", "Something went wrong. Nothing was given."))
    if problem.code in _LOGIN:
        kind, words = "login", _HELD["needs-sign-in"]
    words = _HELD.get(problem.held, words)
    if problem.scope:
        words = "The token's scopes do not hold this kind of right."
    issue = {
        "severity": "error",
        "code": _BY_CODE.get(problem.code, kind),
        "details": {"coding": [{"system": _SYSTEM, "code": problem.code}], "text": words},
        "diagnostics": f"Reference: {request_id()}",
    }
    response = make_response(json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}), problem.status)
    response.content_type = "application/fhir+json"
    return response
