"""The id_token: every way in which it may be somebody else's, too old, or not the EHR's at all."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import urlsafe_b64encode

from smartapp.errors import LaunchRefused
from smartapp.launch.checks.id_claims import read_id_claims
from smartapp.launch.checks.jws import read_jws
from smartapp.launch.ehr_keys import _public_key
from smartapp.launch.strict_json import json_object
from tests.launch.fake_ehr import CLIENT, EC_KEY, KEY, OTHER_KEY, FakeEhr, signed, unsigned
from tests.launch.house import House, ShiftedClock, sign_in

NOW = ShiftedClock().now()
AT = int(NOW.timestamp())


def moved(seconds: int) -> timedelta:
    """A time of the test's own moment, not of the moment in which it was collected."""
    return timedelta(seconds=seconds)


def at_present(claims: dict[str, Any]) -> dict[str, Any]:
    now = int(time.time())
    return {k: now + int(v.total_seconds()) if isinstance(v, timedelta) else v for k, v in claims.items()}


def refused(house: House, ehr: FakeEhr) -> str:
    with pytest.raises(LaunchRefused) as error:
        sign_in(house, ehr)
    return error.value.code


@pytest.mark.promise("A1")
def test_an_elliptic_signature_will_do(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.signer, fake_ehr.header = EC_KEY, {"alg": "ES384", "kid": "ec"}
    assert sign_in(house, fake_ehr).sub == "person-1"


@pytest.mark.clause("SMART 2.2", "201", "218")
@pytest.mark.clause("OpenID Connect Core", "3.1.3.7")
@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"aud": [CLIENT, "another-client"], "azp": "another-client"},
        {"aud": [CLIENT], "azp": "another-client"},
        {"aud": CLIENT, "azp": None, "exp": None},
        {"aud": [CLIENT, 7], "azp": CLIENT},
        {"aud": []},
        {"aud": None},
        {"exp": moved(-61)},
        {"exp": moved(86400 * 3650)},
        {"exp": "1893456000"},
        {"exp": True},
        {"exp": float("1e308")},
        {"iat": moved(120)},
        {"iat": moved(-7200)},
        {"iat": None},
        {"nbf": moved(120)},
        {"nbf": "now"},
        {"sub": ""},
        {"sub": 7},
        {"sub": None},
        {"sub": "a" * 256},
        {"sub": "a\nb"},
        {"auth_time": "yesterday"},
    ],
)
def test_a_claim_that_is_wrong(house: House, fake_ehr: FakeEhr, changed: dict[str, Any]) -> None:
    fake_ehr.claims.update(at_present(changed))
    assert refused(house, fake_ehr) == "smart.idtoken.bad"
    assert "smart.launch" not in house.kinds()


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "the EHR's own"], "azp": CLIENT},
        {"azp": CLIENT},
        {"exp": moved(-30), "iat": moved(-330)},
        {"nbf": moved(30)},
        {"auth_time": moved(-5)},
    ],
)
def test_a_claim_that_is_unusual_but_right(house: House, fake_ehr: FakeEhr, changed: dict[str, Any]) -> None:
    fake_ehr.claims.update(at_present(changed))
    assert sign_in(house, fake_ehr).sub == "person-1"


@pytest.mark.clause("SMART 2.2", "201")
@pytest.mark.threat("S11")
@pytest.mark.parametrize("nonce", [None, "another", 7, "", ["x"]])
def test_the_nonce_is_compared_whatever_the_ehr_says_it_supports(house: House, fake_ehr: FakeEhr, nonce: Any) -> None:
    fake_ehr.metadata["nonce_supported"] = False
    fake_ehr.claims.update({"nonce": nonce, "nonce_supported": False})
    assert refused(house, fake_ehr) == "smart.idtoken.nonce"
    assert house.severities("smart.idtoken.nonce") == ["high"]


@pytest.mark.clause("SMART 2.2", "201")
@pytest.mark.clause("RFC 8725", "3.1")
@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "nOnE"},
        {"alg": "HS256", "kid": "one"},
        {"alg": "RS512", "kid": "one"},
        {"alg": "ES384", "kid": "one"},
        {"kid": "one"},
        {"alg": "RS256", "kid": "one", "jku": "https://evil.example/keys"},
        {"alg": "RS256", "kid": "one", "x5u": "https://evil.example/cert"},
        {"alg": "RS256", "kid": "one", "jwk": dict(KEY.as_dict(private=False))},
        {"alg": "RS256", "kid": "one", "x5c": ["MII"]},
        {"alg": "RS256", "kid": "one", "crit": ["exp"]},
        {"alg": "RS256", "kid": "one", "crit": []},
        {"alg": "RS256", "kid": "one", "b64": False},
        {"alg": "RS256", "kid": "one", "zip": "DEF"},
        {"alg": "RS256", "kid": "one", "typ": "at+jwt"},
        {"alg": "RS256", "kid": ["one"]},
        {"alg": "RS256", "kid": "x" * 300},
        {"alg": ["RS256"], "kid": "one"},
    ],
)
def test_a_header_that_tries_something(house: House, fake_ehr: FakeEhr, header: dict[str, Any]) -> None:
    fake_ehr.raw_header = json.dumps(header).encode()
    assert refused(house, fake_ehr) in {"smart.idtoken.bad", "smart.jwks"}
    assert {asked.path for asked in fake_ehr.server.log} <= {
        "/fhir/.well-known/smart-configuration", "/auth/.well-known/openid-configuration",
        "/auth/token", "/auth/keys", "/auth/revoke",
    }  # fmt: skip


