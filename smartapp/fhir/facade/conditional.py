"""A resource that was read, with its version; 304 where the client has it (R4 http.html#cread, RFC 9110 §13.1.2)."""

from datetime import datetime
from email.utils import format_datetime
from typing import Any

from flask import Response, request

from smartapp.fhir.facade import negotiate

Json = dict[str, Any]


def reply(resource: Json, shown: Json | None = None) -> Response:
    """The answer that gives `shown`, a part of the whole `resource`. It is made only of what the app may see, so that
    a 304 tells nothing that a 200 would not (threat A24).
    """
    response = negotiate.answer(resource if shown is None else shown)
    meta = resource.get("meta", {})
    if version := meta.get("versionId"):
        response.set_etag(version, weak=True)
    if changed := meta.get("lastUpdated"):
        response.headers["Last-Modified"] = format_datetime(datetime.fromisoformat(changed), usegmt=True)
    if version and _has(version):
        response.set_data(b"")
        response.status_code = 304
    return response


def _has(version: str) -> bool:
    """Whether If-None-Match names the version; `*` names whatever there is."""
    return request.if_none_match.contains_weak(version)
