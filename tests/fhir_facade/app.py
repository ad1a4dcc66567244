"""An app with a grant and a token, before the whole application and its two fake hospitals."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from smartapp.consent.grants.model import Grant, GrantState, Terms
from smartapp.consent.grants.service import Grants
from smartapp.consent.scopes.grammar import parse
from smartapp.identity.apps.model import AppMetadata, AppState
from smartapp.identity.model import PatientKey, PrincipalKind
from smartapp.ids import new_id
from smartapp.tokens.apps.model import CodeFacts
from smartapp.web.parts import Parts
from tests.dicomweb_upstream.archive import Archive, Asked, Reply, rows_reply
from tests.dicomweb_upstream.objects import Made
from tests.fhir_upstream.fake_fhir import report, study
from tests.support.databases import PostgresDatabases, SqliteFiles
from tests.threats.composed import BASE, Composed, composed

REDIRECT = "https://app.example/cb"
EVERYTHING = "patient/*.rs openid fhirUser"
VERIFIER = "v" * 64
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
FHIR = f"{BASE}/st-elsewhere/fhir"
Json = dict[str, Any]


@dataclass
class App:
    """Asks with its token. `grant_id` is what it stands on."""

    clinic: Clinic
    client: FlaskClient
    token: str
    grant_id: str
    client_id: str

    def get(self, path: str, method: str = "GET", provider: str = "st-elsewhere", **kwargs: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **kwargs.pop("headers", {})}
        address = path if path.startswith("http") else f"{BASE}/{provider}/fhir{path}"
        path_ = address.removeprefix(BASE)
        return self.client.open(path_, method=method, headers=headers, base_url=BASE, **kwargs)

    def json(self, path: str, status: int = 200, **kwargs: Any) -> Json:
        answer = self.get(path, **kwargs)
        assert answer.status_code == status, answer.text
        found: Json = answer.get_json(force=True)
        return found

    def ids(self, path: str) -> list[str]:
        """The ids of what a search finds, all pages."""
        found: list[str] = []
        address: str | None = path
        while address is not None:
            page = self.json(address)
            found += [e["resource"]["id"] for e in page.get("entry", []) if e["search"]["mode"] == "match"]
            address = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
        return found


@dataclass
class Clinic:
    """The composed application; `calls` counts what reached the hospitals."""

    composed: Composed
    _credentials: dict[str, str] = field(default_factory=dict)
    _clients: dict[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> Parts:
        found: Parts = self.composed.house.app.extensions["smartapp.parts"]
        return found

    @property
    def grants(self) -> Grants:
        ground = self.composed.ground
        return Grants(ground.keyring, ground.datakeys, self.composed.clock)

    def calls(self) -> int:
        return self.composed.calls()

    def kinds(self) -> list[str]:
        return self.composed.kinds()

    def app(self, scope: str = EVERYTHING, *, granted: str | None = None, patient: str = "ana", **terms: Any) -> App:
        """An app that the patient allowed `granted` (else what its token has), with these terms; its token."""
        client_id = self._registered()
        grant = self._grant(client_id, patient, Terms(parse(granted or scope), **terms))
        tokens, facts = self.parts.app_tokens, self._facts(client_id, grant.id, scope)
        with self.composed.ground.database.write() as session:
            self.grants.put(session, grant, kind="approved", by="patient")
            code = tokens.issue_code(session, "st-elsewhere", facts)
        issued = tokens.redeem(
            "st-elsewhere", code, client_id=client_id, redirect_uri=REDIRECT, verifier=VERIFIER, request_id="req-test"
        )
        client = self.composed.house.app.test_client(use_cookies=False)
        return App(self, client, issued.access_token, grant.id, client_id)

    def forget_credentials(self) -> None:
        """The next grant stands on a sign-in of its own."""
        self._credentials.clear()

    def set_state(self, app: App, state: GrantState) -> None:
        with self.composed.ground.database.write() as session:
            self.grants.set_state(session, app.grant_id, state, kind=state.value, by="patient")

    def _facts(self, client_id: str, grant_id: str, scope: str) -> CodeFacts:
        return CodeFacts(
            client_id=client_id,
            grant_id=grant_id,
            redirect_uri=REDIRECT,
            challenge=CHALLENGE,
            scope=scope,
        )

    def _registered(self) -> str:
        """A new client each time: one grant per client, patient and person."""
        metadata = AppMetadata("Test app", (REDIRECT,), ("authorization_code",), "none", "patient/*.rs")
        registered = self.parts.apps.register(metadata, provider="st-elsewhere", state=AppState.ACTIVE)
        return registered.app.client_id

    def _credential(self, patient: str) -> str:
        """The way to the hospital that a signed-in person has."""
        if patient not in self._credentials:
            browser = self.composed.signed_in(patient)
            found = self.parts.identity.lookup(browser.cookie())
            assert found is not None
            self._credentials[patient] = found.contexts[0].credential_id
        return self._credentials[patient]

    def _grant(self, client_id: str, patient: str, terms: Terms) -> Grant:
        now = self.composed.clock.now()
        return Grant(
            id=new_id("gra"),
            provider="st-elsewhere",
            client_id=client_id,
            patient=PatientKey("st-elsewhere", patient),
            person_id="per-1",
            granted_by=PrincipalKind.PATIENT,
            version=1,
            state=GrantState.ACTIVE,
            terms=terms,
            credential_id=self._credential(patient),
            fhir_user=f"Patient/{patient}",
            session_id=None,
            approved_at=now,
            changed_at=now,
        )


@contextmanager
def clinic(databases: SqliteFiles | PostgresDatabases, folder: Path, **changed: Any) -> Iterator[Clinic]:
    with composed(databases, folder, **changed) as running:
        found = Clinic(running)
        fill(found)
        yield found


def fill(clinic_: Clinic) -> None:
    """Ana: a CT of the chest with a report that has a PDF, a PET/CT, an MR that only the archive knows."""
    first = clinic_.composed.first
    record = first.records["ana"]
    chest = {"system": "http://snomed.info/sct", "code": "51185008", "display": "Chest"}
    head = {"system": "http://snomed.info/sct", "code": "69536005"}
    record.studies[:] = [
        study(
            "i1", "1.2.3", description="CT chest of Ana", started="2026-09-17T09:42:00-05:00",
            series=[_series("1.2.3.1", "CT", chest), _series("1.2.3.2", "CT", chest)],
        ),
        study("i2", "1.5", started="2025-03-02", series=[_series("1.5.1", "PT", head), _series("1.5.2", "CT", head)]),
    ]  # fmt: skip
    record.reports[:] = [
        report(
            "r1", imagingStudy=[{"reference": "ImagingStudy/i1"}], conclusion="One nodule.",
            effectiveDateTime="2026-09-17", issued="2026-09-17T15:00:00Z",
            code={"coding": [{"system": "http://loinc.org", "code": "24627-2"}], "text": "CT chest"},
            category=[{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD"}]}],
            performer=[{"reference": "Practitioner/dr"}, {"reference": "Organization/rad"}],
            basedOn=[{"reference": "ServiceRequest/s1"}],
            text={"status": "generated", "div": "<div>One <b>nodule</b>.<br>Stable<script>x()</script></div>"},
            presentedForm=[{"contentType": "application/pdf", "title": "CT chest", "data": "JVBERi0xLjQK"}],
        ),
        report("r2", imagingStudy=[{"reference": "ImagingStudy/i2"}], conclusion="No tracer uptake."),
        report(
            "r3", imagingStudy=[{"reference": "ImagingStudy/i1"}],
            contained=[{"resourceType": "Patient", "id": "p", "name": [{"text": "Ben Canaryfor"}]}],
        ),
    ]  # fmt: skip
    first.take_in(record)
    practitioner = {
        "resourceType": "Practitioner",
        "id": "dr",
        "name": [{"family": "House"}],
        "birthDate": "1959-05-15",
    }
    first.at("Practitioner/dr", lambda _asked: practitioner, "ana")
    first.at("Organization/rad", lambda _asked: {"resourceType": "Organization", "id": "rad", "name": "Rad"}, "ana")
    first.archive.held += [
        Made("1.5.1.1", "1.5.1", "1.5"), Made("1.5.2.1", "1.5.2", "1.5"), Made("1.6.1.1", "1.6.1", "1.6"),
    ]  # fmt: skip
    first.archive.script = lambda asked: _kinds(first.archive, asked)


def _series(uid: str, modality: str, site: Json) -> Json:
    return {"uid": uid, "modality": {"code": modality}, "bodySite": site, "numberOfInstances": 1}


def _kinds(archive: Archive, asked: Asked) -> Reply | None:
    """The archive knows one series as PET: what else it says is as it always is."""
    if asked.path.endswith("/metadata") or not asked.path.endswith(("/studies", "/series")):
        return None
    reply = archive._honest(asked)
    rows = json.loads(reply.content or b"[]")
    for row in rows:
        if row.get("0020000E", {}).get("Value") == ["1.5.1"]:
            row["00080060"]["Value"] = ["PT"]
        if row["0020000D"]["Value"] == ["1.5"] and "00080061" in row:
            row["00080061"]["Value"] = ["PT", "CT"]
            row["00080020"]["Value"] = ["20250302"]
    return rows_reply(rows)
