"""Signing in through the hospital, and out again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from smartapp.access.service import Access
from smartapp.clock import Clock
from smartapp.db.unit import Database
from smartapp.errors import AccessDenied, Reason, SmartappError
from smartapp.exchange.alerts.service import Alerts
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

    def start_ehr_launch(self, iss: str, launch: str, flow_secret: str | None, *, request_id: str) -> BegunLaunch:
        """Where to send the browser for a launch that the EHR began (SMART App Launch 2.2, EHR launch)."""
        return self._launcher.begin(iss=iss, launch=launch, browser_secret=flow_secret, request_id=request_id)

    def start_standalone(self, provider_id: str, flow_secret: str | None, *, request_id: str) -> BegunLaunch:
        """Where to send the browser for a sign-in that began at our start page (standalone launch)."""
        return self._launcher.begin(provider_id=provider_id, browser_secret=flow_secret, request_id=request_id)

    def finish(self, params: Mapping[str, Sequence[str]], browser: Browser, *, request_id: str) -> OpenedSession:
        """Opens a session for the person and the record that the EHR named.

        Raises LaunchRefused when the callback does not hold together, AccessDenied for people whom no rule lets in
        (clinicians have none yet), Upstream errors when the EHR does not answer. Whatever fails, the EHR's tokens
        are given back and no session stays.
        """
        done = self._launcher.complete(params, browser.flow_secret, request_id=request_id)
        try:
            opened = self._open(done, browser, request_id)
        except SmartappError:
            self._keeper.end(done.credential_id)
            raise
        for credential_id in opened.replaced_credentials:
            self._keeper.end(credential_id)
        return opened

    def _open(self, done: CompletedLaunch, browser: Browser, request_id: str) -> OpenedSession:
        if done.relation is PrincipalKind.CLINICIAN:
            raise AccessDenied(Reason("clinicians-not-yet", "policy"))
        permit = self._access.sign_in(done.provider, done.patient_id, done.credential_id, request_id)
        record = self._fhir.patient(permit)
        acting = done.relation is PrincipalKind.REPRESENTATIVE
        person = self._fhir.person_name(permit, done.fhir_user) if acting else record.name
        display = Display(person_name=person, record_name=record.name, record_birth_date=record.birth_date)
        with self._database.write() as session:
            opened = self._identity.open_session(
                session,
                provider=done.provider,
                iss=done.iss,
                sub=done.sub,
                fhir_user=done.fhir_user,
                kind=done.relation,
                patient=PatientKey(done.provider, done.patient_id),
                credential_id=done.credential_id,
                display=display,
                user_agent=browser.user_agent,
                replaces=browser.old_cookie,
                relation=done.fhir_user.partition("/")[0] if acting else "",
                expires_at=self._end_of_right(done.provider, record.birth_date) if acting else None,
                request_id=request_id,
            )
            self._alerts.signed_in(session, opened.person_id, done.provider, opened.agent)
            return opened

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
        for credential_id in credential_ids:
            self._keeper.end(credential_id)
