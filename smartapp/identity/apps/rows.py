"""Registrations as rows and back."""

import dataclasses
import json
from typing import Any, Final

from smartapp.identity.apps.model import App, AppMetadata, AppState
from smartapp.identity.apps.store import StoredApp
from smartapp.security.keyring import Keyring

_LISTS: Final = frozenset(
    field.name for field in dataclasses.fields(AppMetadata) if str(field.type).startswith("tuple")
)


class AppRows:
    """Turns registrations into what is stored, and back. The patients that a policy names are sealed."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def patients(self, client_id: str, patients: tuple[str, ...]) -> bytes | None:
        """The column of a policy's patients."""
        return self._keyring.seal(json.dumps(patients).encode(), _aad(client_id)) if patients else None

    def app(self, row: StoredApp) -> App:
        """The registration of a row. Raises IntegrityError when it was changed by somebody else."""
        patients: list[str] = []
        if row.backend_patients is not None:
            patients = json.loads(self._keyring.open_(row.backend_patients, _aad(row.client_id)))
        return App(
            client_id=row.client_id,
            provider=row.provider,
            state=AppState(row.state),
            metadata=metadata(row.said),
            created_at=row.created_at,
            decided_at=row.decided_at,
            ground=row.ground,
            offered=row.offered,
            backend_patients=tuple(patients),
            secret_ref=row.secret_ref,
            registration_ref=row.registration_ref,
            developer_id=row.developer_id,
        )


def said(metadata: AppMetadata) -> str:
    """The column of what an app says of itself."""
    return json.dumps(dataclasses.asdict(metadata))


def metadata(said: str) -> AppMetadata:
    """What an app said of itself. Fields that a later release knows are absent from older rows, and have defaults."""
    values: dict[str, Any] = json.loads(said)
    values.update({name: tuple(values[name]) for name in _LISTS & values.keys()})
    return AppMetadata(**values)


def _aad(client_id: str) -> bytes:
    return f"app\x1f{client_id}".encode()
