"""New signing keys while apps hold tokens and key sets: nobody who goes by the published keys is ever refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from smartapp.tokens import signing_files
from tests.authserver.house import AFTER, PROVIDER, AuthHouse

HOUR = 3600


def published(house: AuthHouse) -> dict[str, dict[str, Any]]:
    """The key set as an app fetches it, by `kid`."""
    answer = house.get(f"/{PROVIDER}/oauth/jwks")
    return {each["kid"]: each for each in house.ok(answer)["keys"]}


def verified(token: str, keys: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """As an app does it: by the key that the header names, in the set that it holds."""
    header = jws.extract_compact(token.encode()).protected
    held = KeySet.import_key_set({"keys": [keys[header["kid"]]]})
    found: dict[str, Any] = json.loads(jws.deserialize_compact(token, held, algorithms=[header["alg"]]).payload)
    return found


def rotate(house: AuthHouse, *, at_once: bool = False) -> None:
    """`smartapp keys rotate-signing`, in another process: the one that serves is not told."""
    signing_files.rotate(house.folder / "keys", house.clock.now(), at_once=at_once)


@pytest.mark.clause("OpenID Connect Core", "10.1.1")
@pytest.mark.clause("SMART 2.2 server", "207", "209", "210")
@pytest.mark.promise("B1")
@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_tokens_before_and_after_a_rotation_are_verified_with_sets_from_before_and_after(
    house: AuthHouse, alg: str
) -> None:
    app = house.app(id_token_signed_response_alg=alg)
    first = house.tokens(app)
    before = published(house)
    assert {each["alg"] for each in before.values()} == {"RS256", "ES256"}
    house.clock.advance(HOUR)
    rotate(house)
    second = house.ok(house.refresh(first["refresh_token"]))
    after = published(house)
    assert before.keys() < after.keys()
    kids = [jws.extract_compact(each["id_token"].encode()).protected["kid"] for each in (first, second)]
    assert kids[0] != kids[1]
    for keys in (before, after):
        assert verified(first["id_token"], keys)["aud"] == app.client_id
        assert verified(second["id_token"], keys)["aud"] == app.client_id
    assert verified(first["id_token"], after)["sub"] == verified(second["id_token"], after)["sub"]
    hint = {"id_token_hint": first["id_token"], "post_logout_redirect_uri": AFTER}
    assert house.get(f"/{PROVIDER}/oauth/logout", query_string=hint).status_code == 303


@pytest.mark.clause("OpenID Connect Core", "10.1.1")
def test_a_key_leaves_the_set_when_nothing_lives_that_it_signed(house: AuthHouse) -> None:
    token = house.tokens()["id_token"]
    house.clock.advance(HOUR)
    rotate(house)
    assert verified(token, published(house))
    house.clock.advance(24 * HOUR + 1)
    assert jws.extract_compact(token.encode()).protected["kid"] not in published(house)
    assert verified(house.tokens()["id_token"], published(house))


def test_leaked_keys_verify_nothing_from_the_next_request_on(house: AuthHouse) -> None:
    app = house.app()
    first = house.tokens(app)
    before = published(house)
    rotate(house, at_once=True)
    after = published(house)
    assert before.keys().isdisjoint(after.keys())
    assert verified(house.ok(house.refresh(first["refresh_token"]))["id_token"], after)
    with pytest.raises((JoseError, KeyError)):
        verified(first["id_token"], after)
    hint = {"id_token_hint": first["id_token"], "post_logout_redirect_uri": AFTER}
    assert house.get(f"/{PROVIDER}/oauth/logout", query_string=hint).status_code == 400
