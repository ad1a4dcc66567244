"""A launch inside a frame of the EHR's: there our cookies would be a third party's, so it goes on in a window."""

from typing import Final

from flask import Response, make_response, render_template, request, url_for

from smartapp.web import headers
from smartapp.web.parts import parts

_FRAMES: Final = frozenset({"iframe", "frame", "embed", "object", "fencedframe"})
"""Fetch Metadata, Sec-Fetch-Dest: a page that will stand inside another."""


def page_for_frame(iss: str, launch: str) -> Response | None:
    """A page with one link that opens the same launch in a window of its own, if this one is for a frame.

    The only page that may be framed, and only by the origins of the hospital that launches: it shows nothing of
    anybody's, changes nothing, begins nothing by itself. An `iss` that is none of ours is left to be refused.
    """
    if request.headers.get("Sec-Fetch-Dest") not in _FRAMES:
        return None
    provider = next((each for each in parts().settings.providers if iss in (each.iss, *each.iss_aliases)), None)
    if provider is None:
        return None
    headers.allow_frames_in(provider.trusted_origins)
    again = url_for("signin.launch", iss=iss, launch=launch)
    return make_response(render_template("portal/framed.html", hospital=provider.name, again=again))
