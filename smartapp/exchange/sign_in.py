"""Signing in through the hospital, and out again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from smartapp.access.service import Access
from smartapp.clock import Clock
from smartapp.consent.grants.model import Grant
from smartapp.db.unit import Database
from smartapp.errors import AccessDenied, Reason, SmartappError
from smartapp.exchange.alerts.service import Alerts
from smartapp.exchange.approvals.service import Approvals
from smartapp.exchange.credentials import Credentials
from smartapp.exchange.grants.service import AppGrants
from smartapp.exchange.representatives import end_of_right
from smartapp.fhir.upstream.service import FhirReader
from smartapp.identity.model import PatientKey, PrincipalKind
from smartapp.identity.service import BrowserSession, Display, Identity, OpenedSession
from smartapp.launch.keeper import TokenKeeper
from smartapp.launch.model import BegunLaunch, CompletedLaunch
from smartapp.launch.service import Launcher
from smartapp.settings import Settings


@dataclass(frozen=True)
class Browser:
    """The browser that signs in: its flow secret, the session it held before, and what it calls itself."""

    flow_secret: str | None
    old_cookie: str | None
    user_agent: str


class SignIn:
    """The use-case: from a launch at the EHR to a session of ours, and its end."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Clock,
        database: Database,
        launcher: Launcher,
        keeper: TokenKeeper,
        access: Access,
        fhir: FhirReader,
        identity: Identity,
        alerts: Alerts,
        approvals: Approvals,
        app_grants: AppGrants,
        credentials: Credentials,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._database = database
        self._launcher = launcher
        self._keeper = keeper
        self._access = access
        self._fhir = fhir
        self._identity = identity
        self._alerts = alerts
        self._approvals = approvals
        self._app_grants = app_grants
        self._credentials = credentials

    def start_ehr_launch(self, iss: str, launch: str, flow_secret: str | None, *, request_id: str) -> BegunLaunch:
        """Where to send the browser for a launch that the EHR began (SMART App Launch 2.2, EHR launch)."""
        return self._launcher.begin(iss=iss, launch=launch, browser_secret=flow_secret, request_id=request_id)

    def start_standalone(
        self,
        provider_id: str,
        flow_secret: str | None,
        *,
        request_id: str,
        after: str = "",
        lasting: bool = False,
        anew: bool = False,
    ) -> BegunLaunch:
        """Where to send the browser for a sign-in that began with us (standalone launch).

        `after` is the handle of an app's request that waits for it (`OpenedSession.after` gives it back), never an
        address. `lasting` asks the EHR for a credential that outlives the session (`offline_access`); `anew` to have
        the person prove again who they are.
        """
        return self._launcher.begin(
            provider_id=provider_id,
            browser_secret=flow_secret,
            after=after,
            lasting=lasting,
            anew=anew,
            request_id=request_id,
        )

    def finish(self, params: Mapping[str, Sequence[str]], browser: Browser, *, request_id: str) -> OpenedSession:
        """Opens a session for the person and the record that the EHR named.

        Raises LaunchRefused when the callback does not hold together, AccessDenied for people whom no rule lets in
        (clinicians have none yet), Upstream errors when the EHR does not answer. Whatever fails, the EHR's tokens
        are given back and no session stays.
        """
        done = self._launcher.complete(params, browser.flow_secret, request_id=request_id)
        try:
            opened, waited = self._open(done, browser, request_id)
        except SmartappError:
            self._keeper.end(done.credential_id)
            raise
        self._credentials.release([*opened.replaced_credentials, *(grant.credential_id for grant in waited)])
        return opened

    def _open(
        self, done: CompletedLaunch, browser: Browser, request_id: str
    ) -> tuple[OpenedSession, tuple[Grant, ...]]:
        """The session, and the grants that had waited for this sign-in, as they were before it."""
        if done.relation is PrincipalKind.CLINICIAN:
            raise AccessDenied(Reason("clinicians-not-yet", "policy"))
        permit = self._access.sign_in(done.provider, done.patient_id, done.credential_id, request_id)
        record = self._fhir.patient(permit)
        acting = done.relation is PrincipalKind.REPRESENTATIVE
        person = self._fhir.person_name(permit, done.fhir_user) if acting else record.name
        display = Display(person_name=person, record_name=record.name, record_birth_date=record.birth_date)
        patient = PatientKey(done.provider, done.patient_id)
        lasting = self._keeper.lasting(done.credential_id, patient)
        with self._database.write() as session:
            opened = self._identity.open_session(
                session,
                provider=done.provider,
                iss=done.iss,
                sub=done.sub,
                fhir_user=done.fhir_user,
                kind=done.relation,
                patient=patient,
                credential_id=done.credential_id,
                display=display,
                user_agent=browser.user_agent,
                replaces=browser.old_cookie,
                relation=done.fhir_user.partition("/")[0] if acting else "",
                expires_at=self._end_of_right(done.provider, record.birth_date) if acting else None,
                auth_time=done.auth_time,
                request_id=request_id,
            )
            self._alerts.signed_in(session, opened.person_id, done.provider, opened.agent)
            self._pass_on(session, done, opened)
            waited = self._app_grants.signed_in(session, opened.person_id, patient, done.credential_id, lasting=lasting)
        return replace(opened, after=done.after), waited

    def _pass_on(self, session: Session, done: CompletedLaunch, opened: OpenedSession) -> None:
        """A request that this browser held before it went to the EHR is held by its new session."""
        if done.after and opened.replaced_session:
            self._approvals.pass_on(session, done.after, opened.replaced_session, opened.session_id)

    def _end_of_right(self, provider_id: str, birth_date: date | None) -> datetime | None:
        provider = self._settings.provider(provider_id)
        return end_of_right(
            birth_date,
            age_of_majority=provider.age_of_majority,
            timezone=provider.timezone,
            now=self._clock.now(),
        )

    def sign_out(self, browser_session: BrowserSession, *, request_id: str) -> None:
        """Ends this session and what hangs on it: viewer tokens, the EHR's credentials, running streams."""
        self._give_back(self._identity.end(browser_session.session_id, request_id=request_id))

    def sign_out_everywhere(self, browser_session: BrowserSession, *, request_id: str) -> None:
        """Ends every session of this person at this hospital."""
        self._give_back(self._identity.end_all(browser_session.person_id, request_id=request_id))

    def end_other(self, browser_session: BrowserSession, session_id: str, *, request_id: str) -> None:
        """Ends one of this person's sessions. Raises NotFound for one that is not theirs, or is none."""
        person_id = browser_session.person_id
        self._give_back(self._identity.end(session_id, person_id=person_id, request_id=request_id))

    def _give_back(self, credential_ids: Iterable[str]) -> None:
        """Unless a grant lives on with one of them."""
        self._credentials.release(credential_ids)
