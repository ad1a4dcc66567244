"""Tells whether the database is an earlier one than was served from, and then ends all that it may hold open."""

import logging
from typing import Final

from sqlalchemy.orm import Session

from smartapp.audit.checkpoint import Checkpoint, Mark
from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.db.unit import Database
from smartapp.exchange.developers.service import Developers
from smartapp.identity.service import Identity
from smartapp.tokens.apps.service import AppTokens
from smartapp.tokens.single_use import SingleUse

_SAID: Final = (
    "the database is an earlier one than was served from (its audit trail ends before row %s): all sign-ins and all "
    "tokens of apps were ended. Suspensions of apps, and permissions that patients took back meanwhile, are lost: see "
    "Backups in docs/operators.md"
)
_log = logging.getLogger(__name__)


class Restored:
    """The use-case. Any number of processes may ask; one of those that share the file does what is to be done.

    What a database of before wrongly holds open cannot be told from the rest: so everybody signs in again, and every
    app asks its patient again.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        database: Database,
        identity: Identity,
        tokens: AppTokens,
        single_use: SingleUse,
        developers: Developers,
        audit: AuditTrail,
    ) -> None:
        self._checkpoint = checkpoint
        self._database = database
        self._identity = identity
        self._tokens = tokens
        self._single_use = single_use
        self._developers = developers
        self._audit = audit
        self._seen: Mark | None = None

    def check(self) -> tuple[str, ...]:
        """Moves the file on to where the trail is; or ends everything, if the trail lacks what the file says.

        Gives the ids of the EHR credentials of the sessions that were ended. Raises DatabaseBusy, AuditUnavailable,
        ConfigurationError: then it is to be asked again.
        """
        head = self._checkpoint.head()
        if head == self._seen:
            return ()
        with self._checkpoint.held():
            credentials: tuple[str, ...] = ()
            mark = self._checkpoint.read()
            if mark is not None and self._checkpoint.lacks(mark):
                credentials = self._end_all(mark, head)
                head, mark = self._checkpoint.head(), None
            if mark is None or mark.seq < head.seq:
                self._checkpoint.write(head)
        self._seen = head
        return credentials

    def _end_all(self, mark: Mark, head: Mark) -> tuple[str, ...]:
        """Written down first; stopped anywhere, it is done again from the beginning."""
        _log.critical(_SAID, mark.seq)
        detail = {"expected": str(mark.seq), "found": str(head.seq)}
        self._audit.record(Event("restore.epoch", "high", detail=detail))
        self._database.run(self._end_tokens)
        return self._identity.end_everybody("session.restored")

    def _end_tokens(self, session: Session) -> None:
        self._tokens.end_all(session, "restored")
        self._single_use.forget_all(session)
        self._developers.end_all(session)