@pytest.mark.parametrize("header", [{"alg": "RS256", "kid": "one"}, {"alg": "RS256", "typ": "jwt", "x5t": "abc"}])
def test_a_header_that_tries_nothing(house: House, fake_ehr: FakeEhr, header: dict[str, Any]) -> None:
    fake_ehr.raw_header = json.dumps(header).encode()
    assert sign_in(house, fake_ehr).sub == "person-1"


@pytest.mark.parametrize(("bits", "exponent"), [(1024, 65537), (2048, 3)])
def test_a_key_that_is_weak_is_no_key(house: House, fake_ehr: FakeEhr, bits: int, exponent: int) -> None:
    weak = generate_private_key(exponent, bits)
    numbers = weak.public_key().public_numbers()
    n = urlsafe_b64encode(numbers.n.to_bytes(bits // 8, "big")).decode()
    e = urlsafe_b64encode(numbers.e.to_bytes(3, "big").lstrip(b"\0")).decode()
    fake_ehr.keys = [{"kty": "RSA", "kid": "one", "n": n, "e": e}]
    fake_ehr.raw_header, fake_ehr.raw_key = b'{"alg":"RS256","kid":"one"}', weak
    assert refused(house, fake_ehr) == "smart.jwks"


@pytest.mark.parametrize(
    "token",
    [
        "a.b",
        "a.b.c.d.e",
        '{"payload":"x","signatures":[]}',
        "!.!.!",
        "eyJ..x",
        unsigned(b'{"alg":"RS256","alg":"none","kid":"one"}', b"{}"),
        unsigned(b'{"alg":"RS256","kid":"one"}', b'{"sub":"a","sub":"b"}'),
        unsigned(b'{"alg":"RS256","kid":"one"}', b"[]"),
        unsigned(b'{"alg":"RS256","kid":"one"}', b'{"sub":"\\ud800"}'),
        unsigned(b'{"alg":"RS256","kid":"one"}', b'{"exp":NaN}'),
        unsigned(b'{"alg":"RS256","kid":"one"}', b'{"exp":' + b"9" * 5000 + b"}"),
        unsigned(b'{"alg":"RS256","kid":"one"}', b'{"a":' * 1500 + b"1" + b"}" * 1500),
    ],
)
def test_a_token_that_is_none(house: House, fake_ehr: FakeEhr, token: str) -> None:
    fake_ehr.raw_id_token = token
    assert refused(house, fake_ehr) == "smart.idtoken.bad"
    assert fake_ehr.server.asked("/auth/keys") == []


def test_a_token_that_is_too_long(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.raw_id_token = "x" * 17000
    assert refused(house, fake_ehr) == "smart.token.bad"
    with pytest.raises(LaunchRefused):
        read_jws(signed({"alg": "RS256", "kid": "one"}, b'{"a": "' + b"x" * 17000 + b'"}', KEY))


@pytest.mark.clause("SMART 2.2", "47")
def test_no_id_token_is_no_sign_in(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.raw_id_token = ""
    assert refused(house, fake_ehr) == "smart.idtoken.bad"


@pytest.mark.clause("SMART 2.2", "201", "218")
def test_a_signature_of_another_key_with_the_right_name(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.signer = OTHER_KEY
    assert refused(house, fake_ehr) == "smart.idtoken.bad"


@pytest.mark.threat("S12")
def test_an_unknown_key_is_looked_for_once_in_five_minutes(house: House, fake_ehr: FakeEhr) -> None:
    sign_in(house, fake_ehr)
    fake_ehr.header = {"alg": "RS256", "kid": "two"}
    fake_ehr.signer = OTHER_KEY
    assert [refused(house, fake_ehr) for _ in range(5)] == ["smart.jwks"] * 5
    assert len(fake_ehr.server.asked("/auth/keys")) == 2
    fake_ehr.keys.append(dict(OTHER_KEY.as_dict(private=False)))
    assert refused(house, fake_ehr) == "smart.jwks"
    house.clock.advance(301)
    fake_ehr.claims["exp"] = int(house.clock.now().timestamp()) + 60
    fake_ehr.claims["iat"] = int(house.clock.now().timestamp())
    assert sign_in(house, fake_ehr).sub == "person-1"
    assert len(fake_ehr.server.asked("/auth/keys")) == 3


@pytest.mark.threat("S12")
def test_a_key_that_was_withdrawn_is_gone_after_an_hour(house: House, fake_ehr: FakeEhr) -> None:
    sign_in(house, fake_ehr)
    fake_ehr.keys = [dict(OTHER_KEY.as_dict(private=False))]
    house.clock.advance(3601)
    now = int(house.clock.now().timestamp())
    fake_ehr.claims.update({"exp": now + 60, "iat": now})
    assert refused(house, fake_ehr) == "smart.jwks"


@pytest.mark.parametrize(
    "keys",
    [
        lambda _: [],
        lambda good: [good, good],
        lambda good: [{**good, "use": "enc"}],
        lambda good: [{**good, "alg": "RS384"}],
        lambda good: [{**good, "n": "AQAB"}],
        lambda good: [{**good, "e": "AQ"}],
        lambda good: [{**good, "n": "!"}],
        lambda _: [{"kty": "oct", "k": "c2VjcmV0", "kid": "one"}],
        lambda good: [good] * 51,
        lambda _: "keys",
        lambda _: ["one"],
    ],
)
def test_key_sets_that_do_not_lead_to_one_good_key(
    house: House, fake_ehr: FakeEhr, keys: Callable[[dict[str, Any]], Any]
) -> None:
    fake_ehr.keys = keys(dict(KEY.as_dict(private=False)))
    assert refused(house, fake_ehr) == "smart.jwks"


def test_a_token_without_kid_is_believed_where_there_is_one_key(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.header = {"alg": "RS256"}
    assert sign_in(house, fake_ehr).sub == "person-1"


def test_a_token_without_kid_is_refused_where_there_is_a_choice(house: House, fake_ehr: FakeEhr) -> None:
    fake_ehr.header = {"alg": "RS256"}
    fake_ehr.keys.append(dict(OTHER_KEY.as_dict(private=False)))
    assert refused(house, fake_ehr) == "smart.jwks"


def right_claims() -> dict[str, Any]:
    return {"iss": "https://ehr", "aud": CLIENT, "sub": "s", "nonce": "n", "iat": AT, "exp": AT + 60}


def read(claims: dict[str, Any]) -> None:
    read_id_claims(claims, issuer="https://ehr", client_id=CLIENT, nonce="n", now=NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from(["iss", "aud", "nonce"]), value=JSON)
@example(name="aud", value=[CLIENT, CLIENT])
def test_no_other_value_of_what_binds_the_token_passes(name: str, value: Any) -> None:
    claims = right_claims()
    if value in (claims[name], [claims[name]]):
        return
    with pytest.raises(LaunchRefused):
        read({**claims, name: value})


@given(name=st.sampled_from(["exp", "iat", "nbf", "sub", "azp", "auth_time", "fhirUser"]), value=JSON)
def test_whatever_a_claim_holds_it_is_read_or_refused(name: str, value: Any) -> None:
    try:
        read({**right_claims(), name: value})
    except LaunchRefused:
        return
    if name in {"exp", "iat", "nbf", "auth_time"}:
        assert isinstance(value, int | float)
        assert not isinstance(value, bool)


@given(
    st.dictionaries(st.sampled_from(["kty", "use", "kid", "alg", "n", "e", "crv", "x", "y", "d"]), JSON),
    st.sampled_from([KEY, EC_KEY]),
    st.sets(st.sampled_from(["kty", "use", "kid", "alg", "n", "e", "crv", "x", "y"]), min_size=1),
)
def test_whatever_a_key_set_holds_it_is_a_public_key_or_none(
    noise: dict[str, Any], good: RSAKey | ECKey, changed: set[str]
) -> None:
    entry = {**good.as_dict(private=False), **{name: value for name, value in noise.items() if name in changed}}
    found = _public_key(entry)
    assert found is None or not found.is_private


@given(at=st.integers(0, 400), flip=st.integers(1, 255))
@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
def test_a_token_changed_in_one_place_is_another_token(at: int, flip: int) -> None:
    from joserfc import jws
    from joserfc.errors import JoseError

    good = signed({"alg": "RS256", "kid": "one"}, right_claims(), KEY).encode()
    place = at % len(good)
    changed = good[:place] + bytes([good[place] ^ flip]) + good[place + 1 :]
    try:
        found = read_jws(changed.decode("latin-1"))
        jws.deserialize_compact(found.compact, KEY, algorithms=[found.alg])
    except (LaunchRefused, JoseError, ValueError):
        return
    # The last character of a segment carries spare bits (RFC 4648 §3.5): the token still says the same.
    assert found.claims == right_claims()


@given(st.binary(max_size=60))
def test_json_is_an_object_or_a_value_error(raw: bytes) -> None:
    try:
        found = json_object(raw)
    except ValueError:
        return
    assert json.loads(raw) == found
