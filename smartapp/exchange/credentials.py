"""The EHR's credentials, when sessions and grants share them: given back when nobody needs one any more."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from smartapp.consent.grants.service import Grants
from smartapp.db.unit import Database
from smartapp.exchange.grants import store
from smartapp.identity.service import Identity
from smartapp.launch.keeper import TokenKeeper


class Credentials:
    """Knows who holds a credential. One per process; safe to share by threads."""

    def __init__(self, database: Database, keeper: TokenKeeper, identity: Identity, grants: Grants) -> None:
        self._database = database
        self._keeper = keeper
        self._identity = identity
        self._grants = grants

    def release(self, credential_ids: Iterable[str]) -> None:
        """Somebody let go of these: those that nobody else holds are given back to the EHR.

        Nobody can take hold of one again once its last holder is gone: a grant takes over the credential of a session
        that is live and stays so (`Identity.held_context`), or of a grant that lives.
        """
        for credential_id in filter(None, dict.fromkeys(credential_ids)):
            with self._database.read() as session:
                held = self._held(session, credential_id)
            if not held:
                self._keeper.end(credential_id)

    def _held(self, session: Session, credential_id: str) -> bool:
        """By a session that was not ended, a grant that is not over, or a Consent that is still to be written."""
        return (
            self._identity.uses_credential(session, credential_id)
            or self._grants.holds_credential(session, credential_id)
            or store.keeps_credential(session, credential_id)
        )
