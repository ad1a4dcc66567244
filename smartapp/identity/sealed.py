"""What a context keeps sealed under the patient's data key: names, birth date, references."""

import json
from datetime import date, datetime

from sqlalchemy.orm import Session

from smartapp.db.datakeys import DataKeys
from smartapp.identity.model import Context, Display, PatientKey, PrincipalKind
from smartapp.identity.store import StoredContext
from smartapp.security import envelope


class ContextSeal:
    """Turns contexts into rows and back. Once the patient's key is destroyed, a row of theirs opens no more."""

    def __init__(self, datakeys: DataKeys) -> None:
        self._datakeys = datakeys

    def close(self, context: Context, session: Session) -> StoredContext:
        """The row of a context; `session` is the write it will be part of."""
        born = context.display.record_birth_date
        plain = {
            "fhir_user": context.fhir_user,
            "relation": context.relation,
            "person": context.display.person_name,
            "record": context.display.record_name,
            "born": born.isoformat() if born else None,
            "auth": context.auth_time.isoformat() if context.auth_time else None,
        }
        key = self._datakeys.for_patient(str(context.patient), session=session)
        return StoredContext(
            id=context.context_id,
            provider=context.patient.provider,
            patient_id=context.patient.patient_id,
            kind=context.kind.value,
            credential_id=context.credential_id,
            expires_at=context.expires_at,
            sealed=envelope.seal(key, json.dumps(plain).encode(), _aad(context.context_id)),
        )

    def open_(self, row: StoredContext) -> Context:
        """The context of a row. Raises IntegrityError when the row was changed or its patient's key destroyed."""
        patient = PatientKey(row.provider, row.patient_id)
        plain = json.loads(envelope.open_(self._datakeys.for_patient(str(patient)), row.sealed, _aad(row.id)))
        born = date.fromisoformat(plain["born"]) if plain["born"] else None
        auth = plain.get("auth")  # sessions of before have none
        return Context(
            context_id=row.id,
            kind=PrincipalKind(row.kind),
            patient=patient,
            credential_id=row.credential_id,
            fhir_user=plain["fhir_user"],
            display=Display(plain["person"], plain["record"], born),
            relation=plain["relation"],
            expires_at=row.expires_at,
            auth_time=datetime.fromisoformat(auth) if auth else None,
        )


def _aad(context_id: str) -> bytes:
    return f"context\x1f{context_id}".encode()
