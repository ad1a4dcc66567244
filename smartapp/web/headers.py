"""Headers of every answer, errors included."""

from collections.abc import Iterable
from typing import Final

from flask import Response, g, request

from smartapp.web.reference import request_id

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'self'"
)

_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with "no-referrer" browsers send "Origin: null" from our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def allow_forms_to(origins: Iterable[str]) -> None:
    """Lets forms of the current page lead to these origins: browsers hold `form-action` against redirects as well."""
    g.form_targets = tuple(origins)


def allow_frames_in(origins: Iterable[str]) -> None:
    """Lets pages of these origins frame the current one: for the one page that shows nothing and changes nothing."""
    g.frame_ancestors = tuple(origins)


def allow_caches(seconds: int) -> None:
    """Lets every cache keep the current answer so long, if it is one: for what is the same for everybody."""
    g.fresh_for = seconds


def add(response: Response) -> Response:
    """After each request. Only what carries no personal data may be kept by a cache: files of our own, and brands."""
    framed_by, policy = g.get("frame_ancestors", ()), " ".join((_POLICY, *g.get("form_targets", ())))
    if framed_by:
        policy = policy.replace("frame-ancestors 'none'", f"frame-ancestors {' '.join(framed_by)}")
    response.headers.setdefault("Content-Security-Policy", policy)
    for name, value in _ALWAYS.items():
        if not (framed_by and name == "X-Frame-Options"):  # it cannot name origins, and would refuse all
            response.headers.setdefault(name, value)
    if request.endpoint and request.endpoint.endswith("static") and response.status_code in {200, 304}:
        response.headers["Cache-Control"] = "no-cache"  # asked for again by ETag: modules of two versions never mix
    elif "fresh_for" in g and response.status_code in {200, 304}:
        response.headers["Cache-Control"] = f"public, max-age={g.fresh_for}"
    else:
        response.headers["Cache-Control"] = "no-store"
        response.headers["Pragma"] = "no-cache"
        response.headers.add("Vary", "Cookie")
    response.headers["X-Request-Id"] = request_id()
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return response
