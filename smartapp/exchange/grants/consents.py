"""Writes what patients allowed into the EHR, as FHIR Consent (promise B5): asked for by `Owing`, done by a job."""

import logging

from smartapp.access.service import Access
from smartapp.consent.fhir_consent import Stated, consent_of
from smartapp.errors import UpstreamRefused
from smartapp.exchange.grants import store
from smartapp.exchange.grants.desk import Ledger
from smartapp.exchange.grants.parties import parties_of
from smartapp.exchange.grants.store import Owed
from smartapp.fhir.upstream.consents import ConsentWriter

_log = logging.getLogger(__name__)


class Consents:
    """The use-case. What is written is the grant as it is now, however late and however often it is asked for."""

    def __init__(self, ledger: Ledger, access: Access, writer: ConsentWriter) -> None:
        self._ledger = ledger
        self._access = access
        self._writer = writer

    def write(self, grant_id: str) -> None:
        """Brings the EHR's Consent of this grant up to date; its credential is let go when nobody else holds it.

        Where the EHR takes the credential no longer, it waits until the person signs in again. Raises Upstream errors
        when the EHR gives no word: try again then.
        """
        ledger = self._ledger
        with ledger.database.read() as session:
            owed = store.owed(session, grant_id)
        if owed is None or owed.done >= owed.asked or not owed.credential_id:
            return
        try:
            self._write(owed)
        except UpstreamRefused as error:
            _log.warning("a consent waits for its person's next sign-in: %s refuses it (%s)", owed.provider, error.code)
            ledger.database.run(lambda session: store.let_go(session, owed))
        else:
            ledger.database.run(lambda session: store.written(session, owed))
        ledger.credentials.release([owed.credential_id])

    def again(self, grant_id: str) -> None:
        """It waited for too long in the queue: it begins anew. A Consent is never lost."""
        self._ledger.database.run(lambda session: self._ledger.owing.again(session, grant_id))

    def _write(self, owed: Owed) -> None:
        ledger = self._ledger
        with ledger.database.read() as session:
            grant = ledger.grants.find(session, owed.grant_id)
        if grant is None:
            return
        app = ledger.apps.named(grant.provider, grant.client_id)
        parties = parties_of(ledger.settings.provider(grant.provider), app, ledger.issuer(grant.provider))
        consent = consent_of(grant, Stated(ledger.state_of(grant, app), parties, ledger.clock.now()))
        permit = self._access.consent(grant.patient, owed.credential_id, grant.id)
        self._writer.write(permit, consent)
