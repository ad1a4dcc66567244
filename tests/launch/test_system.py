"""Backend services: one token for a hospital, for grants that stand on it, asked for once and never in a storm."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import text

from smartapp.consent.model import SEAL, Action, AnyPermit, IndexPermit, Permit, Purpose, SignInPermit
from smartapp.db.unit import Database
from smartapp.errors import (
    ConfigurationError,
    SmartappError,
    UpstreamDown,
    UpstreamError,
    UpstreamMalformed,
    UpstreamRefused,
    UpstreamSlow,
)
from smartapp.identity.model import PatientKey, Principal, PrincipalKind
from smartapp.launch import store
from smartapp.launch.jwks import public_jwks
from smartapp.launch.keeper import TokenKeeper
from smartapp.security.envelope import IntegrityError
from smartapp.security.keyring import Keyring
from tests.launch.fake_ehr import FakeEhr
from tests.launch.house import House, fake_house, settings
from tests.launch.server import Asked, Said, said

ANA = PatientKey("st-elsewhere", "p1")
SCOPES = ("system/Patient.rs", "system/ImagingStudy.rs", "system/DiagnosticReport.rs")
KEY = ECKey.generate_key("P-384", {"kid": "backend-1", "alg": "ES384", "use": "sig"}, private=True)


@pytest.fixture
def changed(tmp_path: Path) -> dict[str, Any]:
    """What makes us a backend service."""
    file = tmp_path / "backend.jwk"
    file.write_text(json.dumps(KEY.as_dict(private=True)))
    return {"system_client_id": "backend", "system_private_key_file": file, "system_scopes": SCOPES}


@pytest.fixture
def house(fake_ehr: FakeEhr, sqlite_database: Database, keyring: Keyring, changed: dict[str, Any]) -> House:
    fake_ehr.server.at("/auth/token", giving())
    return fake_house(fake_ehr, sqlite_database, keyring, **changed)


def giving(**changed: object) -> Callable[[Asked], Said]:
    """A token endpoint that gives a new token each time, over all that was asked."""
    count = 0

    def token(asked: Asked) -> Said:
        nonlocal count
        count += 1
        answer = {"access_token": f"system-{count}", "token_type": "bearer", "expires_in": 300}
        answer |= {"scope": asked.form["scope"], **changed}
        return said({name: value for name, value in answer.items() if value is not None})

    return token


def permit(house: House, patient: PatientKey = ANA, credential_id: str = "") -> IndexPermit:
    return IndexPermit(seal=SEAL, patient=patient, credential_id=credential_id or standing(house, patient))


def standing(house: House, patient: PatientKey = ANA) -> str:
    with house.database.write() as session:
        return house.keeper.stand(session, patient)


@pytest.mark.promise("B1")
@pytest.mark.clause("RFC 7523", "2.2", "3")
@pytest.mark.clause("SMART 2.2", "225", "226", "227", "229", "234", "235", "236", "237", "238", "239")
def test_a_token_is_asked_for_with_a_signed_assertion(house: House, fake_ehr: FakeEhr) -> None:
    assert house.keeper.bearer(permit(house)) == "system-1"
    [asked] = fake_ehr.token_requests
    assert asked.method == "POST"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.form["grant_type"] == "client_credentials"
    assert asked.form["scope"] == " ".join(SCOPES)
    assert asked.form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert set(asked.form) == {"grant_type", "scope", "client_assertion_type", "client_assertion"}
    assert "authorization" not in asked.headers
    assertion = jwt.decode(asked.form["client_assertion"], KEY, algorithms=["ES384"])
    assert assertion.header == {"alg": "ES384", "kid": "backend-1", "typ": "JWT"}
    claims = assertion.claims
    assert claims["iss"] == claims["sub"] == "backend"
    assert claims["aud"] == f"{fake_ehr.issuer}/token"
    assert 0 < claims["exp"] - house.clock.now().timestamp() <= 300
    assert len(fake_ehr.server.asked("/fhir/.well-known/smart-configuration")) == 1


@pytest.mark.clause("SMART 2.2", "233")
def test_no_assertion_is_shown_twice(house: House, fake_ehr: FakeEhr) -> None:
    mine = permit(house)
    for _ in range(3):
        house.keeper.bearer(mine)
        house.clock.advance(400)
    told = [asked.form["client_assertion"] for asked in fake_ehr.token_requests]
    assert len({jwt.decode(each, KEY, algorithms=["ES384"]).claims["jti"] for each in told}) == len(told) == 3


@pytest.mark.clause("SMART 2.2", "225", "263")
def test_one_token_serves_every_patient_until_shortly_before_its_end(house: House, fake_ehr: FakeEhr) -> None:
    ana, ben = permit(house), permit(house, PatientKey("st-elsewhere", "p2"))
    assert [house.keeper.bearer(each) for each in (ana, ben, ana)] == ["system-1"] * 3
    house.clock.advance(235)
    assert house.keeper.bearer(ben) == "system-1"
    house.clock.advance(10)
    assert house.keeper.bearer(ana) == "system-2"
    assert len(fake_ehr.token_requests) == 2


def test_a_long_life_is_cut_to_an_hour(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.server.at("/auth/token", giving(expires_in=86400))
    mine = permit(house)
    house.keeper.bearer(mine)
    house.clock.advance(3500)
    assert house.keeper.bearer(mine) == "system-1"
    house.clock.advance(50)
    assert house.keeper.bearer(mine) == "system-2"


@pytest.mark.promise("E1")
def test_what_goes_with_it_is_written_down_once_for_each_token_and_patient(house: House) -> None:
    ana, ben = permit(house), permit(house, PatientKey("st-elsewhere", "p2"))
    for each in (ana, ana, ben, ana):
        house.keeper.bearer(each)
    assert house.kinds()[:2] == ["smart.system.stand", "smart.system.stand"]
    assert house.kinds()[2:] == ["smart.system.token", "smart.system.use", "smart.system.use"]
    house.clock.advance(400)
    house.keeper.bearer(ana)
    assert house.kinds()[5:] == ["smart.system.token", "smart.system.use"]


@pytest.mark.threat("S23")
def test_of_many_workers_one_asks_and_all_get_its_token(
    fake_ehr: FakeEhr, database: Database, keyring: Keyring, changed: dict[str, Any]
) -> None:
    fake_ehr.server.at("/auth/token", giving())
    houses = [fake_house(fake_ehr, database, keyring, **changed) for _ in range(4)]
    permits = [permit(houses[0], PatientKey("st-elsewhere", f"p{number}")) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda number: houses[number % 4].keeper.bearer(permits[number]), range(8)))
    assert set(got) == {"system-1"}
    assert len(fake_ehr.token_requests) == 1


@pytest.mark.threat("S23")
def test_who_waits_for_another_worker_does_not_wait_for_ever(house: House, fake_ehr: FakeEhr) -> None:
    mine, now = permit(house), house.clock.now()
    with house.database.write() as session:
        held = store.system(session, "st-elsewhere")
        assert store.lease_system(session, held, owner="hangs", now=now, until=now + timedelta(days=1))
        assert not store.lease_system(session, held, owner="second", now=now, until=now)
    naps: list[float] = []
    waiting = TokenKeeper(house.ehrs, house.database, house.vault, house.audit, house.clock, naps.append)
    with pytest.raises(UpstreamSlow):
        waiting.bearer(mine)
    assert 5 <= sum(naps) <= 20
    assert fake_ehr.token_requests == []
    house.clock.advance(86401)
    assert house.keeper.bearer(mine) == "system-1"


@pytest.mark.parametrize("error", ["invalid_client", "unauthorized_client", "invalid_scope", "invalid_grant"])
def test_a_refusal_is_said_once_and_nobody_asks_again_for_minutes(house: House, fake_ehr: FakeEhr, error: str) -> None:
    fake_ehr.server.at("/auth/token", said({"error": error}, 401 if error == "invalid_client" else 400))
    mine = permit(house)
    for _ in range(3):
        with pytest.raises(UpstreamRefused) as caught:
            house.keeper.bearer(mine)
        assert caught.value.code == UpstreamRefused.code
    assert len(fake_ehr.token_requests) == 1
    assert house.kinds() == ["smart.system.stand", "smart.system.refused"]
    assert house.severities("smart.system.refused") == ["high"]
    fake_ehr.server.at("/auth/token", giving())
    house.clock.advance(301)
    assert house.keeper.bearer(mine) == "system-1"


def test_a_refusal_ends_what_is_held(house: House, fake_ehr: FakeEhr) -> None:
    mine = permit(house)
    house.keeper.bearer(mine)
    fake_ehr.server.at("/auth/token", said({"error": "invalid_client"}, 401))
    house.clock.advance(245)
    for _ in range(2):
        with pytest.raises(UpstreamRefused):
            house.keeper.bearer(mine)
    assert len(fake_ehr.token_requests) == 2


@pytest.mark.threat("F5")
@pytest.mark.threat("F6")
@pytest.mark.parametrize(
    ("answer", "error", "pause"),
    [
        (Said(b"", 503, "text/plain", {"Retry-After": "120"}), UpstreamDown, 121),
        (Said(b"", 500, "text/plain"), UpstreamError, 6),
        (Said(b"<html>", 200, "text/html"), UpstreamMalformed, 6),
        (said({"error": "temporarily_unavailable"}, 400), UpstreamDown, 6),
        (Said(b"", 400, "text/plain"), UpstreamDown, 6),
    ],
)
def test_an_ehr_that_is_down_is_left_alone_for_a_while(
    house: House, fake_ehr: FakeEhr, answer: Said, error: type[SmartappError], pause: float
) -> None:
    mine = permit(house)
    fake_ehr.server.at("/auth/token", answer)
    with pytest.raises(error) as caught:
        house.keeper.bearer(mine)
    assert not isinstance(caught.value, UpstreamRefused)
    with pytest.raises(UpstreamDown) as waiting:
        house.keeper.bearer(mine)
    assert waiting.value.retry_after
    assert len(fake_ehr.token_requests) == 1
    fake_ehr.server.at("/auth/token", giving())
    house.clock.advance(pause)
    assert house.keeper.bearer(mine) == "system-1"
    assert "smart.system.refused" not in house.kinds()


@pytest.mark.threat("F5")
def test_while_the_ehr_is_down_a_living_token_serves(house: House, fake_ehr: FakeEhr) -> None:
    mine = permit(house)
    house.keeper.bearer(mine)
    fake_ehr.server.at("/auth/token", Said(b"", 500, "text/plain"))
    house.clock.advance(245)
    assert [house.keeper.bearer(mine) for _ in range(3)] == ["system-1"] * 3
    assert len(fake_ehr.token_requests) == 2
    house.clock.advance(60)
    with pytest.raises(UpstreamError):
        house.keeper.bearer(mine)


@pytest.mark.parametrize(
    "answer",
    [
        {"token_type": "mac"},
        {"token_type": None},
        {"access_token": None},
        {"access_token": "two words"},
        {"expires_in": None},
        {"expires_in": 0},
        {"expires_in": True},
        {"scope": None},
        {"scope": 5},
    ],
)
def test_an_answer_that_is_not_what_smart_says_is_none(
    house: House, fake_ehr: FakeEhr, answer: dict[str, object]
) -> None:
    fake_ehr.server.at("/auth/token", giving(**answer))
    with pytest.raises(UpstreamMalformed):
        house.keeper.bearer(permit(house))
    with house.database.read() as session:
        assert store.system(session, "st-elsewhere").sealed is None


def test_no_scope_is_a_refusal_and_less_of_it_is_written_down(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.server.at("/auth/token", giving(scope="patient/*.rs system/Observation.rs"))
    mine = permit(house)
    with pytest.raises(UpstreamRefused):
        house.keeper.bearer(mine)
    fake_ehr.server.at("/auth/token", giving(scope="system/Patient.rs system/*.s"))
    house.clock.advance(301)
    assert house.keeper.bearer(mine) == "system-1"
    assert house.kinds()[1:] == ["smart.system.refused", "smart.system.token", "smart.system.use"]


def test_a_refresh_token_is_not_kept(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.server.at("/auth/token", giving(refresh_token="refresh-of-the-hospital"))
    mine = permit(house)
    house.keeper.bearer(mine)
    house.clock.advance(400)
    assert house.keeper.bearer(mine) == "system-2"
    assert {asked.form["grant_type"] for asked in fake_ehr.token_requests} == {"client_credentials"}


@pytest.mark.promise("E2")
@pytest.mark.clause("SMART 2.2", "8")
def test_the_token_is_sealed_where_it_is_stored(house: House) -> None:
    house.keeper.bearer(permit(house))
    with house.database.read() as session:
        stored = [bytes(each) for (each,) in session.execute(text("SELECT sealed FROM ehr_system_tokens"))]
    assert stored
    assert not any(b"system-1" in each for each in stored)


def test_a_token_of_another_configuration_is_not_used(
    house: House, fake_ehr: FakeEhr, keyring: Keyring, changed: dict[str, Any]
) -> None:
    mine = permit(house)
    assert house.keeper.bearer(mine) == "system-1"
    narrower = fake_house(fake_ehr, house.database, keyring, **(changed | {"system_scopes": SCOPES[:1]}))
    assert narrower.keeper.bearer(mine) == "system-2"
    assert fake_ehr.token_requests[-1].form["scope"] == SCOPES[0]


@pytest.mark.threat("S22")
def test_a_token_that_was_refused_is_replaced_once_and_no_more(house: House, fake_ehr: FakeEhr) -> None:
    mine = permit(house)
    house.keeper.bearer(mine)
    house.clock.advance(61)
    house.keeper.rejected(mine, "another")
    assert house.keeper.bearer(mine) == "system-1"
    house.keeper.rejected(mine, "system-1")
    assert house.keeper.bearer(mine) == "system-2"
    house.keeper.rejected(mine, "system-1")
    assert house.keeper.bearer(mine) == "system-2"
    house.keeper.rejected(mine, "system-2")
    for _ in range(2):
        with pytest.raises(UpstreamRefused):
            house.keeper.bearer(mine)
    assert len(fake_ehr.token_requests) == 2
    assert house.severities("smart.system.refused") == ["high"]


@pytest.mark.threat("A2")
def test_only_a_grants_permit_of_its_own_patient_gets_it(house: House, fake_ehr: FakeEhr) -> None:
    mine = permit(house)
    denied: list[AnyPermit] = [
        replace(mine, patient=PatientKey("st-elsewhere", "p2")),
        replace(mine, patient=PatientKey("mercy", "p1")),
        replace(mine, credential_id="sys-unknown"),
        SignInPermit(seal=SEAL, provider="st-elsewhere", patient_id="p1", credential_id=mine.credential_id),
        *(of_person(house, mine.credential_id, kind) for kind in PrincipalKind if kind is not PrincipalKind.APP),
    ]
    for each in denied:
        with pytest.raises(UpstreamRefused):
            house.keeper.bearer(each)
    assert fake_ehr.token_requests == []
    assert house.keeper.bearer(of_person(house, mine.credential_id, PrincipalKind.APP)) == "system-1"


def of_person(house: House, credential_id: str, kind: PrincipalKind) -> Permit:
    until = house.clock.now() + timedelta(hours=1)
    principal = Principal(kind, "per", "ses", "ctx", ANA, credential_id, until)
    return Permit(
        seal=SEAL, principal=principal, patient=ANA, action=Action.LIST, purpose=Purpose.PATRQT, studies=frozenset(),
        reasons=(), disclosure_id="d", expires_at=until, still_held=lambda: None,
    )  # fmt: skip


def test_a_credential_of_a_person_does_not_become_one(house: House) -> None:
    """The kind is in the id, and the id in what is sealed: a row that was renamed opens nothing."""
    mine = permit(house)
    with house.database.write() as session:
        session.execute(text("UPDATE ehr_credentials SET id = 'sys-renamed'"))
    with pytest.raises(IntegrityError):
        house.keeper.bearer(replace(mine, credential_id="sys-renamed"))


def test_it_does_not_last_by_itself_and_its_end_asks_nobody(house: House, fake_ehr: FakeEhr) -> None:
    mine = permit(house)
    assert not house.keeper.lasting(mine.credential_id, ANA)
    house.keeper.bearer(mine)
    house.keeper.end(mine.credential_id)
    house.keeper.end(mine.credential_id)
    with pytest.raises(UpstreamRefused):
        house.keeper.bearer(mine)
    assert fake_ehr.server.asked("/auth/revoke") == []


def test_where_we_are_no_backend_service_nothing_stands_on_it(
    house: House, fake_ehr: FakeEhr, keyring: Keyring
) -> None:
    mine = permit(house)
    other = fake_house(fake_ehr, house.database, keyring)
    assert house.keeper.offers_system("st-elsewhere")
    assert not other.keeper.offers_system("st-elsewhere")
    with pytest.raises(ValueError, match="no backend service"):
        standing(other)
    with pytest.raises(UpstreamRefused):
        other.keeper.bearer(mine)
    assert fake_ehr.token_requests == []


@pytest.mark.clause("SMART 2.2", "225")
def test_the_public_half_of_its_key_is_served(house: House) -> None:
    assert [key["kid"] for key in public_jwks(house.settings)["keys"]] == ["backend-1"]
    assert "d" not in public_jwks(house.settings)["keys"][0]


def test_two_keys_of_one_name_are_refused(house: House, tmp_path: Path) -> None:
    file = tmp_path / "other.jwk"
    other = ECKey.generate_key("P-384", {"kid": "backend-1", "alg": "ES384"}, private=True)
    file.write_text(json.dumps(other.as_dict(private=True)))
    [provider] = house.settings.providers
    both = replace(provider, client_auth="private_key_jwt", private_key_file=file)
    with pytest.raises(ConfigurationError, match="system_private_key_file has the kid of another key"):
        public_jwks(settings(both))
    alone = replace(both, system_private_key_file=None)
    assert len(public_jwks(settings(alone))["keys"]) == 1
