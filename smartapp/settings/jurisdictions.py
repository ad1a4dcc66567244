"""Release rules, read from `config/jurisdictions.toml`: what state law and the hospital's own policy hold back."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from smartapp.errors import ConfigurationError
from smartapp.settings.model import Delay, Jurisdiction, Provider
from smartapp.settings.values import build

_LONGEST: Final = 24 * 30
_BLOCK: Final = re.compile(r"[^|\s]+\|[^|\s]+")


def read_jurisdictions(document: Mapping[str, Any], path: Path) -> tuple[Jurisdiction, ...]:
    """The `[[jurisdiction]]` tables of the file at `path`. Raises ConfigurationError."""
    tables = document.get("jurisdiction", [])
    if set(document) - {"jurisdiction"} or not isinstance(tables, list):
        raise ConfigurationError(f"{path} may hold [[jurisdiction]] tables only.")
    found = tuple(_read(table, f"{path.name}, jurisdiction {at}:", path.parent) for at, table in enumerate(tables, 1))
    ids = [each.id for each in found]
    if len(set(ids)) != len(ids):
        raise ConfigurationError(f"{path} describes a jurisdiction twice: each id is one of its own.")
    return found


def check_jurisdictions(providers: Sequence[Provider], jurisdictions: Sequence[Jurisdiction]) -> None:
    """Raises ConfigurationError for a provider whose rules are not there: showing too early cannot be undone."""
    known = {each.id for each in jurisdictions}
    for provider in providers:
        if provider.jurisdiction and provider.jurisdiction not in known:
            raise ConfigurationError(
                f"provider {provider.id}: jurisdiction {provider.jurisdiction} is not described: add it to the file "
                "that [jurisdictions] names."
            )


def _read(table: Any, where: str, folder: Path) -> Jurisdiction:
    own = dict(table) if isinstance(table, Mapping) else table
    delays = own.pop("delay", []) if isinstance(own, dict) else []
    if not isinstance(delays, list):
        raise ConfigurationError(f"{where} delay must be [[jurisdiction.delay]] tables.")
    found = build(Jurisdiction, own, where, folder)
    for block in found.blocks:
        if not _BLOCK.fullmatch(block):
            raise ConfigurationError(f"{where} blocks must be of the form system|code.")
    return replace(found, delay=tuple(_delay(each, f"{where} delay {at}:") for at, each in enumerate(delays, 1)))


def _delay(table: Any, where: str) -> Delay:
    found = build(Delay, table, where, Path())
    if found.hours > _LONGEST:
        raise ConfigurationError(f"{where} hours must be at most {_LONGEST}.")
    return found
