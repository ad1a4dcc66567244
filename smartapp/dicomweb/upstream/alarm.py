"""Writes down that the PACS gave data of somebody or something else."""

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.consent.model import IndexPermit, Permit


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
