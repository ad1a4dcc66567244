"""What an item says of people, sealed: under the patient's data key, so that erasing the patient erases it too."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from smartapp.db.datakeys import DataKeys
from smartapp.exchange.worklist.model import How, Item, OpenedItem, Standing, State, Word
from smartapp.exchange.worklist.store import StoredItem
from smartapp.identity.model import PatientKey
from smartapp.records.unmatched import Unmatched
from smartapp.security import envelope
from smartapp.security.envelope import IntegrityError
from smartapp.security.keyring import Keyring


class ItemSeal:
    """Hashes by which items are found, and what they say, sealed and opened. An item's id is bound in."""

    def __init__(self, keyring: Keyring, datakeys: DataKeys) -> None:
        self._keyring = keyring
        self._datakeys = datakeys

    def ref(self, kind: str, patient: PatientKey, study: str) -> str:
        """The hash that is one for each kind, patient and study."""
        return self._keyring.mac("work-item", f"{kind}\x1f{patient}\x1f{study}")

    def patient_ref(self, patient: PatientKey) -> str:
        """The hash that a patient's items are found by."""
        return self._keyring.mac("work-item.patient", str(patient))

    def facts_ref(self, patient: PatientKey, facts: Unmatched) -> str:
        """The hash of what disagrees: whose each source says the study is, and nothing besides."""
        said = [sorted(facts.ours), sorted(facts.subjects), facts.patient_id, facts.issuer]
        return self._keyring.mac("work-item.facts", f"{patient}\x1f{json.dumps(said)}")

    def patient(self, item_id: str, patient: PatientKey) -> bytes:
        """Whose an item is."""
        return self._keyring.seal(patient.patient_id.encode(), _aad("patient", item_id))

    def facts(self, session: Session, item_id: str, patient: PatientKey, facts: Unmatched) -> bytes:
        """What disagrees; `session` is the write that it will be part of."""
        plain = asdict(facts) | {"started": facts.started.isoformat() if facts.started else None}
        return self._seal(session, "facts", item_id, patient, plain)

    def word(self, session: Session, item_id: str, patient: PatientKey, word: Word) -> bytes:
        """What was said of an item; it may well name the patient."""
        return self._seal(session, "word", item_id, patient, asdict(word))

    def open_patient(self, row: StoredItem) -> PatientKey:
        """Whose an item is. Raises IntegrityError when the row was changed."""
        patient_id = self._keyring.open_(row.sealed_patient, _aad("patient", row.id)).decode()
        return PatientKey(row.provider, patient_id)

    def open_(self, session: Session, row: StoredItem) -> OpenedItem:
        """The item of a row, without what was sealed with a key that was destroyed since.

        Raises IntegrityError when the row was changed.
        """
        patient = self.open_patient(row)
        facts = self._unseal(session, "facts", row.id, patient, row.sealed)
        word = self._unseal(session, "word", row.id, patient, row.word)
        return OpenedItem(opened(row), patient, _facts(facts) if facts else None, Word(**word) if word else None)

    def _seal(self, session: Session, what: str, item_id: str, patient: PatientKey, plain: dict[str, Any]) -> bytes:
        key = self._datakeys.for_patient(str(patient), session=session)
        return envelope.seal(key, json.dumps(plain, separators=(",", ":")).encode(), _aad(what, item_id))

    def _unseal(
        self, session: Session, what: str, item_id: str, patient: PatientKey, sealed: bytes | None
    ) -> dict[str, Any] | None:
        if sealed is None:
            return None
        key = self._datakeys.for_patient(str(patient), session=session)
        try:
            plain: dict[str, Any] = json.loads(envelope.open_(key, sealed, _aad(what, item_id)))
        except IntegrityError:
            if envelope.key_id_of(sealed) == key.id:
                raise
            return None
        return plain


def opened(row: StoredItem) -> Item:
    """What a row says in the clear."""
    standing = Standing(
        state=State(row.state),
        facts_ref=row.facts_ref,
        last_seen=row.last_seen,
        times_seen=row.times_seen,
        how=How(row.how) if row.how else None,
        settled_at=row.settled_at,
    )
    return Item(row.id, row.provider, row.kind, standing, row.first_seen)


def _facts(fields: dict[str, Any]) -> Unmatched:
    lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
    started = datetime.fromisoformat(fields["started"]) if fields["started"] else None
    return Unmatched(**{**fields, **lists, "started": started})


def _aad(what: str, item_id: str) -> bytes:
    return f"work-item\x1f{what}\x1f{item_id}".encode()
