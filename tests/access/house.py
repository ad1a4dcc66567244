"""The rooms of the question, put together over a real database."""

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from smartapp.access.service import Access
from smartapp.audit.service import AuditTrail
from smartapp.consent.model import StudyFacts
from smartapp.consent.policy import decide
from smartapp.db.datakeys import DataKeys
from smartapp.db.unit import Database
from smartapp.identity.model import BrowserSession, Display, OpenedSession, PatientKey, Principal, PrincipalKind
from smartapp.identity.service import Identity
from smartapp.security.keyring import Keyring
from smartapp.settings import Sessions
from smartapp.tokens.single_use import SingleUse
from smartapp.tokens.viewer import ViewerTokens
from tests.support.clock import FixedClock

ANA = PatientKey("st-elsewhere", "ana")
BEN = PatientKey("st-elsewhere", "ben")
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass
class House:
    """One worker. `another()` is a second one on the same database, with memory of its own."""

    database: Database
    keyring: Keyring
    clock: FixedClock = field(default_factory=FixedClock)

    @cached_property
    def datakeys(self) -> DataKeys:
        return DataKeys(self.database, self.keyring, self.clock)

    @cached_property
    def audit(self) -> AuditTrail:
        return AuditTrail(self.database, self.keyring, self.datakeys, self.clock)

    @cached_property
    def identity(self) -> Identity:
        return Identity(self.database, self.keyring, self.datakeys, self.audit, self.clock, Sessions())

    @cached_property
    def viewer_tokens(self) -> ViewerTokens:
        return ViewerTokens(self.database, self.keyring, self.identity, self.clock)

    @cached_property
    def single_use(self) -> SingleUse:
        return SingleUse(self.database, self.keyring, self.clock)

    @cached_property
    def access(self) -> Access:
        return Access(decide, self.audit, self.identity, self.clock)

    def another(self) -> "House":
        return House(self.database, self.keyring, self.clock)

    def sign_in(
        self,
        patient: PatientKey = ANA,
        *,
        sub: str | None = None,
        iss: str = "https://ehr.example/fhir",
        kind: PrincipalKind = PrincipalKind.PATIENT,
        replaces: str | None = None,
        relation: str = "",
        expires_at: datetime | None = None,
        user_agent: str = FIREFOX,
    ) -> OpenedSession:
        with self.database.write() as session:
            return self.identity.open_session(
                session,
                provider=patient.provider,
                iss=iss,
                sub=sub or f"sub-of-{patient.patient_id}",
                fhir_user=f"Patient/{patient.patient_id}",
                kind=kind,
                patient=patient,
                credential_id=f"cred-of-{patient.patient_id}",
                display=Display("Ana Canary", "Ana Canary", date(1980, 2, 3)),
                user_agent=user_agent,
                replaces=replaces,
                relation=relation,
                expires_at=expires_at,
                request_id="req-sign-in",
            )

    def browser(self, opened: OpenedSession) -> BrowserSession:
        found = self.identity.lookup(opened.cookie)
        assert found is not None
        return found

    def principal(self, patient: PatientKey = ANA, kind: PrincipalKind = PrincipalKind.PATIENT) -> Principal:
        opened = self.sign_in(patient, kind=kind)
        return self.identity.principal(self.browser(opened), opened.context_id)


def study(uid: str = "1.2.3", *owners: PatientKey, contradicted: bool = False) -> StudyFacts:
    return StudyFacts(
        uid=uid,
        owners=frozenset(owners or (ANA,)),
        started=date(2025, 1, 2),
        modalities=frozenset({"CT"}),
        body_sites=frozenset(),
        contradicted=contradicted,
    )
