"""npm `fhir-kit-client`, unmodified: it learns what we can do, searches to the last page, and reads."""

from __future__ import annotations

from typing import Any

import pytest

from smartapp.sandbox.world import build_world
from tests.clients.grant import granted
from tests.clients.house import House
from tests.clients.node import Node

REDIRECT = "http://127.0.0.1:8765/callback"
COUNT = 2
Said = dict[str, Any]


@pytest.fixture(scope="module")
def said(house: House, node: Node) -> Said:
    """What it saw of Ana's record."""
    app = house.register("fhir-kit-client", redirect_uris=[REDIRECT])
    token = granted(house, app["client_id"], REDIRECT)["access_token"]
    return node.run("fhir_kit", {"fhir": house.fhir, "token": token, "patient": "ana", "count": COUNT})


@pytest.fixture(scope="module")
def held() -> set[str]:
    """Ana's studies, by the sandbox's own plan: those that are hers at the first hospital."""
    hospital = build_world().hospital("st-elsewhere")
    return {f"urn:oid:{study.uid}" for study in hospital.person("ana").studies}


@pytest.mark.promise("B3")
def test_it_finds_where_to_ask(said: Said, house: House) -> None:
    """It asks all documents that tell at once, and takes the first answer: each must say the same."""
    assert said["capability"]["version"].startswith("4.0")
    assert said["capability"]["search"] is True
    assert said["metadata"]["authorizeUrl"] == f"{house.issuer}/oauth/authorize"
    assert said["metadata"]["tokenUrl"] == f"{house.issuer}/oauth/token"
    assert said["metadata"]["registerUrl"] == f"{house.issuer}/oauth/register"


@pytest.mark.promise("B3")
@pytest.mark.clause("FHIR R4", "search.html#paging")
def test_it_turns_pages_to_the_end(said: Said, held: set[str]) -> None:
    pages = said["pages"]
    assert len(pages) > 1
    assert [page["studies"] for page in pages[:-1]] == [COUNT] * (len(pages) - 1)
    assert {page["total"] for page in pages} == {len(said["studies"])}
    assert len(set(said["studies"])) == len(said["studies"])
    assert set(said["uids"]) <= held
    assert said["posted"] == len(said["studies"])
    assert said["reports"] > 0


@pytest.mark.promise("B3")
def test_it_reads_what_it_found_and_where_its_references_lead(said: Said, house: House) -> None:
    assert said["same"] is True
    assert said["subject"] == {"type": "Patient", "id": "ana"}
    assert said["endpoint"] == {"type": "Endpoint", "address": house.dicomweb}


@pytest.mark.promise("B3")
@pytest.mark.clause("RFC 6750", "3")
def test_it_is_told_why_in_fhir(said: Said) -> None:
    assert said["absent"]["status"] == 404
    assert said["absent"]["data"]["resourceType"] == "OperationOutcome"
    assert said["withoutToken"]["status"] == 401
    assert said["withoutToken"]["data"]["resourceType"] == "OperationOutcome"
