"""The unit of work: the only place that commits."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from smartapp.db.engine import WRITES
from smartapp.db.faults import CONFLICT, committing, translated
from smartapp.errors import DatabaseBusy

T = TypeVar("T")


class Database:
    """Hands out sessions. One per process; safe to share by threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**{WRITES: True})
        # psycopg begins such a transaction with READ ONLY in the same message; SQLite has its pragma.
        self._reader = engine.execution_options(postgresql_readonly=True) if engine.name == "postgresql" else engine
        self._thread = threading.local()

    @property
    def writing(self) -> bool:
        """Whether this thread is within a write: it can begin no other."""
        return getattr(self._thread, "writing", False)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that is committed when the block ends, and rolled back when it raises.

        Raises DatabaseBusy when the database does not answer in time; then nothing was done, unless it was lost in
        COMMIT. A write inside a write of the same thread is a RuntimeError: SQLite would wait for itself. Pass the
        session on instead.
        """
        if self.writing:
            raise RuntimeError("a write inside a write: pass the session on")
        self._thread.writing = True
        try:
            with translated(), Session(self._writer, expire_on_commit=False) as session:
                yield session
                with committing():
                    session.commit()
        finally:
            self._thread.writing = False

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the database and cannot change it. Raises DatabaseBusy as `write` does."""
        with translated(), Session(self._reader, expire_on_commit=False, autoflush=False) as session:
            yield session

    def run(self, work: Callable[[Session], T], *, attempts: int = 3) -> T:
        """`work` in a write of its own, again when the database asks for it (PostgreSQL §13.5: 40001, 40P01).

        `work` may run several times: it has no effect but through its session. Raises DatabaseBusy after `attempts`.
        """
        for remaining in range(attempts - 1, -1, -1):
            try:
                with self.write() as session:
                    return work(session)
            except DatabaseBusy as error:
                if error.code != CONFLICT or not remaining:
                    raise
        raise DatabaseBusy
