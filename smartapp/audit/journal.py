"""Writes rows: the one place where an event becomes bytes."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from smartapp.audit import store
from smartapp.audit.model import Patient, Severity
from smartapp.audit.references import References, row_aad
from smartapp.clock import Clock


@dataclass(frozen=True, slots=True)
class Entry:
    """What a row says in the clear. With `patient`, its detail is sealed with that patient's key."""

    kind: str
    severity: Severity = "info"
    patient: Patient | None = None
    disclosure_id: str = ""
    request_id: str = ""


Refs = tuple[str, str, str, str]
"""Provider, and the references of patient, person and session."""


class Journal:
    """Appends to the trail within the caller's transaction."""

    def __init__(self, references: References, clock: Clock) -> None:
        self._references = references
        self._clock = clock

    def write(self, session: Session, entry: Entry, refs: Refs, detail: Mapping[str, str]) -> int:
        """Appends one row and gives its `seq`."""
        now = self._clock.now()
        provider, patient_ref, principal_ref, session_ref = refs
        aad = row_aad(entry.kind, now, patient_ref, entry.disclosure_id, entry.request_id)
        return store.append(
            session,
            {
                "at": now,
                "kind": entry.kind,
                "severity": entry.severity,
                "provider": provider,
                "patient_ref": patient_ref,
                "principal_ref": principal_ref,
                "session_ref": session_ref,
                "disclosure_id": entry.disclosure_id,
                "request_id": entry.request_id,
                "detail": self._references.seal(detail, aad, entry.patient, session),
            },
        )
