"""The doctor tries whether the EHR takes us as a backend service, before EHRs that do and do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from smartapp.bootstrap.diagnosis import diagnose
from smartapp.clock import SystemClock
from smartapp.outbound.findings import Finding
from smartapp.security.keyring import Keyring
from smartapp.settings import Database, Keys, Settings, Storage
from smartapp.tokens import signing_files
from tests.launch.house import settings
from tests.launch.server import Said, said
from tests.support.databases import SqliteFiles
from tests.threats.hospital import Hospital, hospital

SCOPES = ("system/ImagingStudy.rs", "system/Patient.rs")
NAME = "backend services at st-elsewhere"


@pytest.fixture
def place() -> Iterator[Hospital]:
    with hospital("st-elsewhere", "ISSUER") as running:
        yield running


@pytest.fixture
def key() -> ECKey:
    return ECKey.generate_key("P-384")


@pytest.fixture
def installed(place: Hospital, sqlite_files: SqliteFiles, tmp_path: Path, key: ECKey) -> Iterator[Settings]:
    Keyring.create(tmp_path / "keys")
    signing_files.rotate(tmp_path / "keys", SystemClock().now())
    file = tmp_path / "backend.jwk"
    file.write_text(json.dumps(key.as_dict(private=True)))
    system = {"system_client_id": "backend", "system_private_key_file": file, "system_scopes": SCOPES}
    with sqlite_files.ready() as url:
        yield settings(
            place.provider(**system),
            database=Database(url),
            keys=Keys(tmp_path / "keys"),
            storage=Storage(tmp_path / "cache", cache_max_bytes=1),
        )


def seen(chosen: Settings) -> Finding:
    return next(found for found in diagnose(chosen) if found.name == NAME)


def given(**changed: Any) -> Said:
    answer = {"access_token": "system-1", "token_type": "bearer", "expires_in": 300, "scope": " ".join(SCOPES)}
    return said(answer | changed)


@pytest.mark.clause("RFC 7523", "2.2")
def test_a_token_is_asked_for_and_used_for_nothing(installed: Settings, place: Hospital, key: ECKey) -> None:
    place.ehr.server.at("/auth/token", lambda _: given())
    assert seen(installed) == Finding(NAME, "works", "a token for 300 s, over all of system_scopes")
    [asked] = place.ehr.token_requests
    assert asked.form["grant_type"] == "client_credentials"
    assert asked.form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert jwt.decode(asked.form["client_assertion"], key, algorithms=["ES384"]).claims["sub"] == "backend"
    assert all("authorization" not in each.headers for each in place.ehr.server.log)


def test_what_it_does_not_give_is_named(installed: Settings, place: Hospital) -> None:
    place.ehr.server.at("/auth/token", lambda _: given(scope=SCOPES[0]))
    found = seen(installed)
    assert found.state == "look"
    assert SCOPES[1] in found.sentence
    assert SCOPES[0] not in found.sentence


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (said({"error": "invalid_client"}, status=401), "https://app.test/.well-known/jwks.json"),
        (said({"error": "unauthorized_client"}, status=400), "client_credentials"),
        (said({"error": "invalid_scope"}, status=400), "system_scopes"),
        (said({"error": "invalid_request"}, status=400), "ask who runs it"),
        (given(scope="system/Observation.rs"), "system_scopes"),
        (said({}, status=503), "no answer that counts"),
        (given(token_type="mac"), "no answer that counts"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_refusal_says_what_to_do(installed: Settings, place: Hospital, answer: Said, says: str) -> None:
    place.ehr.server.at("/auth/token", lambda _: answer)
    found = seen(replace(installed, server=replace(installed.server, base_url="https://app.test")))
    assert found.state == "fails"
    assert says in found.sentence


def test_where_we_are_none_nothing_is_asked(installed: Settings, place: Hospital) -> None:
    plain = replace(installed.providers[0], system_client_id="", system_private_key_file=None, system_scopes=())
    assert NAME not in {found.name for found in diagnose(replace(installed, providers=(plain,)))}
    assert place.ehr.token_requests == []
