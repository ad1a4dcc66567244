"""Breaks one table of a real database: a trigger refuses what would be written."""

from collections.abc import Iterator
from contextlib import contextmanager

from smartapp.db.unit import Database

_SQLITE = "CREATE TRIGGER broken BEFORE {what} ON {table} BEGIN SELECT RAISE(ABORT, 'broken'); END"
_FUNCTION = """CREATE OR REPLACE FUNCTION break_it() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'broken'; END $$"""
_POSTGRESQL = "CREATE TRIGGER broken BEFORE {what} ON {table} FOR EACH ROW EXECUTE FUNCTION break_it()"


@contextmanager
def broken(database: Database, table: str, what: str = "INSERT") -> Iterator[None]:
    break_table(database, table, what)
    try:
        yield
    finally:
        mend_table(database, table)


def break_table(database: Database, table: str, what: str = "INSERT") -> None:
    if database.engine.name == "sqlite":
        run(database, _SQLITE.format(what=what, table=table))
    else:
        run(database, _FUNCTION, _POSTGRESQL.format(what=what, table=table))


def mend_table(database: Database, table: str) -> None:
    run(database, "DROP TRIGGER broken" + ("" if database.engine.name == "sqlite" else f" ON {table}"))


def run(database: Database, *statements: str) -> None:
    with database.write() as session:
        for statement in statements:
            session.connection().exec_driver_sql(statement)
