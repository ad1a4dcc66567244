"""How far the trail had come, kept in a file outside the database: a database that lacks it is an earlier one.

Whatever ends a right (a grant, a session, an app) is written to the trail in the same transaction, so the trail's head
is the epoch of all revocations. Rows get their number in the order of commits (`store.append`).
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from smartapp.audit import store
from smartapp.db.unit import Database
from smartapp.errors import ConfigurationError
from smartapp.security.keyring import Keyring

_PRIVATE = 0o600


@dataclass(frozen=True)
class Mark:
    """A row of the trail: its `seq`, and the keyed hash of what it holds. Zero and empty before the first row."""

    seq: int
    row: str


class Checkpoint:
    """The file at `path`. Its folder may be shared by any number of processes, and by machines.

    Methods raise DatabaseBusy, and ConfigurationError with a sentence when the file cannot be used.
    """

    def __init__(self, path: Path, database: Database, keyring: Keyring) -> None:
        self._path = path
        self._database = database
        self._keyring = keyring

    @contextmanager
    def held(self) -> Iterator[None]:
        """One process at a time, until the block ends."""
        try:
            handle = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, _PRIVATE)
        except OSError as error:
            raise self._unusable(error.strerror) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def read(self) -> Mark | None:
        """What the file says; None while there is no file."""
        try:
            said = json.loads(self._path.read_text("ascii"))
            return Mark(int(said["seq"]), str(said["row"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            raise self._unusable("it is no checkpoint") from None

    def head(self) -> Mark:
        """How far the trail has come in the database."""
        with self._database.read() as session:
            found = store.head(session)
        return self._mark(*found) if found else Mark(0, "")

    def lacks(self, mark: Mark) -> bool:
        """Whether the database does not hold this row: it is an earlier one, or its history is another."""
        if not mark.seq:
            return False
        with self._database.read() as session:
            found = store.row_at(session, mark.seq)
        return found is None or self._mark(mark.seq, *found) != mark

    def write(self, mark: Mark) -> None:
        """It is on the disk when this returns, whole or not at all."""
        fresh = self._path.with_suffix(".new")
        try:
            handle = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, _PRIVATE)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                json.dump({"seq": mark.seq, "row": mark.row}, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise self._unusable(error.strerror) from None

    def _mark(self, seq: int, kind: str, detail: bytes) -> Mark:
        """`detail` is sealed anew for each row, so that no two rows ever agree in it."""
        return Mark(seq, self._keyring.mac("audit.checkpoint", f"{seq}\x1f{kind}\x1f".encode() + detail))

    def _unusable(self, why: str | None) -> ConfigurationError:
        return ConfigurationError(f"[storage] checkpoint {self._path} cannot be used ({why}): see docs/operators.md.")
