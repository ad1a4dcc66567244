"""The discovery documents say the same wherever they are read, and every refusal that they promise is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.authserver.house import BASE, ISSUER, PROVIDER, AuthHouse
from tests.support.databases import SqliteFiles

OPENID = f"/{PROVIDER}/.well-known/openid-configuration"
OAUTH = f"/.well-known/oauth-authorization-server/{PROVIDER}"
APPENDED = f"/{PROVIDER}/.well-known/oauth-authorization-server"
SMART = f"/{PROVIDER}/fhir/.well-known/smart-configuration"


@pytest.fixture(scope="module")
def house(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuthHouse]:
    with sqlite_files.ready() as url:
        made = AuthHouse(url, tmp_path_factory.mktemp("discovery"))
        yield made
        made.close()


def told(house: AuthHouse, path: str) -> dict[str, Any]:
    return house.ok(house.get(path))


@pytest.mark.clause("RFC 8414", "2", "3", "3.3")
@pytest.mark.clause("OpenID Connect Discovery 1.0", "4", "4.3")
def test_the_documents_agree_and_name_where_they_were_found(house: AuthHouse) -> None:
    openid, smart = told(house, OPENID), told(house, SMART)
    assert told(house, OAUTH) == told(house, APPENDED) == openid
    assert openid["issuer"] == ISSUER
    assert {name: value for name, value in smart.items() if name in openid} == {
        name: value for name, value in openid.items() if name in smart
    }
    assert told(house, OPENID.replace(PROVIDER, "st-mercy"))["issuer"] == f"{BASE}/st-mercy"


def test_addresses_come_from_the_configuration_and_never_from_the_request(house: AuthHouse) -> None:
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}
    for path in (OPENID, OAUTH, SMART):
        answer = house.get(path, headers=forged)
        assert answer.get_json() == told(house, path)
        assert house.http.get(path, base_url="http://evil.example").status_code == 400


@pytest.mark.clause("RFC 9207", "3")
@pytest.mark.clause("OpenID Connect Discovery 1.0", "3")
def test_what_is_promised_of_answers_is_kept(house: AuthHouse) -> None:
    openid = told(house, OPENID)
    assert openid["authorization_response_iss_parameter_supported"] is True
    assert openid["response_types_supported"] == ["code"]
    assert openid["response_modes_supported"] == ["query"]
    assert openid["code_challenge_methods_supported"] == ["S256"]
    assert openid["request_parameter_supported"] is openid["request_uri_parameter_supported"] is False
    keys = told(house, openid["jwks_uri"].removeprefix(BASE))["keys"]
    assert {key["alg"] for key in keys} == set(openid["id_token_signing_alg_values_supported"])
    assert all(not {"d", "p", "q", "k"} & key.keys() for key in keys)


@pytest.mark.parametrize("field", ["token", "introspection", "revocation"])
def test_every_named_way_of_authentication_works_and_no_other(house: AuthHouse, field: str) -> None:
    named = set(told(house, OPENID)[f"{field}_endpoint_auth_methods_supported"])
    assert named - {"none"} == {"client_secret_basic", "private_key_jwt"}
    assert ("none" in named) is (field != "introspection")
    assert set(told(house, OPENID)[f"{field}_endpoint_auth_signing_alg_values_supported"]) >= {"RS384", "ES384"}


def test_every_named_grant_type_is_known_and_no_other(house: AuthHouse) -> None:
    named = told(house, OPENID)["grant_types_supported"]
    for grant_type in (*named, "password", "implicit", "urn:ietf:params:oauth:grant-type:device_code"):
        answer = house.post("token", urlencode({"grant_type": grant_type, "client_id": house.app().client_id}),
                            content_type="application/x-www-form-urlencoded")  # fmt: skip
        assert (answer.get_json()["error"] == "unsupported_grant_type") is (grant_type not in named)


def test_an_unknown_hospital_has_no_documents(house: AuthHouse) -> None:
    for path in (OPENID, OAUTH, APPENDED, SMART):
        answer = house.get(path.replace(PROVIDER, "st-nowhere"))
        assert answer.status_code == 404
        assert answer.mimetype in {"application/json", "application/fhir+json"}


def test_only_reading_is_offered(house: AuthHouse) -> None:
    for path in (OPENID, OAUTH, SMART):
        below_fhir = path == SMART  # there a token is asked for before a method is
        assert house.http.post(path, base_url=BASE).status_code == (401 if below_fhir else 405)
        assert house.http.head(path, base_url=BASE).status_code == 200
