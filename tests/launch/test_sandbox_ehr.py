"""Whole launches against the sandbox's EHR: a server that shares no code with us, and rotates its refresh tokens."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from smartapp.db.unit import Database
from smartapp.errors import LaunchRefused, UpstreamRefused
from smartapp.identity.model import PrincipalKind
from smartapp.launch.model import BegunLaunch, CompletedLaunch
from smartapp.security.keyring import Keyring
from tests.launch.house import House, permit_for, provider, settings
from tests.sandbox.ehr.app import Browser
from tests.sandbox.ehr.keys import EC, RSA
from tests.sandbox.ehr.process import running

ANA = {"username": "ana", "password": "ana-sandbox"}
SCOPES = ("openid", "fhirUser", "offline_access", "patient/ImagingStudy.rs", "patient/DiagnosticReport.rs")


@pytest.fixture(scope="module")
def ehr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("ehr")) as base:
        yield base


def house_at(ehr: str, database: Database, keyring: Keyring, client: dict[str, Any]) -> House:
    hospital = provider(f"{ehr}/st-elsewhere/fhir", (ehr,), scopes=SCOPES, **client)
    return House(settings(hospital, base_url="http://127.0.0.1:9"), database, keyring)


def back(browser: Browser) -> dict[str, list[str]]:
    assert browser.left_for is not None, browser.page
    return parse_qs(urlsplit(browser.left_for).query)


def standalone(house: House, ehr: str, decision: str = "approve", **who: str) -> tuple[BegunLaunch, Browser]:
    begun = house.launcher.begin(provider_id="st-elsewhere")
    browser = Browser(ehr).get(begun.authorize_url).submit(0, **(who or ANA))
    if browser.left_for is None and 'name="decision"' in browser.page:
        browser.submit(decision=decision)
    return begun, browser


def signed_in(house: House, ehr: str, **who: str) -> CompletedLaunch:
    begun, browser = standalone(house, ehr, **who)
    return house.launcher.complete(back(browser), begun.browser_secret)


@pytest.fixture(params=["none", "client_secret_basic", "client_secret_post", "ES384", "RS384"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    if request.param == "none":
        return {"client_id": "other", "client_auth": "none"}
    path = tmp_path / "secret"
    if request.param.startswith("client_secret"):
        path.write_text("a secret: with % and +")
        return {"client_id": "secretive", "client_auth": request.param, "client_secret_file": path}
    path.write_text(json.dumps((EC if request.param == "ES384" else RSA).as_dict(private=True)))
    return {"client_id": "imaging", "client_auth": "private_key_jwt", "private_key_file": path}


@pytest.fixture
def public() -> dict[str, Any]:
    return {"client_id": "other", "client_auth": "none"}


@pytest.mark.clause("SMART 2.2", "13", "22", "23", "64", "308", "309", "345")
@pytest.mark.promise("A1")
def test_a_standalone_launch_with_every_kind_of_client(
    ehr: str, sqlite_database: Database, keyring: Keyring, client: dict[str, Any]
) -> None:
    house = house_at(ehr, sqlite_database, keyring, client)
    done = signed_in(house, ehr)
    assert (done.fhir_user, done.patient_id) == ("Patient/ana", "ana")
    assert done.relation is PrincipalKind.PATIENT
    assert set(SCOPES) <= set(done.scopes)
    assert done.auth_time is not None
    permit = permit_for(done)
    first = house.keeper.bearer(permit)
    house.keeper.rejected(permit, first)
    second = house.keeper.bearer(permit)
    assert second != first
    house.keeper.end(done.credential_id)
    assert (
        Browser(ehr)
        .http.get(f"{ehr}/st-elsewhere/fhir/Patient/ana", headers={"Authorization": f"Bearer {second}"}, timeout=20)
        .status_code
        == 401
    )


@pytest.mark.promise("A1")
def test_a_launch_from_the_portal(ehr: str, sqlite_database: Database, keyring: Keyring, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(EC.as_pem(private=True))
    trusted = {"client_id": "imaging", "client_auth": "private_key_jwt", "private_key_file": key}
    house = house_at(ehr, sqlite_database, keyring, trusted)
    browser = Browser(ehr).get(f"{ehr}/st-elsewhere/portal").submit(0, **ANA)
    browser.press("My imaging")
    asked = {name: values[0] for name, values in back(browser).items()}
    begun = house.launcher.begin(iss=asked["iss"], launch=asked["launch"])
    done = house.launcher.complete(back(browser.get(begun.authorize_url)), begun.browser_secret)
    assert done.patient_id == "ana"
    assert done.need_patient_banner is False


@pytest.mark.promise("A6")
@pytest.mark.threat("S13")
def test_a_mother_signs_in_for_her_son(
    ehr: str, sqlite_database: Database, keyring: Keyring, public: dict[str, Any]
) -> None:
    house = house_at(ehr, sqlite_database, keyring, public)
    done = signed_in(house, ehr, username="dana", password="dana-sandbox")
    assert (done.relation, done.patient_id) == (PrincipalKind.REPRESENTATIVE, "eli")
    assert done.fhir_user.startswith("RelatedPerson/")


def test_who_says_no_is_told_so(ehr: str, sqlite_database: Database, keyring: Keyring, public: dict[str, Any]) -> None:
    house = house_at(ehr, sqlite_database, keyring, public)
    begun, browser = standalone(house, ehr, "deny")
    with pytest.raises(LaunchRefused) as refused:
        house.launcher.complete(back(browser), begun.browser_secret)
    assert refused.value.code == "smart.authorize.denied"


@pytest.mark.threat("S23")
def test_workers_that_race_never_present_a_spent_refresh_token(
    ehr: str, database: Database, keyring: Keyring, public: dict[str, Any]
) -> None:
    workers = [house_at(ehr, database, keyring, public) for _ in range(3)]
    permit = permit_for(signed_in(workers[0], ehr))
    seen: set[str] = set()
    with ThreadPoolExecutor(6) as pool:
        for _ in range(3):
            for worker in workers:
                worker.clock.advance(4000)
            got = set(pool.map(lambda number: workers[number % 3].keeper.bearer(permit), range(6)))
            assert len(got) == 1
            seen |= got
    assert len(seen) == 3
    assert "smart.revoked_upstream" not in workers[0].kinds()


@pytest.mark.threat("S22")
def test_a_family_that_was_ended_there_asks_for_a_new_sign_in(
    ehr: str, sqlite_database: Database, keyring: Keyring, public: dict[str, Any]
) -> None:
    house = house_at(ehr, sqlite_database, keyring, public)
    permit = permit_for(signed_in(house, ehr))
    token = house.keeper.bearer(permit)
    gone = Browser(ehr).http.post(
        f"{ehr}/st-elsewhere/oauth/revoke", data={"token": token, "client_id": "other"}, timeout=20
    )
    assert gone.status_code == 200
    house.keeper.give_back("st-elsewhere", token, _refresh_token(house, permit.credential_id))
    house.keeper.rejected(permit, token)
    with pytest.raises(UpstreamRefused):
        house.keeper.bearer(permit)
    assert house.kinds()[-1] == "smart.revoked_upstream"


def _refresh_token(house: House, credential_id: str) -> str | None:
    from smartapp.launch import store

    with house.database.read() as session:
        kept = store.find(session, credential_id)
    assert kept is not None
    assert kept.sealed is not None
    patient = house.vault.open_patient(kept.id, kept.sealed_patient)
    return house.vault.open_(patient, kept.id, kept.version, kept.sealed).refresh
