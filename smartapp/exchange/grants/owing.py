"""Consents that the EHR is owed: written down with what caused them, kept until they are written (decision B5)."""

import json
from typing import Final

from sqlalchemy.orm import Session

from smartapp.consent.grants.model import Grant
from smartapp.consent.grants.service import Grants
from smartapp.db.outbox.service import Outbox
from smartapp.exchange.grants import store
from smartapp.identity.apps.model import App
from smartapp.identity.model import PatientKey
from smartapp.settings import Settings

KIND: Final = "consent"


class Owing:
    """Notes that a grant's Consent has to be written. Each method works within its caller's write."""

    def __init__(self, settings: Settings, grants: Grants, outbox: Outbox) -> None:
        self._settings = settings
        self._grants = grants
        self._outbox = outbox

    def owe(self, session: Session, grant: Grant) -> None:
        """The grant is new, has changed or is over: its Consent follows, where the EHR takes Consents.

        The grant's credential is kept until that is done, also when the grant is over.
        """
        if self._settings.provider(grant.provider).consent != "write":
            return
        store.owe(session, grant.id, grant.provider, grant.person_id, grant.credential_id)
        self._send(session, grant.id)

    def decided(self, session: Session, app: App) -> None:
        """The operator decided over an app: the hospital hears whether what patients allowed it still stands."""
        for grant in self._grants.of_client(session, app.provider, app.client_id):
            self.owe(session, grant)

    def again(self, session: Session, grant_id: str) -> None:
        """Once more: who waited for too long in the queue is put into it anew, and never lost."""
        self._send(session, grant_id)

    def signed_in(self, session: Session, person_id: str, patient: PatientKey, credential_id: str) -> None:
        """The person signed in again for this patient: what waited for that goes on with their new credential."""
        for grant_id in store.waiting(session, person_id):
            grant = self._grants.find(session, grant_id)
            if grant is not None and grant.patient == patient and store.give(session, grant_id, credential_id):
                self._send(session, grant_id)

    def _send(self, session: Session, grant_id: str) -> None:
        self._outbox.put(session, KIND, json.dumps({"grant": grant_id}).encode())
