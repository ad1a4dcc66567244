"""How the trail names people and things without naming them: keyed hashes, and details sealed per patient."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from smartapp.audit.model import Patient
from smartapp.db.datakeys import DataKeys
from smartapp.security import envelope
from smartapp.security.keyring import Keyring

_LENGTH: Final = 32
"""128 bits in hex: enough to tell apart all the people of a country, short enough for millions of rows."""


class References:
    """Makes references, and seals and opens details."""

    def __init__(self, keyring: Keyring, datakeys: DataKeys) -> None:
        self._keyring = keyring
        self._datakeys = datakeys

    def of(self, what: str, name: str) -> str:
        """The reference of a `what` (`patient`, `person`, `session`, `study`); empty when `name` is."""
        return self._keyring.mac(f"audit.{what}", name)[:_LENGTH] if name else ""

    def of_patient(self, patient: Patient | None) -> str:
        """The reference of a patient; empty when there is none."""
        return self.of("patient", str(patient) if patient else "")

    def seal(
        self, detail: Mapping[str, str], aad: bytes, patient: Patient | None, session: Session | None = None
    ) -> bytes:
        """`detail`, unreadable once the patient's data key is destroyed."""
        plain = json.dumps(dict(detail), separators=(",", ":"), sort_keys=True).encode()
        if patient is None:
            return self._keyring.seal(plain, aad)
        return envelope.seal(self._datakeys.for_patient(str(patient), session=session), plain, aad)

    def open_(self, blob: bytes, aad: bytes, patient: Patient | None) -> dict[str, str]:
        """What `seal` was given. Raises IntegrityError for another row's detail, patient or key."""
        if patient is None:
            plain = self._keyring.open_(blob, aad)
        else:
            plain = envelope.open_(self._datakeys.for_patient(str(patient)), blob, aad)
        opened: dict[str, str] = json.loads(plain)
        return opened


def row_aad(kind: str, at: datetime, patient_ref: str, disclosure_id: str, request_id: str) -> bytes:
    """Binds a detail to its row: copied to another it does not open."""
    return f"audit\x1f{kind}\x1f{at.isoformat()}\x1f{patient_ref}\x1f{disclosure_id}\x1f{request_id}".encode()
