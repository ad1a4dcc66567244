"""The use-cases over real parts: database, audit, session, cache, renderer, and an EHR and an archive on loopback."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from smartapp.db.unit import Database
from smartapp.dicomweb.core.cache import InstanceCache
from smartapp.dicomweb.core.render import RenderPool
from smartapp.dicomweb.upstream.alarm import AuditedAlarm
from smartapp.dicomweb.upstream.service import PacsReader
from smartapp.fhir.upstream.service import FhirReader
from smartapp.identity.model import Principal
from smartapp.outbound.service import Outbound
from smartapp.records.index import IndexKeeper
from smartapp.records.service import Records
from smartapp.security.keyring import Keyring
from smartapp.settings import Jurisdiction, Storage, Upstreams
from tests.access.house import House
from tests.dicomweb_upstream.archive import Archive
from tests.dicomweb_upstream.conftest import Tokens
from tests.dicomweb_upstream.objects import Made
from tests.fhir_upstream.fake_fhir import FakeFhir, bundle
from tests.launch.house import provider, settings
from tests.support.clock import FixedClock

CHEST = (Made("1.2.3.1.1"), Made("1.2.3.1.2", number=2), Made("1.2.3.2.1", series="1.2.3.2", number=3))
OLD = Made("1.4.1.1", "1.4.1", "1.4", "OLD-77", "")
BENS = Made("1.8.1.1", "1.8.1", "1.8", "SE-1002")


@dataclass
class Desk:
    """A worker's record rooms. `restart` gives another worker on the same database and cache."""

    house: House
    ehr: FakeFhir
    archive: Archive
    folder: Path
    pool: RenderPool
    base_url: str = "https://images.example.org"
    hospital: Mapping[str, Any] = field(default_factory=dict)
    jurisdictions: tuple[Jurisdiction, ...] = ()
    called: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        limits = Upstreams(connect_timeout=2, read_timeout=1.5, total_timeout=8)
        hospital = provider(
            self.ehr.base, (self.ehr.origin,), dicomweb=self.archive.url, mrn_systems=("urn:mrn", "urn:old"),
            issuer_of_patient_id="ST-ELSEWHERE", **self.hospital,
        )  # fmt: skip
        storage = Storage(self.folder / "cache")
        house = self.house
        self.settings = settings(
            hospital, base_url=self.base_url, upstreams=limits, storage=storage, jurisdictions=self.jurisdictions
        )
        outbound = Outbound(limits, house.clock, sleep=lambda _seconds: None)
        tokens = Tokens()
        fhir = FhirReader(self.settings, outbound, tokens, house.audit, house.clock)
        alarm = AuditedAlarm(house.audit)
        pacs = {"st-elsewhere": PacsReader(hospital, outbound, tokens, limits, alarm)}
        self.cache = InstanceCache(storage, house.datakeys, house.clock)
        keeper = IndexKeeper(
            self.settings,
            house.access,
            fhir,
            pacs,
            house.database,
            house.keyring,
            house.datakeys,
            house.clock,
            house.audit,
            names=lambda _provider, client_id: self.called.get(client_id, ()),
        )
        self.records = Records(
            self.settings, house.access, keeper, fhir, pacs, self.cache, self.pool, house.audit, house.clock
        )

    def restart(self) -> "Desk":
        return Desk(self.house.another(), self.ehr, self.archive, self.folder, self.pool, self.base_url, self.hospital)

    def principal(self) -> Principal:
        return self.house.principal()

    def tell(self, *, studies: list[dict[str, Any]] | None = None, reports: list[dict[str, Any]] | None = None) -> None:
        """What the EHR says: Ana with a record number and an old one, her studies and reports."""
        identifiers = [{"system": "urn:mrn", "value": "SE-1001"}, {"system": "urn:old", "value": "OLD-77"}]
        self.ehr.at("Patient/ana", {"resourceType": "Patient", "id": "ana", "identifier": identifiers})
        self.ehr.at("ImagingStudy", bundle(*(studies or [])))
        self.ehr.at("DiagnosticReport", bundle(*(reports or [])))

    def calls(self) -> int:
        """How often the archive was asked so far."""
        return len(self.archive.asked)

    def kinds(self) -> list[str]:
        """The kinds of the trail's rows, in order."""
        with self.house.database.read() as session:
            return list(session.execute(text("SELECT kind FROM audit_events ORDER BY seq")).scalars())


def make_desk(
    database: Database, keyring: Keyring, ehr: FakeFhir, archive: Archive, folder: Path, pool: RenderPool
) -> Desk:
    desk = Desk(House(database, keyring, FixedClock()), ehr, archive, folder, pool)
    archive.held = [*CHEST, OLD, BENS]
    desk.tell()
    return desk
