"""Seals the EHR's tokens under the patient's data key, so that erasing the patient erases them too."""

import json
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from smartapp.db.datakeys import DataKeys
from smartapp.identity.model import PatientKey
from smartapp.security import envelope
from smartapp.security.keyring import Keyring


@dataclass(frozen=True)
class Tokens:
    """The EHR's tokens in the clear; they never show in a repr."""

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)


NONE_OF_ITS_OWN = Tokens("", None)
"""What a credential holds that stands on backend services. It is sealed all the same: it dies with the patient's key.
"""


class Vault:
    """Seals and opens; the credential's id and version are bound in, so that a row cannot be swapped or put back."""

    def __init__(self, keyring: Keyring, datakeys: DataKeys) -> None:
        self._keyring = keyring
        self._datakeys = datakeys

    def seal(
        self,
        patient: PatientKey,
        credential_id: str,
        version: int,
        tokens: Tokens,
        *,
        session: Session | None = None,
    ) -> bytes:
        """The tokens, sealed for this patient, credential and version. Inside a write, pass its `session`."""
        plain = json.dumps([tokens.access, tokens.refresh]).encode()
        key = self._datakeys.for_patient(str(patient), session=session)
        return envelope.seal(key, plain, _aad(credential_id, version))

    def open_(self, patient: PatientKey, credential_id: str, version: int, sealed: bytes) -> Tokens:
        """What was sealed. Raises IntegrityError for any change, and once the patient's key is destroyed."""
        key = self._datakeys.for_patient(str(patient))
        access, refresh = json.loads(envelope.open_(key, sealed, _aad(credential_id, version)))
        return Tokens(access, refresh)

    def seal_patient(self, patient: PatientKey, credential_id: str) -> bytes:
        """Whose credential it is, for the day that only its id is at hand."""
        return self._keyring.seal(json.dumps([patient.provider, patient.patient_id]).encode(), credential_id.encode())

    def open_patient(self, credential_id: str, sealed: bytes) -> PatientKey:
        """The patient that `seal_patient` was given. Raises IntegrityError for any change."""
        provider, patient_id = json.loads(self._keyring.open_(sealed, credential_id.encode()))
        return PatientKey(provider, patient_id)

    def seal_system(self, bound: str, version: int, token: str) -> bytes:
        """A token of backend services. It is no patient's; `bound` says of whom it is, and over what."""
        return self._keyring.seal(token.encode(), _system_aad(bound, version))

    def open_system(self, bound: str, version: int, sealed: bytes) -> str:
        """The token that `seal_system` was given. Raises IntegrityError for any change, of what it is bound to too."""
        return self._keyring.open_(sealed, _system_aad(bound, version)).decode()


def _system_aad(bound: str, version: int) -> bytes:
    return f"ehr-system-token {bound} {version}".encode()


def _aad(credential_id: str, version: int) -> bytes:
    return f"ehr-credential {credential_id} {version}".encode()
