"""A hospital on loopback: an EHR and an archive that answer rightly until a test says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from smartapp.clock import Clock, SystemClock
from smartapp.settings import Provider
from tests.dicomweb_upstream.archive import Archive, running_archive
from tests.dicomweb_upstream.objects import Made
from tests.fhir_upstream.fake_fhir import bundle, fhir, report, study
from tests.launch.fake_ehr import FakeEhr
from tests.launch.house import provider
from tests.launch.server import Asked, Said, serving

Json = dict[str, Any]
MRN = "urn:mrn"


@dataclass(repr=False)
class Record:
    """What the EHR says of one patient."""

    id: str
    name: str
    mrn: str
    studies: list[Json] = field(default_factory=list)
    reports: list[Json] = field(default_factory=list)
    consents: list[Json] = field(default_factory=list)
    following: str | None = None
    """Where the next page of every search is said to be."""

    def patient(self) -> Json:
        identifier = [{"system": MRN, "value": self.mrn}]
        name = [{"text": self.name}]
        return {"resourceType": "Patient", "id": self.id, "name": name, "identifier": identifier}


@dataclass(repr=False)
class Hospital:
    """`log` of the EHR's server and `asked` of the archive tell what reached them."""

    id: str
    issuer: str
    ehr: FakeEhr
    archive: Archive
    records: dict[str, Record] = field(default_factory=dict)
    clock: Clock = field(default_factory=SystemClock)

    def take_in(self, record: Record) -> None:
        """Answers for the patient, to whom holds that patient's token only, as an EHR does."""
        self.records[record.id] = record
        self.at(f"Patient/{record.id}", lambda _asked: record.patient(), record.id)
        for each in record.reports:
            self.at(f"DiagnosticReport/{each['id']}", lambda _asked, found=each: found, record.id)
        self.ehr.server.at("/fhir/ImagingStudy", lambda asked: self._search(asked, "studies"))
        self.ehr.server.at("/fhir/DiagnosticReport", lambda asked: self._search(asked, "reports"))
        self.ehr.server.at("/fhir/Consent", lambda asked: self._search(asked, "consents"))

    def at(self, path: str, found: Any, patient: str) -> None:
        def answer(asked: Asked) -> Said:
            if asked.headers.get("authorization") != f"Bearer {self.token(patient)}":
                return fhir({"resourceType": "OperationOutcome", "issue": []}, 403)
            return fhir(found(asked))

        self.ehr.server.at(f"/fhir/{path}", answer)

    def token(self, patient: str) -> str:
        return f"canary-access-{self.id}-{patient}"

    def _search(self, asked: Asked, what: str) -> Said:
        record = self.records.get(asked.query.get("patient", ""))
        if record is None or asked.headers.get("authorization") != f"Bearer {self.token(record.id)}":
            return fhir({"resourceType": "OperationOutcome", "issue": []}, 403)
        return fhir(bundle(*getattr(record, what), following=record.following))

    def consent(self, authorize_url: str, patient: str, **changed: str | None) -> dict[str, list[str]]:
        """The person chose this record and agreed; what the browser brings back."""
        self.ehr.answer.update(
            access_token=self.token(patient), refresh_token=f"canary-refresh-{patient}", patient=patient
        )
        now = int(self.clock.now().timestamp())
        self.ehr.claims.update(iat=now, exp=now + 300)
        self.ehr.claims.update(sub=f"person-{patient}", fhirUser=f"{self.ehr.iss}/Patient/{patient}")
        return self.ehr.consent(authorize_url, **{"code": f"canary-code-{patient}", **changed})

    def provider(self, **changed: Any) -> Provider:
        origins = (self.ehr.origin, "{0.scheme}://{0.netloc}".format(urlsplit(self.archive.url)))
        facts = {"id": self.id, "name": self.id.title(), "dicomweb": self.archive.url, "mrn_systems": (MRN,)}
        return provider(self.ehr.iss, origins, **facts, issuer_of_patient_id=self.issuer, **changed)

    def calls(self) -> int:
        """How many requests the EHR and the archive got so far."""
        return len(self.ehr.server.log) + len(self.archive.asked)


@contextmanager
def hospital(id_: str, issuer: str) -> Iterator[Hospital]:
    with serving() as server, running_archive() as archive:
        yield Hospital(id_, issuer, FakeEhr(server), archive)


CHEST = (Made("1.2.3.1.1"), Made("1.2.3.1.2", number=2), Made("1.2.3.2.1", series="1.2.3.2", number=3))
BENS = Made("1.8.1.1", "1.8.1", "1.8", "SE-1002", number=90)
MERCYS = Made("1.2.3.1.1", patient_id="MH-5501", issuer="MERCY", number=70)
"""The same UIDs as Ana's chest at the other hospital: copies of one scan, or an accident."""


def fill(first: Hospital, second: Hospital) -> None:
    """Ana and Ben at the first hospital, another Ana at the second."""
    scans = [study("i1", "1.2.3", "Patient/ana", description="CT chest")]
    reports = [report("r1", "Patient/ana", imagingStudy=[{"reference": "ImagingStudy/i1"}], conclusion="One nodule.")]
    first.take_in(Record("ana", "Ana Canaryvera", "SE-1001", scans, reports))
    first.take_in(Record("ben", "Ben Canaryfor", "SE-1002", [study("i8", "1.8", "Patient/ben")]))
    second.take_in(Record("m-ana", "Ana M. Canaryvera", "MH-5501", [study("i1", "1.2.3", "Patient/m-ana")]))
    first.archive.held, second.archive.held = [*CHEST, BENS], [MERCYS]
