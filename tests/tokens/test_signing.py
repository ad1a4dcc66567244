"""The keys of id_tokens: published before they sign, and for as long as something lives that they signed."""

import json
import stat
from pathlib import Path

import pytest
from joserfc import jws
from joserfc.jwk import KeySet

from smartapp.errors import ConfigurationError, KeysUnavailable
from smartapp.tokens import signing_files
from smartapp.tokens.signing import SigningKeys, require_signing_keys
from tests.support.clock import FixedClock

HOUR = 3600


@pytest.fixture
def folder(tmp_path: Path, fixed_clock: FixedClock) -> Path:
    signing_files.rotate(tmp_path, fixed_clock.now())
    return tmp_path


@pytest.fixture
def keys(folder: Path, fixed_clock: FixedClock) -> SigningKeys:
    return SigningKeys(folder, fixed_clock)


def verified(token: str, keys: SigningKeys, alg: str) -> object:
    """As a client does it: with the published set only."""
    published = KeySet.import_key_set({"keys": [each for each in keys.public()["keys"] if each["alg"] == alg]})
    return json.loads(jws.deserialize_compact(token, published, algorithms=[alg]).payload)


@pytest.mark.clause("OpenID Connect Core", "10.1")
@pytest.mark.clause("SMART 2.2 server", "207", "210")
@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_what_is_signed_is_verified_with_the_published_keys(keys: SigningKeys, alg: str) -> None:
    token = keys.sign({"sub": "a"}, alg)
    assert verified(token, keys, alg) == {"sub": "a"}
    assert keys.claims_of(token) == {"sub": "a"}


def test_no_private_member_is_published(keys: SigningKeys) -> None:
    published = keys.public()["keys"]
    assert len(published) == 4
    assert len({each["kid"] for each in published}) == 4
    for each in published:
        assert set(each) <= {"kty", "kid", "alg", "use", "n", "e", "crv", "x", "y"}


def test_key_files_are_private(folder: Path) -> None:
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


@pytest.mark.clause("OpenID Connect Core", "10.1.1")
@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_a_rotation_signs_with_a_key_that_was_published_before_and_keeps_the_old_one(
    keys: SigningKeys, folder: Path, fixed_clock: FixedClock, alg: str
) -> None:
    before = {each["kid"] for each in keys.public()["keys"]}
    old = keys.sign({"n": 1}, alg)
    fixed_clock.advance(HOUR)
    signing_files.rotate(folder, fixed_clock.now())
    new = keys.sign({"n": 2}, alg)  # the running process saw it
    kid = jws.extract_compact(new.encode()).protected["kid"]
    assert kid in before
    assert kid != jws.extract_compact(old.encode()).protected["kid"]
    assert (verified(old, keys, alg), verified(new, keys, alg)) == ({"n": 1}, {"n": 2})
    fixed_clock.advance(24 * HOUR + 1)
    assert len(keys.public()["keys"]) == 4
    assert verified(new, keys, alg) == {"n": 2}


def test_a_next_key_that_was_not_published_for_long_does_not_sign(folder: Path, fixed_clock: FixedClock) -> None:
    fixed_clock.advance(HOUR - 1)
    with pytest.raises(ConfigurationError, match="at-once"):
        signing_files.rotate(folder, fixed_clock.now())


def test_leaked_keys_are_gone_at_once(keys: SigningKeys, folder: Path, fixed_clock: FixedClock) -> None:
    token, before = keys.sign({"n": 1}), {each["kid"] for each in keys.public()["keys"]}
    signing_files.rotate(folder, fixed_clock.now(), at_once=True)
    assert before.isdisjoint({each["kid"] for each in keys.public()["keys"]})
    assert keys.claims_of(token) is None


@pytest.mark.parametrize("alg", ["HS256", "none", "RS384", ""])
def test_nothing_else_is_signed_with(keys: SigningKeys, alg: str) -> None:
    with pytest.raises(ValueError, match="algorithm"):
        keys.sign({}, alg)


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 9, "eyJhbGciOiJub25lIn0.e30."])
def test_what_we_did_not_sign_says_nothing(keys: SigningKeys, token: str) -> None:
    assert keys.claims_of(token) is None


@pytest.mark.threat("C11")
@pytest.mark.parametrize(
    ("pattern", "fault", "sentence"),
    [
        ("signing.json", lambda path: path.unlink(), "rotate-signing"),
        ("signing.json", lambda path: path.chmod(0o622), "chmod 600"),
        ("signing.json", lambda path: path.write_text("[]"), "restore"),
        ("signing.json", lambda path: path.write_text("{"), "restore"),
        ("sig-*.key", lambda path: path.unlink(), "restore"),
        ("sig-*.key", lambda path: path.chmod(0o640), "chmod 600"),
        ("sig-*.key", lambda path: path.write_text('{"kty": "oct", "k": "YWJj"}'), "restore"),
        ("sig-*.key", lambda path: path.write_text("cut"), "restore"),
    ],
)
def test_an_unusable_key_stops_the_start_and_signs_nothing(
    folder: Path, fixed_clock: FixedClock, pattern: str, fault: object, sentence: str
) -> None:
    assert callable(fault)
    fault(next(iter(sorted(folder.glob(pattern)))))
    for use in (lambda: require_signing_keys(folder), lambda: SigningKeys(folder, fixed_clock).sign({})):
        with pytest.raises(KeysUnavailable) as caught:
            use()
        assert sentence in str(caught.value)


def test_a_file_of_keys_is_read_once_only(keys: SigningKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.sign({})
    monkeypatch.setattr(signing_files, "read_key", lambda *_: pytest.fail("read again"))
    assert keys.sign({})
