"""The audit trail as a reviewer reads it: kinds, severities, and details opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from smartapp.audit.references import References, row_aad
from smartapp.audit.tables import AuditEventRow
from smartapp.identity.model import PatientKey
from tests.threats.composed import Composed

PATIENTS = tuple(PatientKey("st-elsewhere", name) for name in ("ana", "ben"))


@dataclass(frozen=True)
class Told:
    """A row."""

    kind: str
    severity: str
    provider: str
    detail: dict[str, str]
    request_id: str


def told(own: Composed, *kinds: str) -> list[Told]:
    """All rows of these kinds, in order, with what was noted and waited."""
    own.ground.audit.tell()
    refs = References(own.ground.keyring, own.ground.datakeys)
    names = {refs.of_patient(patient): patient for patient in PATIENTS}
    found = []
    with own.ground.database.read() as session:
        rows = list(session.scalars(select(AuditEventRow).where(AuditEventRow.kind.in_(kinds)).order_by("seq")))
    for row in rows:
        at: datetime = row.at
        aad = row_aad(row.kind, at, row.patient_ref, row.disclosure_id, row.request_id)
        detail = refs.open_(row.detail, aad, names.get(row.patient_ref))
        found.append(Told(row.kind, row.severity, row.provider, detail, row.request_id))
    return found
