"""Small stand-ins for the use-cases behind the pages, with the shapes of the real ones."""
# ruff: noqa: ARG002  # a stand-in takes what the real one takes

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from PIL import Image

from smartapp.audit.model import Event
from smartapp.dicomweb.core.sr import SrDocument
from smartapp.errors import NotFound, NotSignedIn, WrongContext
from smartapp.exchange.alerts.service import AlertsRefused
from smartapp.identity.model import (
    BrowserSession,
    Context,
    Display,
    OpenedSession,
    PatientKey,
    Principal,
    PrincipalKind,
    SessionSummary,
)
from smartapp.records.model import Attachment, InstanceSummary, SeriesSummary, StudyList, StudyPage, StudySummary
from tests.portal.reports import PRELIMINARY, REPORT, STRUCTURED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from smartapp.exchange.sign_in import Browser

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
CT = "2.25.1001"
HEAD = "2.25.1002"
SERIES = "2.25.1001.1"
COLOUR = "2.25.1001.2"
XRAY = "2.25.1001.3"
CLIP = "2.25.1001.7"
DOSE = "2.25.1001.4"
SCANNED = "2.25.1001.5"
SLICES = 200


def _summary(uid: str, started: datetime, description: str, part: str, status: Any) -> StudySummary:
    return StudySummary(
        uid=uid,
        started=started,
        description=description,
        modalities=("CT",),
        body_parts=(part,),
        place="St. Elsewhere Health",
        series_count=3,
        instance_count=203,
        images_available=True,
        report_status=status,
        report_ids=("rep-1",),
    )


def sample_studies() -> tuple[StudySummary, ...]:
    head = _summary(HEAD, datetime(2026, 11, 20, 21, 5, tzinfo=CHICAGO), "CT head", "Head structure", "preliminary")
    chest = _summary(CT, datetime(2026, 9, 17, 9, 42, tzinfo=CHICAGO), "CT chest", "Thoracic structure", "final")
    no_report = _summary("2.25.1003", datetime(2025, 1, 2, 8, 0, tzinfo=CHICAGO), "X-ray", "Hand", "none")
    amended = _summary("2.25.1004", datetime(2024, 1, 2, 8, 0, tzinfo=CHICAGO), "X-ray", "Knee", "amended")
    hand = replace(no_report, modalities=("DX",), images_available=False, body_sites=("85562004",))
    return (replace(head, body_sites=("69536005",)), replace(chest, body_sites=("51185008",)), hand, amended)


@dataclass
class FakeRecords:
    """Records of one patient."""

    studies_found: tuple[StudySummary, ...] = field(default_factory=sample_studies)
    problems: tuple[str, ...] = ()
    unmatched: int = 0
    foreign: tuple[str, ...] = ()
    report: Any = REPORT
    series_description: str = "Chest soft tissue 1.5 mm"
    filename: str = "report.pdf"
    content_type: str = "application/pdf"
    structured: SrDocument = STRUCTURED

    def studies(self, principal: Principal, request_id: str) -> StudyList:
        return StudyList(self.studies_found, self.unmatched or len(self.foreign), self.problems, NOW, self.foreign)

    def study(self, principal: Principal, study_uid: str, request_id: str) -> StudyPage:
        found = next((study for study in self.studies_found if study.uid == study_uid), None)
        if found is None:
            raise NotFound
        series = (
            SeriesSummary(SERIES, 1, self.series_description, "CT", SLICES, pictures=True),
            SeriesSummary(COLOUR, 2, "Colour", "US", 1, pictures=True),
            SeriesSummary(XRAY, 3, "", "DX", 2, pictures=True),
            SeriesSummary(CLIP, 4, "Heart", "US", 1, pictures=True),
            SeriesSummary(DOSE, 9, "Dose report", "SR", 1, pictures=False),
            SeriesSummary(SCANNED, 10, "Scanned papers", "DOC", 2, pictures=False),
            SeriesSummary("2.25.1001.6", 11, "Marks", "PR", 1, pictures=False),
        )
        reports = {"final": (self.report,), "preliminary": (PRELIMINARY,)}.get(found.report_status, ())
        return StudyPage(found, series, reports, self.problems)

    def instances(self, principal: Principal, study: str, series: str, request_id: str) -> tuple[InstanceSummary, ...]:
        if series == DOSE:
            return (InstanceSummary(f"{DOSE}.1", 1, 0, "sr"),)
        if series == SCANNED:
            return (InstanceSummary(f"{SCANNED}.1", 1, 0, "pdf"), InstanceSummary(f"{SCANNED}.2", 2, 0, "sr"))
        return tuple(InstanceSummary(f"{series}.{n}", n, 1) for n in range(1, SLICES + 1))

    def structured_report(self, principal: Principal, study: str, series: str, sop: str, request_id: str) -> SrDocument:
        return self.structured

    def document(self, principal: Principal, study: str, series: str, sop: str, request_id: str) -> Attachment:
        return Attachment(self.content_type, self.filename, b"%PDF-1.4 sample")

    def thumbnail(self, principal: Principal, study: str, series: str, sop: str | None, request_id: str) -> bytes:
        body = io.BytesIO()
        Image.linear_gradient("L").resize((128, 128)).save(body, "JPEG")
        return body.getvalue()

    def attachment(
        self, principal: Principal, study_uid: str, report_id: str, index: int, request_id: str
    ) -> Attachment:
        if index != 0:
            raise NotFound
        return Attachment(self.content_type, self.filename, b"%PDF-1.4 sample")


