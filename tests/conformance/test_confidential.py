"""How a confidential client shows who it is (SMART App Launch 2.2, client-confidential-asymmetric and -symmetric)."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey, import_key

from smartapp.db.unit import Database
from smartapp.launch.jwks import public_jwks
from smartapp.security.keyring import Keyring
from tests.launch.fake_ehr import CLIENT, FakeEhr
from tests.launch.house import House, fake_house, permit_for, sign_in
from tests.launch.server import Asked

KEYS: dict[str, RSAKey | ECKey] = {"RS384": RSAKey.generate_key(2048), "ES384": ECKey.generate_key("P-384")}
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def signed_in_and_refreshed(house: House, ehr: FakeEhr) -> list[Asked]:
    """What the token endpoint was asked: for the code, and for the next token."""
    permit = permit_for(sign_in(house, ehr))
    ehr.server.at("/auth/token", lambda _asked: ehr.said_next({}))
    house.clock.advance(4000)
    house.keeper.bearer(permit)
    first, second = ehr.token_requests
    return [first, second]


@pytest.mark.clause(
    "SMART 2.2", "64", "65", "11", "72", "307", "308", "309", "317", "319", "320", "321", "322", "323", "325"
)
@pytest.mark.clause("SMART 2.2", "327", "328", "329", "330", "331", "332", "333", "334", "290")
@pytest.mark.parametrize("alg", KEYS)
def test_an_assertion_says_what_is_named_and_nothing_else(
    fake_ehr: FakeEhr, sqlite_database: Database, keyring: Keyring, tmp_path: Path, alg: str
) -> None:
    path = tmp_path / "key"
    path.write_text(json.dumps(KEYS[alg].as_dict(private=True)))
    house = fake_house(fake_ehr, sqlite_database, keyring, client_auth="private_key_jwt", private_key_file=path)
    began = int(house.clock.now().timestamp())
    asked = signed_in_and_refreshed(house, fake_ehr)
    ended = int(house.clock.now().timestamp())
    public = {key["kid"]: key for key in public_jwks(house.settings)["keys"]}
    seen = set()
    for one, (earliest, latest) in zip(asked, ((began, ended - 4000), (began + 4000, ended)), strict=True):
        assert "client_id" not in one.form
        assert one.form["client_assertion_type"] == ASSERTION
        compact = one.form["client_assertion"].encode()
        header = jws.extract_compact(compact).headers()
        assert (set(header), header["alg"], header["typ"]) == ({"alg", "kid", "typ"}, alg, "JWT")
        key = import_key(public[header["kid"]])  # type: ignore[arg-type] # joserfc types a key too narrowly
        claims = json.loads(jws.deserialize_compact(compact, key, algorithms=[alg]).payload)
        assert (claims["iss"], claims["sub"]) == (CLIENT, CLIENT)
        assert claims["aud"] == f"{fake_ehr.issuer}/token"
        assert isinstance(claims["exp"], int)
        assert earliest < claims["exp"] <= latest + 300
        seen.add(claims["jti"])
    assert len(seen) == 2


@pytest.mark.clause("SMART 2.2", "64", "66", "72", "345")
def test_a_shared_secret_goes_by_basic_and_the_form_names_nobody(
    fake_ehr: FakeEhr, sqlite_database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    path.write_text("s3cret")
    house = fake_house(fake_ehr, sqlite_database, keyring, client_auth="client_secret_basic", client_secret_file=path)
    for asked in signed_in_and_refreshed(house, fake_ehr):
        kind, _, pair = asked.headers["authorization"].partition(" ")
        assert (kind, b64decode(pair)) == ("Basic", f"{CLIENT}:s3cret".encode())
        assert asked.form.keys() & {"client_id", "client_secret", "client_assertion"} == set()


@pytest.mark.clause("SMART 2.2", "294", "295", "313", "314", "315")
@pytest.mark.parametrize(
    ("alg", "members"), [("RS384", {"kty": "RSA", "n": 256, "e": 3}), ("ES384", {"kty": "EC", "x": 48, "y": 48})]
)
def test_a_published_key_is_bare_and_public(
    fake_ehr: FakeEhr, sqlite_database: Database, keyring: Keyring, tmp_path: Path, alg: str, members: dict[str, Any]
) -> None:
    path = tmp_path / "key"
    path.write_bytes(KEYS[alg].as_pem(private=True))
    house = fake_house(fake_ehr, sqlite_database, keyring, client_auth="private_key_jwt", private_key_file=path)
    published = public_jwks(house.settings)
    (key,) = published["keys"]
    named = {"kty", "kid", "alg", "use", *members, *({"crv"} if alg == "ES384" else ())}
    assert (set(published), set(key)) == ({"keys"}, named)
    assert (key["kty"], key["kid"] != "", key.get("crv", "P-384")) == (members["kty"], True, "P-384")
    for name in members.keys() - {"kty"}:
        text = str(key[name])
        assert len(b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)) == members[name]
