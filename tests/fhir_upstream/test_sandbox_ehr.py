"""The sandbox's EHR, read through a real launch: a server that shares no code with us."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from smartapp.consent.directives.asking import Asker
from smartapp.consent.directives.judging import Judge
from smartapp.consent.directives.onfile import read_all
from smartapp.consent.model import SEAL, Action, IndexPermit, Permit, Purpose
from smartapp.db.unit import Database
from smartapp.errors import UpstreamError
from smartapp.fhir.upstream.service import FhirReader
from smartapp.identity.model import PatientKey, Principal, PrincipalKind
from smartapp.security.keyring import Keyring
from tests.launch.house import House, permit_for, provider, settings
from tests.launch.test_sandbox_ehr import signed_in
from tests.sandbox.ehr.process import running

SCOPES = ("openid", "fhirUser", "offline_access", "patient/*.rs")


@pytest.fixture(scope="module")
def ehr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("ehr"), imaging_study=False) as base:
        yield base


def opened(ehr: str, database: Database, keyring: Keyring, **who: str) -> tuple[FhirReader, IndexPermit]:
    hospital = provider(f"{ehr}/st-elsewhere/fhir", (ehr,), scopes=SCOPES, client_id="other")
    house = House(settings(hospital, base_url="http://127.0.0.1:9"), database, keyring)
    permit = permit_for(signed_in(house, ehr, **who))
    return FhirReader(house.settings, house.outbound, house.keeper, house.audit, house.clock), permit


def to_read(permit: IndexPermit) -> Permit:
    until = datetime.max.replace(tzinfo=UTC)
    principal = Principal(PrincipalKind.PATIENT, "p", "s", "c", permit.patient, permit.credential_id, until)
    return Permit(
        seal=SEAL, principal=principal, patient=permit.patient, action=Action.READ_REPORT, purpose=Purpose.PATRQT,
        studies=frozenset(), reasons=(), disclosure_id="d", expires_at=until, still_held=lambda: None,
    )  # fmt: skip


@pytest.mark.promise("A2")
def test_the_record_of_ana(ehr: str, sqlite_database: Database, keyring: Keyring) -> None:
    reader, permit = opened(ehr, sqlite_database, keyring)
    person = reader.patient(permit)
    assert person.name.endswith("Rivera")
    assert {(one.value, one.use) for one in person.identifiers} == {("SE-1001", "usual"), ("OLD-77", "old")}
    studies, reports = reader.imaging_studies(permit), reader.reports(permit)
    assert (studies.problems, reports.problems) == ((), ())
    assert len(studies.items) == 5
    assert {one.id for one in reports.items} == {
        "rep-ana-ct-chest", "rep-ana-ct-head", "rep-ana-xr-hand", "rep-ana-mr-brain",
    }  # fmt: skip
    by_id = {one.id: one for one in studies.items}
    for found in reports.items:
        (named,) = found.imaging_study_refs
        assert set(found.based_on) == set(by_id[named].based_on)
        assert set(found.accessions) == set(by_id[named].accessions)
    chest = reader.report(to_read(permit), "rep-ana-ct-chest")
    assert "5 mm nodule" in chest.conclusion
    assert "right upper lobe" in chest.texts[0]
    assert [one.value for one in chest.observations] == ["5 mm"]
    assert [one.content_type for one in chest.attachments] == ["text/plain", "application/pdf"]
    media, body = reader.attachment(to_read(permit), "rep-ana-ct-chest", 1)
    assert media == "application/pdf"
    assert body.startswith(b"%PDF-")


@pytest.mark.threat("S22")
def test_the_ehr_keeps_ana_from_bens_record(ehr: str, sqlite_database: Database, keyring: Keyring) -> None:
    reader, permit = opened(ehr, sqlite_database, keyring)
    foreign = IndexPermit(
        seal=permit.seal, patient=PatientKey("st-elsewhere", "ben"), credential_id=permit.credential_id
    )
    with pytest.raises(UpstreamError):
        reader.imaging_studies(foreign)


@pytest.mark.promise("B5")
def test_the_refusal_of_ines_names_an_organization_and_concerns_no_app(
    ehr: str, sqlite_database: Database, keyring: Keyring
) -> None:
    reader, permit = opened(ehr, sqlite_database, keyring, username="ines", password="ines-sandbox")
    found = reader.consents(permit, reader.patient(permit))
    assert found.problems == ()
    [refusal] = found.items
    assert [named.names for named in refusal.named.values()] == [("Harbor Occupational Health",)]
    for names, kept in (("Sunny Viewer",), False), (("Harbor",), True), ((), True):
        asker = Asker(("urn:clients", "app-1"), "PATRQT", names)
        judge = Judge.of(read_all(found.items, UTC), asker, datetime.now(UTC), UTC)
        assert bool(judge.of_person()) is kept
