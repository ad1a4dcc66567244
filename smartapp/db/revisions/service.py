"""Tells when published content last changed. It comes from configuration and code, which know no such time."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from smartapp.clock import Clock
from smartapp.db.revisions import store
from smartapp.db.unit import Database


class Revisions:
    """Remembers digests of what is published, by name. Safe over any number of threads, workers and restarts.

    While workers with old and new configuration run side by side, each goes on saying what it learned at first.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[tuple[str, str], datetime] = {}

    def since(self, contents: Mapping[str, bytes]) -> dict[str, datetime]:
        """Since when each name has its content (UTC, whole seconds). Raises DatabaseBusy."""
        digests = {name: sha256(content).hexdigest() for name, content in contents.items()}
        if not self._known.keys() >= digests.items():
            found = self._stored(digests)
            self._known |= {(name, digest): found[name] for name, digest in digests.items()}
        return {name: self._known[name, digest] for name, digest in digests.items()}

    def _stored(self, digests: Mapping[str, str]) -> dict[str, datetime]:
        with self._database.read() as session:
            found = store.find(session, digests)
        if any(found.get(name, ("",))[0] != digest for name, digest in digests.items()):
            found = self._database.run(lambda session: self._noted(session, digests))
        return {name: at for name, (_, at) in found.items()}

    def _noted(self, session: Session, digests: Mapping[str, str]) -> dict[str, tuple[str, datetime]]:
        store.note(session, digests, self._clock.now().replace(microsecond=0))
        return store.find(session, digests)