@dataclass
class FakeIdentity:
    """Two people, a session each; the cookie is the session's id."""

    name: str = "Ana María Rivera"
    ended: set[str] = field(default_factory=set)

    def lookup(self, cookie: str, *, touch: bool = True) -> BrowserSession | None:
        contexts = {
            "ses-ana": self._context("ctx-ana", PrincipalKind.PATIENT, "ana", self.name),
            "ses-dana": self._context("ctx-eli", PrincipalKind.REPRESENTATIVE, "eli", "Eli Novak"),
        }
        if cookie not in contexts or cookie in self.ended:
            return None
        soon = NOW + timedelta(minutes=15)
        return BrowserSession(cookie, f"per-{cookie}", (contexts[cookie],), NOW, soon, NOW + timedelta(hours=8))

    def _context(self, context_id: str, kind: PrincipalKind, patient: str, record: str) -> Context:
        display = Display("Dana Novak", record, date(1979, 4, 8))
        return Context(context_id, kind, PatientKey("st-elsewhere", patient), "cred-1", f"Patient/{patient}", display)

    def principal(self, session: BrowserSession, context_id: str) -> Principal:
        for context in session.contexts:
            if context.context_id == context_id:
                return Principal(
                    kind=context.kind,
                    person_id=session.person_id,
                    session_id=session.session_id,
                    context_id=context_id,
                    patient=context.patient,
                    credential_id=context.credential_id,
                    expires_at=session.absolute_until,
                )
        raise WrongContext

    def list_sessions(self, person_id: str, *, current: str = "") -> tuple[SessionSummary, ...]:
        earlier = NOW - timedelta(hours=3)
        return tuple(
            SessionSummary(session_id, earlier, NOW, agent, is_current=session_id == current)
            for session_id, agent in (("ses-ana", "Firefox, Linux"), ("ses-phone", ""))
        )


@dataclass(frozen=True)
class Begun:
    authorize_url: str
    browser_secret: str


@dataclass
class FakeSignIn:
    """Writes down what it was asked. `after` is what waited for the sign-in."""

    identity: FakeIdentity
    after: str = ""
    calls: list[tuple[str, ...]] = field(default_factory=list)

    def start_ehr_launch(self, iss: str, launch: str, flow_secret: str | None, *, request_id: str) -> Begun:
        self.calls.append(("launch", iss, launch))
        return Begun("http://localhost:9/authorize?state=s", "flow-1")

    def start_standalone(
        self,
        provider_id: str,
        flow_secret: str | None,
        *,
        after: str = "",
        lasting: bool = False,
        anew: bool = False,
        request_id: str,
    ) -> Begun:
        how = (after, "lasting" if lasting else "", *(("anew",) if anew else ())) if after else ()
        self.calls.append(("start", provider_id, *how))
        return Begun("http://localhost:9/authorize?state=s", "flow-1")

    def finish(self, params: Mapping[str, Sequence[str]], browser: Browser, *, request_id: str) -> OpenedSession:
        self.calls.append(("finish", params["code"][0], browser.flow_secret or "", browser.old_cookie or ""))
        return OpenedSession("ses-ana", "ses-ana", "ctx-ana", after=self.after)

    def sign_out(self, browser_session: BrowserSession, *, request_id: str) -> None:
        self.identity.ended.add(browser_session.session_id)
        self.calls.append(("sign_out", browser_session.session_id))

    def sign_out_everywhere(self, browser_session: BrowserSession, *, request_id: str) -> None:
        self.identity.ended.add(browser_session.session_id)
        self.calls.append(("sign_out_everywhere", browser_session.session_id))

    def end_other(self, browser_session: BrowserSession, session_id: str, *, request_id: str) -> None:
        self.calls.append(("end_other", session_id))


@dataclass
class FakeViewerTokens:
    """Hands out numbered tokens."""

    issued: list[str] = field(default_factory=list)
    studies: list[str] = field(default_factory=list)

    def issue(self, principal: Principal, study_uid: str) -> tuple[str, int]:
        self.studies.append(study_uid)
        self.issued.append(f"vt_{len(self.issued) + 1}")
        return self.issued[-1], 300

    def require(self, raw: str) -> None:
        if raw not in self.issued:
            raise NotSignedIn


@dataclass
class FakeAlerts:
    """An address, and what was asked."""

    available: bool = True
    current: str | None = "ana@example.org"
    calls: list[tuple[str, ...]] = field(default_factory=list)
    refusal: str | None = None

    def address(self, principal: Principal) -> str | None:
        return self.current

    def ask(self, principal: Principal, address: str, language: str, *, request_id: str) -> None:
        self._done("ask", address, language)

    def confirm(self, principal: Principal, code: str, *, request_id: str) -> None:
        self._done("confirm", code)

    def remove(self, principal: Principal, *, request_id: str) -> None:
        self._done("remove")

    def _done(self, *call: str) -> None:
        self.calls.append(call)
        if self.refusal is not None:
            raise AlertsRefused(self.refusal)


@dataclass
class FakeTrail:
    """Keeps what the edge notes."""

    noted: list[Event] = field(default_factory=list)

    def note(self, event: Event, *, later: bool = False) -> None:
        self.noted.append(event)
