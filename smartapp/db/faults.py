"""What the drivers say, in the words of the house."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from smartapp.errors import DatabaseBusy

CONFLICT: Final = "database-conflict"
"""The code of a DatabaseBusy that a second attempt may well not meet."""
_CONFLICTS: Final = frozenset({"40001", "40P01"})
"""PostgreSQL appendix A: serialization_failure, deadlock_detected."""
FULL: Final = "database-full"
"""The code of a DatabaseBusy for want of room on the disk."""
_DISK_FULL: Final = "53100"
"""PostgreSQL appendix A: disk_full."""
UNKNOWN: Final = "database-unknown"
"""The code of one that was lost in COMMIT: nobody knows whether it took place."""


@contextmanager
def translated() -> Iterator[None]:
    """Locks, timeouts, full disks and lost connections become DatabaseBusy; faults of ours stay what they are.

    After a connection was lost in COMMIT nobody knows whether it took place: what must not happen twice needs a unique
    constraint, and the second attempt then meets it.
    """
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseBusy from error
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in _CONFLICTS:
            raise DatabaseBusy(CONFLICT) from error
        if _is_full(error):
            raise DatabaseBusy(FULL) from error
        if _is_outage(error):
            raise DatabaseBusy from error
        raise


@contextmanager
def committing() -> Iterator[None]:
    """Within `translated`: DatabaseBusy for a connection lost now says that nobody knows whether all took place."""
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseBusy(UNKNOWN) from error
        raise


def _is_full(error: DBAPIError) -> bool:
    said = getattr(error.orig, "sqlstate", None), getattr(error.orig, "sqlite_errorcode", None)
    return said[0] == _DISK_FULL or said[1] == sqlite3.SQLITE_FULL


def _is_outage(error: DBAPIError) -> bool:
    if error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    if not isinstance(error, OperationalError):
        return False
    # SQLite says OperationalError also for a table that is not there (SQLITE_ERROR): that is a fault of ours.
    return getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR
