"""Looks, beside what SQLAlchemy makes of the same statement."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Column as Col
from sqlalchemy import Integer, LargeBinary, MetaData, String, Table, bindparam, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from smartapp.db.look import Look
from smartapp.db.types import UtcDateTime
from smartapp.db.unit import Database
from smartapp.errors import DatabaseBusy

THINGS = Table(
    "things",
    MetaData(),
    Col("id", Integer, primary_key=True),
    Col("name", String(20)),
    Col("at", UtcDateTime),
    Col("sealed", LargeBinary),
)
NOON = datetime(2026, 3, 1, 12, 0, 0, 250, tzinfo=UTC)
WHOLE = Look(select(*THINGS.c).where(THINGS.c.id == bindparam("id")))
NAME = Look(select(THINGS.c.name).where(THINGS.c.id == bindparam("id")))
AT_NOON = Look(select(THINGS.c.id).where(THINGS.c.at == bindparam("at"), THINGS.c.name == bindparam("name")))
ABSENT = Look(select(Table("absent", MetaData(), Col("id", Integer)).c.id))


@pytest.fixture
def things(database: Database) -> Database:
    with database.write() as session:
        THINGS.metadata.create_all(session.connection())
        session.execute(insert(THINGS).values(id=1, name="one", at=NOON, sealed=b"\x00\xff"))
    return database


def test_a_row_comes_as_sqlalchemy_gives_it(things: Database) -> None:
    with things.read() as session:
        expected = tuple(session.execute(select(*THINGS.c)).one())
        assert WHOLE.at(session, id=1) == expected
    assert WHOLE.at(things, id=1) == expected == (1, "one", NOON, b"\x00\xff")
    assert AT_NOON.at(things, name="one", at=NOON) == (1,)
    assert WHOLE.at(things, id=2) is None


def test_it_sees_what_is_committed_and_within_a_session_what_that_wrote(things: Database) -> None:
    with things.write() as session:
        session.execute(update(THINGS).values(name="changed"))
        assert NAME.at(session, id=1) == ("changed",)
        assert NAME.at(things, id=1) == ("one",)
    assert NAME.at(things, id=1) == ("changed",)


def test_a_connection_goes_back_as_it_was(things: Database) -> None:
    """One that stayed without a transaction would keep what a write that failed had done."""
    for _ in range(30):
        NAME.at(things, id=1)
    with pytest.raises(ZeroDivisionError):
        _write_and_fail(things)
    assert NAME.at(things, id=1) == ("one",)


def test_a_value_that_is_missing_takes_no_connection(things: Database) -> None:
    for _ in range(30):
        with pytest.raises(KeyError):
            NAME.at(things)
    assert NAME.at(things, id=1) == ("one",)


def test_faults_of_ours_are_not_called_busy_and_use_nothing_up(things: Database) -> None:
    for _ in range(30):
        with pytest.raises(DBAPIError):
            ABSENT.at(things)
    assert NAME.at(things, id=1) == ("one",)


@pytest.mark.threat("W20")
def test_no_message_says_what_a_look_was_given(things: Database) -> None:
    nothing = Look(select(THINGS.c.id).where(text("absent.x = :name").bindparams(bindparam("name", type_=String))))
    with pytest.raises(DBAPIError) as caught:
        nothing.at(things, name="Erika Mustermann")
    assert "Erika" not in str(caught.value)


@pytest.mark.threat("F28")
def test_without_a_connection_left_it_is_busy(things: Database) -> None:
    held = [things.engine.connect() for _ in range(20)]
    try:
        with pytest.raises(DatabaseBusy):
            NAME.at(things, id=1)
    finally:
        for connection in held:
            connection.close()
    assert NAME.at(things, id=1) == ("one",)


def _write_and_fail(things: Database) -> None:
    with things.write() as session:
        session.execute(update(THINGS).values(name="lost"))
        raise ZeroDivisionError
