"""What is refused at the edge, noted in the trail: counted, as anybody can cause it as often as they like."""

from flask import g, request

from smartapp.audit.model import Event, Severity
from smartapp.identity.model import BrowserSession, Principal
from smartapp.web.parts import parts
from smartapp.web.reference import request_id


def note(
    kind: str, severity: Severity = "info", *, by: Principal | None = None, later: bool = False, **detail: str
) -> None:
    """Notes `kind` of the current request, at the hospital that its address names; `by` whom, where that is known.

    `detail` is words of ours: never what was sent. `later` as `AuditTrail.note` says. Raises nothing.
    """
    session: BrowserSession | None = g.get("browser_session")
    person = by.person_id if by else (session.person_id if session else "")
    held = by.session_id if by else (session.session_id if session else "")
    event = Event(
        kind,
        severity,
        patient=by.patient if by else None,
        principal_ref=person,
        session_ref=held,
        detail=detail,
        request_id=request_id(),
        provider=_hospital(),
    )
    parts().audit.note(event, later=later)


def _hospital() -> str:
    """The provider's id, if the address holds that of one of ours."""
    said = (request.view_args or {}).get("provider", "")
    return next((each.id for each in parts().settings.providers if each.id == said), "")
