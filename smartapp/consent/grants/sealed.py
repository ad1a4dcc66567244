"""What a grant keeps sealed under the patient's data key: its terms, and who granted."""

import json
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from smartapp.consent.grants.model import Grant, GrantEvent, GrantState, Terms
from smartapp.consent.grants.store import StoredEvent, StoredGrant
from smartapp.consent.scopes.model import Filter, Level, ResourceScope, Scopes
from smartapp.db.datakeys import DataKeys
from smartapp.db.look import Reader
from smartapp.identity.model import PatientKey, PrincipalKind
from smartapp.security import envelope
from smartapp.security.keyring import Keyring


class GrantSeal:
    """Turns grants into rows and back. Once the patient's key is destroyed, the terms of a row open no more."""

    def __init__(self, keyring: Keyring, datakeys: DataKeys) -> None:
        self._keyring = keyring
        self._datakeys = datakeys

    def patient_ref(self, patient: PatientKey) -> str:
        """The hash that a patient's grants are found by."""
        return self._keyring.mac("grants.patient", str(patient))

    def close(self, session: Session, grant: Grant) -> StoredGrant:
        """The row of a grant; `session` is the write it will be part of."""
        key = self._datakeys.for_patient(str(grant.patient), session=session)
        plain = json.dumps({"fhir_user": grant.fhir_user, "terms": _plain(grant.terms)}).encode()
        return StoredGrant(
            id=grant.id,
            provider=grant.provider,
            client_id=grant.client_id,
            patient_ref=self.patient_ref(grant.patient),
            sealed_patient=self._keyring.seal(grant.patient.patient_id.encode(), _patient_aad(grant.id)),
            person_id=grant.person_id,
            granted_by=grant.granted_by.value,
            version=grant.version,
            state=grant.state.value,
            sealed=envelope.seal(key, plain, _aad(grant.id, grant.version)),
            credential_id=grant.credential_id,
            session_id=grant.session_id,
            expires_at=grant.terms.expires_at,
            approved_at=grant.approved_at,
            changed_at=grant.changed_at,
            last_used_at=grant.last_used_at,
        )

    def open_(self, reader: Reader, row: StoredGrant) -> Grant:
        """The grant of a row. Raises IntegrityError when the row was changed or its patient's key destroyed."""
        patient_id = self._keyring.open_(row.sealed_patient, _patient_aad(row.id)).decode()
        patient = PatientKey(row.provider, patient_id)
        plain = self._unseal(reader, patient, row.sealed, _aad(row.id, row.version))
        return Grant(
            id=row.id,
            provider=row.provider,
            client_id=row.client_id,
            patient=patient,
            person_id=row.person_id,
            granted_by=PrincipalKind(row.granted_by),
            version=row.version,
            state=GrantState(row.state),
            terms=_terms(plain["terms"]),
            credential_id=row.credential_id,
            fhir_user=plain["fhir_user"],
            session_id=row.session_id,
            approved_at=row.approved_at,
            changed_at=row.changed_at,
            last_used_at=row.last_used_at,
        )

    def event(self, session: Session, patient: PatientKey, row: StoredEvent) -> GrantEvent:
        """A line of the history of one of `patient`'s grants. Raises IntegrityError as `open_` does."""
        terms = None
        if row.sealed is not None:
            terms = _terms(self._unseal(session, patient, row.sealed, _aad(row.grant_id, row.version))["terms"])
        return GrantEvent(row.grant_id, row.at, row.kind, row.by, row.version, terms)

    def _unseal(self, reader: Reader, patient: PatientKey, sealed: bytes, aad: bytes) -> dict[str, Any]:
        key = self._datakeys.for_patient(str(patient), session=reader if isinstance(reader, Session) else None)
        plain: dict[str, Any] = json.loads(envelope.open_(key, sealed, aad))
        return plain


def _plain(terms: Terms) -> dict[str, Any]:
    return {
        "scopes": [
            [scope.level, scope.type, scope.letters, [[one.name, *one.values] for one in scope.filters]]
            for scope in sorted(terms.scopes.resources)
        ],
        "words": sorted(terms.scopes.words),
        "v1": terms.scopes.v1,
        "chosen": None if terms.chosen is None else sorted(terms.chosen),
        "modalities": sorted(terms.modalities),
        "body_sites": sorted(terms.body_sites),
        "started_from": terms.started_from.isoformat() if terms.started_from else None,
        "started_to": terms.started_to.isoformat() if terms.started_to else None,
        "reports": terms.reports,
        "images": terms.images,
        "future": terms.future,
        "purpose": terms.purpose,
        "expires_at": terms.expires_at.isoformat() if terms.expires_at else None,
        "sensitive": sorted(terms.sensitive),
        "masked": terms.masked,
    }


def _terms(plain: dict[str, Any]) -> Terms:
    """Every field is read by name: one that is missing is a fault, never a wide default."""
    resources = frozenset(
        ResourceScope(Level(level), type_, letters, tuple(Filter(name, tuple(rest)) for name, *rest in filters))
        for level, type_, letters, filters in plain["scopes"]
    )
    return Terms(
        scopes=Scopes(resources, frozenset(plain["words"]), plain["v1"]),
        chosen=None if plain["chosen"] is None else frozenset(plain["chosen"]),
        modalities=frozenset(plain["modalities"]),
        body_sites=frozenset(plain["body_sites"]),
        started_from=_day(plain["started_from"]),
        started_to=_day(plain["started_to"]),
        reports=plain["reports"],
        images=plain["images"],
        future=plain["future"],
        purpose=plain["purpose"],
        expires_at=datetime.fromisoformat(plain["expires_at"]) if plain["expires_at"] else None,
        sensitive=frozenset(plain["sensitive"]),
        masked=plain.get("masked", False),  # rows from before it was known were never so
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _aad(grant_id: str, version: int) -> bytes:
    return f"grant\x1f{grant_id}\x1f{version}".encode()


def _patient_aad(grant_id: str) -> bytes:
    return f"grant-patient\x1f{grant_id}".encode()
