"""Stand-ins for what is behind the pages about apps, with the shapes of the real ones."""
# ruff: noqa: ARG002  # a stand-in takes what the real one takes

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from smartapp.consent.grants.model import Grant, GrantEvent, GrantState, Terms
from smartapp.consent.scopes.grammar import parse
from smartapp.errors import BadInput, NotFound
from smartapp.exchange.approvals.model import Asked
from smartapp.exchange.grants.model import GrantView, Kept, Offer, Preview, Receipt, Totals, UsedStudy
from smartapp.identity.apps.model import App, AppMetadata, AppState
from smartapp.identity.model import PatientKey, Principal, PrincipalKind
from tests.portal import fakes

if TYPE_CHECKING:
    from tests.portal.fakes import FakeRecords

HANDLE = "sar_handle"
GRANT = "grt-1"
SCOPE = (
    "launch/patient openid fhirUser offline_access "
    "patient/ImagingStudy.rs patient/DiagnosticReport.rs patient/Patient.r"
)


def sample_app(**said: Any) -> App:
    facts = {
        "client_name": "Heart Watch",
        "redirect_uris": ("https://app.example.org/cb",),
        "grant_types": ("authorization_code",),
        "token_endpoint_auth_method": "none",
        "scope": SCOPE,
        "client_uri": "https://app.example.org/about",
        "policy_uri": "https://app.example.org/privacy",
        "tos_uri": "https://app.example.org/terms",
        "launch_uri": "https://launch.example.org/start",
        "contacts": ("help@app.example.org",),
        **said,
    }
    return App(
        "app-1", "st-elsewhere", AppState.ACTIVE, AppMetadata(**facts), fakes.NOW - timedelta(days=40), fakes.NOW
    )


def sample_grant(state: GrantState = GrantState.ACTIVE, **terms: Any) -> Grant:
    return Grant(
        id=GRANT,
        provider="st-elsewhere",
        client_id="app-1",
        patient=PatientKey("st-elsewhere", "ana"),
        person_id="per-ses-ana",
        granted_by=PrincipalKind.PATIENT,
        version=1,
        state=state,
        terms=Terms(parse(SCOPE), **terms),
        credential_id="cred-1",
        fhir_user="Patient/ana",
        session_id=None,
        approved_at=fakes.NOW - timedelta(days=20),
        changed_at=fakes.NOW - timedelta(days=20),
        last_used_at=fakes.NOW,
    )


@dataclass
class FakeApprovals:
    """One request that waits."""

    asked: Asked = field(
        default_factory=lambda: Asked("st-elsewhere", "app-1", "https://app.example.org/cb", "st", SCOPE)
    )
    calls: list[tuple[str, ...]] = field(default_factory=list)

    def open(self, handle: str) -> Asked:
        if handle != HANDLE:
            raise NotFound
        return self.asked

    def bind(self, handle: str, session_id: str) -> None:
        self.calls.append(("bind", session_id))

    def note_offline_tried(self, handle: str, session_id: str) -> None:
        self.calls.append(("tried", session_id))

    def let_go(self, handle: str, session_id: str) -> None:
        self.calls.append(("let_go", session_id))

    def tampered(self, handle: str, session_id: str) -> BadInput:
        self.calls.append(("tampered", session_id))
        return BadInput("consent.tamper")


@dataclass
class FakeApps:
    """The registrations."""

    apps: tuple[App, ...] = field(default_factory=lambda: (sample_app(),))

    def find(self, provider: str, client_id: str) -> App | None:
        return next((app for app in self.apps if app.client_id == client_id), None)

    def list(self, provider: str, state: AppState) -> tuple[App, ...]:
        return self.apps


class FakeLogos:
    """No app has a picture, but the one that names one."""

    def find(self, app: App) -> bytes | None:
        return b"\x89PNG" if app.metadata.logo_uri else None


@dataclass
class FakeAppGrants:
    """One grant; what is done is written down."""

    records: FakeRecords
    apps: FakeApps
    grant: Grant = field(default_factory=sample_grant)
    already: Grant | None = None
    works_offline: bool = True
    needs_lasting: bool = False
    right_ends: datetime | None = None
    refusal: Exception | None = None
    history: tuple[GrantEvent, ...] = ()
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    kept: Kept = field(default_factory=Kept)

    def offer(self, principal: Principal, asked: Asked) -> Offer:
        app = self.apps.apps[0]
        return Offer(app, parse(asked.scope), self.works_offline, self.needs_lasting, self.already, self.right_ends)

    def preview(self, principal: Principal, terms: Terms, *, client_id: str, request_id: str = "") -> Preview:
        reached = tuple(
            study
            for study in self.records.studies_found
            if (terms.chosen is None or study.uid in terms.chosen)
            and (not terms.modalities or terms.modalities & set(study.modalities))
        )
        return Preview(reached, len(reached) if terms.reports else 0, 1, kept=self.kept)

    def approve(self, principal: Principal, handle: str, terms: Terms, *, session_id: str, request_id: str) -> str:
        self._done("approve", terms)
        return "https://app.example.org/cb?code=c"

    def refuse(self, principal: Principal, handle: str, *, session_id: str, request_id: str) -> str:
        self._done("refuse")
        return "https://app.example.org/cb?error=access_denied"

    def change(self, principal: Principal, grant_id: str, terms: Terms, *, request_id: str) -> None:
        self._done("change", terms)

    def pause(self, principal: Principal, grant_id: str, *, request_id: str) -> None:
        self._done("pause", grant_id)

    def resume(self, principal: Principal, grant_id: str, *, request_id: str) -> None:
        self._done("resume", grant_id)

    def wake(self, principal: Principal, grant_id: str, *, request_id: str) -> None:
        self._done("wake", grant_id)

    def end(self, principal: Principal, grant_id: str, *, request_id: str) -> None:
        self._done("end", grant_id)

    def list(self, principal: Principal) -> tuple[GrantView, ...]:
        ended = replace(self.grant, id="grt-0", state=GrantState.ENDED)
        return (self._view(self.grant), self._view(ended))

    def view(self, principal: Principal, grant_id: str, *, request_id: str = "") -> GrantView:
        if grant_id != GRANT:
            raise NotFound
        return self._view(self.grant)

    def receipt(self, principal: Principal, grant_id: str, *, language: str) -> Receipt:
        return Receipt(b"{}", b"%PDF-1.4")

    def reminder(self, principal: Principal, grant_id: str, at: datetime, *, summary: str, description: str) -> bytes:
        return f"BEGIN:VCALENDAR {at.isoformat()} {summary} {description}".encode()

    def launch_value(self, principal: Principal, app: App, study_uid: str | None, *, request_id: str) -> str:
        self._done("launch", app.client_id, study_uid)
        return "sal_1"

    def _view(self, grant: Grant) -> GrantView:
        used = UsedStudy(self.records.studies_found[0], "images", 12, 9000, fakes.NOW, fakes.NOW)
        gone = UsedStudy(None, "report", 0, 9, fakes.NOW, fakes.NOW)
        said = GrantEvent(grant.id, fakes.NOW, "approved", "patient", 1)
        return GrantView(
            grant,
            self.apps.apps[0],
            grant.state_at(fakes.NOW),
            grant.terms,
            (said, *self.history),
            mine=True,
            totals=Totals(12, 9000, fakes.NOW),
            used=(used, gone),
            looked_at_list=fakes.NOW,
        )

    def _done(self, *call: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.calls.append(call)
