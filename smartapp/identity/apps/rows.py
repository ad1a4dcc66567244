"""Registrations as rows and back."""

import dataclasses
import json
from typing import Any, Final

from smartapp.identity.apps.model import App, AppMetadata, AppState
from smartapp.identity.apps.store import StoredApp

_LISTS: Final = frozenset(
    field.name for field in dataclasses.fields(AppMetadata) if str(field.type).startswith("tuple")
)


def app(row: StoredApp) -> App:
    """The registration of a row."""
    return App(
        client_id=row.client_id,
        provider=row.provider,
        state=AppState(row.state),
        metadata=metadata(row.said),
        created_at=row.created_at,
        decided_at=row.decided_at,
        ground=row.ground,
        offered=row.offered,
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
