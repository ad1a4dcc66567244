"""Looks: one row by its key, which every request, every picture and every piece of a download asks anew."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Dialect, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from smartapp.db.faults import translated
from smartapp.db.unit import Database

Reader = Database | Session
"""Where one looks: in a database at what is committed at that moment, in a session also at what it wrote itself."""

_Row = tuple[Any, ...]
_Given = list[Any] | dict[str, Any]
_Change = Callable[[Any], Any] | None


class Look:
    """A SELECT that finds one row or none, compiled once and said to the driver itself.

    By way of SQLAlchemy's execution the same costs seven times as much with SQLite, and three times with PostgreSQL,
    which would also have to be told where a transaction begins and ends. Being a SELECT, it writes nothing.
    """

    def __init__(self, statement: Select[Any]) -> None:
        self._statement: Final = statement
        self._written: dict[str, _Written] = {}

    def at(self, reader: Reader, **values: Any) -> _Row | None:
        """The row, in the order of the columns. Raises DatabaseBusy where `reader` is a database that does not answer;
        within a session whoever began it does.
        """
        if isinstance(reader, Database):
            written = self._for(reader.engine.dialect)
            with translated():
                return written.alone(reader, written.given(values))
        connection = reader.connection()
        written = self._for(connection.dialect)
        return written.row(connection.connection.driver_connection, written.given(values))

    def _for(self, dialect: Dialect) -> "_Written":
        if (found := self._written.get(dialect.name)) is None:
            found = self._written[dialect.name] = _Written(self._statement, dialect)
        return found


class _Written:
    """The statement as one kind of database reads it, and how its values go in and come out."""

    def __init__(self, statement: Select[Any], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._text = str(compiled)
        self._dialect = dialect
        self._faults = dialect.loaded_dbapi.Error
        self._order = compiled.positiontup if compiled.positional else None
        self._in = {name: _into(bind.type, dialect) for name, bind in compiled.binds.items()}
        self._out = [_out_of(column.type, dialect) for column in statement.selected_columns]

    def given(self, values: Mapping[str, Any]) -> _Given:
        """The values as the driver takes them."""
        found = {name: change(values[name]) if change else values[name] for name, change in self._in.items()}
        return [found[name] for name in self._order] if self._order else found

    def alone(self, database: Database, given: _Given) -> _Row | None:
        """The row, by a connection that is in no transaction, as SQLite's are by themselves."""
        pooled = database.engine.raw_connection()
        try:
            driver: Any = pooled.driver_connection
            if self._dialect.name == "sqlite":
                return self.row(driver, given)
            driver.autocommit = True
            row = self.row(driver, given)
            driver.autocommit = False
        except (DBAPIError, self._faults) as error:
            named = error if isinstance(error, DBAPIError) else self._named(error, driver)
            pooled.invalidate()
            if isinstance(named, DBAPIError) and named.connection_invalidated:
                database.engine.dispose()  # as SQLAlchemy does: where one is lost, those that rest are
            raise named from error
        else:
            return row
        finally:
            pooled.close()

    def row(self, driver: Any, given: _Given) -> _Row | None:
        """The row, by this connection of the driver's."""
        try:
            cursor = driver.execute(self._text, given)
            row = cursor.fetchone()
            cursor.close()
        except self._faults as error:
            raise self._named(error, driver) from error
        if row is None:
            return None
        return tuple(change(value) if change else value for change, value in zip(self._out, row, strict=True))

    def _named(self, error: Exception, driver: Any) -> BaseException:
        """As SQLAlchemy names it; without what the statement was given, which names patients."""
        gone = self._dialect.is_disconnect(error, driver, None)  # type: ignore[arg-type] # a driver's error, by `except`
        return DBAPIError.instance(
            self._text, None, error, self._faults, hide_parameters=True, connection_invalidated=gone
        )


def _into(kind: TypeEngine[Any], dialect: Dialect) -> _Change:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _out_of(kind: TypeEngine[Any], dialect: Dialect) -> _Change:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
