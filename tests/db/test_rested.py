"""Connections that the server ended while nobody used them, as it does when it is restarted."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import Integer, bindparam, select, text

from smartapp.db import engine as engines
from smartapp.db.engine import make_engine
from smartapp.db.look import Look
from smartapp.db.unit import Database
from smartapp.errors import DatabaseBusy
from smartapp.settings import Database as Settings
from tests.support.databases import PostgresDatabases

pytestmark = pytest.mark.threat("F14")


def _ask(database: Database) -> int:
    with database.read() as session:
        return int(session.execute(text("SELECT pg_backend_pid()")).scalar_one())


def _end_all(url: str) -> None:
    plain = url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as other:
        mine = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'smartapp'"
        other.execute(mine + " AND datname = current_database()")


def test_what_rested_is_asked_first_and_renewed(
    postgres_databases: PostgresDatabases, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres_databases.ready() as url:
        database = Database(make_engine(Settings(url)))
        before = _ask(database)
        _end_all(url)
        monkeypatch.setattr(engines, "_TRUSTED", 0.0)
        assert _ask(database) != before
        database.engine.dispose()


def test_what_was_just_used_is_trusted_and_one_loses_by_it(postgres_databases: PostgresDatabases) -> None:
    with postgres_databases.ready() as url:
        database = Database(make_engine(Settings(url)))
        before = _ask(database)
        assert _ask(database) == before
        _end_all(url)
        with pytest.raises(DatabaseBusy):
            _ask(database)
        assert _ask(database) != before
        database.engine.dispose()


def test_a_look_that_meets_a_lost_connection_loses_once_and_renews_all(postgres_databases: PostgresDatabases) -> None:
    look = Look(select(bindparam("given", type_=Integer)))
    with postgres_databases.ready() as url:
        database = Database(make_engine(Settings(url)))
        held = [database.engine.connect() for _ in range(3)]
        for connection in held:
            connection.close()
        assert look.at(database, given=7) == (7,)
        _end_all(url)
        with pytest.raises(DatabaseBusy):
            look.at(database, given=7)
        assert [look.at(database, given=7) for _ in range(4)] == [(7,)] * 4
        database.engine.dispose()
