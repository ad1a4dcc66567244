"""Writes down that the PACS gave data of somebody or something else, and how else it failed."""

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.audit.upstreams import event_of
from smartapp.consent.model import IndexPermit, Permit
from smartapp.errors import UpstreamError


class AuditedAlarm:
    """An `Alarm` that leaves a row of high severity, whatever else happens to the request."""

    def __init__(self, audit: AuditTrail) -> None:
        self._audit = audit

    def __call__(self, permit: Permit | IndexPermit, code: str) -> None:
        """Raises AuditUnavailable; the request fails either way. For an index nothing is shown to anybody yet."""
        shown = permit if isinstance(permit, Permit) else None
        self._audit.record(
            Event(
                kind="pacs.mismatch",
                severity="high",
                patient=permit.patient,
                principal_ref=shown.principal.person_id if shown else "",
                session_ref=shown.principal.session_id if shown else "",
                detail={"code": code, **({"disclosure": shown.disclosure_id} if shown else {})},
            )
        )

    def fault(self, provider: str, error: UpstreamError) -> None:
        """Notes it (`pacs.down`, `pacs.stall`, `dicom.depth`, …): a PACS that is away fails many requests in a row."""
        event = event_of("pacs", error, provider)
        if event is not None:
            self._audit.note(event)

    def preamble(self, provider: str) -> None:
        """A file began with something else than zeros; it was sent with zeros (threat D9)."""
        self._audit.note(Event("dicom.preamble", provider=provider))
