"""Reads the trail as an auditor would: over a connection of its own."""

from collections.abc import Sequence

from sqlalchemy import select

from smartapp.audit.references import row_aad
from smartapp.audit.tables import AuditEventRow, DisclosureRow
from smartapp.identity.model import PatientKey
from tests.access.house import House


def rows(house: House, *kinds: str) -> Sequence[AuditEventRow]:
    with house.database.read() as session:
        found = session.scalars(select(AuditEventRow).order_by(AuditEventRow.seq)).all()
    return [row for row in found if not kinds or row.kind in kinds]


def kinds(house: House) -> list[str]:
    return [row.kind for row in rows(house)]


def detail(house: House, row: AuditEventRow, patient: PatientKey | None = None) -> dict[str, str]:
    aad = row_aad(row.kind, row.at, row.patient_ref, row.disclosure_id, row.request_id)
    return house.audit._references.open_(row.detail, aad, patient)


def disclosure(house: House, disclosure_id: str) -> DisclosureRow:
    with house.database.read() as session:
        return session.get_one(DisclosureRow, disclosure_id)
