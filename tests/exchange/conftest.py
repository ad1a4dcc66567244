"""The whole application before two hospitals that take Consents, an app that asks, and people who answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from smartapp.settings import Mail
from tests.exchange.desk import Office
from tests.support.databases import PostgresDatabases, SqliteFiles
from tests.threats.composed import composed
from tests.threats.hospital import Hospital


def taking_consents(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = Hospital.provider

    def changed(self: Hospital, **facts: Any) -> Any:
        return replace(provider(self, **facts), consent="write")

    monkeypatch.setattr(Hospital, "provider", changed)


MAIL = Mail("127.0.0.1", 9, "none", "alerts@images.example.org")


@pytest.fixture
def office(
    sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Office]:
    """On SQLite."""
    taking_consents(monkeypatch)
    with composed(sqlite_files, tmp_path_factory.mktemp("exchange"), mail=MAIL) as running:
        yield Office(running)


@pytest.fixture
def any_office(
    databases: SqliteFiles | PostgresDatabases,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Office]:
    """On either database."""
    taking_consents(monkeypatch)
    with composed(databases, tmp_path_factory.mktemp("exchange"), mail=MAIL) as running:
        yield Office(running)
