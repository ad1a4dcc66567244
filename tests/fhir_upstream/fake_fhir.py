"""A FHIR server that says what a test wants, and a reader of it with permits made by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from smartapp.consent.model import SEAL, Action, AnyPermit, IndexPermit, Permit, Purpose, SignInPermit
from smartapp.db.unit import Database
from smartapp.errors import UpstreamRefused
from smartapp.fhir.upstream.service import FhirReader
from smartapp.identity.model import PatientKey, Principal, PrincipalKind
from smartapp.security.keyring import Keyring
from smartapp.settings import Upstreams
from tests.launch.house import House, provider, settings
from tests.launch.server import Asked, Said, Server, said

FHIR = "application/fhir+json; charset=utf-8"
ANA = PatientKey("st-elsewhere", "ana")
Json = dict[str, Any]


def fhir(value: Any, status: int = 200, media: str = FHIR) -> Said:
    return said(value, status, media)


def bundle(*resources: Any, following: str | None = None) -> Json:
    links = [{"relation": "self", "url": "x"}, *([{"relation": "next", "url": following}] if following else [])]
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": links,
        "entry": [{"resource": one} for one in resources],
    }


def study(id_: str = "i1", uid: str = "1.2.3", subject: str = "Patient/ana", **more: Any) -> Json:
    identifier = [{"system": "urn:dicom:uid", "value": f"urn:oid:{uid}"}]
    return {
        "resourceType": "ImagingStudy",
        "id": id_,
        "identifier": identifier,
        "status": "available",
        "subject": {"reference": subject},
        **more,
    }


def report(id_: str = "r1", subject: str = "Patient/ana", **more: Any) -> Json:
    return {
        "resourceType": "DiagnosticReport",
        "id": id_,
        "status": "final",
        "subject": {"reference": subject},
        "code": {"text": "CT chest"},
        "category": [{"coding": [{"code": "RAD"}]}],
        **more,
    }


class FakeFhir:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.origin = server.origin
        self.base = f"{server.origin}/fhir"

    def at(self, path: str, answer: Said | Json | Callable[[Asked], Said]) -> None:
        self.server.at(f"/fhir/{path}", fhir(answer) if isinstance(answer, dict) else answer)

    def asked(self, path: str) -> list[Asked]:
        return self.server.asked(f"/fhir/{path}")


@dataclass
class Tokens:
    """A TokenSource with a stock of tokens: each refusal uses one up."""

    stock: list[str] = field(default_factory=lambda: ["token-1"])
    refused: list[str] = field(default_factory=list)

    def bearer(self, permit: AnyPermit) -> str:
        assert permit.credential_id == "ehr-1"
        if not self.stock:
            raise UpstreamRefused
        return self.stock[0]

    def rejected(self, permit: AnyPermit, token: str) -> None:
        assert permit.credential_id == "ehr-1"
        self.refused.append(token)
        self.stock.remove(token)


class Desk:
    """Whoever reads: the reader, its tokens, its permits, and what the audit trail says afterwards."""

    def __init__(self, ehr: FakeFhir, database: Database, keyring: Keyring) -> None:
        limits = Upstreams(connect_timeout=2, read_timeout=5, total_timeout=10, max_json_bytes=200_000, max_pages=5)
        hospital = provider(ehr.base, (ehr.origin, "http://127.0.0.1:9"))
        self.house = House(settings(hospital, upstreams=limits), database, keyring)
        self.tokens = Tokens()
        self.reader = self.reader_within(limits)
        self.checks = 0

    def reader_within(self, limits: Upstreams) -> FhirReader:
        house = self.house
        bounded = replace(house.settings, upstreams=limits)
        return FhirReader(bounded, house.outbound, self.tokens, house.audit, house.clock)

    @property
    def index(self) -> IndexPermit:
        return IndexPermit(seal=SEAL, patient=ANA, credential_id="ehr-1")

    @property
    def sign_in(self) -> SignInPermit:
        return SignInPermit(seal=SEAL, provider="st-elsewhere", patient_id="ana", credential_id="ehr-1")

    def permit(self, action: Action = Action.READ_REPORT) -> Permit:
        until = self.house.clock.now() + timedelta(hours=1)
        principal = Principal(PrincipalKind.PATIENT, "per-1", "ses-1", "ctx-1", ANA, "ehr-1", until)
        return Permit(
            seal=SEAL, principal=principal, patient=ANA, action=action, purpose=Purpose.PATRQT,
            studies=frozenset({"1.2.3"}), reasons=(), disclosure_id="d", expires_at=until, still_held=self._held,
        )  # fmt: skip

    def _held(self) -> None:
        self.checks += 1
