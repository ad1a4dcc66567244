"""How we show who we are at the token endpoint."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from smartapp.db.unit import Database
from smartapp.errors import ConfigurationError
from smartapp.launch.client_auth import ClientIdentity
from smartapp.launch.ehrs import Ehrs
from smartapp.launch.jwks import public_jwks
from smartapp.outbound.service import Outbound
from smartapp.security.keyring import Keyring
from smartapp.settings import Provider
from tests.launch.fake_ehr import CLIENT, FakeEhr
from tests.launch.house import ShiftedClock, fake_house, provider, settings, sign_in

ISS, ORIGINS = "https://ehr.example.org/fhir", ("https://ehr.example.org",)
RSA = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-384")


def key_file(folder: Path, raw: bytes) -> Path:
    path = folder / "key"
    path.write_bytes(raw)
    return path


@pytest.mark.clause("SMART 2.2", "72", "295")
@pytest.mark.promise("A1")
@pytest.mark.clause("RFC 7523", "3")
@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS384"), (EC, "ES384")])
@pytest.mark.parametrize("form", ["pem", "jwk"])
def test_an_assertion_is_for_this_endpoint_now_and_once(
    fake_ehr: FakeEhr, sqlite_database: Database, keyring: Keyring, tmp_path: Path, key: Any, alg: str, form: str
) -> None:
    raw = key.as_pem(private=True) if form == "pem" else json.dumps(key.as_dict(private=True)).encode()
    private = {"client_auth": "private_key_jwt", "private_key_file": key_file(tmp_path, raw)}
    house = fake_house(fake_ehr, sqlite_database, keyring, **private)
    sign_in(house, fake_ehr)
    sign_in(house, fake_ehr)
    published = public_jwks(house.settings)
    seen = []
    for asked in fake_ehr.token_requests:
        assert "client_id" not in asked.form
        assert "authorization" not in asked.headers
        assert asked.form["client_assertion_type"].endswith(":jwt-bearer")
        keys = KeySet.import_key_set(published)  # type: ignore[arg-type] # joserfc types a set too narrowly
        proof = jws.deserialize_compact(asked.form["client_assertion"], keys, algorithms=[alg])
        claims = json.loads(proof.payload)
        assert (claims["iss"], claims["sub"]) == (CLIENT, CLIENT)
        assert claims["aud"] == fake_ehr.metadata["token_endpoint"]
        assert 0 < claims["exp"] - claims["iat"] <= 300
        seen.append(claims["jti"])
    assert len(set(seen)) == 2
    assert set(published["keys"][0]) & {"d", "p", "q", "dp", "dq", "qi"} == set()


def test_a_key_keeps_the_name_that_the_ehr_knows_it_by(tmp_path: Path) -> None:
    raw = json.dumps({**EC.as_dict(private=True), "kid": "2026-key"}).encode()
    ours = provider(ISS, ORIGINS, client_auth="private_key_jwt", private_key_file=key_file(tmp_path, raw))
    proof = ClientIdentity(ours, ShiftedClock()).proof("https://ehr.example.org/token")
    assert jws.extract_compact(proof.form["client_assertion"].encode()).headers()["kid"] == "2026-key"
    assert [key["kid"] for key in public_jwks(settings(ours))["keys"]] == ["2026-key"]


@pytest.mark.clause("SMART 2.2", "322")
def test_two_keys_of_one_name_stop_the_start(tmp_path: Path) -> None:
    def with_key(id_: str, key: Any) -> Provider:
        (tmp_path / id_).mkdir(exist_ok=True)
        path = key_file(tmp_path / id_, json.dumps({**key.as_dict(private=True), "kid": "ours"}).encode())
        return provider(ISS, ORIGINS, id=id_, client_auth="private_key_jwt", private_key_file=path)

    shared = settings(with_key("a", RSA), with_key("b", RSA))
    assert [key["kid"] for key in public_jwks(shared)["keys"]] == ["ours"]
    clashing = settings(with_key("a", RSA), with_key("b", EC))
    with pytest.raises(ConfigurationError, match="Provider b: private_key_file"):
        Ehrs(clashing, Outbound(clashing.upstreams, ShiftedClock()), ShiftedClock())


@pytest.mark.clause("RFC 6749", "2.3.1")
def test_a_secret_is_form_encoded_before_it_is_base64(
    fake_ehr: FakeEhr, sqlite_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    secret = key_file(tmp_path, "a secret: with % and é\n".encode())
    house = fake_house(fake_ehr, sqlite_database, keyring, client_auth="client_secret_basic", client_secret_file=secret)
    sign_in(house, fake_ehr)
    asked = fake_ehr.token_requests[0]
    pair = base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
    assert pair == "imaging:a+secret%3A+with+%25+and+%C3%A9"
    assert not {"client_id", "client_secret"} & set(asked.form)


def test_a_secret_in_the_form(fake_ehr: FakeEhr, sqlite_database: Database, keyring: Keyring, tmp_path: Path) -> None:
    secret = key_file(tmp_path, b"s3cret")
    house = fake_house(fake_ehr, sqlite_database, keyring, client_auth="client_secret_post", client_secret_file=secret)
    sign_in(house, fake_ehr)
    asked = fake_ehr.token_requests[0]
    assert (asked.form["client_id"], asked.form["client_secret"]) == (CLIENT, "s3cret")
    assert "authorization" not in asked.headers


@pytest.mark.clause("SMART 2.2", "290")
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no key",
        b"{}",
        b"{",
        RSA.as_pem(private=False),
        EC.as_pem(private=False),
        ECKey.generate_key("P-256").as_pem(private=True),
        OKPKey.generate_key("Ed25519").as_pem(private=True),
        json.dumps({"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0"}).encode(),
    ],
)
def test_a_key_that_cannot_sign_stops_the_start(tmp_path: Path, raw: bytes) -> None:
    bad = provider(ISS, ORIGINS, client_auth="private_key_jwt", private_key_file=key_file(tmp_path, raw))
    with pytest.raises(ConfigurationError, match="private_key_file"):
        ClientIdentity(bad, ShiftedClock())


@pytest.mark.clause("SMART 2.2", "22", "23", "290")
@pytest.mark.parametrize("auth", ["private_key_jwt", "client_secret_basic", "client_secret_post"])
@pytest.mark.parametrize("path", [None, Path("/nowhere/key")])
def test_a_secret_that_is_missing_stops_the_start(auth: str, path: Path | None) -> None:
    bad = provider(ISS, ORIGINS, client_auth=auth, private_key_file=path, client_secret_file=path)
    with pytest.raises(ConfigurationError, match="_file"):
        ClientIdentity(bad, ShiftedClock())


def test_without_signing_keys_the_published_set_is_empty() -> None:
    assert public_jwks(settings(provider(ISS, ORIGINS))) == {"keys": []}
