"""Keeps the EHR's tokens: hands out live ones, refreshes them once for everybody, and gives them back at the end."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from hmac import compare_digest
from typing import Any

from sqlalchemy.orm import Session

from smartapp.audit.model import Event
from smartapp.audit.service import AuditTrail
from smartapp.clock import Clock
from smartapp.consent.model import AnyPermit, Permit, SignInPermit
from smartapp.db.unit import Database
from smartapp.errors import DatabaseBusy, SmartappError, UpstreamDown, UpstreamError, UpstreamRefused
from smartapp.identity.model import PatientKey, PrincipalKind
from smartapp.ids import new_id
from smartapp.launch import store
from smartapp.launch.ehrs import Ehrs
from smartapp.launch.model import TokenAnswer
from smartapp.launch.pace import LEASE, YOUNG, is_due, looked, pause
from smartapp.launch.refresh import Dead, ask_next
from smartapp.launch.refusals import severity
from smartapp.launch.scopes import OFFLINE
from smartapp.launch.store import Kept
from smartapp.launch.system import SystemTokens
from smartapp.launch.token_request import revoke
from smartapp.launch.vault import NONE_OF_ITS_OWN, Tokens, Vault
from smartapp.tokens.model import SYSTEM, confined, on_system

SAVES = 3
_APP = PrincipalKind.APP


def patient_of(permit: AnyPermit) -> PatientKey:
    """Whose record the permit is for."""
    if isinstance(permit, SignInPermit):
        return PatientKey(permit.provider, permit.patient_id)
    return permit.patient


class TokenKeeper:
    """The `tokens.model.TokenSource` of the house. Safe to share by threads and workers.

    `sleep` is called between two looks at what another worker is fetching.
    """

    def __init__(
        self,
        ehrs: Ehrs,
        database: Database,
        vault: Vault,
        audit: AuditTrail,
        clock: Clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ehrs = ehrs
        self._database = database
        self._vault = vault
        self._audit = audit
        self._clock = clock
        self._sleep = sleep
        self._system = SystemTokens(ehrs, database, vault, audit, clock, sleep)

    def keep(self, patient: PatientKey, answer: TokenAnswer) -> str:
        """Stores the tokens of a launch; the new credential's id."""
        tokens = Tokens(answer.access_token, answer.refresh_token)
        kept = replace(self._fresh(patient, new_id("ehr"), tokens), scope=" ".join(answer.scopes))
        kept = replace(kept, expires_at=kept.created_at + timedelta(seconds=answer.expires_in))
        with self._database.write() as session:
            store.add(session, kept)
        return kept.id

    def _fresh(self, patient: PatientKey, credential_id: str, tokens: Tokens, session: Session | None = None) -> Kept:
        """A new credential, that is over at once and for nothing."""
        now = self._clock.now()
        return Kept(
            id=credential_id,
            provider=patient.provider,
            sealed_patient=self._vault.seal_patient(patient, credential_id),
            sealed=self._vault.seal(patient, credential_id, 1, tokens, session=session),
            scope="",
            expires_at=now,
            created_at=now,
            refreshed_at=None,
            not_before=None,
            version=1,
        )

    def offers_system(self, provider_id: str) -> bool:
        """Whether a grant at this hospital can stand on backend services."""
        return self._system.configured(provider_id)

    def stand(self, session: Session, patient: PatientKey) -> str:
        """A credential for one grant that stands on backend services, for this patient alone; its id. Within the
        caller's write.

        It holds no token, and nothing is asked of the EHR until it is used. ValueError where we are no backend service.
        """
        if not self._system.configured(patient.provider):
            raise ValueError("we are no backend service of this hospital")
        kept = self._fresh(patient, new_id(SYSTEM), NONE_OF_ITS_OWN, session)
        store.add(session, kept)
        self._audit.record(Event("smart.system.stand", patient=patient), session=session)
        return kept.id

    def lasting(self, credential_id: str, patient: PatientKey) -> bool:
        """Whether the credential outlives the session it came with: the EHR gave `offline_access`, and a refresh token
        (SMART App Launch 2.2, scopes for requesting a refresh token). False for one that is dead or another's.
        """
        try:
            kept = self._find(credential_id, patient)
        except UpstreamRefused:
            return False
        return OFFLINE in kept.scope.split() and self._open(kept, patient).refresh is not None

    def bearer(self, permit: AnyPermit) -> str:
        """A live access token for the permit's patient; for a grant on backend services the hospital's own for us.

        Raises UpstreamRefused when there is none any more, UpstreamDown or UpstreamSlow when the EHR gives no word.
        """
        patient = patient_of(permit)
        if not confined(permit):
            return self._standing(permit, patient)
        return looked(lambda: self._live(permit, patient), self._sleep)

    def rejected(self, permit: AnyPermit, token: str) -> None:
        """The EHR answered 401 to `token`: the next call asks for another. Where there can be no other, or the EHR
        refuses what it gave a minute ago, the credential is dead: asking on would be a storm.
        """
        patient = patient_of(permit)
        kept = self._find(permit.credential_id, patient)
        if not confined(permit):
            self._system.rejected(patient.provider, token)
            return
        tokens = self._open(kept, patient)
        if not compare_digest(tokens.access, token):
            return
        now = self._clock.now()
        if tokens.refresh is None or (kept.refreshed_at is not None and now - kept.refreshed_at < YOUNG):
            self._bury(kept, patient, "smart.revoked_upstream")
            return
        with self._database.write() as session:
            store.expire(session, kept)

    def end(self, credential_id: str) -> None:
        """Forgets the credential, then gives its tokens back to the EHR if that can be done (RFC 7009)."""
        with self._database.write() as session:
            kept = store.remove(session, credential_id)
        if kept is None or kept.sealed is None or on_system(kept.id):
            return
        patient = self._vault.open_patient(kept.id, kept.sealed_patient)
        try:
            tokens = self._vault.open_(patient, kept.id, kept.version, kept.sealed)
        except SmartappError:
            return
        self.give_back(kept.provider, tokens.access, tokens.refresh)

    def give_back(self, provider_id: str, access: str, refresh: str | None) -> None:
        """Asks the EHR to revoke the tokens; best effort, since we hold them no longer whatever it says."""
        try:
            ehr = self._ehrs.of(provider_id)
            metadata = self._ehrs.metadata(ehr, ehr.provider.iss)
            if refresh is not None:
                revoke(ehr.door, ehr.identity, metadata, refresh, "refresh_token")
            revoke(ehr.door, ehr.identity, metadata, access, "access_token")
        except (SmartappError, KeyError):
            return

    def _find(self, credential_id: str, patient: PatientKey) -> Kept:
        with self._database.read() as session:
            kept = store.find(session, credential_id)
        if kept is None or kept.sealed is None:
            raise UpstreamRefused
        if self._vault.open_patient(kept.id, kept.sealed_patient) != patient:
            raise UpstreamRefused("ehr-credential-of-another")
        return kept

    def _open(self, kept: Kept, patient: PatientKey) -> Tokens:
        return self._vault.open_(patient, kept.id, kept.version, kept.sealed or b"")

    def _live(self, permit: AnyPermit, patient: PatientKey) -> str | None:
        """The access token that is kept, or the one after it; None: another worker is asking, look again."""
        kept = self._find(permit.credential_id, patient)
        tokens = self._open(kept, patient)
        if not is_due(kept.refreshed_at or kept.created_at, kept.expires_at, self._clock.now()):
            return tokens.access
        return self._refreshed(kept, patient, tokens)

    def _standing(self, permit: AnyPermit, patient: PatientKey) -> str:
        """The hospital's token for us, handed out for what a grant allows and for nothing else.

        That a patient's data went with it is written down once for each token, before it goes.
        """
        if isinstance(permit, SignInPermit) or (isinstance(permit, Permit) and permit.principal.kind is not _APP):
            raise UpstreamRefused("ehr-credential-of-another")
        kept = self._find(permit.credential_id, patient)
        self._open(kept, patient)  # raises once the patient's key is destroyed
        live = self._system.current(patient.provider)
        if kept.refreshed_at is None or kept.refreshed_at < live.fetched_at:
            with self._database.write() as session:
                if store.used(session, kept, live.fetched_at):
                    self._audit.record(Event("smart.system.use", patient=patient), session=session)
        return live.token

    def _refreshed(self, kept: Kept, patient: PatientKey, tokens: Tokens) -> str | None:
        """The next access token, or the present one while it lives; None: another worker is asking, look again."""
        now = self._clock.now()
        alive = tokens.access if now < kept.expires_at else None
        if tokens.refresh is None:
            return alive or self._expired(kept, patient)
        if kept.not_before is not None and now < kept.not_before:
            if alive is None:
                raise UpstreamDown("ehr-token", retry_after=int((kept.not_before - now).total_seconds()) + 1)
            return alive
        owner = new_id("lease")
        with self._database.write() as session:
            mine = store.lease(session, kept, owner=owner, now=now, until=now + LEASE)
        if not mine:
            return alive
        try:
            return self._ask(kept, patient, tokens.refresh)
        except UpstreamRefused:
            raise
        except UpstreamError as error:
            self._hold_off(kept, owner, error.retry_after)
            if alive is None:
                raise
            return alive

    def _ask(self, kept: Kept, patient: PatientKey, refresh_token: str) -> str:
        scopes = tuple(kept.scope.split())
        ehr = self._ehrs.of(kept.provider)
        answer = ask_next(self._ehrs, ehr, refresh_token=refresh_token, scopes=scopes, patient=patient)
        if isinstance(answer, Dead):
            self._bury(kept, patient, answer.kind)
            raise UpstreamRefused
        now = self._clock.now()
        tokens = Tokens(answer.access_token, answer.refresh_token or refresh_token)
        values = {
            "sealed": self._vault.seal(patient, kept.id, kept.version + 1, tokens),
            "scope": " ".join(answer.scopes),
            "expires_at": now + timedelta(seconds=answer.expires_in),
            "refreshed_at": now,
        }
        if not self._saved(kept, values):
            self.give_back(kept.provider, tokens.access, tokens.refresh)
            raise UpstreamRefused
        self._audit.record(Event(kind="smart.refresh", patient=patient))
        return tokens.access

    def _saved(self, kept: Kept, values: Mapping[str, Any]) -> bool:
        """Stores the next version, stubbornly: what the EHR has rotated cannot be asked for again. False when the
        credential was ended meanwhile. A COMMIT whose outcome was lost is looked up, not guessed.
        """
        for _ in range(SAVES):
            try:
                with self._database.write() as session:
                    if store.replace(session, kept, values):
                        return True
                with self._database.read() as session:
                    now = store.find(session, kept.id)
                return now is not None and now.sealed == values["sealed"]
            except DatabaseBusy:
                continue
        raise DatabaseBusy

    def _hold_off(self, kept: Kept, owner: str, retry_after: int | None) -> None:
        with self._database.write() as session:
            store.release(session, kept, owner=owner, not_before=self._clock.now() + pause(retry_after))

    def _expired(self, kept: Kept, patient: PatientKey) -> str:
        self._bury(kept, patient, "smart.expired")
        raise UpstreamRefused

    def _bury(self, kept: Kept, patient: PatientKey, kind: str) -> None:
        """The tokens are erased; the row stays, so that whoever comes is told to sign in again."""
        event = Event(kind=kind, severity=severity(kind), patient=patient)
        with self._database.write() as session:
            if store.replace(session, kept, {"sealed": None}):
                self._audit.record(event, session=session)
