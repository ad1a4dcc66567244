"""SQLite without waiting for the disk, in the tests' own process: what a test wrote need not outlive the machine.

As PostgreSQL's in `postgres.py`. The processes that tests start and kill wait for it as they do in life.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import Pool


def hurry() -> None:
    """From now on, for every engine. By connection and not once: the product sets its own value when it connects."""
    event.listen(Pool, "checkout", _hurried)


def wait() -> None:
    """As it is in life again."""
    event.remove(Pool, "checkout", _hurried)


def _hurried(connection: Any, record: Any, _proxy: Any) -> None:
    if isinstance(connection, sqlite3.Connection) and not record.info.get(_hurried):
        connection.execute("PRAGMA synchronous=OFF").close()
        record.info[_hurried] = True
