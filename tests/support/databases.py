"""Databases for tests: one is made per kind and session, each test gets a copy of its own."""

import importlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import smartapp
from smartapp.db import schema
from smartapp.db.engine import make_engine
from smartapp.settings import Database as DatabaseSettings
from tests.support.postgres import PostgresServer

_numbers = count(1)


def import_tables() -> None:
    """Make the models of all rooms known to Base."""
    root = Path(smartapp.__file__).parent
    for tables in root.rglob("tables.py"):
        importlib.import_module(".".join(("smartapp", *tables.relative_to(root).with_suffix("").parts)))


def build_schema(url: str) -> None:
    """Give an empty database all the tables, as an installation gets them."""
    engine = make_engine(DatabaseSettings(url))
    schema.upgrade(engine)
    engine.dispose()


@dataclass
class SqliteFiles:
    """SQLite databases in a folder."""

    folder: Path
    _template: Path | None = field(default=None, init=False)

    @contextmanager
    def empty(self) -> Iterator[str]:
        yield f"sqlite:///{self.folder / f'{next(_numbers)}.db'}"

    @contextmanager
    def ready(self) -> Iterator[str]:
        if self._template is None:
            self._template = self.folder / "template.db"
            build_schema(f"sqlite:///{self._template}")
        copy = self.folder / f"{next(_numbers)}.db"
        shutil.copy(self._template, copy)
        yield f"sqlite:///{copy}"


@dataclass
class PostgresDatabases:
    """Databases in one PostgreSQL server."""

    server: PostgresServer
    _template: str | None = field(default=None, init=False)

    @contextmanager
    def empty(self) -> Iterator[str]:
        with self._database("template1") as url:
            yield url

    @contextmanager
    def ready(self) -> Iterator[str]:
        if self._template is None:
            build_schema(self.server.create("ready"))
            self._template = "ready"
        with self._database(self._template) as url:
            yield url

    @contextmanager
    def _database(self, template: str) -> Iterator[str]:
        name = f"test_{next(_numbers)}"
        try:
            yield self.server.create(name, template)
        finally:
            self.server.drop(name)
