"""Writes down that the PACS gave data of somebody or something else."""

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.consent.model import Permit


class AuditedAlarm:
    """An `Alarm` that leaves a row of high severity, whatever else happens to the request."""

    def __init__(self, audit: AuditTrail) -> None:
        self._audit = audit

    def __call__(self, permit: Permit, code: str) -> None:
        """Raises AuditUnavailable; the request fails either way."""
        self._audit.record(
            Event(
                kind="pacs.mismatch",
                severity="high",
                patient=permit.patient,
                principal_ref=permit.principal.person_id,
                session_ref=permit.principal.session_id,
                detail={"code": code, "disclosure": permit.disclosure_id},
            )
        )
