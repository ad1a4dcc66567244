"""One key per patient: what is stored about them is sealed with it, and destroying it erases all of that at once."""

import secrets
import threading
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from smartapp.clock import Clock, SystemClock
from smartapp.db import store
from smartapp.db.store import WrappedKey
from smartapp.db.unit import Database
from smartapp.ids import new_id
from smartapp.security.envelope import KEY_BYTES, DataKey, key_id_of
from smartapp.security.keyring import Keyring

_CACHE_AGE: Final = timedelta(seconds=60)
"""How long another worker may still use a key that was destroyed."""
_CACHE_SIZE: Final = 10_000
_BATCH: Final = 200


class DataKeys:
    """The patients' keys. `patient` is `str(PatientKey)`. One per process; safe to share by threads."""

    def __init__(self, database: Database, keyring: Keyring, clock: Clock | None = None) -> None:
        self._database = database
        self._keyring = keyring
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._cache: dict[str, tuple[datetime, DataKey]] = {}

    def for_patient(self, patient: str, *, session: Session | None = None) -> DataKey:
        """The patient's key, made on first use; all workers get the same one.

        Inside a write, pass its `session` (a second transaction would wait for the first). Raises DatabaseBusy,
        KeysUnavailable, IntegrityError.
        """
        cached = self._cached(patient)
        if cached:
            return cached
        ref = self._keyring.mac("data-key", patient)
        if session is not None:
            return self._unwrap(store.find(session, ref) or self._make(session, ref))
        with self._database.read() as reader:
            found = store.find(reader, ref)
        if found is None:
            with self._database.write() as writer:
                found = self._make(writer, ref)
        return self._remember(patient, self._unwrap(found))

    def destroy(self, patient: str) -> None:
        """Forget the patient's key, here at once and in other workers within a minute. It cannot be undone."""
        with self._database.write() as session:
            store.remove(session, self._keyring.mac("data-key", patient))
        with self._lock:
            self._cache.pop(patient, None)

    def rewrap_all(self) -> int:
        """Wrap every key with the current key-encryption key; how many were changed.

        Done in small transactions: it may be stopped at any point and run again, while others read and write.
        """
        changed = 0
        while batch := self._rewrap_some():
            changed += batch
        return changed

    def _rewrap_some(self) -> int:
        with self._database.write() as session:
            keys = store.not_wrapped_by(session, self._keyring.current, _BATCH)
            for key in keys:
                store.rewrap(session, key, self._wrap(key.patient_ref, self._unwrap(key)))
            return len(keys)

    def _make(self, session: Session, ref: str) -> WrappedKey:
        fresh = DataKey(new_id("dk"), secrets.token_bytes(KEY_BYTES))
        store.add_unless_present(session, self._wrap(ref, fresh), self._clock.now())
        found = store.find(session, ref)
        if found is None:
            raise RuntimeError("a key that was just stored is not there")
        return found

    def _wrap(self, ref: str, key: DataKey) -> WrappedKey:
        wrapped = self._keyring.wrap(key.secret, _aad(ref, key.id))
        return WrappedKey(ref, key.id, key_id_of(wrapped), wrapped)

    def _unwrap(self, key: WrappedKey) -> DataKey:
        return DataKey(key.key_id, self._keyring.unwrap(key.wrapped, _aad(key.patient_ref, key.key_id)))

    def _cached(self, patient: str) -> DataKey | None:
        with self._lock:
            until, key = self._cache.get(patient, (None, None))
            return key if until and self._clock.now() < until else None

    def _remember(self, patient: str, key: DataKey) -> DataKey:
        with self._lock:
            if len(self._cache) >= _CACHE_SIZE:
                self._cache.clear()
            self._cache[patient] = (self._clock.now() + _CACHE_AGE, key)
        return key


def _aad(ref: str, key_id: str) -> bytes:
    """Binds a wrapped key to its row: moved to another patient's row it does not open."""
    return f"{ref} {key_id}".encode()
