"""Clients in Python that others wrote, unmodified, at everything as it runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.clients.house import SCOPE, House
from tests.clients.python.run import run
from tests.clients.python.walk import given, studies_of, token_of

ASKED = "openid fhirUser offline_access patient/*.rs"


@pytest.mark.promise("B1")
@pytest.mark.clause("SMART 2.2 server", "48", "53", "56", "57", "59", "73", "74", "75", "78")
@pytest.mark.parametrize("kind", ["public", "confidential"])
def test_fhirclient_launches_reads_searches_and_refreshes(house: House, kind: str) -> None:
    person = house.person()
    found = run("smart_fhirclient", given(house, house.client(kind), scope=ASKED), person.allow)
    assert found["needed_a_launch"] is True
    context = found["context"]
    assert (context["patient"], context["token_type"], context["scope"]) == ("ana", "Bearer", SCOPE)
    assert context["need_patient_banner"] is True
    assert found["name"] == "Ana María Rivera"
    assert len(found["studies"]) == found["again"] == 2
    assert all(uid.startswith("urn:oid:") for uid in found["studies"])
    assert found["read"] is True
    assert found["refreshed"] is True
    assert found["invented"] == 'Bearer error="invalid_token"'


@pytest.mark.promise("B1")
@pytest.mark.clause("SMART 2.2 server", "54")
def test_fhirclient_hears_that_the_person_said_no(house: House) -> None:
    person = house.person()
    told = given(house, house.client("public"), scope=ASKED)
    with pytest.raises(AssertionError, match="The resource owner or authorization server denied the request"):
        run("smart_fhirclient", told, person.refuse)


@pytest.mark.promise("B3")
@pytest.mark.clause("FHIR R4", "3.1.1")
@pytest.mark.parametrize(("username", "page", "total"), [("ana", 2, 5), ("grace", 5, 12)])
def test_fhirpy_pages_to_the_end_and_counts_the_same(house: House, username: str, page: int, total: int) -> None:
    token = token_of(house, username)
    told = {"fhir": house.fhir, "token": token["access_token"], "patient": token["patient"], "page": page}
    found = run("smart_fhirpy", told)
    assert found["total"] == total
    for way in ("paged", "fetched", "in_turn"):
        assert len(set(found[way])) == len(found[way]) == found["total"]
        assert set(found[way]) == set(found["paged"])
    assert 0 < found["scans"] < found["total"]
    assert found["patient"] == token["patient"]
    assert found["endpoint"] == house.dicomweb
    assert '"not-found"' in found["missing"]
    assert found["written"] == "not-supported"


@pytest.mark.promise("B1")
@pytest.mark.promise("B4")
@pytest.mark.clause("SMART 2.2 server", "14", "31", "200", "207", "209")
@pytest.mark.clause("RFC 7636", "4.6")
@pytest.mark.clause("RFC 7009", "2")
@pytest.mark.clause("RFC 9207", "2")
@pytest.mark.parametrize(
    ("method", "kind"),
    [("none", "public"), ("client_secret_basic", "confidential"), ("private_key_jwt", "confidential")],
)
def test_authlib_signs_in_refreshes_is_told_and_gives_back(house: House, method: str, kind: str) -> None:
    client = house.client(kind, key=method == "private_key_jwt")
    found = run("smart_authlib", given(house, client, scope=SCOPE, method=method), house.person().allow)
    assert found["issuer"] == found["known"] == house.issuer
    assert found["scope"] == SCOPE
    assert (found["first"], found["after"], found["ended"]) == (200, 200, 401)
    assert (found["refreshed"], found["rotated"]) == (True, True)
    assert (found["revoked"], found["refused"]) == (200, "invalid_grant")
    if method != "none":
        _introspected(house, client, found["introspected"])


def _introspected(house: House, client: dict[str, Any], said: dict[str, Any]) -> None:
    """RFC 7662 §2.2, and what SMART adds."""
    assert said["active"] is True
    assert (said["client_id"], said["scope"], said["iss"]) == (client["client_id"], SCOPE, house.issuer)
    assert said["exp"] - said["iat"] <= 3600
    assert (said["patient"], said["fhirUser"]) == ("ana", f"{house.fhir}/Patient/ana")


@pytest.mark.promise("B5")
@pytest.mark.clause("RFC 7523", "3")
def test_authlib_is_a_service_with_a_key(house: House) -> None:
    told = given(house, house.client("backend"), scope="system/*.rs", method="private_key_jwt")
    found = run("smart_authlib", told)
    assert (found["scope"], found["token_type"]) == ("system/*.rs", "Bearer")
    assert 0 < found["expires_in"] <= 300
    assert "refresh_token" not in found


@pytest.mark.promise("B3")
@pytest.mark.clause("PS3.18", "8.3", "10.4", "10.6")
def test_dicomweb_client_reads_what_the_grant_reaches_and_nothing_else(house: House) -> None:
    everything = studies_of(house, token_of(house)["access_token"], "ana")
    brain = next(uid for uid, name in everything.items() if "brain" in name.lower())
    left = [uid for uid in everything if uid != brain]
    app = house.register("A viewer in Python", redirect_uris=["http://127.0.0.1:8765/callback"])
    token = token_of(house, client=app, studies=["chosen"], study=[brain, left[0]])
    told = {"dicomweb": house.dicomweb, "token": token["access_token"], "study": brain, "outside": left[1]}
    found = run("dicomweb", told)

    searched = found["searched"]
    assert sorted(searched["studies"]) == sorted(searched["paged"]) == sorted([brain, left[0]])
    assert searched["scans"] == [brain]

    study = found["study"]
    assert study["series"] > 1
    assert len(set(study["instances"])) == study["said"] > study["series"]
    assert study["instances"] == study["metadata"] == study["files"]

    picture = found["picture"]
    assert len(set(picture["uids"])) == 1
    assert picture["frame_is_the_pixels"] is True
    assert picture["rendered"] == [picture["size"], picture["size"]]

    assert found["refused"] == {"metadata": 404, "study": 404, "series": 404}
