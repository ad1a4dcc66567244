"""Engines that give up in time, lose no committed row, and let readers only read."""

import math
import os
import sqlite3
import time
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, InvalidatePoolError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from smartapp.errors import ConfigurationError
from smartapp.settings import Database

WRITES: Final = "smartapp_writes"
"""Execution option of an engine or connection whose transactions write."""
_RESTS: Final = "smartapp_rests"
_TRUSTED: Final = 5.0
"""Seconds."""
_COMMON: Final[dict[str, Any]] = {"pool_size": 10, "max_overflow": 10, "hide_parameters": True}
"""More connections than the default 8 threads: a request may hold one while it records in another. What a statement
was given names patients: it stands in no error message.
"""


def make_engine(settings: Database) -> Engine:
    """The engine for `settings.url` (sqlite or postgresql+psycopg); waits for locks at most `lock_timeout` seconds.

    Raises ConfigurationError for another database.
    """
    try:
        url = make_url(settings.url)
    except ArgumentError as error:
        raise ConfigurationError(
            "[database] url is no SQLAlchemy URL: write sqlite:///… or postgresql+psycopg://…"
        ) from error
    if url.drivername == "sqlite":
        return _sqlite(url, settings.lock_timeout)
    if url.drivername == "postgresql+psycopg":
        return _postgresql(url, settings.lock_timeout)
    raise ConfigurationError("[database] url must begin with sqlite:/// or postgresql+psycopg://")


def _sqlite(url: URL, lock_timeout: float) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ConfigurationError("[database] url must name a file: workers cannot share a database in memory")
    _make_private(Path(url.database))
    engine = create_engine(url, connect_args={"timeout": lock_timeout}, pool_timeout=lock_timeout, **_COMMON)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(path: Path) -> None:
    """SQLite would make the file with the process's umask; its journal inherits the mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise ConfigurationError(f"[database] url: {path} cannot be opened for writing ({error.strerror})") from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    """FULL: with WAL, NORMAL may lose the last committed audit rows when the power fails; costs one fsync a commit.

    The driver must not begin transactions by itself: it would begin them as readers.
    """
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    """Writers take the lock at once: one that turns writer halfway cannot wait, and fails however patient it is.

    Said to the driver itself: by way of SQLAlchemy these two statements cost more than a query.
    """
    writes = bool(connection.get_execution_options().get(WRITES))
    pooled = connection.connection
    driver = pooled.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 -- the engine was made for it
    try:
        if pooled.info.get(WRITES) is not writes:  # what a connection was told last, it still knows
            pooled.info.pop(WRITES, None)
            driver.execute(f"PRAGMA query_only={int(not writes)}").close()
            pooled.info[WRITES] = writes
        driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN").close()
    except sqlite3.OperationalError as error:
        raise OperationalError("BEGIN", None, error) from error


def _postgresql(url: URL, lock_timeout: float) -> Engine:
    milliseconds = math.ceil(lock_timeout * 1000)
    engine = create_engine(
        url,
        connect_args={
            "application_name": "smartapp",
            "connect_timeout": max(2, math.ceil(lock_timeout)),
            "options": f"-c lock_timeout={milliseconds} -c idle_in_transaction_session_timeout=60000",
            "tcp_user_timeout": 10_000,
        },
        pool_timeout=lock_timeout,
        **_COMMON,
    )
    event.listen(engine, "checkin", _rest)
    event.listen(engine, "checkout", partial(_ping_rested, engine.dialect))
    return engine


def _rest(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info[_RESTS] = time.monotonic()


def _ping_rested(dialect: Dialect, connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Asks a connection that nobody used for some seconds whether its server is there; if not, all that are kept are
    renewed. `pool_pre_ping` asks each time, and a busy worker waits for that as long as for a query: what is lost
    meanwhile is DatabaseBusy for the one who comes first.
    """
    rests = record.info.get(_RESTS)
    if rests is None or time.monotonic() - rests < _TRUSTED:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise InvalidatePoolError from error
