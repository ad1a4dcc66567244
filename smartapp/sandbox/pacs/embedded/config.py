"""What the embedded PACS is told at its start: one JSON file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class ConfigError(ValueError):
    """The configuration file cannot be used; the message says why."""


@dataclass(frozen=True)
class Introspection:
    """Where the EHR says what a bearer token is worth (RFC 7662), and as whom we ask."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class ArchiveConfig:
    """One hospital's archive. `patients`: the PatientIDs of each sample person, for tokens bound to persons."""

    folder: Path
    user: str
    password: str = field(repr=False)
    introspection: Introspection | None
    patients: Mapping[str, tuple[str, ...]]


def load_config(path: Path) -> dict[str, ArchiveConfig]:
    """The archives by hospital id; ConfigError if the file is no JSON or has another shape."""
    try:
        raw = json.loads(path.read_text())
        return {id_: _archive(entry) for id_, entry in raw["hospitals"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path}: {error!r}") from error


def _archive(raw: Mapping[str, Any]) -> ArchiveConfig:
    asked = raw.get("introspection")
    return ArchiveConfig(
        folder=Path(raw["folder"]),
        user=raw["user"],
        password=raw["password"],
        introspection=Introspection(**asked) if asked else None,
        patients={id_: tuple(mrns) for id_, mrns in raw.get("patients", {}).items()},
    )
