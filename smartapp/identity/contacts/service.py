"""A person's address for alerts: kept once it was verified, changed, forgotten."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from smartapp.clock import Clock
from smartapp.db.datakeys import DataKeys
from smartapp.identity.contacts import store
from smartapp.identity.contacts.store import StoredContact
from smartapp.security import envelope

_WINDOW: Final = timedelta(hours=1)
_MOST: Final = 5


@dataclass(frozen=True)
class Contact:
    """Where alerts go, and in which of our languages."""

    address: str = field(repr=False)
    language: str


class Contacts:
    """The addresses. Each is sealed with a key of its person, made as patients' keys are and rotated with them."""

    def __init__(self, datakeys: DataKeys, clock: Clock) -> None:
        self._datakeys = datakeys
        self._clock = clock

    def of(self, session: Session, person_id: str) -> Contact | None:
        """The person's verified address, read in the caller's `session`."""
        row = store.find(session, person_id)
        if row is None:
            return None
        key = self._datakeys.for_patient(_owner(person_id), session=session)
        plain = json.loads(envelope.open_(key, row.sealed, _aad(person_id)))
        return Contact(plain["address"], row.language)

    def may_ask(self, session: Session, person_id: str) -> bool:
        """Counts a code asked for within the caller's write; False when that is the sixth within an hour."""
        now = self._clock.now()
        return store.count_asked(session, person_id, now, now - _WINDOW) <= _MOST

    def keep(self, session: Session, person_id: str, contact: Contact) -> None:
        """The address was verified: it takes the place of the one before, within the caller's write."""
        key = self._datakeys.for_patient(_owner(person_id), session=session)
        sealed = envelope.seal(key, json.dumps({"address": contact.address}).encode(), _aad(person_id))
        store.verified(session, StoredContact(person_id, sealed, contact.language, self._clock.now()))

    def forget(self, session: Session, person_id: str) -> None:
        """No alerts any more, within the caller's write."""
        store.forget(session, person_id)


def _owner(person_id: str) -> str:
    """No patient's name in `DataKeys`: those hold a slash."""
    return f"person:{person_id}"


def _aad(person_id: str) -> bytes:
    return f"contact\x1f{person_id}".encode()
